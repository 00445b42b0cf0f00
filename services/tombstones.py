"""Tombstones: what was deleted or erased, so that a copy elsewhere can follow. Only reads the history and the tickets."""

from sqlalchemy import func, literal, select, union_all

from database import column_types
from database.tables import events, tickets
from storage import Row, UnitOfWork

KINDS = "ticket attachment customer article user team macro view routing_rule incident".split()
REASONS = ("deleted", "erased")
e, t = events.c, tickets.c


def find(uow: UnitOfWork, *, since: str, kinds: list[str], limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of what is gone since that time (inclusive, "" for all), oldest first, and the total.

    An erased ticket is still there without its texts; a deleted one is not. A thing that was deleted after it was erased
    stands twice.
    """
    reason = func.replace(func.replace(e.action, "customer_erased", "erased"), "user_deleted", "deleted")
    removed = uow.query(events, e.subject_id.label("id"), e.subject.label("kind"), reason.label("reason"), e.created_at)
    removed = removed.where(column_types.is_removal(), e.created_at >= since, e.subject.in_(kinds))
    erased = uow.query(tickets, t.id, literal("ticket").label("kind"), literal("erased").label("reason"), t.erased_at)
    erased = erased.where(t.erased_at.is_not(None), t.erased_at >= since)
    both = removed if "ticket" not in kinds else union_all(removed, erased)
    rows = both.subquery()
    gone = rows.c.created_at
    page = select(rows).order_by(gone, rows.c.id, rows.c.reason).limit(limit).offset(offset)
    total = uow.aggregate(select(func.count()).select_from(rows))[0][0]
    names = ("id", "kind", "reason", "removed_at")
    return [dict(zip(names, row, strict=True)) for row in uow.aggregate(page)], int(total)
