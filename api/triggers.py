"""Polling for low-code triggers: what is newer than the caller has seen, in portions that miss nothing, newest first."""

from marshmallow import Schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Moment, Number
from api.http.resource import Resource
from core.permissions import Permission
from services.tickets import queries
from storage import Row, UnitOfWork

blp = Resource("triggers", __name__, description="Polling for flows.")


class TriggerQuery(Schema):
    """What the caller has seen already."""

    after = Moment(about="Time of the newest ticket seen; only later ones are sent, the oldest of them first in turn.")
    limit = Number(
        1, 200, load_default=200, about="How many at most; more only where several have the time of the last one."
    )


def _newer(uow: UnitOfWork, column: str, query: Row) -> Answer:
    rows, total = queries.find_newer(uow, column, query.get("after", ""), limit=query["limit"])
    return Answer(rows, how_many(total, "ticket"), page=(total, query["limit"], 0))


@blp.get(
    "/api/triggers/new-tickets",
    "OnNewTicket",
    permission=Permission.TICKETS_READ,
    query=TriggerQuery,
    response=schemas.Ticket,
    many=True,
)
def new_tickets(uow: UnitOfWork, query: Row) -> Answer:
    """When a ticket is opened.

    Tickets opened later than after, newest first. When there are more than limit, the oldest ones are sent. Use the newest
    time you were sent as the next after, and none is missed. Without after, the newest tickets are sent.
    """
    return _newer(uow, "created_at", query)


@blp.get(
    "/api/triggers/updated-tickets",
    "OnTicketUpdated",
    permission=Permission.TICKETS_READ,
    query=TriggerQuery,
    response=schemas.Ticket,
    many=True,
)
def updated_tickets(uow: UnitOfWork, query: Row) -> Answer:
    """When a ticket changes.

    Tickets changed later than after, the latest change first. When there are more than limit, the earliest changes are sent.
    Use the newest time you were sent as the next after, and none is missed. An import is a change, however old the ticket.
    """
    return _newer(uow, "updated_at", query)
