"""Replies of a ticket: messages of customers, agents and the AI, and internal notes that customers never see."""

from collections.abc import Callable, Sequence

from core import timestamps
from core.errors import conflict, invalid_field
from core.models import FINISHED, NOTE_ADDED, AuthorRole
from database.tables import replies
from services import settings
from services.chat import conversations
from services.history import Change, record
from services.knowledge import citations as cited
from services.tickets import changes, merged, notifications, threads, waiting
from storage import Row, UnitOfWork


def of_ticket(uow: UnitOfWork, ticket_id: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of a ticket's thread, merged tickets included, oldest first, and the total. Raises AppError 404."""
    changes.get(uow, ticket_id)
    return threads.page(uow, ticket_id, limit=limit, offset=offset)


def recent_public(uow: UnitOfWork, ticket_id: str, *, most: int) -> list[Row]:
    """The newest `most` public replies of a ticket and those merged into it, oldest first."""
    return threads.recent_public(uow, ticket_id, most=most)


def add(
    uow: UnitOfWork,
    ticket_id: str,
    fields: Row,
    *,
    said_by: str = "",
    version: int | None = None,
    when_late: Callable[[Row], Row] | None = None,
    quiet: bool = False,
) -> Row:
    """Adds a reply. A public reply changes the status and is mailed to the other side. Raises AppError 400, 404, 409, 412.

    A reply to a merged ticket is added to the ticket it is merged into; `version` is that of the named one. With `quiet`
    nobody is mailed. A customer's reply to a ticket that was resolved longer ago than `reopen_days` is what `when_late` makes
    of it, or 409.
    """
    ticket = changes.get_for_update(uow, ticket_id, version)
    if ticket["merged_into"]:
        ticket = changes.get_for_update(uow, merged.root(uow, ticket)["id"])
    role = _author_role(uow, fields)
    internal = bool(fields.get("internal"))
    if internal and role == "customer":
        raise invalid_field("internal", "Only agents write internal notes.")
    if role == "customer" and ticket["status"] in FINISHED and _is_late(uow, ticket):
        if when_late is None:
            message = f"Ticket #{ticket['number']} was resolved too long ago. Please open a new one."
            raise conflict("move_not_allowed", message)
        return when_late(ticket)
    if not internal:
        ticket = _move(uow, ticket, role, said_by=said_by)
    reply = uow.insert(
        replies,
        {
            "ticket_id": ticket["id"],
            "author_role": role,
            **_author(ticket, role, fields, said_by=said_by),
            "body": fields["body"],
            "internal": internal,
            "created_at": uow.now,
        },
    )
    note = Change(NOTE_ADDED if internal else "replied", "replies", "", reply["id"])
    record(uow, ticket["id"], [note], said_by=said_by)
    if internal:
        changes.write_quietly(uow, ticket, {}, visible=True)  # a copy that follows `updated_since` learns of the note
    if not internal:
        if ticket["source"] == conversations.CHAT:
            conversations.note_turn(uow, ticket, role)
        if not quiet:
            notifications.notify_reply(uow, ticket, reply)
    return reply


def _is_late(uow: UnitOfWork, ticket: Row) -> bool:
    days = settings.current(uow)["reopen_days"]
    return bool(timestamps.later(ticket["resolved_at"] or ticket["updated_at"], seconds=days * 24 * 3600) <= uow.now)


def add_ai_answer(uow: UnitOfWork, ticket: Row) -> None:
    """Adds the AI answer of the ticket to its thread."""
    add_turn(uow, ticket, "ai", ticket["ai_response"], source=ticket["ai_source"], citations=ticket["ai_citations"])


def add_turn(
    uow: UnitOfWork,
    ticket: Row,
    role: AuthorRole,
    body: str,
    *,
    source: str = "",
    citations: Sequence[str] = (),
    internal: bool = False,
    at: str = "",
) -> None:
    """Adds to the thread what no caller wrote as a reply: an AI answer, a notice of the system, a customer's first message.

    `source` says who wrote an AI answer, and `citations` are the ids of its articles. `at` is when it was
    written, if not now. The status stays and nobody is told.
    """
    names = {"ai": "AI", "system": "System", "customer": ticket["customer_name"]}
    row = {"ticket_id": ticket["id"], "author_role": role, "author_name": names[role], "body": body}
    row |= {"author_email": ticket["customer_email"] if role == "customer" else "", "internal": internal}
    row |= {"ai_source": source, "citations": list(citations), "created_at": at or uow.now}
    uow.insert_many(replies, [row])
    cited.record(uow, ticket, citations)
    if ticket["source"] == conversations.CHAT and not internal:
        conversations.note_turn(uow, ticket, role)


def _author_role(uow: UnitOfWork, fields: Row) -> str:
    """Customers write as customers; staff may also add a reply on behalf of a customer."""
    if not uow.actor.is_customer:
        return str(fields.get("author_role", "agent"))
    if fields.get("author_role", "customer") != "customer":
        raise invalid_field("author_role", "As a customer, leave author_role out or send customer.")
    return "customer"


def _author(ticket: Row, role: str, fields: Row, *, said_by: str) -> Row:
    """The author shown in the thread. The name of an API key is never shown to customers."""
    if role == "customer":
        return {"author_name": ticket["customer_name"], "author_email": ticket["customer_email"]}
    name = fields.get("author_name") or ("" if "@" in said_by else said_by)
    return {"author_name": name or "Support", "author_email": fields.get("author_email", "")}


def _move(uow: UnitOfWork, ticket: Row, role: str, *, said_by: str) -> Row:
    move = "customer_reply" if role == "customer" else "agent_reply"
    values = changes.move_fields(ticket, move)
    if role == "customer" and values["status"] != ticket["status"]:
        values = changes.reopen_fields(ticket, move)
    if role == "customer":
        values["queue_place"] = waiting.place_after_customer(ticket, values["status"], now=uow.now)
        values["snoozed_until"] = None
    if role == "agent":
        values |= {"human_replied": True, "agent_replies": ticket["agent_replies"] + 1}
        if not ticket["first_response_at"]:
            values["first_response_at"] = uow.now
            values["first_response_seconds"] = timestamps.seconds_between(ticket["created_at"], uow.now)
    return changes.write(uow, ticket, values, "replied", said_by=said_by)
