"""Learning labels from examples: one kernel solve over meaning and words, with leave-one-out figures of how good it is.

Numbers only; whose examples these are and when they are learnt is in learning.py.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np

from ai.triage.text_classifier import Encoder, Floats

NARROW = 2.0  # how fast likeness of meaning falls off
CALM = 0.3  # ridge
WORDS = 0.2  # the share of common words in likeness, where a label has examples enough for them to mean anything
ENOUGH = 5  # examples per label, on average
PLACES = 2_048  # words and pairs of words are counted in this many places
WARMTHS = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
PRECISION, LEAST = 0.95, 20  # what automatic decisions must keep on the company's own history, and on how many at least
NEVER = 1.01
STRANGERS = 0.05  # the share of examples that may be unlike the others
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """What a text is, by the examples: scores and chances per label in the learner's order, and the nearest example."""

    scores: Floats
    chances: Floats
    nearest: int
    likeness: float


class Learner:
    """Learns from texts and their labels, closed-form: the same examples give the same answers."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], labels: Sequence[str]) -> None:
        self.encoder = encoder
        self.labels = sorted(set(labels))
        places = {name: place for place, name in enumerate(self.labels)}
        self.right = np.array([places[label] for label in labels])
        wanted = np.zeros((len(labels), len(self.labels)), np.float32)
        wanted[np.arange(len(labels)), self.right] = 1
        self.middle: Floats = wanted.mean(0)
        self.vectors: Floats = encoder.encode(texts)
        self._share = WORDS if len(texts) >= ENOUGH * len(self.labels) else 0.0
        counts = np.concatenate([count_words(text) for text in texts])
        self._rarity = (np.log((1 + len(texts)) / (1 + (counts > 0).sum(0))) + 1).astype(np.float32)
        words = _weighed(counts, self._rarity)
        alike = self.vectors @ self.vectors.T
        near = _likened(alike)
        # How like another example nearly every example is: what is less like all of them is something else.
        np.fill_diagonal(alike, -1)
        self.familiar = float(np.quantile(alike.max(1), STRANGERS)) if len(texts) > 1 else 1.0
        del alike
        if self._share:
            near = (1 - self._share) * near + self._share * (words @ words.T)
        near[np.diag_indices_from(near)] += CALM
        inverse = np.linalg.inv(near)
        self._weights: Floats = inverse @ (wanted - self.middle)
        # Likeness in words is a plain product, so it is kept per word: many megabytes less than per example.
        self._word_weights: Floats = words.T @ self._weights
        # What each example would score if it had not been learnt.
        self.left_out: Floats = wanted - self._weights / np.diag(inverse)[:, None]

    def find(self, text: str) -> Found:
        """What a text is."""
        vector: Floats = self.encoder.encode([text])[0]
        likeness = self.vectors @ vector
        scores = (1 - self._share) * (_likened(likeness) @ self._weights) + self.middle
        if self._share:
            scores = scores + self._share * (_weighed(count_words(text), self._rarity)[0] @ self._word_weights)
        nearest = int(likeness.argmax())
        return Found(scores, chances(scores[None], self.warmth)[0], nearest, float(likeness[nearest]))

    @cached_property
    def warmth(self) -> float:
        """The warmth under which left-out examples were most likely to get their own label."""
        rows = np.arange(len(self.right))

        def surprise(warmth: float) -> float:
            return float(-np.log(chances(self.left_out, warmth)[rows, self.right] + 1e-6).mean())

        return min(WARMTHS, key=surprise)

    @cached_property
    def unseen(self) -> tuple[Floats, Floats]:
        """For each example, had it not been learnt: the label it would get, as its place, and how sure."""
        given = chances(self.left_out, self.warmth)
        return given.argmax(1), given.max(1)

    @cached_property
    def threshold(self) -> float:
        """From which confidence on left-out examples were right 95 times of 100; above 1 when they never were."""
        chosen, sure = self.unseen
        right = chosen == self.right
        order = np.argsort(-sure, kind="stable")
        kept = right[order].cumsum() / np.arange(1, len(order) + 1)
        good = [place for place in range(LEAST - 1, len(order)) if kept[place] >= PRECISION]
        return float(sure[order[good[-1]]]) if good else NEVER


def chances(scores: Floats, warmth: float) -> Floats:
    """Rows of scores as rows of probabilities."""
    parts = np.exp((scores - scores.max(1, keepdims=True)) / warmth)
    found: Floats = parts / parts.sum(1, keepdims=True)
    return found


def _likened(likeness: Floats) -> Floats:
    near: Floats = np.exp(2 * NARROW * (likeness - 1))
    return near


@lru_cache(maxsize=8)
def count_words(text: str) -> Floats:
    """How often the words and pairs of words of a text occur, by place: one row, the same for all heads of a company."""
    counts = np.zeros((1, PLACES), np.float32)
    words = _WORD.findall(text[:4_000].lower())[:400]
    for name in [*words, *map(" ".join, pairwise(words))]:
        counts[0, zlib.crc32(name.encode("utf-8", "replace")) % PLACES] += 1
    return counts


def _weighed(counts: Floats, rarity: Floats) -> Floats:
    weighed = np.log1p(counts) * rarity
    lengths = np.linalg.norm(weighed, axis=1, keepdims=True)
    found: Floats = np.divide(weighed, lengths, out=np.zeros_like(weighed), where=lengths > 0)
    return found
