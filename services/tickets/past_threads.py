"""Threads of tickets of other systems: replies with the authors and times that they had there. Nobody is told of them."""

from collections.abc import Sequence

from core import timestamps
from database.tables import replies
from services.tickets import waiting
from storage import Row, UnitOfWork


def facts(ticket: Row, thread: Sequence[Row]) -> Row:
    """The columns of a ticket that follow from its thread: who answered first and when, and since when it waits for us.

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
        columns["queue_place"] = waiting.place_of_imported(ticket, _last_question(public))
    return columns


def _last_question(public: Sequence[Row]) -> str:
    """When the customer first wrote after our last words; else when the last message was written."""
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
