"""Tickets over HTTP: create, list, read, change, move, delete."""

import time
from dataclasses import replace
from typing import Any

import orjson
from flask import Response, g, request

from api.http import schemas
from api.http.envelope import Answer, how_many, render
from api.http.gate import current_runtime, store_response
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
from core.errors import AppError, invalid_field
from core.models import LAST_MESSAGE_FIELDS, Actor, ticket_shape
from core.permissions import Permission
from services import ai_usage, history
from services.knowledge.search import good_enough
from services.model_access import wait_slot
from services.tickets import changes, create, last_messages, queries, removal, views
from services.triage import decide
from storage import Row, UnitOfWork

blp = Resource("tickets", __name__, description="Tickets: open, read, change, assign, resolve.")

POLL_SECONDS = 0.1


def ticket_answer(ticket: Row, message: str, actor: Actor, *, status: int = 200) -> Answer:
    """A whole ticket as an answer, with its version as ETag."""
    return Answer(ticket_shape(ticket, actor), message, status, headers={"ETag": f'"{ticket["version"]}"'})


def _wait_for_answer(response: Response, *, key: str, query: Row, **_: Any) -> Response:
    """Waits for the model's answer to a new ticket if a waiting slot is free; the ticket is already committed."""
    if not query["wait"] or response.status_code != 201 or "Idempotent-Replay" in response.headers:
        return response
    runtime = current_runtime()
    data = orjson.loads(response.get_data())["data"]
    if data["ai_status"] != "pending":
        return response
    runtime.runner.wake()
    try:
        with wait_slot(runtime.wait_slots) as is_free:
            ticket = _answered_ticket(data["id"], seconds=query["wait"]) if is_free else None
        if ticket is None:
            return response
        answered = render(
            ticket_answer(ticket, f"Ticket #{ticket['number']} is open and answered.", g.actor, status=201)
        )
        if key:
            store_response(answered, key=key)
        return answered
    except AppError:  # deleted meanwhile, or the store is unavailable: the ticket was created all the same
        return response


def _answered_ticket(ticket_id: str, *, seconds: int) -> Row | None:
    """The ticket once it is answered, None after `seconds`. Raises AppError 404, 503."""
    # As an admin: a customer's row may have been created with the ticket, so their own actor could not see it yet.
    company = replace(g.actor, role="admin")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        with current_runtime().storage.unit_of_work(company) as uow:
            ticket = changes.get(uow, ticket_id)
        if ticket["ai_status"] != "pending":
            return ticket
    return None


def _prepare(body: Row) -> None:
    """What a new ticket needs and other writers need not wait for: its vector, and the article that answers it."""
    runtime = current_runtime()
    decide.prepare(runtime.trained_models, [body])
    if runtime.trained_models.resolution_times.is_due(g.actor.company_id):
        with runtime.storage.unit_of_work(
            Actor.system(g.actor.company_id)
        ) as uow:  # customers see their own tickets only
            runtime.trained_models.resolution_times.learn(uow)
    with runtime.storage.unit_of_work(g.actor) as uow:
        if runtime.model is None or ai_usage.refusal(uow):  # else the job of the answer looks for it
            g.article = good_enough(runtime.knowledge.for_ticket(uow, body, wait=False))


@blp.post(
    "/api/tickets",
    "CreateTicket",
    permission=Permission.TICKETS_CREATE,
    body=NewTicket,
    query=CreateQuery,
    response=schemas.Ticket,
    status=201,
    before=lambda body: _prepare(body),
    after=_wait_for_answer,
)
def create_ticket(uow: UnitOfWork, body: Row, query: Row) -> Answer:
    """Create a ticket.

    Opens a ticket. It is triaged and, without a language model, answered at once; with one the answer follows, and wait
    says how many seconds to wait for it.
    """
    said_by = pop_actor_and_version(body)["said_by"]
    runtime = current_runtime()
    ticket = create.open_ticket(
        uow,
        runtime.trained_models,
        body,
        model_ready=runtime.model is not None,
        article=g.get("article"),
        said_by=said_by,
    )
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
    rows, total = queries.find(uow, query)
    return Answer(rows, how_many(total, "ticket"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/tickets/<ticket_id>", "GetTicket", permission=Permission.TICKETS_READ, response=schemas.Ticket)
def get_ticket(uow: UnitOfWork, ticket_id: str) -> Answer:
    """Get a ticket.

    One ticket by its id.
    """
    ticket = changes.get(uow, ticket_id)
    return ticket_answer(ticket, f"Ticket #{ticket['number']}.", uow.actor)


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
    body = Resource.ARGUMENTS_PARSER.parse(Versioned(), request, location="json")
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
