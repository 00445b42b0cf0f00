"""Reads the thread of a ticket: its replies and, with merged tickets, what was written in those. Only reads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, false, literal, select, union_all

from database.column_types import JsonText
from database.tables import replies, tickets
from services.chat import conversations
from services.tickets import merged
from storage import Row, UnitOfWork

t, r = tickets.c, replies.c


def of_ticket(uow: UnitOfWork, ticket_id: str, *, public: bool = False) -> tuple[Select[Any], Any]:
    """A SELECT of the entries of the ticket's thread in no order, and its columns; they are those of replies."""
    sources = merged.sources(uow, ticket_id)
    if not sources:
        thread = uow.query(replies).where(r.ticket_id == ticket_id)
        return (thread.where(~r.internal) if public else thread), r
    written = uow.query(replies).where(r.ticket_id.in_([ticket_id, *sources]))
    # The first message of a chat is a reply; that of another ticket is its description.
    asked = uow.query(tickets, *_as_reply()).where(t.id.in_(sources), t.source != conversations.CHAT)
    entries = union_all(written, asked).subquery()
    thread = select(entries)
    return (thread.where(~entries.c.internal) if public else thread), entries.c


def _as_reply() -> list[Any]:
    """The description of a ticket as an entry of its thread; it has the id of the ticket."""
    values = {
        "ticket_id": t.id,
        "author_role": literal("customer"),
        "author_name": t.customer_name,
        "author_email": t.customer_email,
        "body": t.description,
        "internal": false(),
        "ai_source": literal(""),
        "citations": literal([], JsonText),
    }
    return [(values[column.name] if column.name in values else t[column.name]).label(column.name) for column in r]


def by_agents(uow: UnitOfWork, ticket_ids: Sequence[str]) -> Mapping[str, list[Row]]:
    """What agents wrote to the customer in each of the tickets, oldest first; merged tickets are not looked at."""
    by_ticket: dict[str, list[Row]] = defaultdict(list)
    query = uow.query(replies).where(r.ticket_id.in_(ticket_ids), r.author_role == "agent", ~r.internal)
    for row in uow.find(query.order_by(r.created_at, r.id)):
        by_ticket[row["ticket_id"]].append(row)
    return by_ticket


def page(uow: UnitOfWork, ticket_id: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the thread, oldest first, and the total."""
    thread, c = of_ticket(uow, ticket_id)
    return uow.find(thread.order_by(c.created_at, c.id).limit(limit).offset(offset)), uow.count(thread)


def recent_public(uow: UnitOfWork, ticket_id: str, *, most: int) -> list[Row]:
    """The newest `most` public entries, oldest first."""
    thread, c = of_ticket(uow, ticket_id, public=True)
    return uow.find(thread.order_by(c.created_at.desc(), c.id.desc()).limit(most))[::-1]
