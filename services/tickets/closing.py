"""Closes resolved tickets by themselves after `auto_close_days`."""

from core import timestamps
from database.tables import companies, tickets
from services import settings
from services.tickets import changes
from storage import UnitOfWork

BATCH = 100  # tickets per unit of work, so that other writers do not wait long
t = tickets.c


def company_ids(uow: UnitOfWork) -> list[str]:
    """The companies, of all, whose tickets close by themselves."""
    return [row["id"] for row in uow.find(uow.query(companies)) if settings.of_company(row)["auto_close_days"]]


def close_some(uow: UnitOfWork) -> bool:
    """Closes up to BATCH of the company's tickets that are due. Returns whether there may be more."""
    days = settings.current(uow)["auto_close_days"]
    if not days:
        return False
    latest = timestamps.later(uow.now, seconds=-days * 24 * 3600)
    # What was resolved by then was opened by then, which the index of status knows.
    is_due = (t.status == "resolved", t.created_at <= latest, t.resolved_at <= latest, t.erased_at.is_(None))
    rows = uow.find(uow.query(tickets, t.id).where(*is_due).order_by(t.created_at, t.id).limit(BATCH))
    closed = [changes.close_resolved(uow, row["id"]) for row in rows]
    return len(closed) == BATCH and all(closed)
