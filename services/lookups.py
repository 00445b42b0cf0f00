"""Values for drop-downs: the keys that a field accepts, with labels."""

from collections.abc import Callable

from core import models
from core.errors import not_found
from core.models import label
from services.routing import agents, teams
from storage import Row, UnitOfWork


def _words(words: tuple[str, ...]) -> Callable[[UnitOfWork], list[Row]]:
    return lambda uow: [{"key": word, "label": label(word)} for word in words]


LOOKUPS: dict[str, Callable[[UnitOfWork], list[Row]]] = {
    "statuses": _words(models.STATUSES),
    "priorities": _words(models.PRIORITIES),
    "categories": _words(models.CATEGORIES),
    "teams": lambda uow: [{"key": key, "label": name} for key, name in teams.names(uow).items()],
    "tiers": _words(models.TIERS),
    "agents": lambda uow: [] if uow.actor.is_customer else agents.list_agents(uow),
}


def choices(uow: UnitOfWork, name: str) -> list[Row]:
    """The values of one lookup as [{"key", "label"}]. Raises AppError 404."""
    if name not in LOOKUPS:
        raise not_found()
    return LOOKUPS[name](uow)
