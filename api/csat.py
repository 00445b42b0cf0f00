"""Ratings over HTTP: the customer says how satisfied they are, signed in or with the link of the mail."""

from flask import g, request

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Number, Text
from api.http.gate import current_runtime
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from api.tickets import ticket_answer
from core.errors import unauthorized
from core.models import LIMITS
from core.permissions import Permission
from services.tickets import csat
from storage import Row

blp = Resource("csat", __name__, description="How satisfied customers are.")

TO_RATE = PublicRateLimit(per_address="60 per minute")


class Rating(Repeatable):
    """A customer's rating of a resolved ticket."""

    score = Number(1, 5, required=True, about="How satisfied the customer is, from 1 (not at all) to 5 (very).")
    comment = Text(LIMITS["comment"], about="What the customer wants to add; people of the company read it.")
    token = Text(4000, about="The token of the link that was mailed, in place of credentials.")


@blp.post(
    "/api/tickets/<ticket_id>/csat",
    "RateTicket",
    permission=Permission.TICKETS_RATE,
    limit=TO_RATE,
    body=Rating,
    response=schemas.Ticket,
    manages_transactions=True,
    by_link=True,
    guests="60 per minute",
)
def rate_ticket(ticket_id: str, body: Row) -> Answer:
    """Rate a resolved ticket.

    The customer's score from 1 to 5, which they may change for a week. Customers rate with their own credentials or through a
    key that acts for them. With the token of the mailed link no credentials are needed.
    """
    runtime = current_runtime()
    actor = g.actor
    if actor is None:
        if "token" not in body:
            raise unauthorized("Send the token of the link in the mail, or a valid API key in the X-API-Key header.")
        actor = csat.bearer(
            runtime.storage, runtime.tokens, ticket_id, body["token"], address=request.remote_addr or ""
        )
    with runtime.storage.unit_of_work(actor, write=True) as uow:
        ticket = csat.rate(uow, ticket_id, body["score"], body.get("comment", ""))
    return ticket_answer(ticket, f"Thank you. Ticket #{ticket['number']} is rated {ticket['csat_score']} of 5.", actor)
