"""The drop-downs: which values a field takes, with the label a person reads."""

from collections.abc import Callable

import models
from errors import not_found
from models import label
from services import agents
from storage import Desk, Row


def _words(words: tuple[str, ...]) -> Callable[[Desk], list[Row]]:
    return lambda desk: [{"key": word, "label": label(word)} for word in words]


LOOKUPS: dict[str, Callable[[Desk], list[Row]]] = {
    "statuses": _words(models.STATUSES),
    "priorities": _words(models.PRIORITIES),
    "categories": _words(models.CATEGORIES),
    "teams": _words(models.TEAMS),
    "tiers": _words(models.TIERS),
    "agents": lambda desk: [] if desk.actor.is_customer else agents.known(desk),
}


def choices(desk: Desk, name: str) -> list[Row]:
    """The values of one drop-down. Raises AppError 404."""
    if name not in LOOKUPS:
        raise not_found()
    return LOOKUPS[name](desk)
