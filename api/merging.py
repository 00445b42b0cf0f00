"""Merging tickets over HTTP: into another ticket of the same customer, and apart again."""

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Id
from api.http.resource import Resource
from api.ticket_inputs import MoveTicket, Versioned, pop_actor_and_version
from api.tickets import ticket_answer
from core.models import LIMITS
from core.permissions import Permission
from services.tickets import changes, merging
from storage import Row, UnitOfWork

blp = Resource("merging", __name__, description="Tickets that belong together.")


class MergeTicket(Versioned, Repeatable):
    """Where a ticket goes."""

    ALIASES = {"merge_into": "into", "merged_into": "into"}

    into = Id(LIMITS["key"], required=True, about="Id of the ticket that its thread becomes a part of.")


@blp.post(
    "/api/tickets/<ticket_id>/merge",
    "MergeTicket",
    permission=Permission.TICKETS_WORK,
    body=MergeTicket,
    response=schemas.Ticket,
)
def merge_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Merge a ticket.

    Closes it and shows its thread in another ticket of the same customer, where replies to it go from now on.
    """
    ticket = merging.merge(uow, ticket_id, body.pop("into"), **pop_actor_and_version(body))
    target = changes.get(uow, ticket["merged_into"])
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is merged into #{target['number']}.", uow.actor)


@blp.post(
    "/api/tickets/<ticket_id>/unmerge",
    "UnmergeTicket",
    permission=Permission.TICKETS_WORK,
    body=MoveTicket,
    response=schemas.Ticket,
)
def unmerge_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Undo a merge.

    Makes it a ticket of its own, as it was before. Replies that were written since stay where they are.
    """
    ticket = merging.unmerge(uow, ticket_id, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is its own again.", uow.actor)
