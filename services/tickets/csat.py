"""The customer's rating of a resolved ticket."""

from auth.tokens import Tokens
from core import timestamps
from core.errors import conflict, not_found
from core.models import FINISHED, Actor
from database.tables import tickets
from services.history import Change, record
from services.tickets import changes, merged
from storage import Row, Storage, UnitOfWork

CHANGEABLE_DAYS = 7  # after the first rating of a resolution
LINK = "rating link"  # what the history names as the credential


def rate(uow: UnitOfWork, ticket_id: str, score: int, comment: str = "") -> Row:
    """Stores the customer's rating, 1 to 5, of the last resolution; returns the ticket. The comment goes into the history.

    The same customer may change it for a week. A ticket that is resolved again may be rated again. Raises AppError 404, 409.
    """
    ticket = changes.get_for_update(uow, ticket_id)
    if ticket["merged_into"]:
        number = merged.root(uow, ticket)["number"]
        raise conflict("merged", f"Ticket #{ticket['number']} is merged into #{number}. Rate that one.")
    if ticket["status"] not in FINISHED:
        raise conflict("not_resolved", f"Ticket #{ticket['number']} is not resolved yet. Rate it when it is.")
    is_first = ticket["csat_at"] is None or (ticket["resolved_at"] or "") > ticket["csat_at"]
    if not is_first and timestamps.later(ticket["csat_at"], seconds=CHANGEABLE_DAYS * 24 * 3600) <= uow.now:
        message = f"The rating of ticket #{ticket['number']} is final: it could be changed for {CHANGEABLE_DAYS} days."
        raise conflict("rating_final", message)
    if is_first and ticket["csat_score"] == score:  # the same score of another resolution
        record(uow, ticket["id"], [Change("rated", "csat_score", score, score)])
    if is_first or ticket["csat_score"] != score:
        values = {"csat_score": score} | ({"csat_at": uow.now} if is_first else {})
        ticket = changes.write(uow, ticket, values, "rated")
    if comment:
        record(uow, ticket["id"], [Change("rated", "csat_comment", "", comment)])
    return ticket


def bearer(storage: Storage, tokens: Tokens, ticket_id: str, token: str, *, address: str) -> Actor:
    """The customer for whom the link of a mail was made. Raises AppError 404, the same for a wrong token and no such ticket."""
    claims = tokens.read_rating(token, now=storage.real_now())
    if claims is None or claims["sub"] != ticket_id:
        raise not_found()
    with storage.unit_of_work(Actor.system(claims["company"])) as uow:
        ticket = uow.get(tickets, ticket_id)
    if ticket is None or ticket["erased_at"]:
        raise not_found()
    identity = {name: ticket[name] for name in ("customer_row", "customer_email", "customer_id")}
    name = ticket["customer_email"] or ticket["customer_id"]
    return Actor(claims["company"], "customer", name, key_name=LINK, address=address, **identity)
