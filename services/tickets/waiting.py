"""The place of a ticket in the queue of who waits: handed-over conversations first, then who has waited longest for us.

The place is one text, so that one index has the queue in its order: a digit, and the time since when the ticket waits. A snoozed
ticket has another digit in front, which puts it behind all others; without it its place is the old one.
"""

from core.models import FINISHED
from storage import Row

HANDED_OVER, WAITS, ANSWERED, ASLEEP = "0", "1", "2", "3"
_ANSWERED_BY_STATUS = ("waiting_customer", "ai_responded", *FINISHED)


def place_of_new(ticket: Row) -> str:
    """The place of a ticket that is created."""
    return _place(ticket["status"], ticket["created_at"], answered_at=ticket["created_at"])


def place_of_imported(ticket: Row, since: str) -> str:
    """The place of a ticket of another system, which waits since that time if it waits for us."""
    return _place(ticket["status"], since, answered_at=ticket["created_at"])


def place_after(ticket: Row, status: str, *, now: str) -> str:
    """The place after a change of status. A ticket that waits already keeps its time."""
    return _place(status, waits_since(ticket) or now, answered_at=ticket["created_at"])


def place_after_customer(ticket: Row, status: str, *, now: str) -> str:
    """The place after words of the customer, whatever the status says."""
    return place_since(status, waits_since(ticket) or now)


def place_since(status: str, since: str) -> str:
    """The place of a ticket that waits for us since that time."""
    return f"{HANDED_OVER if status == 'handoff' else WAITS}{since}"


def answered(ticket: Row) -> str:
    """The place of a ticket whose last words are ours."""
    return f"{ANSWERED}{ticket['created_at']}"


def place_while(snoozed_until: str | None, place: str) -> str:
    """The place of a ticket that is snoozed or, with None, awake."""
    awake = place.removeprefix(ASLEEP)
    return f"{ASLEEP}{awake}" if snoozed_until else awake


def waits_since(ticket: Row) -> str:
    """Since when the ticket waits for us, "" if it does not."""
    place: str = ticket["queue_place"].removeprefix(ASLEEP)
    return place[1:] if place[:1] in (HANDED_OVER, WAITS) else ""


def _place(status: str, since: str, *, answered_at: str) -> str:
    return f"{ANSWERED}{answered_at}" if status in _ANSWERED_BY_STATUS else place_since(status, since)
