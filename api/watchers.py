"""Watchers of a ticket over HTTP."""

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Email
from api.http.resource import Resource
from api.ticket_inputs import Versioned, pop_actor_and_version
from api.tickets import ticket_answer
from core.permissions import Permission
from services.tickets import watchers
from storage import Row, UnitOfWork

blp = Resource("watchers", __name__, description="Who is told of a ticket.")


class OldWatcher(Versioned):
    """A watcher to remove."""

    email = Email(required=True, about="E-mail address of the watcher.")


class NewWatcher(OldWatcher, Repeatable):
    """A watcher to add."""


@blp.post(
    "/api/tickets/<ticket_id>/watchers",
    "WatchTicket",
    permission=Permission.TICKETS_WORK,
    body=NewWatcher,
    response=schemas.Ticket,
)
def watch_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Add a watcher.

    They are mailed when somebody replies publicly and when the ticket is resolved. Users who are agents or admins get the
    text, others number and link only.
    """
    ticket = watchers.add(uow, ticket_id, body.pop("email"), **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is watched.", uow.actor)


@blp.delete(
    "/api/tickets/<ticket_id>/watchers",
    "UnwatchTicket",
    permission=Permission.TICKETS_WORK,
    body=OldWatcher,
    response=schemas.Ticket,
)
def unwatch_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Remove a watcher.

    They are told no more.
    """
    ticket = watchers.remove(uow, ticket_id, body.pop("email"), **pop_actor_and_version(body))
    return ticket_answer(ticket, f"The watcher of ticket #{ticket['number']} is removed.", uow.actor)
