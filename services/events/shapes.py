"""The public shape of an event, the same in the feed and in the body of a webhook."""

from collections.abc import Iterable, Sequence
from typing import Any

from core import models
from core.models import Actor
from database.tables import incidents, replies, tickets
from services.events.happenings import Happening
from storage import Row, UnitOfWork

MOST_AT_ONCE = 200  # ids in one statement
INCIDENT_FIELDS = ("id", "title", "status", "opened_at", "resolved_at")


def shapes(uow: UnitOfWork, happenings: Sequence[Happening]) -> list[Row]:
    """The events as the actor sees them, each with its ticket as it is now. Those of tickets that are gone are left out."""
    ticket_rows = _by_id(uow, tickets, {one.ticket_id for one in happenings})
    reply_rows = _by_id(uow, replies, {one.reply_id for one in happenings})
    incident_rows = _by_id(uow, incidents, {one.subject_id for one in happenings if one.subject == "incident"})
    return [
        shape(
            one,
            uow.actor,
            ticket=ticket_rows.get(one.ticket_id),
            reply=reply_rows.get(one.reply_id),
            incident=incident_rows.get(one.subject_id),
        )
        for one in happenings
        if one.subject != "ticket" or one.ticket_id in ticket_rows
    ]


def shape(
    happening: Happening,
    actor: Actor,
    *,
    ticket: Row | None = None,
    reply: Row | None = None,
    incident: Row | None = None,
) -> Row:
    """One event: id, event, created_at, ticket_id and, where there are any, ticket, reply, incident_id and incident."""
    data: Row = {
        "id": happening.id,
        "event": happening.event,
        "created_at": happening.created_at,
        "ticket_id": happening.ticket_id,
    }
    if happening.subject == "incident":
        data["incident_id"] = happening.subject_id
    if incident is not None:
        data["incident"] = models.shape(incident, INCIDENT_FIELDS)
    if ticket is not None:
        data["ticket"] = models.ticket_shape(ticket, actor)
    if happening.event == "ticket.replied" and not actor.is_customer:
        data["internal"] = happening.internal
    if reply is not None:
        data["reply"] = models.reply_shape(reply, actor)
    return data


def _by_id(uow: UnitOfWork, table: Any, ids: Iterable[str]) -> dict[str, Row]:
    pending, rows = sorted(set(ids) - {""}), list[Row]()
    for start in range(0, len(pending), MOST_AT_ONCE):
        rows += uow.find(uow.query(table).where(table.c.id.in_(pending[start : start + MOST_AT_ONCE])))
    return {row["id"]: row for row in rows}
