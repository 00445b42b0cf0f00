"""The customer says that their ticket is solved."""

from core import timestamps
from core.models import FINISHED
from services.chat import conversations, messages
from services.tickets import changes
from storage import Row, UnitOfWork

SAID = "The customer said that it is solved."


def solve(uow: UnitOfWork, ticket_id: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Resolves a ticket for its customer, and closes a conversation; returns it. Nobody is mailed. A finished one stays.

    Raises AppError 404, 409, 412.
    """
    ticket = changes.get_for_update(uow, ticket_id, version)
    if ticket["status"] in FINISHED:
        return ticket
    if ticket["source"] == conversations.CHAT:
        messages.close(uow, ticket_id, said_by=said_by)
        return changes.get(uow, ticket_id)
    values = {**changes.move_fields(ticket, "resolve"), "resolution": SAID, "resolved_at": uow.now}
    values["resolution_seconds"] = timestamps.seconds_between(ticket["created_at"], uow.now)
    return changes.write(uow, ticket, values, "resolved", said_by=said_by)
