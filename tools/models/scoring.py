"""The measures of tools/models/quality.py: what is right, how alike two orders are, what a tier costs. Nothing is written here."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ai.embeddings import TABLE, Embeddings, weights
from ai.triage.example_sentences import CATEGORIES as EXAMPLES
from ai.triage.rules import Triage, triage
from ai.triage.text_classifier import RIDGE, Head, TextClassifier, flat, kernel, one_hot
from ai.triage.trainable_classifier import TrainableClassifier
from core.models import CATEGORIES

UNLIKE = 0.6  # from here on an example sentence resembles a text
OWN, DRAWS = 10, 3  # tickets per team a company has sorted, and how often they are drawn
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


def decided(texts: Iterable[str], classifier: TextClassifier | None) -> tuple[list[Triage], float]:
    """Every decision, and the median of their milliseconds of processor time: a busy machine changes little."""
    if classifier:
        classifier.warm_up()
    found, took = [], []
    for text in texts:
        begun = time.process_time()
        found.append(triage("", text, classifier=classifier))
        took.append((time.process_time() - begun) * 1000)
    return found, float(np.median(took))


def unseen(encoder: Embeddings, pairs: Pairs) -> tuple[float, float, int]:
    """Macro-F1 without the example sentences that resemble a text, the same with own tickets, how many sentences were left."""
    sentences, labels = flat(EXAMPLES)
    mine = encoder.encode([text for text, _ in pairs])
    far = (encoder.encode(sentences) @ mine.T).max(1) < UNLIKE
    kept = [place for place, unlike in enumerate(far) if unlike]
    head = Head(encoder.encode([sentences[place] for place in kept]), one_hot([labels[i] for i in kept], CATEGORIES))
    start = head(mine)
    figures = [_with_own(encoder, pairs, start, seed=seed) for seed in range(DRAWS)]
    return _f1(pairs, start), float(np.mean(figures)), len(kept)


def _with_own(encoder: Embeddings, pairs: Pairs, start: Any, *, seed: int) -> float:
    order = random.Random(seed).sample(range(len(pairs)), len(pairs))  # noqa: S311 - the same draw each time is the point
    counts: Counter[str] = Counter()
    own: list[int] = []
    rest: list[int] = []
    for place in order:
        label = pairs[place][1]
        counts[label] += 1
        (own if counts[label] <= OWN else rest).append(place)
    trained = TrainableClassifier(encoder, [pairs[place][0] for place in own], [pairs[place][1] for place in own])
    added = np.zeros((len(rest), len(CATEGORIES)))
    columns = [CATEGORIES.index(label) for label in trained.labels]
    for row, place in enumerate(rest):
        added[row, columns] = trained.classify(pairs[place][0]).scores
    return _f1([pairs[place] for place in rest], start[rest] + added)


def _f1(pairs: Pairs, scores: Any) -> float:
    best = [CATEGORIES[place] for place in scores.argmax(1)]
    return macro_f1([(label, given) for (_, label), given in zip(pairs, best, strict=True)])


def topics(encoder: Embeddings, train: list[dict[str, Any]], test: list[dict[str, Any]], *, examples: int) -> float:
    """Accuracy of topics learnt from the first so many examples each; texts of no topic are not asked about."""
    counts: Counter[str] = Counter()
    kept = []
    for row in train:
        counts[row["label"]] += 1
        if counts[row["label"]] <= examples:
            kept.append(row)
    trained = TrainableClassifier(encoder, [row["text"] for row in kept], [row["label"] for row in kept])
    asked = [row for row in test if row["label"] in trained.labels]
    found = [trained.labels[int(trained.classify(row["text"]).scores.argmax())] for row in asked]
    return float(np.mean([row["label"] == label for row, label in zip(asked, found, strict=True)]))


def ceiling(encoder: Embeddings, rows: list[dict[str, Any]], classifier: TextClassifier | None) -> tuple[float, float]:
    """How well urgency is ranked, and how well by a model that was taught all these rows but the one asked about."""
    wanted = np.array([row["urgency"] for row in rows], float)
    vectors = encoder.encode([row["text"] for row in rows])
    inverse = np.linalg.inv(kernel(vectors, vectors) + RIDGE * np.eye(len(rows)))
    left_out = wanted - inverse @ (wanted - wanted.mean()) / np.diag(inverse)
    given = [one.urgency for one in decided([row["text"] for row in rows], classifier)[0]]
    return spearman(list(wanted), given), spearman(list(wanted), list(left_out))


def memory(tier: str) -> int:
    """Megabytes that loading a tier and a first decision add to a process of the server's libraries."""
    code = [sys.executable, "-c", _MEMORY.format(tier=tier)]
    found = subprocess.run(code, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    return int(found.stdout)


def on_disk(tier: str) -> int:
    """Megabytes of a tier's own files; numpy, which all but none share, is not among them."""
    files = {"none": [], "static": [TABLE], "minilm": list(weights().iterdir()) if tier == "minilm" else []}[tier]
    return round(sum(file.stat().st_size for file in files) / 1e6)


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 of the labels that occur, from pairs of the right and the given label."""
    scores = []
    for label in {right for right, _ in pairs} & set(CATEGORIES):
        hits = sum(right == given == label for right, given in pairs)
        scores.append(2 * hits / max(1, sum((right == label) + (given == label) for right, given in pairs)))
    return float(np.mean(scores))


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """The correlation of ranks; equals share theirs."""
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(other < one for other in values) + sum(other == one for other in values) / 2 for one in values]
