"""Snoozing a ticket over HTTP."""

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Moment
from api.http.resource import Resource
from api.ticket_inputs import Versioned, pop_actor_and_version
from api.tickets import ticket_answer
from core.permissions import Permission
from services.tickets import snooze
from storage import Row, UnitOfWork

blp = Resource("snooze", __name__, description="Tickets that are put off.")


class SnoozeTicket(Versioned, Repeatable):
    """Until when."""

    ALIASES = {"snoozed_until": "until"}

    until = Moment(required=True, about=f"A time to come, at most {snooze.LONGEST_DAYS} days ahead.")


@blp.post(
    "/api/tickets/<ticket_id>/snooze",
    "SnoozeTicket",
    permission=Permission.TICKETS_WORK,
    body=SnoozeTicket,
    response=schemas.Ticket,
)
def snooze_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Snooze a ticket.

    Puts it at the end of the queue until that time, or until its customer writes. To wake it at once, change the ticket with
    clear: ["snoozed_until"]. The agreed times go on.
    """
    until = body.pop("until")
    ticket = snooze.snooze(uow, ticket_id, until, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is snoozed until {until[:16]}Z.", uow.actor)
