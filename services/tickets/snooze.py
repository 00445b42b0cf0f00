"""Snoozes tickets: they wait at the end of the queue until a time, or until their customer writes. The agreed times go on.

Times are of the real clock. A periodic job reads the index of `snoozed_until`, so its cost grows with what is due.
"""

from core import timestamps
from core.errors import conflict, invalid_field
from core.models import FINISHED
from database.tables import tickets
from services.history import Change, record
from services.tickets import changes, waiting
from storage import Row, UnitOfWork

LONGEST_DAYS = 366
MOST_AT_ONCE = 200
t = tickets.c


def snooze(uow: UnitOfWork, ticket_id: str, until: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Snoozes an open ticket until that time, also one that is snoozed already. Raises AppError 400, 404, 409, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version)
    changes.check_own(ticket, "snoozed")
    if ticket["status"] in FINISHED:
        message = f"Ticket #{ticket['number']} is {ticket['status']}, so it cannot be snoozed. Reopen it first."
        raise conflict("move_not_allowed", message)
    if not uow.real_now < until <= _latest(uow):
        raise invalid_field("until", f"until must be a time to come, at most {LONGEST_DAYS} days ahead.")
    if until == ticket["snoozed_until"]:
        return ticket
    return changes.write(uow, ticket, {"snoozed_until": until}, "snoozed", said_by=said_by)


def due(uow: UnitOfWork) -> list[Row]:
    """The snoozed tickets, of every company, whose time has come: `id` and `company_id` of each, the earliest first.

    A time further ahead than anybody may name was set while the clock was wrong, and has come as well.
    """
    ids = uow.query(tickets, t.id, t.company_id).order_by(t.snoozed_until).limit(MOST_AT_ONCE)
    has_come, is_wrong = t.snoozed_until <= uow.real_now, t.snoozed_until > _latest(uow)
    return uow.find(ids.where(has_come)) + uow.find(ids.where(is_wrong))  # in two, so that both read the index in order


def wake(uow: UnitOfWork, ticket_id: str) -> bool:
    """Wakes a ticket whose time has come; returns whether it was snoozed until then. Its version stays."""
    ticket = uow.get(tickets, ticket_id, lock=True)
    until = ticket["snoozed_until"] if ticket else None
    if ticket is None or until is None or uow.real_now < until <= _latest(uow):
        return False
    values = {"snoozed_until": None, "queue_place": waiting.place_while(None, ticket["queue_place"])}
    changes.write_quietly(uow, ticket, values, visible=True)
    record(uow, ticket_id, [Change("woken", "snoozed_until", until, "")])
    return True


def _latest(uow: UnitOfWork) -> str:
    return timestamps.later(uow.real_now, seconds=LONGEST_DAYS * 24 * 3600)
