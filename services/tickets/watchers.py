"""Watchers of a ticket: addresses that are told of public replies and of the resolution, by services/tickets/notifications.py."""

import orjson
from sqlalchemy import Text, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from core.errors import conflict, not_found
from core.models import LIMITS
from database.tables import tickets
from services.history import Change, record
from services.privacy.mentions import sweep
from services.tickets import changes
from storage import Row, UnitOfWork


def watched_by(uow: UnitOfWork, email: str) -> list[Row]:
    """The tickets that an address watches: id and number of each, in the order of their numbers."""
    if not email:
        return []
    query = uow.query(tickets, tickets.c.id, tickets.c.number).where(is_watched_by(email))
    return [{"ticket_id": row["id"], "number": row["number"]} for row in uow.find(query.order_by(tickets.c.number))]


def is_watched_by(email: str) -> ColumnElement[bool]:
    """Whether an address watches a ticket: it stands in the stored list with its quotes."""
    return type_coerce(tickets.c.watchers, Text).contains(orjson.dumps(email).decode(), autoescape=True)


def forget(uow: UnitOfWork, email: str) -> None:
    """Removes an erased person's address from the watchers of all tickets."""
    for batch in sweep(uow, tickets, is_watched_by(email), columns=("watchers",)) if email else ():
        for row in batch:
            uow.update(tickets, row["id"], {"watchers": [one for one in row["watchers"] if one != email]})


def add(uow: UnitOfWork, ticket_id: str, email: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Adds a watcher and returns the ticket; one who watches already stays. Raises AppError 404, 409, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version)
    if email in ticket["watchers"]:
        return ticket
    if len(ticket["watchers"]) >= LIMITS["watchers"]:
        message = f"Ticket #{ticket['number']} has {LIMITS['watchers']} watchers, which is the most."
        raise conflict("too_many_watchers", message)
    record(uow, ticket_id, [Change("watched", "watchers", "", email)], said_by=said_by)
    return changes.write(uow, ticket, {"watchers": [*ticket["watchers"], email]}, "watched", said_by=said_by)


def remove(uow: UnitOfWork, ticket_id: str, email: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Removes a watcher and returns the ticket. Raises AppError 404, also for who does not watch, 409, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version)
    if email not in ticket["watchers"]:
        raise not_found()
    record(uow, ticket_id, [Change("unwatched", "watchers", email, "")], said_by=said_by)
    remaining = [watcher for watcher in ticket["watchers"] if watcher != email]
    return changes.write(uow, ticket, {"watchers": remaining}, "unwatched", said_by=said_by)
