"""Ends conversations in which the customer has fallen silent: a warning first, the end five minutes later.

The times are of the real clock. A clock that is set forward never skips the warning; one that is set back restarts the wait.
"""

from sqlalchemy import and_, or_

from ai.chat_sentences import ENGLISH, Language, language_of
from core import timestamps
from core.models import FINISHED
from database.tables import conversations as table
from services import settings
from services.chat import conversations, handoff
from services.tickets import changes, replies
from storage import Row, UnitOfWork

MOST_AT_ONCE = 200
WAITS_FOR_CUSTOMER = ("new", "ai_responded", "waiting_customer")
ENDED = "Closed after {minutes} minutes without a word from the customer."


def due(uow: UnitOfWork) -> list[Row]:
    """The conversations, of every company, whose next step is due: `id` and `company_id` of each."""
    clock_went_back = and_(table.c.idle_due_at.is_not(None), table.c.last_turn_at > uow.real_now)
    is_due = or_(table.c.idle_due_at <= uow.real_now, clock_went_back)
    query = uow.query(table, table.c.id, table.c.company_id).where(is_due)
    return uow.find(query.order_by(table.c.idle_due_at).limit(MOST_AT_ONCE))


def take_step(uow: UnitOfWork, conversation_id: str) -> None:
    """The next step of one conversation, as its state is now: a turn may have come meanwhile."""
    conversation = uow.get(table, conversation_id)
    if conversation is None or conversation["idle_due_at"] is None:
        return
    ticket = changes.get_for_update(uow, conversation["ticket_id"], even_erased=True)
    conversation = uow.get(table, conversation_id, lock=True) or conversation
    minutes, due_at = settings.current(uow)["chat_idle_minutes"], conversation["idle_due_at"]
    unanswered = conversation["answered_by"] == "ai" and _last_words(uow, ticket)[1]
    if due_at is None or ticket["erased_at"] or ticket["status"] in FINISHED:
        uow.update(table, conversation_id, {"idle_due_at": None, "warned": False})
    elif conversation["last_turn_at"] > uow.real_now:
        seconds = conversations.ANSWER_SECONDS if unanswered else conversations.seconds_to_warning(minutes)
        wait = timestamps.later(uow.real_now, seconds=seconds)
        uow.update(table, conversation_id, {"last_turn_at": uow.real_now, "idle_due_at": wait, "warned": False})
    elif due_at > uow.real_now:
        return
    elif unanswered:
        _hand_over(uow, ticket)
    elif ticket["snoozed_until"] and minutes:
        due_at = timestamps.later(ticket["snoozed_until"], seconds=conversations.seconds_to_warning(minutes))
        uow.update(table, conversation_id, {"idle_due_at": due_at, "warned": False})
    elif not minutes or ticket["status"] not in WAITS_FOR_CUSTOMER:
        uow.update(table, conversation_id, {"idle_due_at": None, "warned": False})
    elif conversation["warned"]:
        _end(uow, ticket, conversation, minutes)
    else:
        _warn(uow, ticket, conversation, minutes)


def _warn(uow: UnitOfWork, ticket: Row, conversation: Row, minutes: int) -> None:
    left = 60 * minutes - conversations.seconds_to_warning(minutes)
    text = _language(uow, ticket).still_there.format(minutes=max(1, round(left / 60)))
    replies.add_turn(uow, ticket, "system", text)
    due_at = timestamps.later(uow.real_now, seconds=left)
    uow.update(table, conversation["id"], {"warned": True, "idle_due_at": due_at})


def _end(uow: UnitOfWork, ticket: Row, conversation: Row, minutes: int) -> None:
    replies.add_turn(uow, ticket, "system", _language(uow, ticket).closed)
    changes.close_conversation(uow, ticket, ENDED.format(minutes=minutes))
    conversations.end(uow, conversation, "silence")


def _hand_over(uow: UnitOfWork, ticket: Row) -> None:
    """The AI never answered the last message: a person does."""
    turns = replies.recent_public(uow, ticket["id"], most=10)
    handoff.hand_over(uow, ticket, "ai_failed", language=_language(uow, ticket), turns=turns)


def _last_words(uow: UnitOfWork, ticket: Row) -> tuple[list[str], bool]:
    """The customer's last messages, oldest first, and whether one of them is the last turn."""
    turns = replies.recent_public(uow, ticket["id"], most=10)
    customer_texts = [turn["body"] for turn in turns if turn["author_role"] == "customer"]
    return customer_texts, bool(turns) and turns[-1]["author_role"] == "customer"


def _language(uow: UnitOfWork, ticket: Row) -> Language:
    """The language of the customer's last messages."""
    customer_texts, _ = _last_words(uow, ticket)
    return language_of(customer_texts[-1] if customer_texts else "", " ".join(customer_texts[:-1])) or ENGLISH
