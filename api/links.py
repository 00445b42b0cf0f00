"""Links between tickets over HTTP.

The ticket of the path is `from_id`: the body names the other one `ticket_id`, and low-code tools put both in one list.
"""

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Choice, Id
from api.http.resource import Resource
from api.ticket_inputs import Versioned, pop_actor_and_version
from api.tickets import ticket_answer
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.tickets import links
from storage import Row, UnitOfWork

blp = Resource("links", __name__, description="Links between tickets.")
KIND = "What the other ticket is to this one; causes is caused_by as the other one sees it."


class OldLink(Versioned):
    """A link to remove."""

    ticket_id = Id(LIMITS["key"], required=True, about="Id of the other ticket.")
    kind = Choice(models.LINK_KINDS, about="Which link; without it every link to that ticket.")


class NewLink(Versioned, Repeatable):
    """A link to add."""

    ticket_id = Id(LIMITS["key"], required=True, about="Id of the other ticket.")
    kind = Choice(models.LINK_KINDS, load_default="related", about=KIND)


@blp.post(
    "/api/tickets/<from_id>/links",
    "LinkTickets",
    permission=Permission.TICKETS_WORK,
    body=NewLink,
    response=schemas.Ticket,
)
def link_tickets(uow: UnitOfWork, from_id: str, body: Row) -> Answer:
    """Link two tickets.

    Both show the link. Customers do not see it.
    """
    other_id, kind = body.pop("ticket_id"), body.pop("kind")
    ticket = links.add(uow, from_id, other_id, kind, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is linked.", uow.actor)


@blp.delete(
    "/api/tickets/<from_id>/links",
    "UnlinkTickets",
    permission=Permission.TICKETS_WORK,
    body=OldLink,
    response=schemas.Ticket,
)
def unlink_tickets(uow: UnitOfWork, from_id: str, body: Row) -> Answer:
    """Remove a link.

    Removes it from both tickets.
    """
    other_id, kind = body.pop("ticket_id"), body.pop("kind", "")
    ticket = links.remove(uow, from_id, other_id, kind, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"The link of ticket #{ticket['number']} is removed.", uow.actor)
