"""The place of a ticket in the queue of who waits: handed-over conversations first, then who has waited longest for us.

The place is one text, so that one index has the queue in its order: a digit, and the time since when the ticket waits.
"""

from core.models import FINISHED
from storage import Row

HANDED_OVER, WAITS, ANSWERED = "0", "1", "2"
_ANSWERED_BY_STATUS = ("waiting_customer", "ai_responded", *FINISHED)


def place_of_new(ticket: Row) -> str:
    """The place of a ticket that is created."""
    return _place(ticket["status"], ticket["created_at"], answered_at=ticket["created_at"])


def place_after(ticket: Row, status: str, *, now: str) -> str:
    """The place after a change of status. A ticket that waits already keeps its time."""
    return _place(status, _waits_since(ticket) or now, answered_at=ticket["created_at"])


def place_after_customer(ticket: Row, status: str, *, now: str) -> str:
    """The place after words of the customer, whatever the status says."""
    return f"{HANDED_OVER if status == 'handoff' else WAITS}{_waits_since(ticket) or now}"


def answered(ticket: Row) -> str:
    """The place of a ticket whose last words are ours."""
    return f"{ANSWERED}{ticket['created_at']}"


def _waits_since(ticket: Row) -> str:
    place: str = ticket["queue_place"]
    return place[1:] if place[:1] in (HANDED_OVER, WAITS) else ""


def _place(status: str, since: str, *, answered_at: str) -> str:
    if status in _ANSWERED_BY_STATUS:
        return f"{ANSWERED}{answered_at}"
    return f"{HANDED_OVER if status == 'handoff' else WAITS}{since}"
