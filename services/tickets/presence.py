"""Who is at which ticket: agents who view it or write a reply, for 30 seconds after they last said so, and the AI at work.

It is kept in memory, so that it costs no write. Where several processes serve, each writes what it was told to the table
`presence` every few seconds, and reads the others' there.
"""

import threading
from uuid import NAMESPACE_OID, uuid5

from core import timestamps
from core.models import OPEN, Actor, shape
from database.tables import presence as table
from database.tables import tickets, users
from services.chat import conversations
from services.tickets import threads
from storage import Row, Storage, UnitOfWork

LIFE_SECONDS = 30
MOST_AT_ONCE = 100  # at one ticket; whoever has not said so for the longest is left out
MOST_IN_MEMORY = 1_000  # tickets; with more, those that nobody is at are forgotten
FIELDS = ("name", "state", "since")
AI = "AI"
Place = tuple[str, str]  # company and ticket
c = table.c


class Presence:
    """Who is at which ticket, as one process was told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[Place, dict[str, Row]] = {}  # place -> row id -> row
        self._waiting: set[Place] = set()  # places whose rows `flush` is to write

    def note(self, uow: UnitOfWork, ticket_id: str, state: str, *, said_by: str = "") -> None:
        """The caller is at the ticket, which exists."""
        company = uow.actor.company_id
        row = {"name": said_by or _name(uow), "state": state, "since": uow.real_now, "seen_at": uow.real_now}
        caller = f"{uow.actor.user_id or uow.actor.key_id} {said_by}"
        row_id = str(uuid5(NAMESPACE_OID, f"{company} {ticket_id} {caller}"))
        with self._lock:
            rows = _there(self._rows.get((company, ticket_id), {}), uow.real_now)
            others = [(one, rows[one]) for one in list(rows)[-MOST_AT_ONCE + 1 :] if one != row_id]
            self._rows[company, ticket_id] = {**dict(others), row_id: _continued(rows.get(row_id), row)}
            self._waiting.add((company, ticket_id))
            if len(self._rows) > MOST_IN_MEMORY:
                self._forget(uow.real_now)

    def of_ticket(self, uow: UnitOfWork, ticket: Row, *, shared: bool) -> list[Row]:
        """Who is at the ticket: name, state and since when, the longest first. With `shared` also by other processes."""
        with self._lock:
            rows = dict(self._rows.get((uow.actor.company_id, ticket["id"]), {}))
        stored = uow.find(uow.query(table).where(c.ticket_id == ticket["id"])) if shared else []
        for row in stored:
            rows[row["id"]] = _latest(row, rows.get(row["id"]))
        present = [row for row in rows.values() if _is_there(row, uow.real_now)]
        present += _ai_at_work(uow, ticket)
        return [shape(row, FIELDS) for row in sorted(present, key=lambda row: (row["since"], row["name"]))]

    def flush(self, storage: Storage) -> None:
        """Writes what was noted since the last time, where other processes read it. Raises AppError 503; then it is lost."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
            rows = {place: _there(self._rows.get(place, {}), storage.real_now()) for place in waiting}
        if storage.exclusive:
            return
        for company in {company for company, _ in waiting}:
            with storage.unit_of_work(Actor.system(company), write=True) as uow:
                for (_, ticket_id), noted in ((place, rows[place]) for place in sorted(rows) if place[0] == company):
                    _store(uow, ticket_id, noted)

    def _forget(self, now: str) -> None:
        remaining = {place: _there(rows, now) for place, rows in self._rows.items()}
        self._rows = {place: rows for place, rows in remaining.items() if rows}


def _name(uow: UnitOfWork) -> str:
    """The caller's name: of a user their own, else that of the credential."""
    actor = uow.actor
    user = (
        uow.cached((users,), ("user", actor.user_id), lambda: uow.get(users, actor.user_id)) if actor.user_id else None
    )
    return str(user["name"] or actor.name) if user else actor.name


def _store(uow: UnitOfWork, ticket_id: str, rows: dict[str, Row]) -> None:
    if uow.get(tickets, ticket_id) is None:
        return  # deleted meanwhile
    for row_id, row in sorted(rows.items()):
        if not uow.insert_new(table, {"id": row_id, "ticket_id": ticket_id, **row}):
            latest = _latest(uow.get(table, row_id, lock=True), row)
            uow.update(table, row_id, {name: latest[name] for name in row})


def _latest(one: Row | None, other: Row | None) -> Row:
    """The later of two rows of one caller; at least one is given."""
    earlier, later = sorted((one or other or {}, other or one or {}), key=lambda row: str(row["seen_at"]))
    return _continued(earlier, later)


def _continued(before: Row | None, row: Row) -> Row:
    """The row with the time since when the caller has been there in this state."""
    goes_on = before is not None and before["state"] == row["state"] and _is_there(before, row["seen_at"])
    return row | {"since": before["since"]} if before and goes_on else row


def _there(rows: dict[str, Row], now: str) -> dict[str, Row]:
    return {row_id: row for row_id, row in rows.items() if _is_there(row, now)}


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
