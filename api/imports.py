"""Importing tickets over HTTP: a CSV or JSON file as the body or as a part of a form."""

from functools import partial
from typing import Any

from flask import g, request
from marshmallow import Schema, fields

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Email, Id, Moment, Text
from api.http.gate import current_runtime
from api.http.parsing import load_values, upload
from api.http.resource import Resource
from api.ticket_inputs import STATUS_WORDS, TicketFields
from core import models
from core.errors import AppError
from core.models import LIMITS
from core.permissions import Permission
from services.import_export import import_files, imports
from services.import_export.import_values import COLUMN_ALIASES
from storage import Row

blp = Resource("imports", __name__, description="Bringing in tickets from elsewhere.")

MAX_FILE = 32 * 1024 * 1024
CSV_TYPES = ("text/csv", "application/csv", "application/vnd.ms-excel")
JSON_TYPES = ("application/json", "text/json")


class ImportedTicket(TicketFields):
    """One row of a file, under the same rules as a ticket that is created."""

    class Meta:
        exclude = ("user", "action")

    ALIASES = {**TicketFields.ALIASES, **COLUMN_ALIASES}

    title = Text(LIMITS["title"], about="What it is about; the first sentence of the description when not given.")
    description = Text(LIMITS["description"], lines=True, required=True, about="What the customer wrote.")
    customer_email = Email(about="E-mail address of the customer; this or customer_id is required.")
    customer_id = Id(LIMITS["customer_id"], about="Id of the customer in your own systems.")
    source = Choice(models.SOURCES, about="Where it came in; import when not given.")
    created_at = Moment(about="When it was opened; now when not given.")
    # An AI answer is not brought along, so a ticket that had one is open for the next.
    status = Choice(models.STATUSES, also={**STATUS_WORDS, "ai_responded": "new"}, about="State it is in.")
    resolution = Text(LIMITS["resolution"], lines=True, about="How it was resolved.")
    resolved_at = Moment(about="When it was resolved.")
    closed_at = Moment(about="When it was closed.")


_TICKET = ImportedTicket()
COLUMNS = frozenset(_TICKET.load_fields) | frozenset(ImportedTicket.ALIASES)


class RowError(Schema):
    """Why one row was refused."""

    line = schemas.whole("Line of the file; of a JSON list the position, from 1.")
    field = schemas.text("The field that cannot be used.")
    message = schemas.text("What is accepted.")


class Imported(Schema):
    """What became of a file."""

    read = schemas.whole("Rows that were read.")
    created = schemas.whole("Tickets that were made.")
    skipped = schemas.whole("Rows that were here already.")
    rejected = schemas.whole("Rows that cannot be used.")
    customers = schemas.whole("Customers who were new.")
    errors = fields.List(
        fields.Nested(RowError),
        required=True,
        metadata={"description": "Why rows were refused, the first 200 reasons; last, why the rest was not read."},
    )


def checked(values: Row) -> Row:
    """The values of a row in the desk's own form. Raises AppError 400 naming every field that cannot be used."""
    return load_values(_TICKET, values)


@blp.post(
    "/api/import",
    "ImportTickets",
    permission=Permission.IMPORT,
    response=Imported,
    manages_transactions=True,
    max_body=MAX_FILE,
    media={
        "text/csv": {"type": "string", "description": "A CSV file with a header."},
        "application/json": {"type": "object", "description": 'A list of tickets, or {"tickets": […]}.'},
        "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
    },
)
def import_tickets() -> Answer:
    """Import tickets.

    Takes a CSV file whose first line names ticket fields (or User ID, Timestamp (UTC), Message Body), or a JSON list of
    tickets. Rows that are here already are skipped; nobody is mailed or answered. Stops after 45 seconds or 1,000 refused
    rows and says at which line.
    """
    rows = import_files.read(upload(request), _kind(), known=COLUMNS)
    open_desk = partial(current_runtime().storage.unit_of_work, g.actor)
    result = imports.whole(imports.import_rows(open_desk, rows, checked, seconds=imports.SECONDS))
    return Answer(result.as_data(), summary(result))


def summary(result: imports.Result) -> str:
    """The outcome in one sentence."""
    counts = f"{result.created} created, {result.skipped} here already, {result.rejected} refused"
    return f"{how_many(result.read, 'row')[:-1]} read: {counts}. {result.stopped}".strip()


def _kind() -> str:
    """Whether the request holds CSV or JSON. Raises AppError 400, 415."""
    sent: Any = request
    if request.mimetype == "multipart/form-data":
        sent = next(iter(request.files.values()), None)
        if sent is None:
            raise AppError("Send the file as a part of the form.", "no_file", 400)
        if (sent.filename or "").lower().endswith(".json"):
            return "json"
        return "json" if sent.mimetype in JSON_TYPES else "csv"
    if request.mimetype in CSV_TYPES:
        return "csv"
    if request.is_json:
        return "json"
    raise AppError("Send text/csv, application/json or a form with a file.", "unsupported_media_type", 415)
