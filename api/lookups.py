"""Drop-downs over HTTP."""

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.resource import Resource
from core.permissions import Permission
from services import lookups
from storage import UnitOfWork

blp = Resource("lookups", __name__, description="Values for drop-downs.")


@blp.get("/api/lookups/<name>", "ListChoices", permission=Permission.LOOKUPS_READ, response=schemas.Choice, many=True)
def list_choices(uow: UnitOfWork, name: str) -> Answer:
    """List the choices of a drop-down.

    One of statuses, priorities, categories, teams, tiers and agents, as value and label.
    """
    data = lookups.choices(uow, name)
    return Answer(data, how_many(len(data), "choice"), page=(len(data), len(data), 0))
