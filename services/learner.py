"""Learning labels from examples: one kernel solve over meaning and words, with leave-one-out figures of how good it is.

Numbers only; whose examples these are and when they are learnt is in learning.py.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from services.meaning import Encoder, Floats

NARROW = 2.0  # how fast likeness of meaning falls off
CALM = 0.3  # ridge
WORDS = 0.2  # the share of common words in likeness, where a label has examples enough for them to mean anything
ENOUGH = 5  # examples per label, on average
PLACES = 2_048  # words and pairs of words are counted in this many places
WARMTHS = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
PRECISION, LEAST = 0.95, 20  # what automatic decisions must keep on the company's own history, and on how many at least
NEVER = 1.01
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
        self.wanted = np.array([[float(label == name) for name in self.labels] for label in labels])
        self.middle = self.wanted.mean(0)
        self.vectors: Floats = encoder.encode(texts)
        self._words_share = WORDS if len(texts) >= ENOUGH * len(self.labels) else 0.0
        counts = _counted(texts)
        self._rarity = np.log((1 + len(texts)) / (1 + (counts > 0).sum(0))) + 1
        self._words = _weighed(counts, self._rarity)
        near = self._near(self.vectors, self._words) + CALM * np.eye(len(texts))
        self._inverse = np.linalg.inv(near)
        self._weights = self._inverse @ (self.wanted - self.middle)

    def _near(self, vectors: Floats, words: Floats) -> Floats:
        meaning = np.exp(2 * NARROW * (vectors @ self.vectors.T - 1))
        if not self._words_share:
            return meaning
        return (1 - self._words_share) * meaning + self._words_share * (words @ self._words.T)

    def find(self, text: str) -> Found:
        """What a text is."""
        vector = self.encoder.encode([text])
        near = self._near(vector, _weighed(_counted([text]), self._rarity))
        scores = (near @ self._weights + self.middle)[0]
        likeness = vector[0] @ self.vectors.T
        nearest = int(likeness.argmax())
        return Found(scores, chances(scores[None], self.warmth)[0], nearest, float(likeness[nearest]))

    @cached_property
    def left_out(self) -> Floats:
        """What each example would score if it had not been learnt."""
        without = self.wanted - self.middle - self._weights / np.diag(self._inverse)[:, None]
        found: Floats = without + self.middle
        return found

    @cached_property
    def warmth(self) -> float:
        """The warmth under which left-out examples were most likely to get their own label."""
        right = self.wanted.argmax(1)
        rows = np.arange(len(right))

        def surprise(warmth: float) -> float:
            return float(-np.log(chances(self.left_out, warmth)[rows, right] + 1e-6).mean())

        return min(WARMTHS, key=surprise)

    @cached_property
    def threshold(self) -> float:
        """From which confidence on left-out examples were right 95 times of 100; above 1 when they never were."""
        given = chances(self.left_out, self.warmth)
        sure, right = given.max(1), given.argmax(1) == self.wanted.argmax(1)
        order = np.argsort(-sure, kind="stable")
        kept = right[order].cumsum() / np.arange(1, len(order) + 1)
        good = [place for place in range(LEAST - 1, len(order)) if kept[place] >= PRECISION]
        return float(sure[order[good[-1]]]) if good else NEVER


def chances(scores: Floats, warmth: float) -> Floats:
    """Rows of scores as rows of probabilities."""
    parts = np.exp((scores - scores.max(1, keepdims=True)) / warmth)
    found: Floats = parts / parts.sum(1, keepdims=True)
    return found


def _counted(texts: Sequence[str]) -> Floats:
    """How often the words and pairs of words of each text occur, by place."""
    counts = np.zeros((len(texts), PLACES), np.float32)
    for row, text in enumerate(texts):
        words = _WORD.findall(text[:4_000].lower())[:400]
        for name in [*words, *map(" ".join, pairwise(words))]:
            counts[row, zlib.crc32(name.encode("utf-8", "replace")) % PLACES] += 1
    return counts


def _weighed(counts: Floats, rarity: Floats) -> Floats:
    weighed = np.log1p(counts) * rarity
    lengths = np.linalg.norm(weighed, axis=1, keepdims=True)
    found: Floats = np.divide(weighed, lengths, out=np.zeros_like(weighed), where=lengths > 0)
    return found
