"""Questions to the articles over HTTP, answered as in the chat but without a conversation."""

from flask import g
from marshmallow import Schema

from api.chat_answers import company_model_access
from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Text
from api.http.resource import Resource
from core import models
from core.permissions import Permission
from services.chat import questions
from storage import Row

blp = Resource("knowledge_answers", __name__, description="Questions that the articles answer.")


class KnowledgeQuestion(Repeatable):
    """A question to the articles."""

    question = Text(2_000, lines=True, required=True, about="The question, in the customer's words.")


class KnowledgeAnswer(Schema):
    """An answer from the articles."""

    answer = schemas.text("What to say; empty when a person must answer.")
    answered = schemas.flag("Whether the question is answered. If not, answer asks back or offers a person.")
    escalation = schemas.flag("Whether a person must answer.")
    escalation_reason = schemas.text("Why a person must answer.", enum=["", *models.ESCALATIONS])
    source = schemas.word(models.DECIDERS, "Who wrote the answer.")
    confidence = schemas.decimal("How sure the answer is, from 0 to 1; 0 when it is canned.")
    citations = schemas.items(schemas.Citation, "The articles that the answer rests on.")


@blp.post(
    "/api/ask/knowledge",
    "AskKnowledge",
    permission=Permission.KNOWLEDGE_READ,
    body=KnowledgeQuestion,
    response=KnowledgeAnswer,
    manages_transactions=True,
    only_reads=True,
)
def ask_knowledge(body: Row) -> Answer:
    """Ask the articles.

    Answers a question from published articles, with the model or by quoting the best article, and says when a person must
    answer. Nothing is stored and nobody is told: send a chat message for that.
    """
    answer = questions.answer(company_model_access(g.actor), body["question"], company_id=g.actor.company_id)
    message = "A person must answer this." if answer["escalation"] else "Answered."
    return Answer(answer, message if answer["escalation"] or answer["answered"] else "No article answers this.")
