"""The copilot over HTTP: summaries, drafts, answers, articles and similar tickets for agents. Nothing here changes a ticket."""

from flask import g
from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Number, Text
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.knowledge import Article, article_answer
from api.ticket_inputs import WriteMeta, pop_actor_and_version
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.copilot import drafts, proposals, questions, summaries
from services.copilot.past_tickets import question_of
from services.tickets import changes
from storage import Row, UnitOfWork

blp = Resource("copilot", __name__, description="Summaries, drafts and answers for agents.")


class AboutTicket(WriteMeta, Repeatable):
    """A question about a ticket without further fields."""


class Summary(Schema):
    """What an agent must know of a ticket."""

    summary = schemas.text("What happened so far.")
    customer_wants = schemas.text("What the customer wants now.")
    tried = schemas.texts("Steps that were taken.")
    open_questions = schemas.texts("Questions that nobody has answered yet.")
    mood = schemas.word(models.SENTIMENTS, "The customer's mood now.")
    source = schemas.text("Who wrote it: model, or rules for sentences of the ticket itself.")


class NewDraft(AboutTicket):
    """How a reply is to be drafted. Without a model only the instructions count, as words to search articles by."""

    tone = Text(LIMITS["tag"], about="How it should sound, such as friendly, formal or brief.")
    instructions = Text(2_000, lines=True, about="What it should say.")


class DraftOutcome(AboutTicket):
    """What became of a draft."""

    outcome = Choice(models.DRAFT_OUTCOMES, required=True, about="accepted, edited or discarded.")
    body = Text(LIMITS["body"], lines=True, about="For an edited draft: what it became.")
    reason = Choice(models.DISCARD_REASONS, about="For a discarded draft: why it did not help.")
    reason_text = Text(LIMITS["comment"], lines=True, about="For a discarded draft: the same in your words.")


class Draft(Schema):
    """A draft of a reply. It is never sent by itself."""

    draft_id = schemas.text("Id of the draft.")
    ticket_id = schemas.text("Id of the ticket.")
    body = schemas.text("The draft.")
    citations = schemas.items(schemas.Citation, "Published articles it rests on.")
    source = schemas.text("Who wrote it: model, knowledge (an article), learned (a past resolution) or canned.")
    confidence = schemas.decimal("How sure it is, from 0 to 1; 0 when it is canned.")
    stale = schemas.flag("Whether the ticket was changed since; then read it again before you send the draft.")
    outcome = schemas.text("What became of it: accepted, edited or discarded; empty until that is known.")
    edited_body = schemas.text("What an edited draft became.")
    reason = schemas.word(("", *models.DISCARD_REASONS), "Why a discarded draft did not help; empty when nobody said.")
    reason_text = schemas.text("The same in an agent's words.")
    created_at = schemas.moment("When it was written.", required=True)


class AgentQuestion(AboutTicket):
    """A question of an agent."""

    question = Text(2_000, lines=True, required=True, about="What the agent wants to know.")


class AgentAnswer(Schema):
    """An answer for an agent."""

    answer = schemas.text("The answer, or that there is none.")
    citations = schemas.items(schemas.Citation, "Published articles it rests on.")
    source = schemas.text(
        "Who wrote it: model, knowledge (an article), learned (a past resolution), rules (the ticket's own messages), canned."
    )


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


def _made(thing: str, reason: str) -> str:
    """A sentence that says who made a text. `reason` says why it was not the model."""
    return f"{thing} was written without the model: {reason}." if reason else f"{thing} was written by the model."


@blp.post(
    "/api/tickets/<ticket_id>/summary",
    "SummarizeTicket",
    permission=Permission.TICKETS_WORK,
    body=AboutTicket,
    response=Summary,
    manages_transactions=True,
    only_reads=True,
)
def summarize(ticket_id: str, body: Row) -> Answer:
    """Summarize a ticket.

    What happened, what the customer wants, what was tried and what is open, internal notes included. Without a model, and
    when it fails, in sentences of the ticket itself.
    """
    summary, reason = summaries.summarise(current_runtime().model_access(g.actor), ticket_id)
    return Answer(summary, _made("The summary", reason))


@blp.post(
    "/api/tickets/<ticket_id>/draft",
    "DraftReply",
    permission=Permission.TICKETS_WORK,
    body=NewDraft,
    response=Draft,
    manages_transactions=True,
)
def draft_reply(ticket_id: str, body: Row) -> Answer:
    """Draft a reply.

    Writes a reply for an agent to read, change and send. Without a model, and when it fails, it quotes the best article or
    how the most similar ticket was resolved, or holds first steps. Nothing is sent.
    """
    draft, reason = drafts.write(
        current_runtime().model_access(g.actor),
        ticket_id,
        tone=body.get("tone", ""),
        instructions=body.get("instructions", ""),
    )
    return Answer(draft, _made("The draft", reason))


@blp.get(
    "/api/tickets/<ticket_id>/draft",
    "ListDrafts",
    permission=Permission.TICKETS_WORK,
    query=PageQuery,
    response=Draft,
    many=True,
)
def list_drafts(uow: UnitOfWork, ticket_id: str, query: Row) -> Answer:
    """List the drafts of a ticket.

    The newest first, each with whether the ticket was changed since and what became of it.
    """
    rows, total = drafts.of_ticket(uow, ticket_id, limit=query["limit"], offset=query["offset"])
    return Answer(rows, how_many(total, "draft"), page=(total, query["limit"], query["offset"]))


@blp.post(
    "/api/tickets/<ticket_id>/draft/<draft_id>",
    "RecordDraftOutcome",
    permission=Permission.TICKETS_WORK,
    body=DraftOutcome,
    response=Draft,
)
def record_outcome(uow: UnitOfWork, ticket_id: str, draft_id: str, body: Row) -> Answer:
    """Record what became of a draft.

    Counts in the quality of the AI, which also lists why drafts were discarded: reason and reason_text. The draft is not sent:
    reply to the ticket for that.
    """
    reason = {name: body.get(name, "") for name in ("reason", "reason_text")}
    draft = drafts.record_outcome(uow, ticket_id, draft_id, body["outcome"], body.get("body", ""), **reason)
    return Answer(draft, "The ticket was changed since the draft was written." if draft["stale"] else "Noted.")


@blp.post(
    "/api/tickets/<ticket_id>/ask",
    "AskAboutTicket",
    permission=Permission.TICKETS_WORK,
    body=AgentQuestion,
    response=AgentAnswer,
    manages_transactions=True,
    only_reads=True,
)
def ask_about_ticket(ticket_id: str, body: Row) -> Answer:
    """Ask about a ticket.

    Answers an agent from the ticket, its notes and articles. Without a model, and when it fails, it quotes the best article,
    past resolution or message of the ticket. If nothing answers the question, it says so.
    """
    answer, reason = questions.answer(current_runtime().model_access(g.actor), ticket_id, body["question"])
    return Answer(answer, _made("The answer", reason))


@blp.post(
    "/api/tickets/<ticket_id>/article",
    "ProposeArticle",
    permission=Permission.KNOWLEDGE_WRITE,
    body=AboutTicket,
    response=Article,
    status=201,
)
def propose_article(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Propose an article from a resolved ticket.

    Adds a draft that names nobody, for a person to read, change and publish. The same ticket gives the same article again.
    """
    article, is_new = proposals.propose(uow, ticket_id, said_by=pop_actor_and_version(body)["said_by"])
    message = "Read the draft before you publish it." if is_new else "This ticket has an article already."
    return article_answer(uow, article, message, status=201)


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
