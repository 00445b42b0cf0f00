"""Triage as the company at hand gets it: the words, the meaning by the tier of this process, and what the company taught."""

from services.meaning import meaning_now
from services.triage import Triage, triage
from storage import Desk


def decide(desk: Desk, title: str, description: str, *, tier: str) -> Triage:
    """The whole decision about a text of the actor's company; nothing is stored."""
    return triage(title, description, tier=tier, meaning=meaning_now())
