"""Polling for low-code triggers: what is newer than the caller has seen, in portions that miss nothing, newest first."""

from marshmallow import Schema

from api import shapes
from api.envelope import Answer, how_many
from api.fields import Moment, Number
from api.noun import Noun
from permissions import Permission
from services import finding
from storage import Desk, Row

blp = Noun("triggers", __name__, description="Polling for flows.")


class TriggerQuery(Schema):
    """What the caller has seen already."""

    after = Moment(about="Time of the newest ticket seen; only later ones are sent, the oldest of them first in turn.")
    limit = Number(
        1, 200, load_default=200, about="How many at most; more only where several have the time of the last one."
    )


def _newer(desk: Desk, column: str, query: Row) -> Answer:
    rows, total = finding.newer(desk, column, query.get("after", ""), limit=query["limit"])
    return Answer(rows, how_many(total, "ticket"), page=(total, query["limit"], 0))


@blp.get(
    "/api/triggers/new-tickets",
    "OnNewTicket",
    may=Permission.TICKETS_READ,
    query=TriggerQuery,
    gives=shapes.Ticket,
    many=True,
)
def new_tickets(desk: Desk, query: Row) -> Answer:
    """When a ticket is opened.

    Tickets opened later than after, newest first. When there are more than limit, the oldest ones are sent: use the newest
    time you were sent as the next after, and none is missed. Without after, the newest tickets are sent.
    """
    return _newer(desk, "created_at", query)


@blp.get(
    "/api/triggers/updated-tickets",
    "OnTicketUpdated",
    may=Permission.TICKETS_READ,
    query=TriggerQuery,
    gives=shapes.Ticket,
    many=True,
)
def updated_tickets(desk: Desk, query: Row) -> Answer:
    """When a ticket changes.

    Tickets changed later than after, the latest change first. When there are more than limit, the earliest changes are sent:
    use the newest time you were sent as the next after, and none is missed. An import is a change, however old the ticket.
    """
    return _newer(desk, "updated_at", query)
