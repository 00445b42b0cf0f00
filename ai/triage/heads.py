"""Kernel ridge regressions over embeddings and words, and their training on the built-in example sentences.

Training takes a quarter of a second and 60 MB, so ai/triage/trained_heads.py keeps the result in files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ai.arrays import Floats
from ai.triage import example_sentences as examples
from ai.triage.word_counts import WordTable
from core.models import CATEGORIES, SENTIMENTS

# The three for the category were chosen on companies without a sentence of their industry: scoring.left_out_industries in
# tools/models. Widths from 1 to 2 and shares of words from 0.2 to 0.4 differ by less than a point.
KERNEL_WIDTH = 1.0  # how fast the kernel falls off with distance
COMMON_RIDGE, INDUSTRY_RIDGE = 0.1, 0.4  # a sentence that fits every company counts more than one of an industry
WORD_SHARE = 0.2  # the share of common words in the kernel of the category
# Added to the scores of the category: an unclear text should be general, and words of accounts occur in texts for every team.
# Chosen on collections without the sentences that resemble them, each left out in turn.
CATEGORY_OFFSETS = {"account": -0.04, "general": 0.04}
RIDGE = 0.3  # regularisation of the other heads: limits the influence of a single sentence


class Encoder(Protocol):
    """Encodes texts; ai.embeddings.Embeddings is one."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (n, d): one unit vector per text, zeros for a text without a known word."""
        ...


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
        self.mean += np.array([CATEGORY_OFFSETS.get(name, 0.0) for name in CATEGORIES], np.float32)
        self.weights: Floats = (1 - WORD_SHARE) * weights
        # The kernel of words is linear, so its weights are kept per word.
        self.word_weights: Floats = (WORD_SHARE * (word_vectors.T @ weights)).astype(np.float32)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """The scores (n, categories) of texts."""
        by_words = np.array([self.words.product(text, self.word_weights) for text in texts])
        scores: Floats = kernel(self.encoder.encode(texts), self.vectors) @ self.weights + by_words + self.mean
        return scores


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads as one: their sentences below one another, so that one multiplication serves a text.

    `vectors` is (sentences, d), `weights` is (sentences, outputs), zero where an output belongs to another head; `mean` is
    added to the outputs. The first outputs are the categories. `words` and `word_weights` say what words add to those.
    """

    vectors: Floats
    weights: Floats
    mean: Floats
    words: WordTable
    word_weights: Floats

    @classmethod
    def of(cls, category: CategoryHead, others: Sequence[Head]) -> "Heads":
        """Joins the heads."""
        heads: list[Head | CategoryHead] = [category, *others]
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
        vectors = np.vstack([head.vectors for head in heads])
        return cls(vectors, weights, means, category.words, category.word_weights)

    def scores(self, similarities: Floats) -> Floats:
        """The outputs (n, outputs), without what words add, from the similarities (n, sentences) of texts."""
        outputs: Floats = np.exp(2 * KERNEL_WIDTH * similarities) @ self.weights + self.mean
        return outputs

    def word_scores(self, text: str) -> Floats:
        """What the words of a text add to the scores of the categories."""
        return self.words.product(text, self.word_weights)


def train(encoder: Encoder) -> Heads:
    """The heads of category, sentiment, urgency, dissatisfied and wants_human, in this order."""
    texts, labels = flat(examples.CATEGORIES)
    common = {text for common_texts in examples.COMMON.values() for text in common_texts}
    sentiments, moods = flat(examples.SENTIMENTS)
    urgencies, levels = flat(examples.URGENCY)
    others = [
        Head(encoder.encode(sentiments), one_hot(moods, SENTIMENTS)),
        Head(encoder.encode(urgencies), np.array(levels, float)[:, None]),
        _either(encoder, examples.DISSATISFIED, examples.SATISFIED),
        _either(encoder, examples.WANTS_HUMAN, examples.NO_HUMAN),
    ]
    return Heads.of(CategoryHead(encoder, texts, labels, [text in common for text in texts]), others)


def _either(encoder: Encoder, yes: Sequence[str], no: Sequence[str]) -> Head:
    targets = np.array([1.0] * len(yes) + [-1.0] * len(no))
    return Head(encoder.encode([*yes, *no]), targets[:, None])


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


def flat(groups: Mapping[Any, Sequence[str]]) -> tuple[list[str], list[Any]]:
    """The sentences of all groups, and the name of the group of each."""
    return [text for texts in groups.values() for text in texts], [
        name for name, texts in groups.items() for _ in texts
    ]
