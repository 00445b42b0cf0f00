"""A ticket's history: one event for each thing that changed, beside the credential that changed it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from storage import Desk, Row
from tables import events

AI = "ai"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened: `action` to a `field`, whose value went from `before` to `after`."""

    action: str
    field: str = ""
    before: Any = ""
    after: Any = ""


def record(desk: Desk, ticket_id: str, changes: Iterable[Change], *, said_by: str = "", actor: str = "") -> None:
    """Adds events to a ticket's history. `said_by` is who the calling app says is acting."""
    rows = [
        {
            "ticket_id": ticket_id,
            "action": change.action,
            "actor": actor or desk.actor.name,
            "said_by": said_by,
            "field": change.field,
            "from_value": _as_text(change.before),
            "to_value": _as_text(change.after),
            "created_at": desk.now,
        }
        for change in changes
    ]
    desk.insert_many(events, rows)


def of_ticket(desk: Desk, ticket_id: str) -> list[Row]:
    """The events of a ticket, oldest first."""
    chosen = desk.rows(events).where(events.c.ticket_id == ticket_id)
    return desk.find(chosen.order_by(events.c.created_at, events.c.id))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
