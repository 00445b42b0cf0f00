"""What a company's own examples are worth, found by leaving each of them out: noise must count nothing.

Numbers only; whose examples they are is in taught.py.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ai.triage.text_classifier import Floats, Meaning
from ai.triage.trainable_classifier import NEVER, Learner, chances
from core.models import CATEGORIES

WEIGHTS = (0.5, 1.0, 2.0)  # what own examples may count against the sentences every company starts with
CLEARLY = 2.0  # standard errors that what own examples gain must exceed
WARMTHS = (0.08, 0.12, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
BETTER = 2.5  # standard errors, where one of several shares is chosen: 7 corrections that agree are enough
SHARES = (1.0, 0.5, 0.25, 0.125)  # of the examples on which own ones would decide otherwise: the surest of them


def category_weight(learner: Learner, meaning: Meaning | None) -> float:
    """What own examples may count in the category, and nothing unless they clearly decide better with it."""
    if meaning is None:
        return 0.0
    right = np.array([CATEGORIES.index(learner.labels[place]) for place in learner.right])
    start, own = meaning.category(learner.vectors), spread(learner.labels, learner.left_out)
    rows = np.arange(len(right))

    def surprise(weight: float) -> Floats:
        scores = start + weight * own
        # Each at the warmth that suits it: else mere noise would seem to help where the start is too sure of itself.
        return min((-np.log(chances(scores, warmth)[rows, right]) for warmth in WARMTHS), key=np.mean)

    def hits(weight: float) -> int:
        return int(((start + weight * own).argmax(1) == right).sum())

    best = min(WEIGHTS, key=lambda weight: float(surprise(weight).mean()))
    gain = surprise(0) - surprise(best)
    clear = gain.mean() > CLEARLY * gain.std() / len(gain) ** 0.5
    return best if clear and hits(best) >= hits(0) else 0.0


def from_where(learner: Learner, ruled: Sequence[str]) -> float:
    """From which confidence own examples may overrule what the rules say (`ruled`, of each example); above 1: never.

    Only where the two differ is anything won or lost. Own examples must clearly win more than they lose, on all of those or
    on the surest of them.
    """
    chosen, sure = learner.unseen
    by_rule, labels = np.array(ruled), np.array(learner.labels)
    differ = np.flatnonzero(labels[chosen] != by_rule)
    differ = differ[np.argsort(-sure[differ], kind="stable")]
    won = (chosen[differ] == learner.right[differ]).astype(int)
    lost = (by_rule[differ] == labels[learner.right[differ]]).astype(int)
    gains, decided = (won - lost).cumsum(), (won + lost).cumsum()
    # Corrections are kept before tickets are resolved, and there the rules are never right: own ones must beat luck as well.
    luck = (np.bincount(learner.right, minlength=len(labels)) / len(learner.right))[chosen[differ]]
    lucky, spread_of_luck = luck.cumsum(), (luck * (1 - luck)).cumsum() ** 0.5
    best, found = 0, NEVER
    for share in SHARES:
        last = round(share * len(differ)) - 1
        if last < 0 or won.cumsum()[last] <= lucky[last] + BETTER * spread_of_luck[last]:
            continue
        if gains[last] > max(best, BETTER * decided[last] ** 0.5):
            best, found = gains[last], float(sure[differ[last]])
    return found


def spread(labels: Iterable[str], scores: Floats) -> Floats:
    """Scores of some labels as columns of all categories."""
    found = np.zeros((len(scores), len(CATEGORIES)))
    for place, label in enumerate(labels):
        if label in CATEGORIES:
            found[:, CATEGORIES.index(label)] = scores[:, place]
    return found
