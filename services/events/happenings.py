"""Which events follow from rows of the history. The rows are the one source; no caller publishes an event.

The rows of one write about one subject give one event of each name. Its id follows from the write's order stamp, the
subject and the name. So it is always the same, and ids are in the order of the events.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from core import timestamps
from core.models import EVENTS, FINISHED, INTERNAL_ACTIONS, NOTE_ADDED, OPEN, STAFF_ONLY_FIELDS, TICKET_FIELDS
from storage import Row

SUBJECTS = ("ticket", "incident")  # subjects of the history that events are about
# (subject, action) -> event.
OF_ACTION = {
    ("ticket", "created"): "ticket.created",
    ("ticket", NOTE_ADDED): "ticket.replied",
    ("ticket", "merged"): "ticket.merged",
    ("ticket", "assigned"): "ticket.assigned",
    ("ticket", "rated"): "csat.received",
    ("ticket", "sla_at_risk"): "sla.at_risk",
    ("ticket", "sla_breached"): "sla.breached",
    ("incident", "opened"): "incident.opened",
}
OF_STATUS = {"handoff": "ticket.handoff", "resolved": "ticket.resolved", "closed": "ticket.closed"}
# Actions with an event of their own, and those that are no news: their fields make no ticket.updated.
TOLD_OTHERWISE = {action for _, action in OF_ACTION} | {
    "replied",
    "resolved",
    "closed",
    "reopened",
    "handed_over",
    "handed to a person",
    "imported",
    "deleted",
    "follow_up",
    "not_mailed",
    "mail_bounced",
}
STAFF_ONLY = {"sla.at_risk", "sla.breached", "incident.opened"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HASH_BITS = 62


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: its id, name, order stamp and subject. Of ticket.replied also the reply, and whether it is a note."""

    id: str
    event: str
    created_at: str
    subject: str
    subject_id: str
    reply_id: str = ""
    internal: bool = False

    @property
    def ticket_id(self) -> str:
        """Id of its ticket, "" without one."""
        return self.subject_id if self.subject == "ticket" else ""


def derive(rows: Iterable[Row], *, for_customer: bool = False) -> list[Happening]:
    """The events of rows of the history, in order. The rows of a write must be complete; they are in the order of time."""
    visible = (row for row in rows if row["subject"] in SUBJECTS and not (for_customer and _is_internal(row)))
    happenings: list[Happening] = []
    for stamp, of_write in groupby(visible, key=lambda row: row["created_at"]):
        by_subject: dict[tuple[str, str], list[Row]] = {}
        for row in of_write:
            by_subject.setdefault((row["subject"], row["subject_id"]), []).append(row)
        for (subject, subject_id), about in by_subject.items():
            happenings += _of_subject(stamp, subject, subject_id, about)
    if for_customer:
        happenings = [happening for happening in happenings if happening.event not in STAFF_ONLY]
    return sorted(happenings, key=lambda happening: happening.id)


def _is_internal(row: Row) -> bool:
    """Whether a customer may not know of this row: a note, or a field that only staff sees."""
    return row["action"] in INTERNAL_ACTIONS or (row["field"] in STAFF_ONLY_FIELDS and row["action"] != "assigned")


def _of_subject(stamp: str, subject: str, subject_id: str, rows: list[Row]) -> list[Happening]:
    names = {name for row in rows for name in _names(row)}
    if "ticket.created" in names:  # the first answer is part of a new ticket
        names.discard("ticket.updated")
    thread = [row for row in rows if row["field"] == "replies"]
    public = [row for row in thread if row["action"] != NOTE_ADDED]
    reply = {"reply_id": (public or thread)[0]["to_value"], "internal": not public} if thread else {}
    return [
        Happening(
            event_id(stamp, subject_id, name),
            name,
            stamp,
            subject,
            subject_id,
            **(reply if name == "ticket.replied" else {}),
        )
        for name in names
    ]


def _names(row: Row) -> set[str]:
    """The events that follow from one row."""
    action, name, before, after = (row[key] for key in ("action", "field", "from_value", "to_value"))
    names = {OF_ACTION.get((row["subject"], action), "")} - {""}
    if row["subject"] != "ticket":
        return names
    if name == "status":
        names |= {OF_STATUS.get(after, "")} - {""}
        if before in FINISHED and after in OPEN:
            names.add("ticket.reopened")
    if name == "assigned_to" and after:
        names.add("ticket.assigned")
    if action == "replied" and name == "replies":
        names.add("ticket.replied")
    if not names and action not in TOLD_OTHERWISE and name in TICKET_FIELDS:
        names.add("ticket.updated")
    return names


def event_id(stamp: str, subject_id: str, event: str) -> str:
    """The id of an event: a UUID (version 7, RFC 9562 §5.7) of the order stamp, the event's rank, and a hash of both names."""
    milliseconds = (timestamps.moment(stamp) - _EPOCH) // timedelta(milliseconds=1)
    digest = int.from_bytes(hashlib.sha256(f"{subject_id} {event}".encode()).digest()[:8], "big")
    return _uuid(milliseconds, EVENTS.index(event), digest)


def _uuid(milliseconds: int, rank: int, digest: int) -> str:
    version, variant, low = 7 << 76, 2 << _HASH_BITS, digest & (2**_HASH_BITS - 1)
    return str(UUID(int=milliseconds << 80 | version | rank << 64 | variant | low))


def stamp_of(id_: str) -> str:
    """The order stamp in the id of an event. Raises ValueError for anything else."""
    parsed = UUID(id_)
    if parsed.version != 7:
        raise ValueError("not the id of an event")
    try:
        return timestamps.stamp(_EPOCH + timedelta(milliseconds=parsed.int >> 80))
    except OverflowError:
        raise ValueError("not the id of an event") from None
