"""Threads of tickets of other systems: replies with the authors and times that they had there. Nobody is told of them."""

from collections.abc import Sequence

from core import timestamps
from database.tables import replies
from services.tickets import waiting
from storage import Row, UnitOfWork


def thread_columns(ticket: Row, thread: Sequence[Row]) -> Row:
    """The columns of a ticket that follow from its thread: human_replied, agent_replies, the first response and queue_place.

    An entry of `thread` has author_role, author_name, author_email, body, internal and created_at.
    """
    public = sorted((entry for entry in thread if not entry["internal"]), key=lambda entry: str(entry["created_at"]))
    answers = [entry for entry in public if entry["author_role"] == "agent"]
    columns: Row = {}
    if answers:
        first = max(answers[0]["created_at"], ticket["created_at"])
        seconds = timestamps.seconds_between(ticket["created_at"], first)
        columns |= {"human_replied": True, "agent_replies": len(answers)}
        columns |= {"first_response_at": first, "first_response_seconds": seconds}
    if public:
        columns["queue_place"] = waiting.place_of_imported(ticket, _waits_since(public))
    return columns


def _waits_since(public: Sequence[Row]) -> str:
    """Time of the customer's first message after the last one of others; without one, the time of the last message."""
    since = ""
    for entry in public:
        if entry["author_role"] != "customer":
            since = ""
        elif not since:
            since = entry["created_at"]
    return since or str(public[-1]["created_at"])


def add(uow: UnitOfWork, ticket: Row, thread: Sequence[Row]) -> None:
    """Stores the entries of the thread as replies of the ticket."""
    if thread:
        uow.insert_many(replies, [{"ticket_id": ticket["id"], **entry} for entry in thread])
