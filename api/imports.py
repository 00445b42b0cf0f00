"""Importing tickets over HTTP: a CSV or JSON file as the body or as a part of a form."""

import io
from collections.abc import Iterable
from functools import partial
from typing import IO

from flask import g, request
from marshmallow import Schema, fields

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, CommaList, Email, Id, Moment, Text, Yes
from api.http.gate import current_runtime
from api.http.parsing import load_values, upload
from api.http.resource import Resource
from api.ticket_inputs import STATUS_WORDS, TicketFields
from core import models
from core.errors import AppError
from core.models import LIMITS
from core.permissions import Permission
from services.import_export import import_files, imports, spreadsheets
from services.import_export.import_values import COLUMN_ALIASES, Columns, RawRow, parse_renames
from storage import Row

blp = Resource("imports", __name__, description="Bringing in tickets from elsewhere.")

FORM = "multipart/form-data"
MAX_FILE = 32 * 1024 * 1024
CSV_TYPES = ("text/csv", "application/csv", "application/vnd.ms-excel")
EXCEL = spreadsheets.MEDIA_TYPE
JSON_TYPES = ("application/json", "text/json")
LINES_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/jsonlines",
)
ANY_TYPES = ("", "application/octet-stream", "text/plain", EXCEL)  # the file itself tells


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
KNOWN = frozenset(_TICKET.load_fields) | frozenset(ImportedTicket.ALIASES)
# Of our own export and our lists.
READ_ONLY = frozenset((*models.TICKET_FIELDS, *models.LAST_MESSAGE_FIELDS, "thread", "replies", "history"))


class ImportQuery(Schema):
    """How the columns of a file are read."""

    map = CommaList(
        2_000, about="Your columns and the ticket fields they are for, like Subject:title,Body:description."
    )
    ignore_unknown = Yes(load_default=False, about="true: columns that mean nothing here are left out and listed.")
    dry_run = Yes(load_default=False, about="true: nothing is changed; the answer is the same.")


class RowError(Schema):
    """Why one row was refused."""

    line = schemas.integer("Line of the file; of a JSON list the position, from 1.")
    field = schemas.text("The field that cannot be used.")
    message = schemas.text("What is accepted.")


class Imported(Schema):
    """What became of a file."""

    read = schemas.integer("Rows that were read.")
    created = schemas.integer("Tickets that were made.")
    skipped = schemas.integer("Rows that were here already.")
    rejected = schemas.integer("Rows that cannot be used.")
    customers = schemas.integer("Customers who were new.")
    ignored = fields.List(
        fields.String(), required=True, metadata={"description": "Columns that hold values and were left out."}
    )
    errors = fields.List(
        fields.Nested(RowError),
        required=True,
        metadata={"description": "Why rows were refused, the first 200 reasons; last, why the rest was not read."},
    )


def check_row(values: Row) -> Row:
    """The values of a row in the server's own form. Raises AppError 400 naming every field that cannot be used."""
    return load_values(_TICKET, values)


@blp.post(
    "/api/import",
    "ImportTickets",
    permission=Permission.IMPORT,
    query=ImportQuery,
    response=Imported,
    manages_transactions=True,
    max_body=MAX_FILE,
    media={
        "text/csv": {"type": "string", "description": "A CSV file with a header."},
        EXCEL: {"type": "string", "format": "binary", "description": "An Excel file whose first row is the header."},
        "application/json": {"type": "object", "description": 'A list of tickets, or {"tickets": […]}.'},
        "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
    },
)
def import_tickets(query: Row) -> Answer:
    """Import tickets.

    Takes a CSV or Excel file, a JSON list of tickets, or one JSON object a line. The first line of CSV or Excel names ticket
    fields, or User ID, Timestamp (UTC) and Message Body. Rows that are here already are skipped; nobody is mailed or
    answered. Stops after 45 seconds or 1,000 refused rows and says at which line.
    """
    columns = columns_of(query.get("map", ""), ignore_unknown=query["ignore_unknown"])
    kind, charset = _kind()
    rows = import_files.read(_file(), kind, columns=columns, charset=charset)
    dry_run = query["dry_run"]
    result = import_rows(rows, dry_run=dry_run)
    result.ignored = list(columns.ignored)
    nothing = " Nothing was changed." if dry_run else ""
    return Answer(result.as_data(), f"{summary(result)}{about_columns(columns)}{nothing}")


def import_rows(rows: Iterable[RawRow], *, dry_run: bool = False) -> imports.Result:
    """Imports rows for the caller, and says what became of them."""
    runtime = current_runtime()
    open_uow = partial(runtime.storage.unit_of_work, g.actor)
    portions = imports.import_rows(
        open_uow,
        runtime.trained_models,
        runtime.erasure_marks,
        rows,
        check_row,
        seconds=imports.SECONDS,
        dry_run=dry_run,
    )
    return imports.whole(portions)


def summary(result: imports.Result) -> str:
    """The outcome in one sentence."""
    counts = f"{result.created} created, {result.skipped} here already, {result.rejected} refused"
    left_out = f"{how_many(len(result.ignored), 'column')[:-1]} left out. " if result.ignored else ""
    return f"{how_many(result.read, 'row')[:-1]} read: {counts}. {left_out}{result.stopped}".strip()


def about_columns(columns: Columns) -> str:
    """What was assumed of the file, and what `map` names that no ticket has; each a sentence after a space."""
    encoding, absent = columns.guessed_encoding, ", ".join(columns.unused_renames())
    guess = f" The file named no charset and was read as {encoding}." if encoding else ""
    return guess + (f" map names {absent}, which no ticket of the file has." if absent else "")


def columns_of(renames: str = "", *, ignore_unknown: bool = False) -> Columns:
    """The columns an import accepts. Raises AppError 400 when `renames` cannot be read."""
    return Columns(KNOWN, READ_ONLY, parse_renames(renames, KNOWN), ignore_unknown)


def _kind() -> tuple[str, str]:
    """What the request says its file is: csv, json, jsonl or "", and the charset. Raises AppError 415."""
    part = next(iter(request.files.values()), None) if request.mimetype == FORM else None
    media, params = request.mimetype, request.mimetype_params
    if request.mimetype == FORM:
        media, params = (part.mimetype, part.mimetype_params) if part else ("", {})
        suffix = ((part.filename if part else "") or "").lower().rpartition(".")[2]
        media = {"json": "application/json", "jsonl": LINES_TYPES[0], "ndjson": LINES_TYPES[0], "csv": "text/csv"}.get(
            suffix, media
        )
    charset = params.get("charset", "")
    if media in CSV_TYPES:
        return "csv", charset
    if media in LINES_TYPES:
        return "jsonl", charset
    if media in JSON_TYPES or media.endswith("+json"):
        return "json", charset
    if media in ANY_TYPES or part:
        return "", charset
    raise AppError(
        "Send text/csv, application/json, application/x-ndjson, an Excel file or a form with a file.",
        "unsupported_media_type",
        415,
    )


def _file() -> IO[bytes]:
    """The file of the request, at its beginning. A form's only text field counts as the file. Raises AppError 400."""
    if request.mimetype != FORM or request.files:
        return upload(request)
    texts = list(request.form.values()) if len(request.form) == 1 else request.form.getlist("file")
    if len(texts) != 1:
        raise AppError("Send the file as a part of the form.", "no_file", 400)
    if "\ufffd" in texts[0]:
        raise AppError("The part of the form holds bytes that are not UTF-8. Give it a file name.", "bad_file", 400)
    return io.BytesIO(texts[0].encode())
