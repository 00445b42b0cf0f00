"""A customer's reply to a ticket that was resolved long ago: it opens a new ticket that names the old one."""

from typing import Any

from core import timestamps
from core.models import LIMITS
from database.tables import replies as table
from services.chat import conversations
from services.history import Change, record
from services.tickets import create, replies
from services.triage.trained_models import TrainedModels
from storage import Row, UnitOfWork


def add_reply(
    uow: UnitOfWork,
    trained_models: TrainedModels,
    ticket_id: str,
    fields: Row,
    *,
    model_ready: bool,
    said_by: str = "",
    version: int | None = None,
    quiet: bool = False,
) -> tuple[Row, Row | None]:
    """Adds a reply to the ticket, or opens a new ticket with it. Returns the reply and the new ticket, if there is one.

    With `quiet` nobody is mailed and nothing is answered.

    Raises AppError 400, 404, 409, 412.
    """
    new_tickets: list[Row] = []

    def when_late(old: Row) -> Row:
        if quiet:
            ticket = create.import_ticket(uow, trained_models, _fields(uow, old, fields))
        else:
            ticket = create.open_ticket(
                uow, trained_models, _fields(uow, old, fields), model_ready=model_ready, said_by=said_by
            )
        new_tickets.append(ticket)
        for subject in (old, ticket):
            record(
                uow, subject["id"], [Change("follow_up", "number", old["number"], ticket["number"])], said_by=said_by
            )
        return _first_message(uow, ticket, fields["body"])

    reply = replies.add(uow, ticket_id, fields, said_by=said_by, version=version, when_late=when_late, quiet=quiet)
    return reply, new_tickets[0] if new_tickets else None


def _fields(uow: UnitOfWork, old: Row, fields: Row) -> Row:
    values: dict[str, Any] = {
        "title": f"Re: [#{old['number']}] {old['title']}"[: LIMITS["title"]],
        "description": fields["body"],
    }
    values |= {"product": old["product"], "source": "web" if old["source"] == conversations.CHAT else old["source"]}
    if not uow.actor.is_customer:  # a customer is known by their sign-in
        values |= {name: old[name] for name in ("customer_email", "customer_id") if old[name]}
    return values


def _first_message(uow: UnitOfWork, ticket: Row, body: str) -> Row:
    """The reply as the first entry of the new thread, before an answer to it."""
    author = {
        "author_role": "customer",
        "author_name": ticket["customer_name"],
        "author_email": ticket["customer_email"],
    }
    created_at = timestamps.later(uow.now, seconds=-0.001)
    return uow.insert(table, {"ticket_id": ticket["id"], **author, "body": body, "created_at": created_at})
