"""The API of SupportFlow for its clients: tickets with triage, filters, status, analytics and demo data (docs/dialects.md)."""

from typing import Any

from flask import Response, g, request
from marshmallow import Schema, fields

from api import ticket_opening
from api.dialects.dialect import RESOLUTION, WAIT_SECONDS, Dialect, reasons, show, without_zone
from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.fields import Choice, Choices, Email, Number, TeamNames, Text
from api.http.gate import current_runtime
from api.http.resource import ERRORS
from api.ticket_inputs import NewTicket
from core import models
from core.errors import AppError
from core.models import FINISHED, LIMITS, ticket_shape
from core.permissions import Permission
from core.version import VERSION
from services.import_export import demo
from services.stats import report
from services.tickets import changes, queries
from storage import Row, UnitOfWork
from web.pages import FOR_CONSOLE, console_page

# Its word for each of our states. A ticket that waits for a person is open, also when it is assigned.
STATUS_OF = {
    "new": "open",
    "ai_responded": "open",
    "assigned": "open",
    "handoff": "open",
    "in_progress": "in_progress",
    "waiting_customer": "waiting_customer",
    "resolved": "resolved",
    "closed": "closed",
}
STATUSES = tuple(dict.fromkeys(STATUS_OF.values()))
OURS = {word: [status for status, meaning in STATUS_OF.items() if meaning == word] for word in STATUSES}
# The fields of its ticket in its order, and our names of them.
FIELDS = {"id": "number", "customer_name": "customer_name", "customer_email": "customer_email", "subject": "title"}
FIELDS |= {"message": "description", "source": "source", "customer_tier": "customer_tier", "category": "category"}
FIELDS |= {"priority": "priority", "priority_score": "priority_score", "sentiment": "sentiment"}
FIELDS |= {"assigned_team": "assigned_team", "suggested_reply": "ai_response", "next_action": "next_action"}


def error_form(error: AppError) -> tuple[Any, int]:
    """FastAPI's errors: `detail` is a text, and for invalid input a list with 422."""
    if error.status != 400:
        return {"detail": reasons(error)}, error.status
    problems = {one.field: one.message for one in reversed(error.errors)} or {"": error.message}  # one for each field
    place = "query" if request.method == "GET" else "body"
    details = [
        {"loc": [place, *([name] if name else [])], "msg": message, "type": "value_error"}
        for name, message in reversed(problems.items())
    ]
    return {"detail": details}, 422


blp = Dialect(
    "supportflow",
    __name__,
    description="Tickets for clients of SupportFlow.",
    paths=("/tickets", "/analytics", "/seed"),
    error_form=error_form,
    error_schema={
        "type": "object",
        "properties": {"detail": {"description": "A text, or with 422 a list of loc, msg and type."}},
        "required": ["detail"],
    },
    errors={422 if status == 400 else status: text for status, text in ERRORS.items()},
)


class SupportflowProject(Schema):
    """What this is."""

    name = schemas.text("Name of the server.")
    description = schemas.text("What it does.")
    version = schemas.text("Its version.")
    docs = schemas.text("Where its routes are described.")


# A ticket; customers get it without priority_score and next_action.
SupportflowTicket = Schema.from_dict(
    {
        **{name: schemas.Ticket._declared_fields[ours] for name, ours in FIELDS.items()},
        "status": schemas.word(STATUSES, "State of the ticket."),
        "created_at": schemas.text("When it was opened, in UTC."),
        "updated_at": schemas.text("When it last changed, in UTC."),
    },
    name="SupportflowTicket",
)


def _counts(about: str) -> Any:
    return fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": about})


class SupportflowSummary(Schema):
    """How many tickets there are."""

    total_tickets = schemas.integer("All tickets.")
    open_tickets = schemas.integer("Tickets that are not resolved or closed.")
    resolved_tickets = schemas.integer("Tickets that are resolved or closed.")
    by_status = _counts("Tickets by status.")
    by_category = _counts("Tickets by category.")
    by_priority = _counts("Tickets by priority.")
    by_sentiment = _counts("Tickets by sentiment.")
    by_team = _counts("Tickets by team.")


class SupportflowSeed(Schema):
    """What was made."""

    message = schemas.text("What was done.")
    created = schemas.integer("Tickets that were made.")


class SupportflowNewTicket(NewTicket):
    """A ticket to open."""

    class Meta:
        fields = (
            "title",
            "description",
            "customer_name",
            "customer_email",
            "source",
            "customer_tier",
            "client_reference",
        )

    ALIASES: dict[str, str] = {}

    title = Text(LIMITS["title"], data_key="subject", required=True, about="What it is about, in a few words.")
    description = Text(
        LIMITS["description"], lines=True, data_key="message", required=True, about="What the customer wrote."
    )
    customer_email = Email(required=True, about="E-mail address of the customer.")


class SupportflowQuery(Schema):
    """Which tickets."""

    status = Choices(STATUSES, about="A state; several with commas between.")
    category = Choices(models.CATEGORIES, about="A category.")
    priority = Choices(models.PRIORITIES, about="A priority.")
    assigned_team = TeamNames(about="A team.")
    sentiment = Choices(models.SENTIMENTS, about="A sentiment.")
    q = Text(LIMITS["q"], about="Words to search for.")
    limit = Number(1, 200, load_default=50, about="How many at most.")
    offset = Number(0, 10**9, load_default=0, about="How many to skip.")


class SupportflowStatus(Schema):
    """A new state."""

    status = Choice(STATUSES, required=True, about="The new state.")


def _shown(ticket: Row) -> Row:
    return {
        **{name: ticket[ours] for name, ours in FIELDS.items() if ours in ticket},
        "status": STATUS_OF[ticket["status"]],
        "created_at": without_zone(ticket["created_at"]),
        "updated_at": without_zone(ticket["updated_at"]),
    }


def _answer(ticket: Row, status: int = 200) -> Response:
    return show(_shown(ticket_shape(ticket, g.actor)), status)


def _wait_for_answer(response: Response, *, key: str, **_: Any) -> Response:
    return ticket_opening.with_answer(response, key=key, seconds=WAIT_SECONDS, show=lambda ticket: _answer(ticket, 201))


@blp.public("/", "SupportflowProject", response=SupportflowProject)
def get_project() -> Response:
    """Get what this is.

    Basic information as JSON when Accept asks for JSON; the page of the server otherwise.
    """
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        about = "A help desk: tickets with triage, replies, teams and statistics."
        response = show({"name": "Foyer", "description": about, "version": VERSION, "docs": "/docs"})
    else:
        response = console_page("home", FOR_CONSOLE)
    response.vary.add("Accept")
    return response


@blp.post(
    "/tickets",
    "SupportflowCreateTicket",
    permission=Permission.TICKETS_CREATE,
    body=SupportflowNewTicket,
    response=SupportflowTicket,
    status=201,
    before=ticket_opening.prepare,
    after=_wait_for_answer,
)
def create_ticket(uow: UnitOfWork, body: Row) -> Response:
    """Create a SupportFlow ticket.

    Opens a ticket with its triage and first reply; with a language model it waits some seconds for them.
    """
    return _answer(ticket_opening.open_ticket(uow, body), 201)


@blp.get(
    "/tickets",
    "SupportflowListTickets",
    permission=Permission.TICKETS_READ,
    query=SupportflowQuery,
    response=SupportflowTicket,
    many=True,
)
def list_tickets(uow: UnitOfWork, query: Row) -> Response:
    """List SupportFlow tickets.

    The newest first, a page at a time. The header X-Total-Count says how many match.
    """
    if "status" in query:
        query["status"] = [status for word in query["status"] for status in OURS[word]]
    rows, total = queries.find(uow, query)
    return show([_shown(row) for row in rows], headers={"X-Total-Count": str(total)})


@blp.get("/tickets/<number>", "SupportflowGetTicket", permission=Permission.TICKETS_READ, response=SupportflowTicket)
def get_ticket(uow: UnitOfWork, number: str) -> Response:
    """Get a SupportFlow ticket.

    One ticket by its number.
    """
    return _answer(queries.by_number(uow, number))


@blp.patch(
    "/tickets/<number>/status",
    "SupportflowSetStatus",
    permission=Permission.TICKETS_WORK,
    body=SupportflowStatus,
    response=SupportflowTicket,
)
def set_status(uow: UnitOfWork, number: str, body: Row) -> Response:
    """Set the status of a SupportFlow ticket.

    Goes through the moves of a ticket: resolving tells the customer, and a finished ticket is reopened first.
    """
    ticket = queries.by_number(uow, number)
    if STATUS_OF[ticket["status"]] != body["status"]:
        ticket = _move(uow, ticket, body["status"])
    return _answer(ticket)


def _move(uow: UnitOfWork, ticket: Row, status: str) -> Row:
    """Takes the moves that lead to the status. Raises AppError 409."""
    finished, finishes = ticket["status"] in FINISHED, status in FINISHED
    if finished and not finishes:
        ticket = changes.reopen(uow, ticket["id"])
    elif finishes and not finished:
        ticket = changes.resolve(uow, ticket["id"], RESOLUTION)
    if STATUS_OF[ticket["status"]] == status:
        return ticket
    return changes.update(uow, ticket["id"], {"status": OURS[status][0]})


@blp.get("/analytics/summary", "SupportflowGetSummary", permission=Permission.STATS_READ, response=SupportflowSummary)
def get_summary(uow: UnitOfWork) -> Response:
    """Get the SupportFlow summary.

    How many tickets there are, by status, category, priority, sentiment and team.
    """
    figures = report.overview(uow)
    counts = {
        name: {row["key"]: row["count"] for row in figures[name]}
        for name in ("by_status", "by_category", "by_priority", "by_sentiment", "by_team")
    }
    by_status = {word: sum(counts["by_status"][status] for status in OURS[word]) for word in STATUSES}
    total, unresolved = figures["total_tickets"], figures["open_tickets"]
    totals = {"total_tickets": total, "open_tickets": unresolved, "resolved_tickets": total - unresolved}
    return show({**totals, **counts, "by_status": by_status})


@blp.post("/seed", "SupportflowSeed", permission=Permission.IMPORT, body=Repeatable, response=SupportflowSeed)
def seed(uow: UnitOfWork, body: Row) -> Response:
    """Create SupportFlow sample tickets.

    The demo tickets of Foyer, for a company without tickets; any other gets a 409 and stays as it is.
    """
    created = demo.fill(uow, current_runtime().trained_models)["created"]
    return show({"message": "Demo tickets were created.", "created": created})
