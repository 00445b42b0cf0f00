"""Leave-one-out cross-validation: whether the examples of a company decide better than the rules and built-in sentences."""

from collections.abc import Iterable, Sequence

import numpy as np

from ai.arrays import Floats
from ai.triage.trainable_classifier import NO_THRESHOLD, TrainableClassifier, to_probabilities
from core.models import CATEGORIES

WEIGHTS = (0.5, 1.0, 2.0)  # weights of a trained classifier against the built-in one
TEMPERATURES = (0.08, 0.12, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
WEIGHT_ERRORS = 2.0  # standard errors that the gain of a weight must exceed
# The same for a threshold. It is higher, since one of several shares is chosen. 7 corrections that agree are enough.
THRESHOLD_ERRORS = 2.5
SHARES = (1.0, 0.5, 0.25, 0.125)  # of the examples decided otherwise than by the rules: the most confident ones


def category_weight(trained: TrainableClassifier, built_in_scores: Floats) -> float:
    """The weight of the trained category scores against the built-in ones; 0 unless they clearly decide better.

    `built_in_scores` (n, categories) are those of the examples.
    """
    targets = np.array([CATEGORIES.index(trained.labels[place]) for place in trained.targets])
    trained_scores = category_columns(trained.labels, trained.left_out)
    rows = np.arange(len(targets))

    def log_loss(weight: float) -> Floats:
        scores = built_in_scores + weight * trained_scores
        # Each weight at its best temperature, else noise seems to help where the built-in scores are overconfident.
        losses = (-np.log(to_probabilities(scores, temperature)[rows, targets]) for temperature in TEMPERATURES)
        return min(losses, key=np.mean)

    def hits(weight: float) -> int:
        return int(((built_in_scores + weight * trained_scores).argmax(1) == targets).sum())

    best = min(WEIGHTS, key=lambda weight: float(log_loss(weight).mean()))
    gain = log_loss(0) - log_loss(best)
    clear = gain.mean() > WEIGHT_ERRORS * gain.std() / len(gain) ** 0.5
    return best if clear and hits(best) >= hits(0) else 0.0


def find_threshold(trained: TrainableClassifier, rule_labels: Sequence[str]) -> float:
    """The confidence from which the classifier may overrule the rules, whose label of each example is in `rule_labels`.

    Compares the examples where the two differ. The classifier must clearly gain more than it loses, on all of them or on
    the most confident share. Returns NO_THRESHOLD otherwise.
    """
    predictions, confidence = trained.left_out_predictions
    by_rule, labels = np.array(rule_labels), np.array(trained.labels)
    differ = np.flatnonzero(labels[predictions] != by_rule)
    differ = differ[np.argsort(-confidence[differ], kind="stable")]
    hits = (predictions[differ] == trained.targets[differ]).astype(int)
    losses = (by_rule[differ] == labels[trained.targets[differ]]).astype(int)
    net_gains, decisive = (hits - losses).cumsum(), (hits + losses).cumsum()
    # Corrections are stored before tickets are resolved. Among corrections the rules are never right, so the classifier must
    # beat chance as well.
    chance = (np.bincount(trained.targets, minlength=len(labels)) / len(trained.targets))[predictions[differ]]
    expected_hits, deviation = chance.cumsum(), (chance * (1 - chance)).cumsum() ** 0.5
    best_gain, threshold = 0, NO_THRESHOLD
    for share in SHARES:
        last = round(share * len(differ)) - 1
        if last < 0 or hits.cumsum()[last] <= expected_hits[last] + THRESHOLD_ERRORS * deviation[last]:
            continue
        if net_gains[last] > max(best_gain, THRESHOLD_ERRORS * decisive[last] ** 0.5):
            best_gain, threshold = net_gains[last], float(confidence[differ[last]])
    return threshold


def category_columns(labels: Iterable[str], scores: Floats) -> Floats:
    """Scores (n, labels) as scores (n, categories), zero for a category that is not among the labels."""
    columns = np.zeros((len(scores), len(CATEGORIES)))
    for place, label in enumerate(labels):
        if label in CATEGORIES:
            columns[:, CATEGORIES.index(label)] = scores[:, place]
    return columns
