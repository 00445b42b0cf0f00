"""Tickets over HTTP: create, list, read, change, move, delete."""

import time
from dataclasses import replace
from typing import Any

import orjson
from flask import Response, g, request

import models
from api import shapes
from api.envelope import Answer, how_many, render
from api.gate import keep_answer, the_foyer
from api.noun import Noun, current_echo
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
    said,
)
from errors import AppError, invalid_field, read_only
from models import Actor, ticket_shape
from permissions import Permission
from services import finding, history, intake, judging, tickets
from storage import Desk, Row

blp = Noun("tickets", __name__, description="Tickets: open, read, change, assign, resolve.")

POLL_SECONDS = 0.1


def ticket_answer(ticket: Row, message: str, actor: Actor, *, status: int = 200) -> Answer:
    """A whole ticket as an answer, with its version as ETag."""
    return Answer(ticket_shape(ticket, actor), message, status, headers={"ETag": f'"{ticket["version"]}"'})


def _wait_for_answer(response: Response, *, key: str, query: Row, **_: Any) -> Response:
    """Waits for the model's answer to a ticket just created, if a place to wait is free; the ticket is safe either way."""
    if not query["wait"] or response.status_code != 201 or "Idempotent-Replay" in response.headers:
        return response
    foyer = the_foyer()
    data = orjson.loads(response.get_data())["data"]
    if data["ai_status"] != "pending":
        return response
    foyer.runner.wake()
    if not foyer.waiting.acquire(blocking=False):
        return response
    try:
        ticket = _answered_ticket(data["id"], seconds=query["wait"])
        if ticket is None:
            return response
        done = render(ticket_answer(ticket, f"Ticket #{ticket['number']} is open and answered.", g.actor, status=201))
        if key:
            keep_answer(done, key=key)
        return done
    except AppError:  # deleted meanwhile, or the store is away: what was created was created
        return response
    finally:
        foyer.waiting.release()


def _answered_ticket(ticket_id: str, *, seconds: int) -> Row | None:
    """The ticket once it is answered, None when it is not by then. Raises AppError 404, 503."""
    # The caller has just created this ticket. A new customer's row was made with it, so their own desk would not show it.
    company = replace(g.actor, role="admin")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        with the_foyer().storage.desk(company) as desk:
            ticket = tickets.get(desk, ticket_id)
        if ticket["ai_status"] != "pending":
            return ticket
    return None


@blp.post(
    "/api/tickets",
    "CreateTicket",
    may=Permission.TICKETS_CREATE,
    body=NewTicket,
    query=CreateQuery,
    gives=shapes.Ticket,
    status=201,
    before=lambda body: judging.prepare([body]),
    after=_wait_for_answer,
)
def create_ticket(desk: Desk, body: Row, query: Row) -> Answer:
    """Create a ticket.

    Opens a ticket. It is triaged and, without a language model, answered at once; with one the answer follows, and wait
    says how many seconds to wait for it.
    """
    who = said(body)["said_by"]
    ticket = intake.open_ticket(desk, body, model_ready=the_foyer().model is not None, said_by=who)
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is open.", desk.actor, status=201)


@blp.get("/api/tickets", "ListTickets", may=Permission.TICKETS_READ, query=TicketQuery, gives=shapes.Ticket, many=True)
def list_tickets(desk: Desk, query: Row) -> Answer:
    """List tickets.

    The newest first, narrowed by any filters, a page at a time.
    """
    rows, total = finding.find(desk, query)
    return Answer(rows, how_many(total, "ticket"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/tickets/<ticket_id>", "GetTicket", may=Permission.TICKETS_READ, gives=shapes.Ticket)
def get_ticket(desk: Desk, ticket_id: str) -> Answer:
    """Get a ticket.

    One ticket by its id.
    """
    ticket = tickets.get(desk, ticket_id)
    return ticket_answer(ticket, f"Ticket #{ticket['number']}.", desk.actor)


def _change(desk: Desk, ticket_id: str, body: Row) -> Answer:
    who = said(body)
    # The version first: whoever sends an old ticket back whole is told that it is old, not that its fields are read-only.
    _check_echo(tickets.take(desk, ticket_id, who["version"]), desk.actor)
    ticket = tickets.update(desk, ticket_id, body, **who)
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is saved.", desk.actor)


def _check_echo(ticket: Row, actor: Actor) -> None:
    """Read-only fields may be sent back as they are, not changed."""
    shown = ticket_shape(ticket, actor)
    if wrong := [name for name, value in current_echo().items() if shown.get(name) != value]:
        raise read_only(wrong)


@blp.put(
    "/api/tickets/<ticket_id>", "UpdateTicket", may=Permission.TICKETS_WORK, body=TicketChanges, gives=shapes.Ticket
)
def update_ticket(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Update a ticket.

    Changes the fields that are given and leaves the others; name the version you saw to be sure nothing is overwritten.
    """
    return _change(desk, ticket_id, body)


@blp.patch(
    "/api/tickets/<ticket_id>", "PatchTicket", may=Permission.TICKETS_WORK, body=TicketChanges, gives=shapes.Ticket
)
def patch_ticket(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Change parts of a ticket.

    The same as updating it.
    """
    return _change(desk, ticket_id, body)


@blp.delete("/api/tickets/<ticket_id>", "DeleteTicket", may=Permission.TICKETS_DELETE, gives=shapes.Deleted)
def delete_ticket(desk: Desk, ticket_id: str) -> Answer:
    """Delete a ticket.

    Removes it with its thread and history; only admins may.
    """
    body = Noun.ARGUMENTS_PARSER.parse(Versioned(), request, location="json")
    tickets.remove(desk, ticket_id, named_version(body))
    return Answer({"deleted": True}, "The ticket is deleted.")


@blp.post(
    "/api/tickets/<ticket_id>/assign",
    "AssignTicket",
    may=Permission.TICKETS_WORK,
    body=AssignTicket,
    gives=shapes.Ticket,
)
def assign_ticket(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Assign a ticket.

    Gives it to the named agent, or with auto to the available one with the fewest open tickets.
    """
    auto, named = body.get("auto", False), body.get("agent_email", "")
    if auto == bool(named):
        raise invalid_field("agent_email", "Give either agent_email or auto: true.")
    ticket = tickets.assign(desk, ticket_id, named, auto=auto, **said(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is assigned to {ticket['assigned_to']}.", desk.actor)


@blp.post(
    "/api/tickets/<ticket_id>/unassign",
    "UnassignTicket",
    may=Permission.TICKETS_WORK,
    body=MoveTicket,
    gives=shapes.Ticket,
)
def unassign_ticket(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Unassign a ticket.

    Takes it from its agent and puts it back in the queue.
    """
    ticket = tickets.unassign(desk, ticket_id, **said(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is assigned to nobody.", desk.actor)


@blp.post(
    "/api/tickets/<ticket_id>/resolve",
    "ResolveTicket",
    may=Permission.TICKETS_WORK,
    body=ResolveTicket,
    gives=shapes.Ticket,
)
def resolve_ticket(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Resolve a ticket.

    Closes the case with a resolution, which is sent to the customer.
    """
    ticket = tickets.resolve(desk, ticket_id, body.pop("resolution"), **said(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is resolved.", desk.actor)


@blp.post(
    "/api/tickets/<ticket_id>/reopen", "ReopenTicket", may=Permission.TICKETS_WORK, body=MoveTicket, gives=shapes.Ticket
)
def reopen_ticket(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Reopen a ticket.

    Takes a resolved or closed ticket back into work.
    """
    ticket = tickets.reopen(desk, ticket_id, **said(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is open again.", desk.actor)


@blp.get(
    "/api/tickets/<ticket_id>/history", "ListTicketHistory", may=Permission.HISTORY_READ, gives=shapes.Event, many=True
)
def list_history(desk: Desk, ticket_id: str) -> Answer:
    """List a ticket's history.

    Everything that happened to it, oldest first.
    """
    tickets.get(desk, ticket_id)
    events = [models.event_shape(row) for row in history.of_ticket(desk, ticket_id)]
    return Answer(events, how_many(len(events), "event"), page=(len(events), len(events), 0))
