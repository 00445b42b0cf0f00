"""Who is at which ticket: agents who view it or write a reply, for 30 seconds after they last said so, and the AI at work.

A process that serves alone keeps this in memory, so that it costs no write. Where several serve it is the table `presence`.
"""

import threading
from uuid import NAMESPACE_OID, uuid5

from core import timestamps
from core.models import OPEN, shape
from database.tables import presence as table
from services.chat import conversations
from services.tickets import threads
from storage import Row, UnitOfWork

LIFE_SECONDS = 30
MOST_IN_MEMORY = 1_000  # tickets; with more, those that nobody is at are forgotten
FIELDS = ("name", "state", "since")
AI = "AI"
c = table.c


class Presence:
    """Who is at which ticket in one process. With `shared` the methods use the table instead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], dict[str, Row]] = {}  # (company, ticket) -> row id -> row

    def note(self, uow: UnitOfWork, ticket_id: str, state: str, *, said_by: str = "", shared: bool) -> None:
        """The caller is at the ticket, which exists. With `shared` the unit of work must write."""
        row = {"name": said_by or uow.actor.name, "state": state, "since": uow.real_now, "seen_at": uow.real_now}
        caller = f"{uow.actor.user_id or uow.actor.key_id} {said_by}"
        row_id = str(uuid5(NAMESPACE_OID, f"{uow.actor.company_id} {ticket_id} {caller}"))
        if shared:
            _store(uow, row_id, {"ticket_id": ticket_id, **row})
            return
        with self._lock:
            rows = self._rows.setdefault((uow.actor.company_id, ticket_id), {})
            rows[row_id] = _continued(rows.get(row_id), row)
            if len(self._rows) > MOST_IN_MEMORY:
                self._forget(uow.real_now)

    def of_ticket(self, uow: UnitOfWork, ticket: Row, *, shared: bool) -> list[Row]:
        """Who is at the ticket: name, state and since when, the longest first."""
        if shared:
            rows = uow.find(uow.query(table).where(c.ticket_id == ticket["id"]))
        else:
            with self._lock:
                rows = list(self._rows.get((uow.actor.company_id, ticket["id"]), {}).values())
        present = [row for row in rows if _is_there(row, uow.real_now)]
        present += _ai_at_work(uow, ticket)
        return [shape(row, FIELDS) for row in sorted(present, key=lambda row: (row["since"], row["name"]))]

    def _forget(self, now: str) -> None:
        remaining = {
            place: {row_id: row for row_id, row in rows.items() if _is_there(row, now)}
            for place, rows in self._rows.items()
        }
        self._rows = {place: rows for place, rows in remaining.items() if rows}


def _store(uow: UnitOfWork, row_id: str, row: Row) -> None:
    if not uow.insert_new(table, {"id": row_id, **row}):
        uow.update(table, row_id, _continued(uow.get(table, row_id, lock=True), row))


def _continued(before: Row | None, row: Row) -> Row:
    """The row with the time since when the caller has been there in this state."""
    goes_on = before is not None and before["state"] == row["state"] and _is_there(before, row["seen_at"])
    return row | {"since": before["since"]} if before and goes_on else row


def _is_there(row: Row, now: str) -> bool:
    """Whether the row is of the last 30 seconds. One of a clock that was ahead does not stay."""
    earliest, latest = (timestamps.later(now, seconds=seconds) for seconds in (-LIFE_SECONDS, LIFE_SECONDS))
    return bool(earliest < row["seen_at"] < latest)


def _ai_at_work(uow: UnitOfWork, ticket: Row) -> list[Row]:
    """The AI while it writes an answer to the ticket, or to the last message of a chat."""
    if ticket["ai_status"] == "pending":
        return [{"name": AI, "state": "replying", "since": ticket["created_at"]}]
    if ticket["source"] != conversations.CHAT or ticket["status"] not in OPEN:
        return []
    conversation = conversations.find(uow, ticket)
    earliest = timestamps.later(uow.real_now, seconds=-conversations.ANSWER_SECONDS)
    if conversation["answered_by"] != "ai" or conversation.get("last_turn_at", "") < earliest:
        return []
    last = threads.recent_public(uow, ticket["id"], most=1)
    is_asked = last and last[0]["author_role"] == "customer"
    return [{"name": AI, "state": "replying", "since": conversation["last_turn_at"]}] if is_asked else []


def purge(uow: UnitOfWork) -> int:
    """Deletes the rows of whoever is not there any more; returns how many."""
    earliest, latest = (timestamps.later(uow.real_now, seconds=seconds) for seconds in (-LIFE_SECONDS, LIFE_SECONDS))
    return uow.delete(table, ~c.seen_at.between(earliest, latest))
