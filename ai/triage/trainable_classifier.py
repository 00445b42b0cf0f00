"""Text classifier trained on examples: kernel ridge regression over embeddings and word counts, with leave-one-out scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ai.arrays import Floats
from ai.triage.heads import Encoder
from ai.triage.word_counts import WordTable

# How fast the kernel falls off with distance, for few examples per label and from MANY on. With few it must reach further.
# Chosen on several draws of examples of 75 intents and 8 groups of a service desk.
WIDTH_OF_FEW, WIDTH_OF_MANY, MANY = 1.5, 2.0, 30
RIDGE = 0.3  # regularisation
WORD_SHARE = 0.2  # the share of common words in the kernel, where a label has enough examples
EXAMPLES_FOR_WORDS = 5  # examples per label, on average, from which words count
TEMPERATURES = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
PRECISION = 0.95  # of the left-out examples whose confidence reaches the threshold
LEAST_EXAMPLES = 20  # on so many examples at least
NO_THRESHOLD = 1.01  # a confidence that is never reached
SUREST = 0.999  # a left-out example is no surer than this, so that a new text can reach the threshold
STRANGERS = 0.05  # the share of examples that may be unlike all others


@dataclass(frozen=True, slots=True)
class Result:
    """Scores and probabilities in the order of `labels`, and the nearest example by its place and cosine similarity."""

    scores: Floats
    probabilities: Floats
    nearest: int
    similarity: float


class TrainableClassifier:
    """Trained in one solve from texts and their labels. The same examples give the same results."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], labels: Sequence[str]) -> None:
        self.encoder = encoder
        self.labels = sorted(set(labels))
        places = {name: place for place, name in enumerate(self.labels)}
        self.targets = np.array([places[label] for label in labels])
        one_hot = np.zeros((len(labels), len(self.labels)), np.float32)
        one_hot[np.arange(len(labels)), self.targets] = 1
        self._mean: Floats = one_hot.mean(0)
        self.vectors: Floats = encoder.encode(texts)
        self._word_share = WORD_SHARE if len(texts) >= EXAMPLES_FOR_WORDS * len(self.labels) else 0.0
        self._words, words = WordTable.learn(texts)
        self._width = WIDTH_OF_FEW if len(texts) < MANY * len(self.labels) else WIDTH_OF_MANY
        similarity = self.vectors @ self.vectors.T
        gram = self._kernel(similarity)
        # A text less similar to every example than nearly every example is to another one is about something else.
        np.fill_diagonal(similarity, -1)
        self.usual_similarity = float(np.quantile(similarity.max(1), STRANGERS)) if len(texts) > 1 else 1.0
        del similarity
        if self._word_share:
            gram = (1 - self._word_share) * gram + self._word_share * (words @ words.T)
        gram[np.diag_indices_from(gram)] += RIDGE
        inverse = np.linalg.inv(gram)
        self._weights: Floats = inverse @ (one_hot - self._mean)
        # The kernel of words is linear, so its weights are kept per word: many megabytes less than per example.
        self._word_weights: Floats = words.T @ self._weights
        # The scores of each example without training on it.
        self.left_out: Floats = one_hot - self._weights / np.diag(inverse)[:, None]

    def classify(self, text: str) -> Result:
        """Classifies one text."""
        vector: Floats = self.encoder.encode([text])[0]
        similarity = self.vectors @ vector
        scores = (1 - self._word_share) * (self._kernel(similarity) @ self._weights) + self._mean
        if self._word_share:
            scores = scores + self._word_share * self._words.product(text, self._word_weights)
        nearest = int(similarity.argmax())
        probabilities = to_probabilities(scores[None], self._temperature)[0]
        return Result(scores, probabilities, nearest, float(similarity[nearest]))

    def _kernel(self, similarity: Floats) -> Floats:
        gram: Floats = np.exp(2 * self._width * (similarity - 1))
        return gram

    @cached_property
    def _temperature(self) -> float:
        """The temperature with the lowest log loss of the left-out examples."""
        rows = np.arange(len(self.targets))

        def log_loss(temperature: float) -> float:
            return float(-np.log(to_probabilities(self.left_out, temperature)[rows, self.targets] + 1e-6).mean())

        return min(TEMPERATURES, key=log_loss)

    @cached_property
    def left_out_predictions(self) -> tuple[Floats, Floats]:
        """For each example, without training on it: the place of its predicted label, and the confidence."""
        probabilities = to_probabilities(self.left_out, self._temperature)
        return probabilities.argmax(1), np.minimum(probabilities.max(1), SUREST)

    @cached_property
    def threshold(self) -> float:
        """The confidence from which on 95 % of the left-out examples were right; NO_THRESHOLD when there is none."""
        predictions, confidence = self.left_out_predictions
        order = np.argsort(-confidence, kind="stable")
        precision = (predictions == self.targets)[order].cumsum() / np.arange(1, len(order) + 1)
        precise_places = [place for place in range(LEAST_EXAMPLES - 1, len(order)) if precision[place] >= PRECISION]
        return float(confidence[order[precise_places[-1]]]) if precise_places else NO_THRESHOLD


def to_probabilities(scores: Floats, temperature: float | Floats) -> Floats:
    """Softmax of each row of scores, at one temperature or at one for each row (n, 1)."""
    parts = np.exp((scores - scores.max(1, keepdims=True)) / temperature)
    probabilities: Floats = parts / parts.sum(1, keepdims=True)
    return probabilities
