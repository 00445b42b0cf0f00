"""Watchers of a ticket: addresses that are told of public replies and of the resolution, by services/tickets/notifications.py."""

from core.errors import conflict, not_found
from core.models import LIMITS
from services.history import Change, record
from services.tickets import changes
from storage import Row, UnitOfWork


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
