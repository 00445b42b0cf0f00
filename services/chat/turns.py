"""One turn of a conversation: stores the customer's message, has an answer composed, and stores it unless a person was faster.

The message is committed before the model is asked. The answer is stored in a unit of work of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ai.chat_sentences import ENGLISH, language_of
from core.errors import invalid_field, not_found
from core.models import FINISHED, Actor, Escalation
from database.tables import replies
from services import history, settings
from services.attachments import binding
from services.chat import conversations, handoff
from services.chat.answers import Draft, compose, is_danger, triage_of
from services.copilot import drafts
from services.knowledge.citations import shown as shown_citations
from services.model_access import ModelAccess
from services.tickets import changes, create, customers, merged, waiting
from services.tickets import replies as threads
from services.tickets.titles import title_of
from services.triage import decide
from storage import Row, UnitOfWork

MOST_UNANSWERED = 2  # turns in a row without an answer, then a person is brought in
MOST_AI_TURNS = 20
LAST_TURNS = 10  # earlier turns that an answer takes into account
IDENTITY = ("customer_email", "customer_id")


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored message of the customer: its ticket, its time, and the public turns before it, oldest first.

    `begins`: it is the first of a conversation, or the first after its end.
    """

    ticket: Row
    message: str
    answered_by: str
    begins: bool
    said_at: str
    earlier: list[Row]


def identify(uow: UnitOfWork, fields: Row) -> Actor:
    """The caller with a customer row, new or existing, so that they see their conversations. Raises AppError 400, 403, 409."""
    return replace(uow.actor, customer_row=customers.find_or_create(uow, fields)["id"])


def prepare(access: ModelAccess, fields: Row) -> None:
    """Encodes the message before the unit of work begins, so that other writers do not wait for it."""
    message = fields["message"]
    decide.prepare(access.trained_models, [{"title": title_of(message), "description": message}])


def receive(
    uow: UnitOfWork, access: ModelAccess, fields: Row, *, resumes: bool = True, attachment_ids: Sequence[str] = ()
) -> Turn:
    """Stores a message in its conversation: the named one, with `resumes` the open one of the last day, or a new one.

    `fields` are those of POST /api/chat; `attachment_ids` are files of its ticket. Raises AppError 400, 403, 404, 409.
    """
    message = fields["message"]
    ticket = _named(uow, fields) if "conversation_id" in fields else _resumed(uow, fields) if resumes else None
    if ticket is None:
        if attachment_ids:
            reason = "needs an open conversation. Send the first message alone, then attach files to its ticket."
            raise invalid_field("attachment_ids", f"attachment_ids {reason}")
        first = {**fields, "title": title_of(message), "description": message}
        ticket = create.open_conversation(uow, access.trained_models, first)
        return Turn(ticket, message, conversations.get(uow, ticket)["answered_by"], True, uow.now, [])
    earlier = threads.recent_public(uow, ticket["id"], most=LAST_TURNS)
    had_ended = ticket["status"] in FINISHED
    if had_ended:  # however long ago: the customer named it, or it ended by silence today
        changes.reopen(uow, ticket["id"])
    author = {} if uow.actor.is_customer else {"author_role": "customer"}
    reply = threads.add(uow, ticket["id"], {"body": message} | author)
    binding.bind(uow, ticket["id"], reply, attachment_ids)
    ticket, state = changes.get_for_update(uow, ticket["id"]), conversations.get(uow, ticket)
    if had_ended and settings.current(uow)["human_first"]:
        state = {**state, "answered_by": "human"}
    return Turn(ticket, message, state["answered_by"], had_ended, uow.now, earlier)


def note_address(uow: UnitOfWork, ticket: Row, address: str) -> None:
    """Keeps an address that a guest gave as a note for agents, once. Nothing is mailed there: it may be anybody's."""
    note = f"The guest gave this e-mail address, which is not confirmed: {address}"
    staff_uow = uow.as_system()  # customers read no notes
    noted = staff_uow.query(replies, replies.c.id).where(replies.c.ticket_id == ticket["id"], replies.c.body == note)
    if staff_uow.first(noted) is None:
        threads.add_turn(staff_uow, ticket, "system", note, internal=True)


def _resumed(uow: UnitOfWork, fields: Row) -> Row | None:
    """The customer's conversation that goes on, if there is one. Raises AppError 400, 403, 409."""
    latest = conversations.latest(uow, customers.find_or_create(uow, fields)["id"])
    return changes.get_for_update(uow, latest["id"]) if latest else None


def _named(uow: UnitOfWork, fields: Row) -> Row:
    """The conversation with the id that was sent, or the one it is merged into.

    Raises AppError 404, also for one of another customer.
    """
    ticket = changes.get_for_update(uow, fields["conversation_id"])
    names = [name for name in IDENTITY if fields.get(name)]
    differs = any(ticket[name] not in ("", fields[name]) for name in names)
    agrees = any(ticket[name] == fields[name] for name in names)
    if ticket["source"] != conversations.CHAT or differs or (names and not agrees):
        raise not_found()
    return changes.get_for_update(uow, merged.root(uow, ticket)["id"]) if ticket["merged_into"] else ticket


def answer(access: ModelAccess, turn: Turn, *, wants_person: bool = False) -> Row:
    """Answers a stored message and returns what POST /api/chat shows; with `wants_person` hands over, whatever it says.

    Raises AppError 404 when it was deleted meanwhile.
    """
    if turn.answered_by == "human":
        return _beside_people(access, turn)
    draft = compose(access, turn.ticket, turn.message, turn.earlier, wants_person=wants_person)
    with access.open_uow(write=True) as uow:
        return deliver(uow, turn, draft, mails=access.mails)


def deliver(uow: UnitOfWork, turn: Turn, draft: Draft, *, mails: bool = False) -> Row:
    """Stores an answer or hands over, by the present state. An answer that comes too late becomes a draft for the agent."""
    ticket = changes.get_for_update(uow, turn.ticket["id"])
    conversation = conversations.get(uow, ticket)
    if why := _too_late(uow, turn, ticket, conversation):
        if draft.text and not draft.reason:
            _keep(uow, turn, ticket, draft, why)
        return result(uow, ticket, "", source="human" if conversation["answered_by"] == "human" else "canned")
    unanswered = 0 if draft.is_answer else conversation["unanswered_turns"] + 1
    reason = draft.reason
    if reason is None and unanswered >= MOST_UNANSWERED:
        reason = "unanswered"
    if reason is None and conversation["ai_turns"] >= MOST_AI_TURNS:
        reason = "turn_limit"
    if draft.failure:
        history.record(uow, ticket["id"], [history.Change("ai_failed", after=draft.failure)], actor=history.AI)
    if reason is not None:
        return _hand_over(uow, turn, ticket, draft, reason, mails=mails)
    values: Row = {
        "status": changes.status_after(ticket, "ai_answer"),
        "ai_response": draft.text,
        "ai_source": draft.source,
        "ai_status": "done",
        "ai_confidence": draft.confidence,
        "ai_citations": draft.citations,
        "queue_place": waiting.answered(ticket),
    }
    after = changes.write(uow, ticket, values, "ai_answered", by_ai=True)
    threads.add_turn(uow, after, "ai", draft.text, source=draft.source, citations=draft.citations)
    conversations.count_answer(uow, conversation, unanswered=unanswered)
    return result(uow, after, draft.text, source=draft.source, confidence=draft.confidence, citations=draft.citations)


def _keep(uow: UnitOfWork, turn: Turn, ticket: Row, draft: Draft, why: str) -> None:
    """Keeps an answer that is not sent, as a draft for the agent and as a note that says why."""
    threads.add_turn(uow, ticket, "ai", f"Not sent, because {why}. The AI's draft:\n{draft.text}", internal=True)
    values: Row = {"body": draft.text, "source": draft.source, "citations": draft.citations}
    drafts.keep(uow, ticket, {**values, "confidence": draft.confidence or 0.0}, version=turn.ticket["version"])


def _too_late(uow: UnitOfWork, turn: Turn, ticket: Row, conversation: Row) -> str:
    """Why the AI's answer must not be sent any more, "" when it may."""
    if conversation["answered_by"] == "human":
        return "a person answers this conversation"
    if ticket["status"] in FINISHED:
        return "the conversation has ended"
    by_agent = (replies.c.ticket_id == ticket["id"], replies.c.author_role == "agent", ~replies.c.internal)
    later = uow.query(replies, replies.c.id).where(*by_agent, replies.c.created_at > turn.said_at)
    return "a person was faster" if uow.first(later) else ""


def _hand_over(
    uow: UnitOfWork, turn: Turn, ticket: Row, draft: Draft, reason: Escalation | None, *, mails: bool
) -> Row:
    after, text = handoff.hand_over(
        uow,
        ticket,
        reason,
        language=draft.language or ENGLISH,
        turns=[*turn.earlier, {"author_role": "customer", "body": turn.message}],
        triage=draft.triage,
        danger=draft.danger,
        mails=mails,
    )
    return result(uow, after, text, source="canned")


def _beside_people(access: ModelAccess, turn: Turn) -> Row:
    """A message in a conversation that people answer. They are alerted when it begins and when it names a risk, else not."""
    with access.open_uow() as uow:
        ticket = changes.get(uow, turn.ticket["id"])
        triage = triage_of(uow, access, ticket, turn.message)
        danger = is_danger(triage, turn.message)
        if ticket["status"] in FINISHED or not (turn.begins or danger or triage.risk):
            return result(uow, ticket, "", source="human")
    with access.open_uow(write=True) as uow:
        ticket = changes.get_for_update(uow, turn.ticket["id"])
        if ticket["status"] in FINISHED:
            return result(uow, ticket, "", source="human")
        risk: Escalation | None = "risk" if danger or triage.risk else None
        reason = risk or conversations.get(uow, ticket)["escalation_reason"] or None
        earlier_texts = " ".join(row["body"] for row in turn.earlier if row["author_role"] == "customer")
        draft = Draft(triage=triage, danger=danger, language=language_of(turn.message, earlier_texts))
        return _hand_over(uow, turn, ticket, draft, reason, mails=access.mails)


def result(
    uow: UnitOfWork, ticket: Row, reply: str, *, source: str, confidence: float | None = None, citations: Any = ()
) -> Row:
    """The answer of POST /api/chat."""
    conversation = conversations.find(uow, ticket)
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
        "citations": shown_citations(uow, citations),
    }
