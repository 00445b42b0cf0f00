"""One turn of a conversation: store the customer's message, have an answer composed, store it unless a person was faster.

The message is committed before the model is asked. The answer is stored in a unit of work of its own.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from ai.chat_sentences import ENGLISH, language_of
from core.errors import not_found
from core.models import FINISHED, Actor
from database.tables import articles
from services import history
from services.chat import conversations, handoff
from services.chat.answers import Draft, Helpers, compose
from services.copilot import drafts
from services.tickets import changes, create, customers
from services.tickets import replies as threads
from services.triage import decide
from storage import Row, UnitOfWork

MOST_TITLE = 80  # characters of the first message
MOST_UNANSWERED = 2  # turns in a row without an answer, then a person is brought in
MOST_AI_TURNS = 20
LAST_TURNS = 10  # earlier turns that an answer takes into account
IDENTITY = ("customer_email", "customer_id")


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored message of the customer: its ticket, its conversation and the public turns before it, oldest first."""

    ticket: Row
    message: str
    answered_by: str
    is_new: bool
    earlier: list[Row]


def identify(uow: UnitOfWork, fields: Row) -> Actor:
    """A customer who is new here, with a row of their own, so that they see their conversations. Raises AppError 400, 403, 409."""
    return replace(uow.actor, customer_row=customers.find_or_create(uow, fields)["id"])


def prepare(helpers: Helpers, fields: Row) -> None:
    """Encodes the message, so that other writers do not wait for that."""
    message = fields["message"]
    decide.prepare(helpers.trained_models, [{"title": title_of(message), "description": message}])


def receive(uow: UnitOfWork, helpers: Helpers, fields: Row) -> Turn:
    """Stores a message in its conversation: the named one, the open one of the last day, or a new one.

    `fields` are those of POST /api/chat. Raises AppError 400, 403, 404, 409.
    """
    message = fields["message"]
    ticket = _named(uow, fields) if "conversation_id" in fields else _resumed(uow, fields)
    if ticket is None:
        first = {**fields, "title": title_of(message), "description": message}
        ticket = create.open_conversation(uow, helpers.trained_models, first)
        threads.add_turn(uow, ticket, "customer", message)
        return Turn(ticket, message, conversations.get(uow, ticket)["answered_by"], is_new=True, earlier=[])
    earlier = threads.recent_public(uow, ticket["id"], most=LAST_TURNS)
    if ticket["status"] == "closed":
        changes.reopen(uow, ticket["id"])
    threads.add(uow, ticket["id"], {"body": message} | ({} if uow.actor.is_customer else {"author_role": "customer"}))
    ticket = changes.get_for_update(uow, ticket["id"])
    return Turn(ticket, message, conversations.get(uow, ticket)["answered_by"], is_new=False, earlier=earlier)


def _resumed(uow: UnitOfWork, fields: Row) -> Row | None:
    """The customer's open conversation of the last day. Raises AppError 400, 403, 409."""
    return conversations.latest_open(uow, customers.find_or_create(uow, fields)["id"])


def _named(uow: UnitOfWork, fields: Row) -> Row:
    """The conversation with the id that was sent. Raises AppError 404, also for one of another customer."""
    ticket = changes.get_for_update(uow, fields["conversation_id"])
    of_another = any(fields.get(name) and ticket[name] not in ("", fields[name]) for name in IDENTITY)
    strange = not any(ticket[name] == fields.get(name) for name in IDENTITY if fields.get(name))
    named = any(fields.get(name) for name in IDENTITY)
    if ticket["source"] != conversations.CHAT or of_another or (named and strange):
        raise not_found()
    return ticket


def title_of(message: str) -> str:
    """The first sentence of a message, as a title."""
    line = re.split(r"(?<=[.!?])\s|\n", message.strip(), maxsplit=1)[0]
    line = " ".join(line.split())
    return line if len(line) <= MOST_TITLE else line[: MOST_TITLE - 1].rstrip() + "…"


def answer(helpers: Helpers, turn: Turn) -> Row:
    """Answers a stored message and returns what POST /api/chat shows. Raises AppError 404 when it was deleted meanwhile."""
    if turn.answered_by == "human":
        return _to_people(helpers, turn) if turn.is_new else _silence(helpers, turn.ticket["id"])
    draft = compose(helpers, turn.ticket, turn.message, turn.earlier)
    with helpers.open_uow(write=True) as uow:
        return deliver(uow, turn, draft)


def deliver(uow: UnitOfWork, turn: Turn, draft: Draft) -> Row:
    """Stores an answer, or hands over, as the state of the conversation is now. Of a person's conversation it becomes a note."""
    ticket = changes.get_for_update(uow, turn.ticket["id"])
    conversation = conversations.get(uow, ticket)
    if conversation["answered_by"] == "human" or ticket["status"] in FINISHED:
        if draft.text and not draft.reason:
            note = f"Not sent, because a person was faster. The AI's draft:\n{draft.text}"
            threads.add_turn(uow, ticket, "ai", note, internal=True)
            kept: Row = {"body": draft.text, "source": draft.source, "citations": draft.citations}
            kept["confidence"] = draft.confidence or 0.0
            drafts.keep(uow, ticket, kept, version=turn.ticket["version"])
        return result(uow, ticket, "", source="human")
    unanswered = 0 if draft.found else conversation["unanswered_turns"] + 1
    reason = draft.reason
    if reason is None and unanswered >= MOST_UNANSWERED:
        reason = "unanswered"
    if reason is None and conversation["ai_turns"] >= MOST_AI_TURNS:
        reason = "turn_limit"
    if draft.failure:
        history.record(uow, ticket["id"], [history.Change("ai_failed", after=draft.failure)], actor=history.AI)
    if reason is not None:
        customers_turn = {"author_role": "customer", "body": turn.message}
        turns = [*turn.earlier, customers_turn]
        language = draft.language or ENGLISH
        after, text = handoff.hand_over(
            uow, ticket, reason, language=language, turns=turns, risk=draft.risk, priority=draft.priority
        )
        return result(uow, after, text, source="canned")
    values: Row = {
        "status": changes.status_after(ticket, "ai_answer"),
        "ai_response": draft.text,
        "ai_source": draft.source,
    }
    values |= {"ai_status": "done", "ai_confidence": draft.confidence, "ai_citations": draft.citations}
    after = changes.write(uow, ticket, values, "ai_answered", by_ai=True)
    threads.add_turn(uow, after, "ai", draft.text, source=draft.source, citations=draft.citations)
    conversations.count_answer(uow, conversation, unanswered=unanswered)
    return result(uow, after, draft.text, source=draft.source, confidence=draft.confidence, citations=draft.citations)


def _to_people(helpers: Helpers, turn: Turn) -> Row:
    """A new conversation of a company whose people answer first."""
    with helpers.open_uow(write=True) as uow:
        ticket = changes.get_for_update(uow, turn.ticket["id"])
        language = language_of(turn.message) or ENGLISH
        said = [{"author_role": "customer", "body": turn.message}]
        after, _ = handoff.hand_over(uow, ticket, None, language=language, turns=said)
        return result(uow, after, "", source="human")


def _silence(helpers: Helpers, ticket_id: str) -> Row:
    with helpers.open_uow() as uow:
        return result(uow, changes.get(uow, ticket_id), "", source="human")


def result(
    uow: UnitOfWork, ticket: Row, reply: str, *, source: str, confidence: float | None = None, citations: Any = ()
) -> Row:
    """The answer of POST /api/chat."""
    conversation = conversations.find(uow, ticket)
    titles = titles_of(uow, list(citations))
    return {
        "conversation_id": ticket["id"],
        "ticket_id": ticket["id"],
        "number": ticket["number"],
        "reply": reply,
        "escalation": conversation["answered_by"] == "human",
        "escalation_reason": conversation["escalation_reason"],
        "status": ticket["status"],
        "ai_source": source,
        **({} if confidence is None else {"ai_confidence": confidence}),
        "citations": [{"article_id": cited, "title": titles[cited]} for cited in citations if cited in titles],
    }


def titles_of(uow: UnitOfWork, article_ids: list[str]) -> dict[str, str]:
    """The titles of these articles by id, of those that are published."""
    if not article_ids:
        return {}
    published = (articles.c.id.in_(article_ids), articles.c.status == "published")
    rows = uow.find(uow.query(articles, articles.c.id, articles.c.title).where(*published))
    return {row["id"]: row["title"] for row in rows}
