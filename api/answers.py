"""The AI answer of a ticket over HTTP: read it, have a new one written."""

from contextlib import AbstractContextManager

from flask import g

from api import shapes
from api.envelope import Answer
from api.gate import the_foyer
from api.noun import Noun
from api.ticket_inputs import MoveTicket, said
from models import shape
from permissions import Permission
from services import answers, tickets
from storage import Desk, Row

blp = Noun("answers", __name__, description="What the AI answered.")
FIELDS = ("ai_response", "ai_source", "ai_status", "ai_confidence", "ai_citations")


def _answer(ticket: Row, desk_actor_is_customer: bool, message: str) -> Answer:
    fields = [name for name in FIELDS if not (desk_actor_is_customer and name == "ai_confidence")]
    return Answer(shape(ticket, fields), message)


@blp.get("/api/tickets/<ticket_id>/ai_response", "GetAiResponse", may=Permission.TICKETS_READ, gives=shapes.AiResponse)
def get_ai_response(desk: Desk, ticket_id: str) -> Answer:
    """Get the AI answer of a ticket.

    What the AI answered, and who wrote it: the model or a canned reply.
    """
    ticket = tickets.get(desk, ticket_id)
    messages = {"pending": "The answer is being written.", "done": "Answered.", "failed": "The AI could not answer."}
    message = messages.get(ticket["ai_status"], "No AI answer was asked for.")
    return _answer(ticket, desk.actor.is_customer, message)


@blp.post(
    "/api/tickets/<ticket_id>/ai_response",
    "CreateAiResponse",
    may=Permission.TICKETS_WORK,
    body=MoveTicket,
    gives=shapes.AiResponse,
    own_units=True,
)
def create_ai_response(ticket_id: str, body: Row) -> Answer:
    """Have a new AI answer written.

    Writes, stores and mails a new answer; without a model, or when it fails, a canned one. While the model is busy with
    other tickets it answers 503, and nothing is stored or mailed.
    """
    foyer, actor, who = the_foyer(), g.actor, said(body)

    def open_desk(*, write: bool = False) -> AbstractContextManager[Desk]:
        return foyer.storage.desk(actor, write=write)

    ticket = answers.write_again(open_desk, ticket_id, foyer.model, places=foyer.waiting, **who)
    return _answer(ticket, False, "Answered.")
