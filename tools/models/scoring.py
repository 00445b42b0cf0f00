"""The measures of tools/models/quality.py: accuracy, rank correlation, and the cost of a tier."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ai.arrays import Floats
from ai.embeddings import TABLE, Embeddings, weights
from ai.triage import cross_validation
from ai.triage.example_sentences import CATEGORIES as EXAMPLES
from ai.triage.example_sentences import COMMON, INDUSTRIES
from ai.triage.heads import RIDGE, CategoryHead, flat, kernel
from ai.triage.rules import Triage, triage
from ai.triage.scoring import temperature
from ai.triage.text_classifier import TextClassifier
from ai.triage.trainable_classifier import TrainableClassifier, to_probabilities
from core.models import CATEGORIES

RESEMBLES = 0.6  # similarity from which on an example sentence resembles a text
OWN_TICKETS, DRAWS = 10, 3  # tickets per team that a company has sorted, and the number of random draws of them
SENTENCES = sum(map(len, EXAMPLES.values()))

Pairs = list[tuple[str, str]]
_MEMORY = """
import sqlalchemy, flask
def now():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = now()
from ai.embeddings import open_embeddings
from ai.triage.text_classifier import TextClassifier
from ai.triage.rules import triage
tier = {tier!r}
classifier = TextClassifier(open_embeddings(tier)) if tier != "none" else None
triage("", "I was charged twice", classifier=classifier)
print(round(now() - before))
"""


class Unseen(NamedTuple):
    """Macro-F1 of a company without the example sentences that resemble its texts, and with own tickets; how many sentences
    were used; and the calibration error without own tickets."""

    f1: float
    with_own: float
    sentences: int
    error: float


def decide(texts: Iterable[str], classifier: TextClassifier | None) -> tuple[list[Triage], float]:
    """The triage of each text, and the median CPU time in milliseconds, which depends little on the load of the machine."""
    if classifier:
        classifier.warm_up()
    results, times = [], []
    for text in texts:
        begin = time.process_time()
        results.append(triage("", text, classifier=classifier))
        times.append((time.process_time() - begin) * 1000)
    return results, float(np.median(times))


def unseen(encoder: Embeddings, pairs: Pairs) -> Unseen:
    """Measures a company by the sentences that resemble none of its texts, without the word lists."""
    sentences, labels = flat(EXAMPLES)
    vectors = encoder.encode([text for text, _ in pairs])
    differs = (encoder.encode(sentences) @ vectors.T).max(1) < RESEMBLES
    used = [position for position, flag in enumerate(differs) if flag]
    common = {text for texts in COMMON.values() for text in texts}
    chosen = [sentences[i] for i in used]
    head = CategoryHead(encoder, chosen, [labels[i] for i in used], [text in common for text in chosen])
    scores = head([text for text, _ in pairs])
    with_own = [_f1_with_own_tickets(encoder, pairs, scores, seed=seed) for seed in range(DRAWS)]
    decided = _sure(scores, [text for text, _ in pairs], [label for _, label in pairs])
    return Unseen(_f1(pairs, scores), float(np.mean(with_own)), len(used), calibration_error(decided))


def left_out_industries(encoder: Embeddings) -> tuple[list[tuple[bool, float]], float]:
    """Whether the category of each sentence of an industry is right without the sentences of that industry, and its confidence.

    The second figure is the accuracy with the sentences that fit every company alone.
    """
    sentences, labels = flat(COMMON)
    by_common = CategoryHead(encoder, sentences, labels, [True] * len(sentences))
    results: list[tuple[bool, float]] = []
    hits_of_common = 0
    for industry in dict.fromkeys(name for name, _, _ in INDUSTRIES):
        others = [(text, category) for name, category, texts in INDUSTRIES if name != industry for text in texts]
        head = CategoryHead(
            encoder,
            [*sentences, *(text for text, _ in others)],
            [*labels, *(category for _, category in others)],
            [True] * len(sentences) + [False] * len(others),
        )
        own = [(text, category) for name, category, texts in INDUSTRIES if name == industry for text in texts]
        texts, categories = [text for text, _ in own], [category for _, category in own]
        results += _sure(head(texts), texts, categories)
        hits_of_common += sum(right for right, _ in _sure(by_common(texts), texts, categories))
    return results, hits_of_common / len(results)


def _sure(scores: Floats, texts: Sequence[str], categories: Sequence[str]) -> list[tuple[bool, float]]:
    """Whether the best of the scores (n, categories) of each text is right, and its confidence."""
    temperatures = np.array([[temperature(len(text.split()))] for text in texts])
    probabilities = to_probabilities(scores, temperatures)
    right = probabilities.argmax(1) == [CATEGORIES.index(category) for category in categories]
    return list(zip(right.tolist(), probabilities.max(1).tolist(), strict=True))


def calibration_error(results: Sequence[tuple[bool, float]]) -> float:
    """The expected calibration error of (right, confidence): the mean gap of accuracy and confidence in ten bands."""
    bands = np.minimum([int(confidence * 10) for _, confidence in results], 9)
    right, confidence = np.array(results, float).T
    gaps = (
        abs(right[bands == band].mean() - confidence[bands == band].mean()) * (bands == band).mean()
        for band in {*bands}
    )
    return float(sum(gaps))


def _f1_with_own_tickets(encoder: Embeddings, pairs: Pairs, scores: Any, *, seed: int) -> float:
    order = random.Random(seed).sample(range(len(pairs)), len(pairs))  # noqa: S311 - the draw must be the same each time
    counts: Counter[str] = Counter()
    training: list[int] = []
    test: list[int] = []
    for position in order:
        label = pairs[position][1]
        counts[label] += 1
        (training if counts[label] <= OWN_TICKETS else test).append(position)
    classifier = TrainableClassifier(encoder, [pairs[i][0] for i in training], [pairs[i][1] for i in training])
    weight = cross_validation.category_weight(classifier, scores[training])
    own_scores = np.zeros((len(test), len(CATEGORIES)))
    columns = [CATEGORIES.index(label) for label in classifier.labels]
    for row, position in enumerate(test):
        own_scores[row, columns] = weight * classifier.classify(pairs[position][0]).scores
    return _f1([pairs[i] for i in test], scores[test] + own_scores)


def _f1(pairs: Pairs, scores: Any) -> float:
    predictions = [CATEGORIES[column] for column in scores.argmax(1)]
    return macro_f1([(label, predicted) for (_, label), predicted in zip(pairs, predictions, strict=True)])


def topics(encoder: Embeddings, train: list[dict[str, Any]], test: list[dict[str, Any]], *, examples: int) -> float:
    """Accuracy of topics, trained on the first `examples` texts of each. Texts without a topic are left out."""
    counts: Counter[str] = Counter()
    training_rows = []
    for row in train:
        counts[row["label"]] += 1
        if counts[row["label"]] <= examples:
            training_rows.append(row)
    classifier = TrainableClassifier(
        encoder, [row["text"] for row in training_rows], [row["label"] for row in training_rows]
    )
    test_rows = [row for row in test if row["label"] in classifier.labels]
    predictions = [classifier.labels[int(classifier.classify(row["text"]).scores.argmax())] for row in test_rows]
    return float(np.mean([row["label"] == label for row, label in zip(test_rows, predictions, strict=True)]))


def ceiling(encoder: Embeddings, rows: list[dict[str, Any]], classifier: TextClassifier | None) -> tuple[float, float]:
    """The rank correlation of urgency by triage, and by leave-one-out regression on these rows."""
    urgency = np.array([row["urgency"] for row in rows], float)
    vectors = encoder.encode([row["text"] for row in rows])
    inverse = np.linalg.inv(kernel(vectors, vectors) + RIDGE * np.eye(len(rows)))
    left_out = urgency - inverse @ (urgency - urgency.mean()) / np.diag(inverse)
    predictions = [one.urgency for one in decide([row["text"] for row in rows], classifier)[0]]
    return spearman(list(urgency), predictions), spearman(list(urgency), list(left_out))


def memory(tier: str) -> int:
    """Megabytes that a tier and a first decision add to a process with the libraries of the server."""
    code = [sys.executable, "-c", _MEMORY.format(tier=tier)]
    process = subprocess.run(code, check=True, capture_output=True, text=True)  # noqa: S603 - a constant program
    return int(process.stdout)


def on_disk(tier: str) -> int:
    """Megabytes of the files of a tier, without numpy."""
    files = {"none": [], "static": [TABLE], "minilm": list(weights().iterdir()) if tier == "minilm" else []}[tier]
    return round(sum(file.stat().st_size for file in files) / 1e6)


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 of the labels that occur, from pairs of the right and the predicted label."""
    scores = []
    for label in {right for right, _ in pairs}:
        hits = sum(right == predicted == label for right, predicted in pairs)
        scores.append(2 * hits / max(1, sum((right == label) + (predicted == label) for right, predicted in pairs)))
    return float(np.mean(scores))


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """The rank correlation. Equal values share a rank."""
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def auroc(positive: Sequence[bool], scores: Sequence[float]) -> float:
    """The probability that a positive one has a higher score than another; equal scores count half."""
    pairs = [
        (a, b)
        for a, flag in zip(scores, positive, strict=True)
        if flag
        for b, other in zip(scores, positive, strict=True)
        if not other
    ]
    return sum((a > b) + (a == b) / 2 for a, b in pairs) / max(1, len(pairs))


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(other < one for other in values) + sum(other == one for other in values) / 2 for one in values]
