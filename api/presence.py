"""Who is at a ticket, over HTTP."""

from flask import g
from marshmallow import Schema

from api.http import schemas
from api.http.envelope import Answer
from api.http.fields import Choice, Person
from api.http.gate import current_runtime
from api.http.resource import Resource
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.tickets import changes
from storage import Row, UnitOfWork

blp = Resource("presence", __name__, description="Who is at a ticket.")


class Present(Schema):
    """Somebody at a ticket."""

    name = schemas.text("Name of the agent or key, or AI.")
    state = schemas.word(models.PRESENCE_STATES, "What they do.")
    since = schemas.moment("Since when.", required=True)


class NewPresence(Schema):
    """What the caller does."""

    state = Choice(models.PRESENCE_STATES, required=True, about="What you do.")
    user = Person(LIMITS["email"], about="Who is at the ticket, as your app knows them; without it your user or key.")


def _answer(uow: UnitOfWork, ticket: Row) -> Answer:
    runtime = current_runtime()
    rows = runtime.presence.of_ticket(uow, ticket, shared=not runtime.storage.exclusive)
    return Answer(rows, f"At the ticket: {len(rows)}.", page=(len(rows), len(rows), 0))


@blp.put(
    "/api/tickets/<ticket_id>/presence",
    "SetPresence",
    permission=Permission.TICKETS_WORK,
    body=NewPresence,
    response=Present,
    many=True,
    manages_transactions=True,
)
def set_presence(ticket_id: str, body: Row) -> Answer:
    """Say that you are at a ticket.

    Counts for 30 seconds; send it again every 10 to 20. Lists who is there.
    """
    runtime = current_runtime()
    with runtime.storage.unit_of_work(g.actor) as uow:
        ticket = changes.get(uow, ticket_id)
        runtime.presence.note(uow, ticket_id, body["state"], said_by=body.get("user", ""))
        return _answer(uow, ticket)


@blp.get(
    "/api/tickets/<ticket_id>/presence",
    "GetPresence",
    permission=Permission.TICKETS_WORK,
    response=Present,
    many=True,
)
def get_presence(uow: UnitOfWork, ticket_id: str) -> Answer:
    """List who is at a ticket.

    Agents of the last 30 seconds, and the AI while it writes an answer; the longest there first.
    """
    return _answer(uow, changes.get(uow, ticket_id))
