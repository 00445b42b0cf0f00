"""Drop-downs over HTTP."""

from api import shapes
from api.envelope import Answer, how_many
from api.noun import Noun
from permissions import Permission
from services import lookups
from storage import Desk

blp = Noun("lookups", __name__, description="Values for drop-downs.")


@blp.get("/api/lookups/<name>", "ListChoices", may=Permission.LOOKUPS_READ, gives=shapes.Choice, many=True)
def list_choices(desk: Desk, name: str) -> Answer:
    """List the choices of a drop-down.

    One of statuses, priorities, categories, teams, tiers and agents, as value and label.
    """
    data = lookups.choices(desk, name)
    return Answer(data, how_many(len(data), "choice"), page=(len(data), len(data), 0))
