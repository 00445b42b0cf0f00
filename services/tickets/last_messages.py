"""The last public message of each ticket of a page, read for all of them at once. Only reads.

Nothing is stored for it. So it is right after a merge, an import and an erasure, and it holds no internal note or draft.
"""

from typing import Any

from sqlalchemy import CompoundSelect, Text, bindparam, func, literal_column, select, union_all
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
    newest: dict[str, Entry] = {row["id"]: (row["created_at"], False, "customer", row["description"]) for row in rows}
    # The tickets of `newest` and those merged into them, each with the tickets of `newest` whose threads show it.
    shown_in = {ticket_id: {ticket_id} for ticket_id in newest}
    level = list(newest)
    while level:
        entries, level = uow.aggregate(_entries(uow), ids=level), []
        for target, source, at, by, text in entries:
            places = shown_in[target]
            if source:
                places = places - shown_in.setdefault(source, set())
                if places:  # a cycle, which only a file edited by hand can hold, adds none
                    shown_in[source] |= places
                    level.append(source)
            for ticket_id in places:
                newest[ticket_id] = max(newest[ticket_id], (at, not source, by, text))
    for row in rows:
        row["last_message_at"], _, row["last_message_by"], text = newest[row["id"]]
        row["last_message"] = _shorten(text)
    return rows


def _shorten(text: str) -> str:
    line = " ".join(text[:_READ].split())
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 1].rstrip()}…"


def _entries(uow: UnitOfWork) -> CompoundSelect[Any]:
    """The SELECT of the newest public reply of each of the tickets `ids`, and of the tickets merged into them.

    Their id, the id of the merged ticket ("" for a reply), time, author, text. Notices of the system are no messages.
    """

    def build() -> CompoundSelect[Any]:
        newest = (
            select(r.id)
            .where(r.ticket_id == t.id, ~r.internal, r.author_role != "system")
            .order_by(r.created_at.desc(), r.id.desc())
            .limit(1)
            .correlate(tickets)
            .scalar_subquery()
        )
        reply = (t.id, _literal(""), r.created_at, r.author_role, _start(r.body))
        last_replies = uow.query(tickets, *reply).join(replies, r.id == newest).where(t.id.in_(_IDS))
        ticket = (t.merged_into, t.id, t.created_at, _literal("customer"), _start(t.description))
        is_merged = t.merged_into != _literal("")  # the condition of the index
        merged = uow.query(tickets, *ticket).where(t.merged_into.in_(_IDS), is_merged)
        return union_all(last_replies, merged)

    return prepared(uow, "last entries", build)


def _literal(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'", Text())


def _start(column: ColumnElement[str]) -> ColumnElement[str]:
    return func.substr(column, 1, _READ)
