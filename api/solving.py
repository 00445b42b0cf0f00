"""The customer's word that a ticket is solved, over HTTP."""

from api.http import schemas
from api.http.envelope import Answer
from api.http.resource import Resource
from api.ticket_inputs import MoveTicket, pop_actor_and_version
from api.tickets import ticket_answer
from core.permissions import Permission
from services.tickets import solving
from storage import Row, UnitOfWork

blp = Resource("solving", __name__, description="Customers say that it is solved.")


@blp.post(
    "/api/tickets/<ticket_id>/solved",
    "SayTicketIsSolved",
    permission=Permission.TICKETS_RATE,  # what only customers may say
    body=MoveTicket,
    response=schemas.Ticket,
)
def say_solved(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Say that a ticket is solved.

    The customer resolves their own ticket, or closes their conversation; nobody is mailed. A reply opens it again. Staff
    resolve with /resolve.
    """
    ticket = solving.solve(uow, ticket_id, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is solved. Thank you for telling us.", uow.actor)
