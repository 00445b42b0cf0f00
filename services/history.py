"""History: one event for each changed field, with the credential and the address of the caller.

The events of a ticket are its history; all events of a company are its audit log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from core import timestamps
from database.tables import events
from storage import Row, UnitOfWork

AI = "ai"
Subject = Literal[
    "ticket",
    "customer",
    "user",
    "key",
    "company",
    "settings",
    "article",
    "macro",
    "view",
    "attachment",
    "transfer",
    "team",
    "routing_rule",
    "incident",
    "webhook",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the `action`, the `field`, and its value `before` and `after`."""

    action: str
    field: str = ""
    before: Any = ""
    after: Any = ""


def record(
    uow: UnitOfWork,
    subject_id: str,
    changes: Iterable[Change],
    *,
    subject: Subject = "ticket",
    said_by: str = "",
    actor: str = "",
) -> None:
    """Adds an event for each change of a subject. Never pass the value of a secret.

    `said_by` is the user whom the calling app names; it is not verified.
    """
    rows = [
        {
            "subject": subject,
            "subject_id": subject_id,
            "action": change.action,
            "actor": actor or uow.actor.name,
            "through": uow.actor.key_name,
            "said_by": said_by,
            "address": uow.actor.address,
            "field": change.field,
            "from_value": _as_text(change.before),
            "to_value": _as_text(change.after),
            "created_at": uow.now,
        }
        for change in changes
    ]
    uow.insert_many(events, rows)


def differences(action: str, before: Row, after: Row, names: Iterable[str]) -> list[Change]:
    """One Change for each of the named fields whose value differs."""
    return [Change(action, name, before[name], after[name]) for name in names if before[name] != after[name]]


def not_lately(uow: UnitOfWork, subject_id: str, changes: Iterable[Change], *, seconds: int) -> list[Change]:
    """The changes that were not recorded about this subject within the last `seconds`."""
    since = timestamps.later(uow.now, seconds=-seconds)
    rows = uow.find(uow.query(events).where(events.c.subject_id == subject_id, events.c.created_at > since))
    recorded = {(row["action"], row["field"], row["from_value"], row["to_value"]) for row in rows}
    return [
        change
        for change in changes
        if (change.action, change.field, _as_text(change.before), _as_text(change.after)) not in recorded
    ]


def of_subject(uow: UnitOfWork, subject_id: str, *, subject: Subject = "ticket") -> list[Row]:
    """The events of a ticket or another subject, oldest first."""
    own = uow.query(events).where(events.c.subject_id == subject_id, events.c.subject == subject)
    return uow.find(own.order_by(events.c.created_at, events.c.id))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
