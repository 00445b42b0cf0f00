"""The state of a conversation: who answers it, when it counts as silent, and how it ended.

A conversation is a ticket with the source chat; this module writes only the table `conversations`. A conversation goes to people
in `start`, `note_turn`, `take_over`, `hand_over` and `resume`, and back to the AI in `give_back` alone.
"""

from sqlalchemy import and_, exists, or_

from core import timestamps
from core.models import OPEN, Escalation
from database.tables import conversations as table
from database.tables import tickets
from services import settings
from services.history import Change, record
from storage import Row, UnitOfWork

CHAT = "chat"
RESUMED_SECONDS = 24 * 3600  # an open conversation goes on for so long after its last turn
WARNING_SECONDS = 300  # between the warning and the end of a silent conversation
ANSWER_SECONDS = 120  # longer than the longest wait for the model
IN_TOUCH_SECONDS = 120  # a customer who asked for messages so lately needs no mail
# Statuses that a person sets when they take a conversation.
TAKEN = ("assigned", "in_progress", "waiting_customer", "handoff")


def get(uow: UnitOfWork, ticket: Row) -> Row:
    """The conversation of a chat ticket. A ticket without one gets it now, so the unit of work must write."""
    conversation = uow.first(uow.query(table).where(table.c.ticket_id == ticket["id"]))
    return conversation or start(uow, ticket, people=bool(ticket["human_replied"]))


def find(uow: UnitOfWork, ticket: Row) -> Row:
    """As `get`, for reading: without a stored state, that of a new conversation."""
    conversation = uow.first(uow.query(table).where(table.c.ticket_id == ticket["id"]))
    return conversation or {"ticket_id": ticket["id"], "answered_by": "ai", "escalation_reason": "", "ended_by": ""}


def start(uow: UnitOfWork, ticket: Row, *, people: bool = False) -> Row:
    """The state of a new conversation. People answer it with `people`, and where the company's people answer first."""
    answered_by = "human" if people or settings.current(uow)["human_first"] else "ai"
    times = {"last_turn_at": uow.real_now, "seen_at": uow.real_now}
    return uow.insert(table, {"ticket_id": ticket["id"], "answered_by": answered_by, **times})


def latest(uow: UnitOfWork, customer_row: str) -> Row | None:
    """The customer's newest conversation that goes on: open or ended by silence, with a turn of the last day, or with people."""
    c, since = table.c, timestamps.later(uow.real_now, seconds=-RESUMED_SECONDS)
    is_open = and_(tickets.c.status.in_(OPEN), or_(c.last_turn_at >= since, c.answered_by == "human"))
    goes_on = or_(is_open, and_(c.last_turn_at >= since, c.ended_by == "silence"))
    of_customer = (tickets.c.customer_row == customer_row, tickets.c.source == CHAT)
    query = uow.query(tickets).where(*of_customer, exists().where(c.ticket_id == tickets.c.id, goes_on))
    return uow.first(query.order_by(tickets.c.created_at.desc(), tickets.c.id.desc()))


def note_turn(uow: UnitOfWork, ticket: Row, role: str) -> None:
    """Records a turn of that role, and when the next step of services/chat/idle.py is due.

    A turn of ours starts the wait for the customer. A customer's message is due after ANSWER_SECONDS, in case the process that
    answers it was killed. An agent's turn takes the conversation over.
    """
    conversation = get(uow, ticket)
    values: Row = {"last_turn_at": uow.real_now, "warned": False, "ended_by": "", "ended_at": None, "idle_due_at": None}
    if conversation["ended_by"] and role == "customer":
        record(uow, ticket["id"], [Change("reopened", "ended_by", conversation["ended_by"], "")])
    if role == "customer":
        values["seen_at"] = uow.real_now
        if conversation["answered_by"] == "ai":
            values["idle_due_at"] = timestamps.later(uow.real_now, seconds=ANSWER_SECONDS)
    elif minutes := settings.current(uow)["chat_idle_minutes"]:
        values["idle_due_at"] = timestamps.later(uow.real_now, seconds=seconds_to_warning(minutes))
    if role == "agent":
        values["answered_by"] = "human"
    uow.update(table, conversation["id"], values)


def leave_alone(uow: UnitOfWork, ticket_id: str) -> None:
    """Nothing happens by itself to a conversation of the past, until its customer writes."""
    uow.update_where(table, table.c.ticket_id == ticket_id, idle_due_at=None)


def seconds_to_warning(minutes: int) -> int:
    """After how many seconds of silence the customer is warned: five minutes before the end, or half-way."""
    return max(60 * minutes - WARNING_SECONDS, 30 * minutes)


def take_over(uow: UnitOfWork, ticket: Row) -> None:
    """A person took the conversation by setting a status."""
    uow.update(table, get(uow, ticket)["id"], {"answered_by": "human"})


def count_answer(uow: UnitOfWork, conversation: Row, *, unanswered: int) -> None:
    """The AI answered; `unanswered` is how many turns in a row found no answer."""
    counts = {"ai_turns": conversation["ai_turns"] + 1, "unanswered_turns": unanswered}
    uow.update(table, conversation["id"], counts)


def hand_over(uow: UnitOfWork, conversation: Row, reason: Escalation | None) -> None:
    """The AI gives the conversation to people. `reason` is None where the company's people answer first."""
    values = {"answered_by": "human", "escalation_reason": reason or "", "idle_due_at": None, "warned": False}
    uow.update(table, conversation["id"], values)


def give_back(uow: UnitOfWork, conversation: Row) -> None:
    """A person lets the AI answer, as in a new conversation."""
    fresh = {"answered_by": "ai", "escalation_reason": "", "ai_turns": 0, "unanswered_turns": 0}
    uow.update(table, conversation["id"], fresh)


def end(uow: UnitOfWork, conversation: Row, by: str) -> None:
    """The conversation ended, by its customer, an agent or silence."""
    values = {"ended_by": by, "ended_at": uow.now, "idle_due_at": None, "warned": False}
    uow.update(table, conversation["id"], values)


def resume(uow: UnitOfWork, conversation: Row) -> None:
    """A conversation that was merged into another is its own again, and with people."""
    uow.update(table, conversation["id"], {"ended_by": "", "ended_at": None, "answered_by": "human"})


def is_in_touch(uow: UnitOfWork, conversation: Row) -> bool:
    """Whether the customer asked for new messages within the last two minutes."""
    return bool(conversation["seen_at"] > timestamps.later(uow.real_now, seconds=-IN_TOUCH_SECONDS))
