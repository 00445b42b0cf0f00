"""The last public message of each ticket of a page, read for all of them at once. Only reads.

Nothing is stored for it. So it is right after a merge, an import and an erasure, and it holds no internal note or draft.
"""

from typing import Any

from sqlalchemy import Select, bindparam, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from database.tables import replies, tickets
from services.prepared_statements import prepared
from storage import Row, UnitOfWork

MOST_SHOWN = 140  # characters of a message that are shown
_READ = 250  # characters that are read: the blanks among them are joined
Entry = tuple[str, bool, str, str]  # time, whether it is a reply (else a description), author, text
t, r = tickets.c, replies.c
_IDS = bindparam("ids", expanding=True, type_=t.id.type)


def add(uow: UnitOfWork, rows: list[Row]) -> list[Row]:
    """Sets last_message, last_message_by and last_message_at of tickets in the form of a response; returns them."""
    if not rows:
        return rows
    newest: dict[str, Entry] = {row["id"]: (row["created_at"], False, "customer", row["description"]) for row in rows}
    shown_in = _threads(uow, newest)
    for member, by, at, body in uow.aggregate(_last_replies(uow), ids=list(shown_in)):
        for ticket_id in shown_in[member]:
            newest[ticket_id] = max(newest[ticket_id], (at, True, by, body))
    for row in rows:
        row["last_message_at"], _, row["last_message_by"], text = newest[row["id"]]
        row["last_message"] = _shorten(text)
    return rows


def _shorten(text: str) -> str:
    line = " ".join(text[:_READ].split())
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 1].rstrip()}…"


def _threads(uow: UnitOfWork, newest: dict[str, Entry]) -> dict[str, set[str]]:
    """The tickets of `newest` and those merged into them, each with the tickets of `newest` whose threads show it.

    Descriptions of merged tickets are entries of these threads, and are put into `newest`.
    """
    shown_in = {ticket_id: {ticket_id} for ticket_id in newest}
    level = list(newest)
    while level:
        sources = uow.aggregate(_merged(uow), ids=level)
        level = []
        for source, target, created_at, description in sources:
            new_ids = shown_in[target] - shown_in.setdefault(source, set())
            if new_ids:  # a cycle, which only a file edited by hand can hold, adds none
                shown_in[source] |= new_ids
                level.append(source)
            for ticket_id in new_ids:
                newest[ticket_id] = max(newest[ticket_id], (created_at, False, "customer", description))
    return shown_in


def _merged(uow: UnitOfWork) -> Select[Any]:
    """The SELECT of the tickets that are merged into tickets `ids`, and into which."""

    def build() -> Select[Any]:
        is_merged = t.merged_into != literal_column("''")  # the condition of the index
        columns = t.id, t.merged_into, t.created_at, _start(t.description)
        return uow.query(tickets, *columns).where(t.merged_into.in_(_IDS), is_merged)

    return prepared(uow, "merged into a page", build)


def _last_replies(uow: UnitOfWork) -> Select[Any]:
    """The SELECT of the newest public reply of each of the tickets `ids`. Notices of the system are no messages."""

    def build() -> Select[Any]:
        newest = (
            select(r.id)
            .where(r.ticket_id == t.id, ~r.internal, r.author_role != "system")
            .order_by(r.created_at.desc(), r.id.desc())
            .limit(1)
            .correlate(tickets)
            .scalar_subquery()
        )
        columns = t.id, r.author_role, r.created_at, _start(r.body)
        return uow.query(tickets, *columns).join(replies, r.id == newest).where(t.id.in_(_IDS))

    return prepared(uow, "last replies", build)


def _start(column: ColumnElement[str]) -> ColumnElement[str]:
    return func.substr(column, 1, _READ)
