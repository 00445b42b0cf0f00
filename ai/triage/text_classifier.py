"""What a text means, by its likeness to the sentences of triage_examples.py: closed-form heads over embeddings.

Numbers only: which words are rules, what a decision is made of and how it is explained are in triage.py.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ai import embeddings
from ai.triage import example_sentences as examples
from core.models import CATEGORIES, SENTIMENTS

Floats = NDArray[np.floating[Any]]

NARROW = 1.0  # how fast likeness falls off with distance in the kernel
CALM = 0.3  # ridge: how little a single sentence may decide
URGENCY_STRETCH = 1.3  # ridge pulls urgency towards the middle; this gives the width back
STEEPNESS = 4.0  # of the two yes-or-no heads, from their score to a probability
DOUBT = {"dissatisfied": 0.2, "wants_human": 0.1}  # how clear a yes has to be to be more likely than not


class Encoder(Protocol):
    """What tells the meaning of texts; embeddings.Embeddings is one."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit vector per text; zeros where nothing can be told."""
        ...


@dataclass(frozen=True, slots=True)
class Classification:
    """What likeness says of one text, before any rule is heard.

    `categories` and `sentiments` are scores, about 1 for the right one and 0 for the others; `like` is the sentence of each
    category that is most like the text, and how like; `told` is False when nothing in the text has a meaning we know.
    """

    categories: Mapping[str, float]
    like: Mapping[str, tuple[str, float]]
    sentiments: Mapping[str, float]
    urgency: float
    dissatisfied: float
    wants_human: float
    told: bool


class Head:
    """A kernel ridge: learnt from examples in one solve, the same each time."""

    def __init__(self, vectors: Floats, wanted: Floats) -> None:
        self.vectors = vectors
        self._middle = wanted.mean(0)
        near = kernel(vectors, vectors) + CALM * np.eye(len(vectors))
        self.weights: Floats = np.linalg.solve(near, wanted - self._middle)

    def __call__(self, vectors: Floats) -> Floats:
        found: Floats = kernel(vectors, self.vectors) @ self.weights + self._middle
        return found


def kernel(left: Floats, right: Floats) -> Floats:
    """How near unit vectors are to each other, 1 when they are the same."""
    near: Floats = np.exp(2 * NARROW * (left @ right.T - 1))
    return near


def one_hot(labels: Iterable[Any], names: Sequence[str]) -> Floats:
    """A row per label with a one in its column."""
    return np.array([[float(label == name) for name in names] for label in labels])


class Meaning:
    """The heads that every company starts with, for one encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    @cached_property
    def category(self) -> Head:
        texts, labels = flat(examples.CATEGORIES)
        return Head(self._encoded(texts), one_hot(labels, CATEGORIES))

    @cached_property
    def _sentiment(self) -> Head:
        texts, labels = flat(examples.SENTIMENTS)
        return Head(self._encoded(texts), one_hot(labels, SENTIMENTS))

    @cached_property
    def _urgency(self) -> Head:
        texts, labels = flat(examples.URGENCY)
        return Head(self._encoded(texts), np.array(labels, float)[:, None])

    @cached_property
    def _dissatisfied(self) -> Head:
        return self._either(examples.DISSATISFIED, examples.SATISFIED)

    @cached_property
    def _wants_human(self) -> Head:
        return self._either(examples.WANTS_HUMAN, examples.NO_HUMAN)

    def _either(self, yes: Sequence[str], no: Sequence[str]) -> Head:
        wanted = np.array([1.0] * len(yes) + [-1.0] * len(no))
        return Head(self._encoded([*yes, *no]), wanted[:, None])

    def _encoded(self, texts: Sequence[str]) -> Floats:
        return self.encoder.encode(texts)

    def warm(self) -> None:
        """Learns everything now, so that the first ticket does not wait for it."""
        self.judge("hello")

    def judge(self, text: str) -> Classification:
        """What a text is like."""
        vector = self._encoded([text])
        texts, labels = flat(examples.CATEGORIES)
        likeness = (self.category.vectors @ vector[0]).tolist()
        like: dict[str, tuple[str, float]] = {}
        for label, sentence, near in zip(labels, texts, likeness, strict=True):
            if near > like.get(label, ("", -1.0))[1]:
                like[label] = (sentence, near)
        centre = 3.0
        return Classification(
            categories=dict(zip(CATEGORIES, self.category(vector)[0].tolist(), strict=True)),
            like=like,
            sentiments=dict(zip(SENTIMENTS, self._sentiment(vector)[0].tolist(), strict=True)),
            urgency=centre + URGENCY_STRETCH * (float(self._urgency(vector)[0, 0]) - centre),
            dissatisfied=_chance(self._dissatisfied(vector), DOUBT["dissatisfied"]),
            wants_human=_chance(self._wants_human(vector), DOUBT["wants_human"]),
            told=bool(vector.any()),
        )


def sentences() -> list[str]:
    """Every sentence that the heads are learnt from, each once."""
    groups = (examples.CATEGORIES, examples.SENTIMENTS, examples.URGENCY)
    either = (examples.DISSATISFIED, examples.SATISFIED, examples.WANTS_HUMAN, examples.NO_HUMAN)
    return list(
        dict.fromkeys([*(text for group in groups for text in flat(group)[0]), *(t for e in either for t in e)])
    )


def flat(groups: Mapping[Any, Sequence[str]]) -> tuple[list[str], list[Any]]:
    """The sentences of all groups, and the name of the group of each."""
    return [text for texts in groups.values() for text in texts], [
        name for name, texts in groups.items() for _ in texts
    ]


def softmax(scores: Mapping[str, float], warmth: float) -> dict[str, float]:
    """Scores as probabilities; the lower the warmth, the more the best one takes."""
    most = max(scores.values())
    parts = {name: float(np.exp((score - most) / warmth)) for name, score in scores.items()}
    whole = sum(parts.values())
    return {name: part / whole for name, part in parts.items()}


def _chance(score: Floats, doubt: float) -> float:
    return float(1 / (1 + np.exp(-STEEPNESS * (score[0, 0] - doubt))))


_lock = threading.Lock()
_known: dict[str, Meaning] = {}


def meaning_now() -> Meaning | None:
    """The heads for the tier of this process, or None when there is none."""
    tier = embeddings.current()
    return meaning_by(tier) if tier else None


def meaning_by(encoder: Encoder) -> Meaning:
    """The heads for this encoder, learnt once in a process."""
    with _lock:
        found = _known.get(encoder.name)
        if found is None or found.encoder is not encoder:
            found = _known[encoder.name] = Meaning(encoder)
    return found
