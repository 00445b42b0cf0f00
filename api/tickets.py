"""Tickets over HTTP: create, list, read, change, move, delete."""

import time
from typing import Any

import orjson
from flask import Response, g, request
from marshmallow import Schema, ValidationError, validates_schema

import models
from api import shapes
from api.envelope import Answer, render
from api.fields import Choice, Choices, Email, Moment, Number, Text, Urgency, Words, Yes
from api.gate import keep_answer, the_foyer
from api.noun import Noun, current_echo
from errors import FieldError, invalid, invalid_field
from models import LIMITS, Actor, ticket_shape
from permissions import Permission
from services import finding, history, intake, tickets
from storage import Desk, Row

blp = Noun("tickets", __name__, description="Tickets: open, read, change, assign, resolve.")

ALIASES = {
    "subject": "title",
    "message": "description",
    "email": "customer_email",
    "name": "customer_name",
    "agent_email": "assigned_to",
    "agent_name": "assigned_to",
    "agent": "assigned_to",
}
WRITABLE = frozenset(tickets.PLAIN_FIELDS) | {"status", "assigned_to", "resolution", "version"}
STATUS_WORDS = {"open": "new"}
POLL_SECONDS = 0.1


class Said(Schema):
    """What every ticket write may carry: who the calling app says is acting."""

    user = Text(LIMITS["email"], about="Who is acting, as your app knows them; kept in the history.")
    action = Text(LIMITS["name"], about="What they are doing, in your app's words; kept in the history.")


class Versioned(Said):
    """A write that may name the version it was made for."""

    version = Number(1, 2**31, about="The version you saw; the write is refused when it is stale.")


class Repeatable(Schema):
    """A POST that may name itself, to be safe to repeat."""

    client_reference = Text(LIMITS["key"], about="Your own id of this call; sent again, it is done once.")


class TicketFields(Said):
    """Fields of a ticket that callers write."""

    ALIASES = ALIASES

    product = Text(LIMITS["product"], about="Product it is about.")
    tags = Words(LIMITS["tags"], Text(LIMITS["tag"]), about="Tags, at most 20.")
    category = Choice(models.CATEGORIES, about="Kind of question; decided by triage when not given.")
    priority = Choice(models.PRIORITIES, about="Priority; decided by triage when not given.")
    urgency = Urgency(about="Urgency from 1.0 to 5.0; decided by triage when not given.")
    sentiment = Choice(models.SENTIMENTS, about="How the customer feels; decided by triage when not given.")
    assigned_team = Choice(models.TEAMS, about="Team; follows from the category when not given.")
    assigned_to = Text(LIMITS["assigned_to"], about="Agent, by e-mail address or name.")
    customer_name = Text(LIMITS["name"], about="Name of the customer.")
    customer_tier = Choice(models.TIERS, about="Plan of the customer.")
    external_id = Text(LIMITS["external_id"], about="Id of the ticket in your own systems; unique.")


class NewTicket(TicketFields, Repeatable):
    """A ticket to open."""

    title = Text(LIMITS["title"], required=True, about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, required=True, about="What the customer wrote.")
    customer_email = Email(about="E-mail address of the customer; this or customer_id is required.")
    customer_id = Text(LIMITS["customer_id"], about="Id of the customer in your own systems.")
    source = Choice(models.SOURCES, about="Where it came in.")
    status = Choice(("new",), also=STATUS_WORDS, about="Only new (or open).")


class CreateQuery(Schema):
    """How to create."""

    wait = Number(0, 20, load_default=0, about="Seconds to wait for the model's answer.")


class TicketChanges(TicketFields, Versioned):
    """Fields of a ticket to change; what is left out stays."""

    READ_ONLY = frozenset(models.TICKET_FIELDS) - WRITABLE

    title = Text(LIMITS["title"], about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, about="What the customer wrote.")
    status = Choice(models.STATUSES, also=STATUS_WORDS, about="New state; goes through the same moves as the actions.")
    resolution = Text(LIMITS["resolution"], lines=True, about="How it was resolved; required to resolve.")
    clear = Words(len(tickets.CLEARABLE), Choice(tuple(tickets.CLEARABLE)), about="Fields to empty.")


class TicketQuery(Schema):
    """Filters, order and page of a list of tickets."""

    status = Choices(
        models.STATUSES,
        groups={"open": models.OPEN, "all": models.STATUSES},
        about="A state, a comma list, open or all.",
    )
    priority = Choices(models.PRIORITIES, about="Priority or a comma list.")
    category = Choices(models.CATEGORIES, about="Category or a comma list.")
    assigned_team = Choices(models.TEAMS, about="Team or a comma list.")
    sentiment = Choices(models.SENTIMENTS, about="Sentiment or a comma list.")
    customer_tier = Choices(models.TIERS, about="Plan or a comma list.")
    source = Choices(models.SOURCES, about="Source or a comma list.")
    assigned_to = Text(LIMITS["assigned_to"], about="Agent.")
    customer_email = Email(about="Customer's e-mail address.")
    customer_id = Text(LIMITS["customer_id"], about="Customer's id in your own systems.")
    external_id = Text(LIMITS["external_id"], about="Ticket's id in your own systems.")
    product = Text(LIMITS["product"], about="Product.")
    tag = Text(LIMITS["tag"], about="A tag.")
    topic = Text(LIMITS["tag"], about="A topic.")
    q = Text(LIMITS["q"], about="Words to search for.")
    created_after = Moment(about="Opened later than this.")
    created_before = Moment(about="Opened earlier than this.")
    updated_since = Moment(about="Changed at this time or later.")
    user = Text(LIMITS["email"], about="With role: whose tickets.")
    role = Choice(models.ROLES, about="customer: tickets of user; agent: assigned to user; admin: all.")
    sort = Choice(
        tuple(finding.SORTS), also={name.replace("-", "_"): name for name in finding.SORTS}, load_default="-created_at"
    )
    limit = Number(1, 200, load_default=50, about="How many at most.")
    offset = Number(0, 10**9, load_default=0, about="How many to skip.")

    @validates_schema
    def _user_and_role(self, values: Row, **_: Any) -> None:
        if "user" in values and "role" not in values:
            raise ValidationError("Say in which role: role=customer, agent or admin.", "role")
        if values.get("role") in ("customer", "agent") and "user" not in values:
            raise ValidationError("Say whose tickets: user=<e-mail or id>.", "user")


class AssignTicket(Versioned, Repeatable):
    """Whom to give a ticket."""

    ALIASES = {name: "agent_email" for name in ("assigned_to", "agent_name", "agent")}

    agent_email = Text(LIMITS["assigned_to"], about="Agent, by e-mail address or name.")
    auto = Yes(about="true: the available agent with the fewest open tickets.")


class ResolveTicket(Versioned, Repeatable):
    """How a ticket was resolved."""

    resolution = Text(
        LIMITS["resolution"], lines=True, required=True, about="How it was resolved; sent to the customer."
    )


class MoveTicket(Versioned, Repeatable):
    """A move that needs no more words."""


def ticket_answer(ticket: Row, message: str, actor: Actor, *, status: int = 200) -> Answer:
    """A whole ticket as an answer, with its version as ETag."""
    return Answer(ticket_shape(ticket, actor), message, status, headers={"ETag": f'"{ticket["version"]}"'})


def said(body: Row) -> dict[str, Any]:
    """Takes out of a body who is said to act, and the version it is for (from If-Match as well)."""
    action = body.pop("action", "")
    user = body.pop("user", "")
    return {"user": f"{user} ({action})" if user and action else user or action, "version": _version(body)}


def _version(body: Row) -> int | None:
    named: int | None = body.pop("version", None)
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return named
    text = header.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 12) or (named is not None and named != int(text)):
        raise invalid_field("If-Match", 'If-Match takes one version, like "7", the same as the field version.')
    return int(text)


def _wait_for_answer(response: Response, *, key: str, query: Row, **_: Any) -> Response:
    """Waits for the model's answer to a ticket just created, if a place to wait is free; the ticket is safe either way."""
    foyer = the_foyer()
    data = orjson.loads(response.get_data()).get("data", {})
    if not query["wait"] or data.get("ai_status") != "pending":
        return response
    foyer.runner.wake()
    if not foyer.waiting.acquire(blocking=False):
        return response
    try:
        ticket = _answered_ticket(data["id"], seconds=query["wait"])
    finally:
        foyer.waiting.release()
    if ticket is None:
        return response
    done = render(ticket_answer(ticket, f"Ticket #{ticket['number']} is open and answered.", g.actor, status=201))
    if key:
        keep_answer(done, key=key)
    return done


def _answered_ticket(ticket_id: str, *, seconds: int) -> Row | None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        with the_foyer().storage.desk(g.actor) as desk:
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
    after=_wait_for_answer,
)
def create_ticket(desk: Desk, body: Row, query: Row) -> Answer:
    """Create a ticket.

    Opens a ticket. It is triaged and, without a language model, answered at once; with one the answer follows, and wait
    says how many seconds to wait for it.
    """
    who = said(body)["user"]
    if desk.actor.is_customer and (
        decided := sorted({*tickets.TRIAGE_FIELDS, "assigned_to", "customer_tier"} & set(body))
    ):
        raise invalid(*(FieldError(name, f"{name} is decided by the desk.") for name in decided))
    ticket = intake.open_ticket(desk, body, model_ready=the_foyer().model is not None, said_by=who)
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is open.", desk.actor, status=201)


@blp.get("/api/tickets", "ListTickets", may=Permission.TICKETS_READ, query=TicketQuery, gives=shapes.Ticket, many=True)
def list_tickets(desk: Desk, query: Row) -> Answer:
    """List tickets.

    The newest first, narrowed by any filters, a page at a time.
    """
    rows, total = finding.find(desk, query)
    data = [ticket_shape(row, desk.actor) for row in rows]
    return Answer(
        data, f"{total} tickets." if total != 1 else "1 ticket.", page=(total, query["limit"], query["offset"])
    )


@blp.get("/api/tickets/<ticket_id>", "GetTicket", may=Permission.TICKETS_READ, gives=shapes.Ticket)
def get_ticket(desk: Desk, ticket_id: str) -> Answer:
    """Get a ticket.

    One ticket by its id.
    """
    ticket = tickets.get(desk, ticket_id)
    return ticket_answer(ticket, f"Ticket #{ticket['number']}.", desk.actor)


def _change(desk: Desk, ticket_id: str, body: Row) -> Answer:
    _check_echo(tickets.get(desk, ticket_id), desk.actor)
    ticket = tickets.update(desk, ticket_id, body, **said(body))
    return ticket_answer(ticket, f"Ticket #{ticket['number']} is saved.", desk.actor)


def _check_echo(ticket: Row, actor: Actor) -> None:
    """Read-only fields may be sent back as they are, not changed."""
    shown = ticket_shape(ticket, actor)
    wrong = [name for name, value in current_echo().items() if shown.get(name, value) != value]
    if wrong:
        raise invalid(*(FieldError(name, f"{name} is read_only: it cannot be changed.") for name in wrong))


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
    tickets.remove(desk, ticket_id, _version({}))
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
    return Answer(events, f"{len(events)} events.", page=(len(events), len(events), 0))
