"""Triage as the company at hand gets it: the words, the meaning by the tier of this process, and what the company taught."""

import numpy as np

from models import CATEGORIES
from services import learning
from services.meaning import meaning_now
from services.triage import Triage, triage
from services.weighing import Own
from storage import Desk


def decide(desk: Desk, title: str, description: str, *, tier: str) -> Triage:
    """The whole decision about a text of the actor's company; nothing is stored."""
    return triage(title, description, tier=tier, meaning=meaning_now(), own=_own(desk, f"{title}. {description}"))


def _own(desk: Desk, text: str) -> Own | None:
    """What the company's own tickets say of a text, where they were found to decide better."""
    taught = learning.known(desk, learning.CATEGORY)
    if taught is None or not taught.weight:
        return None
    found = taught.learner.find(text)
    scores = taught.weight * learning.spread(taught.learner.labels, np.array([found.scores]))[0]
    return Own(dict(zip(CATEGORIES, scores.tolist(), strict=True)), taught.numbers[found.nearest], found.likeness)
