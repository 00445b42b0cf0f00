"""The copilot over HTTP: what agents get ready-made for a ticket. Nothing here changes a ticket."""

from marshmallow import Schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Number
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.permissions import Permission
from services.copilot.past_tickets import question_of
from services.tickets import changes
from storage import Row, UnitOfWork

blp = Resource("copilot", __name__, description="Work done ahead for agents.")


class HowMany(Schema):
    """How many past tickets."""

    k = Number(1, 20, load_default=5, about="How many at most.")


class SimilarTicket(Schema):
    """A resolved ticket that is like this one."""

    ticket_id = schemas.text("Id of the resolved ticket.")
    number = schemas.integer("Its number.")
    title = schemas.text("What it was about.")
    resolution = schemas.text("How it was resolved.")
    score = schemas.decimal("How much it is like this one, from 0 to 1.")
    resolved_at = schemas.moment("When it was resolved.")


@blp.get(
    "/api/tickets/<ticket_id>/similar",
    "ListSimilarTickets",
    permission=Permission.TICKETS_WORK,
    query=HowMany,
    response=SimilarTicket,
    many=True,
)
def list_similar(uow: UnitOfWork, ticket_id: str, query: Row) -> Answer:
    """List similar resolved tickets.

    Resolved tickets of the company that are like this one, by words and by meaning, the best first.
    """
    ticket = changes.get(uow, ticket_id)
    past = current_runtime().past_tickets.find(uow, question_of(ticket), query["k"], without=ticket_id)
    rows = [_similar(one.row, one.score) for one in past]
    return Answer(rows, how_many(len(rows), "similar ticket"), page=(len(rows), len(rows), 0))


def _similar(row: Row, score: float) -> Row:
    fields = {"ticket_id": row["id"], **{name: row[name] for name in ("number", "title", "resolution")}, "score": score}
    return fields | ({"resolved_at": row["resolved_at"]} if row["resolved_at"] else {})
