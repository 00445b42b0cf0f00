"""The API of PunAI for its clients: one route to chat with the assistant (docs/dialects.md)."""

from flask import Response, g
from marshmallow import Schema

from api.chat_answers import answer_message, company_model_access
from api.dialects.dialect import ERROR_TEXT, Dialect, error_text, show
from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.fields import Id, Text
from core.models import LIMITS
from core.permissions import Permission
from services.chat import handoff
from storage import Row

blp = Dialect(
    "punai",
    __name__,
    description="The chat for clients of PunAI.",
    paths=("/chat",),
    error_form=error_text,
    error_schema=ERROR_TEXT,
)


class PunaiReply(Schema):
    """The answer to a message."""

    reply = schemas.text("What to show to the customer.")
    escalation = schemas.flag("Whether a person answers this conversation.")


class PunaiMessage(Repeatable):
    """A message of a customer."""

    customer_id = Id(
        LIMITS["customer_id"], data_key="user_id", required=True, about="Id of the customer in your own systems."
    )
    message = Text(LIMITS["body"], lines=True, required=True, about="What the customer writes.")


@blp.post(
    "/chat",
    "PunaiChat",
    permission=Permission.TICKETS_CREATE,
    body=PunaiMessage,
    response=PunaiReply,
    manages_transactions=True,
)
def chat(body: Row) -> Response:
    """Send a PunAI chat message.

    Answers it in the customer's conversation. Once a person answers there, each reply says so: clients expect a text.
    """
    result = answer_message(body)
    return show(
        {"reply": result["reply"] or _handover_sentence(result["ticket_id"]), "escalation": result["escalation"]}
    )


def _handover_sentence(ticket_id: str) -> str:
    with company_model_access(g.actor).open_uow() as uow:
        return handoff.handover_sentence(uow, ticket_id)
