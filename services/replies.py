"""A ticket's thread: what customers, agents and the AI wrote, and the notes customers never see."""

import times
from errors import conflict, invalid_field
from services import notices, tickets
from services.history import Change, record
from storage import Desk, Row
from tables import replies


def of_ticket(desk: Desk, ticket_id: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The thread of a ticket, oldest first, and how long it is. Raises AppError 404."""
    tickets.get(desk, ticket_id)
    chosen = desk.rows(replies).where(replies.c.ticket_id == ticket_id)
    page = chosen.order_by(replies.c.created_at, replies.c.id).limit(limit).offset(offset)
    return desk.find(page), desk.count(chosen)


def public(desk: Desk, ticket_id: str, *, most: int) -> list[Row]:
    """The newest public entries of a thread, oldest first."""
    chosen = desk.rows(replies).where(replies.c.ticket_id == ticket_id, ~replies.c.internal)
    return desk.find(chosen.order_by(replies.c.created_at.desc(), replies.c.id.desc()).limit(most))[::-1]


def add(desk: Desk, ticket_id: str, given: Row, *, said_by: str = "", version: int | None = None) -> Row:
    """Adds to the thread. A public reply moves the ticket and is mailed to the other side. Raises AppError 404, 409, 412."""
    ticket = tickets.take(desk, ticket_id, version)
    role = _author_role(desk, given)
    internal = bool(given.get("internal"))
    if internal and role == "customer":
        raise invalid_field("internal", "Only agents write internal notes.")
    if not internal:
        ticket = _move(desk, ticket, role, said_by=said_by)
    reply = desk.insert(
        replies,
        {
            "ticket_id": ticket["id"],
            "author_role": role,
            **_author(ticket, role, given, said_by=said_by),
            "body": given["body"],
            "internal": internal,
            "created_at": desk.now,
        },
    )
    note = Change("note_added" if internal else "replied", "replies", "", reply["id"])
    record(desk, ticket["id"], [note], said_by=said_by)
    if not internal:
        notices.replied(desk, ticket, reply)
    return reply


def add_ai_answer(desk: Desk, ticket: Row) -> None:
    """Adds what the AI answered to the thread."""
    row = {"ticket_id": ticket["id"], "author_role": "ai", "author_name": "AI", "body": ticket["ai_response"]}
    desk.insert_many(replies, [{**row, "created_at": desk.now}])


def _author_role(desk: Desk, given: Row) -> str:
    """Customers write as themselves; staff may pass on what a customer wrote."""
    if not desk.actor.is_customer:
        return str(given.get("author_role", "agent"))
    if given.get("author_role", "customer") != "customer":
        raise invalid_field("author_role", "Customers write as customers.")
    return "customer"


def _author(ticket: Row, role: str, given: Row, *, said_by: str) -> Row:
    """Who the thread shows as the author: never the name of a key, which says nothing to a customer."""
    if role == "customer":
        return {"author_name": ticket["customer_name"], "author_email": ticket["customer_email"]}
    named = given.get("author_name") or ("" if "@" in said_by else said_by)
    return {"author_name": named or "Support", "author_email": given.get("author_email", "")}


def _move(desk: Desk, ticket: Row, role: str, *, said_by: str) -> Row:
    if role == "customer" and ticket["status"] == "closed":
        raise conflict("move_not_allowed", f"Ticket #{ticket['number']} is closed. Please open a new one.")
    move = "customer_reply" if role == "customer" else "agent_reply"
    news = tickets.moved(ticket, move)
    if role == "customer" and news["status"] != ticket["status"]:
        news = tickets.reopened(ticket, move)
    if role == "agent":
        news["human_replied"] = True
        if not ticket["first_response_at"]:
            news["first_response_at"] = desk.now
            news["first_response_seconds"] = times.seconds_between(ticket["created_at"], desk.now)
    return tickets.write(desk, ticket, news, "replied", said_by=said_by)
