"""The AI answer of a ticket over HTTP: read it, have a new one written."""

from flask import g

from api.http import schemas
from api.http.envelope import Answer
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.ticket_inputs import MoveTicket, pop_actor_and_version
from core.models import shape
from core.permissions import Permission
from services.tickets import ai_answers, changes
from storage import Row, UnitOfWork

blp = Resource("answers", __name__, description="What the AI answered.")
FIELDS = ("ai_response", "ai_source", "ai_status", "ai_confidence", "ai_citations")


def _answer(ticket: Row, for_customer: bool, message: str) -> Answer:
    fields = [name for name in FIELDS if not (for_customer and name == "ai_confidence")]
    return Answer(shape(ticket, fields), message)


@blp.get(
    "/api/tickets/<ticket_id>/ai_response",
    "GetAiResponse",
    permission=Permission.TICKETS_READ,
    response=schemas.AiResponse,
)
def get_ai_response(uow: UnitOfWork, ticket_id: str) -> Answer:
    """Get the AI answer of a ticket.

    What the AI answered, and who wrote it: the model or a canned reply.
    """
    ticket = changes.get(uow, ticket_id)
    messages = {"pending": "The answer is being written.", "done": "Answered.", "failed": "The AI could not answer."}
    message = messages.get(ticket["ai_status"], "No AI answer was asked for.")
    return _answer(ticket, uow.actor.is_customer, message)


@blp.post(
    "/api/tickets/<ticket_id>/ai_response",
    "CreateAiResponse",
    permission=Permission.TICKETS_WORK,
    body=MoveTicket,
    response=schemas.AiResponse,
    manages_transactions=True,
)
def create_ai_response(ticket_id: str, body: Row) -> Answer:
    """Have a new AI answer written.

    Writes, stores and mails a new answer; without a model, or when it fails, one that quotes an article, or a canned one.
    While the model is busy with other tickets it answers 503, and nothing is stored or mailed.
    """
    access, actor_and_version = current_runtime().model_access(g.actor), pop_actor_and_version(body)
    ticket = ai_answers.regenerate_answer(access, ticket_id, **actor_and_version)
    return _answer(ticket, False, "Answered.")
