"""What happened: one event for each thing that changed, beside the credential that changed it and where it came from.

The events of a ticket are its history; all events of a company are its audit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import times
from storage import Desk, Row
from tables import events

AI = "ai"
Subject = Literal["ticket", "customer", "user", "key", "company", "settings"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened: `action` to a `field`, whose value went from `before` to `after`."""

    action: str
    field: str = ""
    before: Any = ""
    after: Any = ""


def record(
    desk: Desk,
    subject_id: str,
    changes: Iterable[Change],
    *,
    subject: Subject = "ticket",
    said_by: str = "",
    actor: str = "",
) -> None:
    """Adds events about a thing. `said_by` is who the calling app says is acting. Never hand in a secret's value."""
    rows = [
        {
            "subject": subject,
            "subject_id": subject_id,
            "action": change.action,
            "actor": actor or desk.actor.name,
            "through": desk.actor.key_name,
            "said_by": said_by,
            "address": desk.actor.address,
            "field": change.field,
            "from_value": _as_text(change.before),
            "to_value": _as_text(change.after),
            "created_at": desk.now,
        }
        for change in changes
    ]
    desk.insert_many(events, rows)


def changed(action: str, before: Row, after: Row, names: Iterable[str]) -> list[Change]:
    """A change for each of the named fields whose value is another one."""
    return [Change(action, name, before[name], after[name]) for name in names if before[name] != after[name]]


def not_lately(desk: Desk, subject_id: str, changes: Iterable[Change], *, seconds: int) -> list[Change]:
    """Those of the changes that were not recorded about this thing within the last `seconds`."""
    since = times.later(desk.now, seconds=-seconds)
    rows = desk.find(desk.rows(events).where(events.c.subject_id == subject_id, events.c.created_at > since))
    recorded = {(row["action"], row["field"], row["from_value"], row["to_value"]) for row in rows}
    return [
        change
        for change in changes
        if (change.action, change.field, _as_text(change.before), _as_text(change.after)) not in recorded
    ]


def of_ticket(desk: Desk, ticket_id: str) -> list[Row]:
    """The events of a ticket, oldest first."""
    chosen = desk.rows(events).where(events.c.subject_id == ticket_id, events.c.subject == "ticket")
    return desk.find(chosen.order_by(events.c.created_at, events.c.id))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
