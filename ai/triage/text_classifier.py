"""Text classifier: the scores of a text by the built-in heads, which are trained on example sentences.

It returns scores only; ai/triage/scoring.py combines them with word lists.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ai.arrays import Floats
from ai.triage import example_sentences as examples
from ai.triage import trained_heads
from ai.triage.heads import Encoder, Heads, train
from core.models import CATEGORIES, SENTIMENTS

URGENCY_STRETCH = 1.3  # the ridge pulls urgency towards the middle; this restores the range
STEEPNESS = 4.0  # of the logistic function that turns a yes-or-no score into a probability
OFFSETS = {"dissatisfied": 0.35, "wants_human": 0.15}  # the score at which the probability is 0.5


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


class TextClassifier:
    """Classifies texts by the built-in sentences, for one encoder. Its heads are read, or else trained, at first use."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    @cached_property
    def _heads(self) -> Heads:
        return trained_heads.read(self.encoder) or train(self.encoder)

    def warm_up(self) -> None:
        """Reads the heads now, so that the first ticket does not wait for it."""
        self.classify("hello")

    def category_scores(self, texts: Sequence[str]) -> Floats:
        """The scores (n, categories) of texts."""
        scores = self._heads.scores(self.encoder.encode(texts) @ self._heads.vectors.T)[:, : len(CATEGORIES)]
        by_words: Floats = np.array([self._heads.word_scores(text) for text in texts])
        return scores + by_words

    def classify(self, text: str) -> Classification:
        """Classifies one text."""
        vector, heads = self.encoder.encode([text])[0], self._heads
        similarities = heads.vectors @ vector
        scores = heads.scores(similarities)
        scores[: len(CATEGORIES)] += heads.word_scores(text)
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
        end = start + len(texts)
        place = start + int(similarities[start:end].argmax())
        nearest[label] = (texts[place - start], float(similarities[place]))
        start = end
    return nearest


def softmax(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Scores as probabilities; a lower temperature favours the best score."""
    most = max(scores.values())
    parts = {name: math.exp((score - most) / temperature) for name, score in scores.items()}
    whole = sum(parts.values())
    return {name: part / whole for name, part in parts.items()}


def _probability(score: float, offset: float) -> float:
    return 1 / (1 + math.exp(-STEEPNESS * (score - offset)))
