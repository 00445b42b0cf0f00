"""Text classifier: kernel ridge regressions over embeddings and words, trained on the built-in example sentences.

It returns scores only; ai/triage/scoring.py combines them with word lists.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ai.triage import example_sentences as examples
from ai.triage.word_counts import WordTable
from core.models import CATEGORIES, SENTIMENTS

Floats = NDArray[np.floating[Any]]

# The three for the category were chosen on companies without a sentence of their industry: scoring.left_out_industries in
# tools/models. Widths from 1 to 2 and shares of words from 0.2 to 0.4 differ by less than a point.
KERNEL_WIDTH = 1.0  # how fast the kernel falls off with distance
COMMON_RIDGE, INDUSTRY_RIDGE = 0.1, 0.4  # a sentence that fits every company counts more than one of an industry
WORD_SHARE = 0.2  # the share of common words in the kernel of the category
RIDGE = 0.3  # regularisation of the other heads: limits the influence of a single sentence
URGENCY_STRETCH = 1.3  # the ridge pulls urgency towards the middle; this restores the range
STEEPNESS = 4.0  # of the logistic function that turns a yes-or-no score into a probability
OFFSETS = {"dissatisfied": 0.35, "wants_human": 0.15}  # the score at which the probability is 0.5


class Encoder(Protocol):
    """Encodes texts; ai.embeddings.Embeddings is one."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (n, d): one unit vector per text, zeros for a text without a known word."""
        ...


@dataclass(frozen=True, slots=True)
class Classification:
    """The classifier's result for one text.

    `categories` and `sentiments` are scores, about 1 for the right label and 0 for the others. `nearest` holds, per category,
    the most similar sentence and its cosine similarity. `urgency` is about 1 to 5; `dissatisfied` and `wants_human` are
    probabilities. `understood` is False when the text has no known word.
    """

    categories: Mapping[str, float]
    nearest: Mapping[str, tuple[str, float]]
    sentiments: Mapping[str, float]
    urgency: float
    dissatisfied: float
    wants_human: float
    understood: bool


class Head:
    """A kernel ridge regression, trained in one solve and deterministic."""

    def __init__(self, vectors: Floats, targets: Floats) -> None:
        self.vectors = vectors
        self.mean = targets.mean(0)
        self.weights = _solve(kernel(vectors, vectors), targets - self.mean, np.full(len(vectors), RIDGE))

    def __call__(self, vectors: Floats) -> Floats:
        scores: Floats = kernel(vectors, self.vectors) @ self.weights + self.mean
        return scores


class CategoryHead:
    """The regression for the category. Its kernel is that of the embeddings and, for WORD_SHARE of it, of common words.

    `common` tells for each sentence whether it fits every company.
    """

    def __init__(
        self, encoder: Encoder, sentences: Sequence[str], labels: Sequence[str], common: Sequence[bool]
    ) -> None:
        self.encoder = encoder
        self.vectors: Floats = encoder.encode(sentences)
        self.words, word_vectors = WordTable.learn(sentences)
        ridge = np.where(common, COMMON_RIDGE, INDUSTRY_RIDGE).astype(np.float32)
        targets = one_hot(labels, CATEGORIES).astype(np.float32)
        self.mean: Floats = np.average(targets, axis=0, weights=1 / ridge).astype(np.float32)
        gram = word_vectors @ word_vectors.T  # changed in place: a matrix of this size is many megabytes
        gram *= WORD_SHARE / (1 - WORD_SHARE)
        gram += kernel(self.vectors, self.vectors)
        gram *= 1 - WORD_SHARE
        weights = _solve(gram, targets - self.mean, ridge)
        self.weights: Floats = (1 - WORD_SHARE) * weights
        # The kernel of words is linear, so its weights are kept per word.
        self.word_weights: Floats = (WORD_SHARE * (word_vectors.T @ weights)).astype(np.float32)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """The scores (n, categories) of texts."""
        by_words = np.array([self.words.product(text, self.word_weights) for text in texts])
        scores: Floats = kernel(self.encoder.encode(texts), self.vectors) @ self.weights + by_words + self.mean
        return scores


def _solve(gram: Floats, targets: Floats, ridge: Floats) -> Floats:
    gram[np.diag_indices_from(gram)] += ridge
    weights: Floats = np.linalg.solve(gram, targets)
    return weights


def kernel(left: Floats, right: Floats) -> Floats:
    """Radial kernel of two sets of unit vectors (n, d) and (m, d): (n, m), 1 for equal vectors."""
    gram: Floats = left @ right.T
    gram -= 1
    gram *= 2 * KERNEL_WIDTH
    np.exp(gram, out=gram)
    return gram


def one_hot(labels: Iterable[Any], names: Sequence[str]) -> Floats:
    """A row per label with a one in its column."""
    return np.array([[float(label == name) for name in names] for label in labels])


@dataclass(frozen=True, slots=True)
class _Heads:
    """All heads as one: their sentences below one another, so that one multiplication serves a text.

    `weights` is (sentences, outputs), zero where an output belongs to another head; `mean` is added to the outputs.
    """

    vectors: Floats
    weights: Floats
    mean: Floats

    @classmethod
    def of(cls, heads: Sequence[Head | CategoryHead]) -> "_Heads":
        weights = np.zeros(
            (sum(len(head.vectors) for head in heads), sum(head.weights.shape[1] for head in heads)), np.float32
        )
        row = column = 0
        for head in heads:
            rows, columns = head.weights.shape
            weights[row : row + rows, column : column + columns] = head.weights
            row, column = row + rows, column + columns
        weights *= np.exp(-2 * KERNEL_WIDTH)  # what kernel subtracts in its exponent
        means = np.concatenate([head.mean for head in heads]).astype(np.float32)
        return cls(np.vstack([head.vectors for head in heads]), weights, means)


class TextClassifier:
    """Classifies texts by the built-in sentences, for one encoder. Its heads are trained at first use."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    @cached_property
    def category(self) -> CategoryHead:
        texts, labels = flat(examples.CATEGORIES)
        common = {text for common_texts in examples.COMMON.values() for text in common_texts}
        return CategoryHead(self.encoder, texts, labels, [text in common for text in texts])

    @cached_property
    def _heads(self) -> _Heads:
        """The heads of category, sentiment, urgency, dissatisfied and wants_human, in this order."""
        sentiments, labels = flat(examples.SENTIMENTS)
        urgencies, levels = flat(examples.URGENCY)
        return _Heads.of(
            [
                self.category,
                Head(self.encoder.encode(sentiments), one_hot(labels, SENTIMENTS)),
                Head(self.encoder.encode(urgencies), np.array(levels, float)[:, None]),
                self._either(examples.DISSATISFIED, examples.SATISFIED),
                self._either(examples.WANTS_HUMAN, examples.NO_HUMAN),
            ]
        )

    def _either(self, yes: Sequence[str], no: Sequence[str]) -> Head:
        targets = np.array([1.0] * len(yes) + [-1.0] * len(no))
        return Head(self.encoder.encode([*yes, *no]), targets[:, None])

    def warm_up(self) -> None:
        """Trains all heads now, so that the first ticket does not wait for it."""
        self.classify("hello")

    def classify(self, text: str) -> Classification:
        """Classifies one text."""
        vector, heads = self.encoder.encode([text])[0], self._heads
        similarities = heads.vectors @ vector
        scores = np.exp(2 * KERNEL_WIDTH * similarities) @ heads.weights + heads.mean
        scores[: len(CATEGORIES)] += self.category.words.product(text, self.category.word_weights)
        outputs = iter(scores.tolist())
        centre = 3.0
        return Classification(
            categories={name: next(outputs) for name in CATEGORIES},
            nearest=_nearest(similarities),
            sentiments={name: next(outputs) for name in SENTIMENTS},
            urgency=centre + URGENCY_STRETCH * (next(outputs) - centre),
            dissatisfied=_probability(next(outputs), OFFSETS["dissatisfied"]),
            wants_human=_probability(next(outputs), OFFSETS["wants_human"]),
            understood=bool(vector.any()),
        )


def _nearest(similarities: Floats) -> dict[str, tuple[str, float]]:
    """The most similar sentence of each category; the similarities begin with those of the category's sentences."""
    nearest, start = {}, 0
    for label, texts in examples.CATEGORIES.items():
        own = similarities[start : start + len(texts)]
        place = int(own.argmax())
        nearest[label] = (texts[place], float(own[place]))
        start += len(texts)
    return nearest


def sentences() -> list[str]:
    """Every sentence that the heads are trained on, each once."""
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


def softmax(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Scores as probabilities; a lower temperature favours the best score."""
    most = max(scores.values())
    parts = {name: math.exp((score - most) / temperature) for name, score in scores.items()}
    whole = sum(parts.values())
    return {name: part / whole for name, part in parts.items()}


def _probability(score: float, offset: float) -> float:
    return 1 / (1 + math.exp(-STEEPNESS * (score - offset)))
