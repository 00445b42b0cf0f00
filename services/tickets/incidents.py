"""Which tickets belong to an incident: open one, let tickets join and leave, list them. Only rows; nothing is compared here."""

from collections.abc import Sequence
from typing import Any

from core.errors import not_found
from core.models import shape
from database.tables import incidents as table
from database.tables import tickets
from services.copilot import identities
from services.history import Change, record
from storage import Row, UnitOfWork

FIELDS = "id title status ticket_count ticket_ids opened_at resolved_at".split()
MOST_TICKETS = 500  # of one incident: as many as are answered at once
MOST_TITLE = 200  # characters
UNTITLED = "Alike tickets"
t = tickets.c


def open_incident(uow: UnitOfWork, rows: Sequence[Row]) -> str:
    """A new incident of tickets, each with its id, number and arrived_at, the earliest first. Returns its id."""
    newest = max(row["arrived_at"] for row in rows)
    values = {"title": _title(uow, rows[0]["id"]), "opened_at": uow.now, "newest_at": newest}
    incident = uow.insert(table, values)
    record(uow, incident["id"], [Change("opened", "tickets", "", len(rows))], subject="incident")
    _join(uow, incident["id"], rows)
    return str(incident["id"])


def join(uow: UnitOfWork, incident: Row, rows: Sequence[Row]) -> None:
    """Lets further tickets, each with its id and arrived_at, join an incident."""
    newest = max([incident["newest_at"], *(row["arrived_at"] for row in rows)])
    uow.update(table, incident["id"], {"newest_at": newest})
    _join(uow, incident["id"], rows)


def _join(uow: UnitOfWork, incident_id: str, rows: Sequence[Row]) -> None:
    """Writes the id into the tickets. Their versions stay: it is no change of a person."""
    for row in rows:
        uow.update(tickets, row["id"], {"incident_id": incident_id, "updated_at": uow.now})
        record(uow, row["id"], [Change("joined", "incident_id", "", incident_id)])


def leave(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Takes erased or deleted tickets out of their incidents, whose titles then come from what is left.

    An incident without tickets is deleted.
    """
    rows = uow.find(uow.query(tickets, t.id, t.incident_id).where(t.id.in_(ids), t.incident_id != ""))
    if not rows:
        return
    uow.update_where(tickets, t.id.in_([row["id"] for row in rows]), incident_id="")
    for incident_id in sorted({row["incident_id"] for row in rows}):
        earliest = uow.first(_members(uow, incident_id))
        if earliest:
            uow.update(table, incident_id, {"title": _title(uow, earliest["id"])})
        else:
            uow.delete(table, table.c.id == incident_id)
            record(uow, incident_id, [Change("deleted")], subject="incident")


def leave_alone(uow: UnitOfWork, ticket_id: str) -> None:
    """Marks a ticket of the past, which makes no incident."""
    uow.update(tickets, ticket_id, {"arrived_at": None})


def get(uow: UnitOfWork, incident_id: str, *, lock: bool = False) -> Row:
    """One incident. Raises AppError 404."""
    incident = uow.get(table, incident_id, lock=lock)
    if incident is None:
        raise not_found()
    return incident


def find(uow: UnitOfWork, *, statuses: Sequence[str], limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the company's incidents in these statuses, the newest first, in their public form; and the total."""
    query = uow.query(table).where(table.c.status.in_(statuses))
    rows = uow.find(query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit).offset(offset))
    ids: dict[str, list[str]] = {row["id"]: [] for row in rows}
    of_these = (t.incident_id.in_(ids), t.incident_id != "")
    for row in uow.find(uow.query(tickets, t.id, t.incident_id).where(*of_these).order_by(t.created_at, t.id)):
        ids[row["incident_id"]].append(row["id"])
    return [_shape(row, ids[row["id"]]) for row in rows], uow.count(query)


def _shape(incident: Row, ids: list[str]) -> Row:
    return shape({**incident, "ticket_count": len(ids), "ticket_ids": ids}, FIELDS)


def _members(uow: UnitOfWork, incident_id: str, *columns: Any) -> Any:
    """The tickets of an incident, the earliest first. The second condition lets the partial index serve."""
    of_incident = (t.incident_id == incident_id, t.incident_id != "")
    return uow.query(tickets, *(columns or (t.id,))).where(*of_incident).order_by(t.created_at, t.id)


def members(uow: UnitOfWork, incident_id: str) -> list[Row]:
    """The id, number and status of each ticket of an incident, the earliest first."""
    return uow.find(_members(uow, incident_id, t.id, t.number, t.status))


def joinable(uow: UnitOfWork, *, since: str) -> list[Row]:
    """The open incidents whose newest ticket arrived at `since` or later, with room for tickets, the newest first."""
    is_open = (table.c.status == "open", table.c.newest_at >= since)
    rows = uow.find(uow.query(table).where(*is_open).order_by(table.c.newest_at.desc(), table.c.id))
    return [row for row in rows if uow.count(_members(uow, row["id"])) < MOST_TICKETS]


def resolve(uow: UnitOfWork, incident: Row, *, said_by: str = "") -> None:
    """Marks an incident as resolved: no ticket joins it any more."""
    if incident["status"] == "resolved":
        return
    uow.update(table, incident["id"], {"status": "resolved", "resolved_at": uow.now})
    changed = [Change("resolved", "status", incident["status"], "resolved")]
    record(uow, incident["id"], changed, subject="incident", said_by=said_by)


def _title(uow: UnitOfWork, ticket_id: str) -> str:
    """What the earliest ticket is about, without names, addresses and numbers of its people."""
    ticket = uow.get(tickets, ticket_id) or {}
    title = identities.eraser(uow, ticket)(ticket.get("title", "")) if ticket else ""
    return " ".join(title.split())[:MOST_TITLE] or UNTITLED
