"""Tickets over HTTP: create, list, read, change, move, delete."""

from typing import Any

from flask import Response, g, request

from api import ticket_opening
from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.parsing import load_body
from api.http.resource import Resource, check_echo
from api.ticket_inputs import (
    AssignTicket,
    CreateQuery,
    MoveTicket,
    NewTicket,
    ResolveTicket,
    TicketChanges,
    TicketQuery,
    Versioned,
    named_version,
    pop_actor_and_version,
)
from api.views import load_filter
from core import models
from core.errors import invalid_field
from core.models import LAST_MESSAGE_FIELDS, Actor, ticket_shape
from core.permissions import Permission
from services import history
from services.tickets import changes, last_messages, queries, removal, views
from storage import Row, UnitOfWork

blp = Resource("tickets", __name__, description="Tickets: open, read, change, assign, resolve.")
_VERSIONED = Versioned()


def ticket_answer(ticket: Row, message: str, actor: Actor, *, status: int = 200) -> Answer:
    """A whole ticket as an answer, with its version as ETag."""
    return Answer(ticket_shape(ticket, actor), message, status, headers=_version(ticket))


def _version(ticket: Row) -> dict[str, str]:
    return {"ETag": f'"{ticket["version"]}"'}


def _wait_for_answer(response: Response, *, key: str, query: Row, **_: Any) -> Response:
    def show(ticket: Row) -> Answer:
        return ticket_answer(ticket, f"Ticket #{ticket['number']} is open and answered.", g.actor, status=201)

    return ticket_opening.with_answer(response, key=key, seconds=query["wait"], show=show)


@blp.post(
    "/api/tickets",
    "CreateTicket",
    permission=Permission.TICKETS_CREATE,
    body=NewTicket,
    query=CreateQuery,
    response=schemas.Ticket,
    status=201,
    before=ticket_opening.prepare,
    after=_wait_for_answer,
)
def create_ticket(uow: UnitOfWork, body: Row, query: Row) -> Answer:
    """Create a ticket.

    Opens a ticket and triages it at once. Without a language model it is answered at once, too. With one the answer follows,
    and wait says how many seconds to wait for it.
    """
    said_by = pop_actor_and_version(body)["said_by"]
    ticket = ticket_opening.open_ticket(uow, body, said_by=said_by)
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is open.", uow.actor, status=201)


@blp.get(
    "/api/tickets",
    "ListTickets",
    permission=Permission.TICKETS_READ,
    query=TicketQuery,
    response=schemas.Ticket,
    many=True,
)
def list_tickets(uow: UnitOfWork, query: Row) -> Answer:
    """List tickets.

    The newest first, narrowed by any filters, a page at a time.
    """
    if "view" in query:
        query = views.apply(uow, query, load_filter)
    rows, total = queries.find_json(uow, query)
    return Answer(rows, how_many(total, "ticket"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/tickets/<ticket_id>", "GetTicket", permission=Permission.TICKETS_READ, response=schemas.Ticket)
def get_ticket(uow: UnitOfWork, ticket_id: str) -> Answer:
    """Get a ticket.

    One ticket by its id.
    """
    ticket = queries.shown(uow, ticket_id)
    return Answer(ticket, f"Ticket #{ticket['number']}.", headers=_version(ticket))


def _as_listed(uow: UnitOfWork, ticket: Row) -> Row:
    """The ticket with its last message, if the caller sent that back."""
    return ticket if g.get("echo", {}).keys().isdisjoint(LAST_MESSAGE_FIELDS) else last_messages.add(uow, [ticket])[0]


def _change(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    actor_and_version = pop_actor_and_version(body)
    # The version is checked first: an outdated ticket sent back whole is stale, not read-only.
    current = changes.get_for_update(uow, ticket_id, actor_and_version["version"])
    check_echo(_as_listed(uow, ticket_shape(current, uow.actor)))
    ticket = changes.update(uow, ticket_id, body, **actor_and_version)
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is saved.", uow.actor)


@blp.put(
    "/api/tickets/<ticket_id>",
    "UpdateTicket",
    permission=Permission.TICKETS_WORK,
    body=TicketChanges,
    response=schemas.Ticket,
)
def update_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Update a ticket.

    Changes the fields that are given and leaves the others; name the version you saw to be sure nothing is overwritten.
    """
    return _change(uow, ticket_id, body)


@blp.patch(
    "/api/tickets/<ticket_id>",
    "PatchTicket",
    permission=Permission.TICKETS_WORK,
    body=TicketChanges,
    response=schemas.Ticket,
)
def patch_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Change parts of a ticket.

    The same as updating it.
    """
    return _change(uow, ticket_id, body)


@blp.delete("/api/tickets/<ticket_id>", "DeleteTicket", permission=Permission.TICKETS_DELETE, response=schemas.Deleted)
def delete_ticket(uow: UnitOfWork, ticket_id: str) -> Answer:
    """Delete a ticket.

    Removes it with its thread and history; only admins may.
    """
    body = load_body(_VERSIONED, request)
    removal.remove(uow, ticket_id, named_version(body))
    return Answer({"deleted": True}, "The ticket is deleted.")


@blp.post(
    "/api/tickets/<ticket_id>/assign",
    "AssignTicket",
    permission=Permission.TICKETS_WORK,
    body=AssignTicket,
    response=schemas.Ticket,
)
def assign_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Assign a ticket.

    Gives it to the named agent, or with auto to the free one with the fewest open tickets, unless it has one already.
    """
    auto, agent = body.get("auto", False), body.get("agent_email", "")
    if auto == bool(agent):
        raise invalid_field("agent_email", "Give either agent_email or auto: true.")
    ticket = changes.assign(uow, ticket_id, agent, auto=auto, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is assigned to {ticket['assigned_to']}.", uow.actor)


@blp.post(
    "/api/tickets/<ticket_id>/unassign",
    "UnassignTicket",
    permission=Permission.TICKETS_WORK,
    body=MoveTicket,
    response=schemas.Ticket,
)
def unassign_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Unassign a ticket.

    Takes it from its agent and puts it back in the queue.
    """
    ticket = changes.unassign(uow, ticket_id, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is assigned to nobody.", uow.actor)


@blp.post(
    "/api/tickets/<ticket_id>/resolve",
    "ResolveTicket",
    permission=Permission.TICKETS_WORK,
    body=ResolveTicket,
    response=schemas.Ticket,
)
def resolve_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Resolve a ticket.

    Closes the case with a resolution, which is sent to the customer.
    """
    ticket = changes.resolve(uow, ticket_id, body.pop("resolution"), **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is resolved.", uow.actor)


@blp.post(
    "/api/tickets/<ticket_id>/reopen",
    "ReopenTicket",
    permission=Permission.TICKETS_WORK,
    body=MoveTicket,
    response=schemas.Ticket,
)
def reopen_ticket(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Reopen a ticket.

    Takes a resolved or closed ticket back into work.
    """
    ticket = changes.reopen(uow, ticket_id, **pop_actor_and_version(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is open again.", uow.actor)


@blp.get(
    "/api/tickets/<ticket_id>/history",
    "ListTicketHistory",
    permission=Permission.HISTORY_READ,
    response=schemas.Event,
    many=True,
)
def list_history(uow: UnitOfWork, ticket_id: str) -> Answer:
    """List a ticket's history.

    Everything that happened to it, oldest first.
    """
    changes.get(uow, ticket_id)
    events = [models.event_shape(row) for row in history.of_subject(uow, ticket_id)]
    return Answer(events, how_many(len(events), "event"), page=(len(events), len(events), 0))
