"""Export of all tickets over HTTP, streamed as a file."""

from collections.abc import Iterable
from functools import partial

from flask import Response, g
from marshmallow import Schema

from api.http import schemas
from api.http.fields import Choice, Moment
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.permissions import Permission
from services.import_export import exports, spreadsheets
from storage import Row

blp = Resource("exports", __name__, description="Taking everything out.")

MEDIA = {"json": "application/json", "csv": "text/csv", "xlsx": spreadsheets.MEDIA_TYPE}


class WholeTicket(schemas.Ticket):
    """A ticket with its thread, notes included, and its history."""

    replies = schemas.items(schemas.Reply, "The thread, oldest first.")
    history = schemas.items(schemas.Event, "What happened, oldest first.")


class ExportQuery(Schema):
    """Which tickets, and as what."""

    format = Choice(tuple(MEDIA), load_default="json", about="Kind of file.")
    created_after = Moment(about="Only tickets opened after this time.")
    created_before = Moment(about="Only tickets opened before this time.")


@blp.get(
    "/api/export",
    "ExportTickets",
    permission=Permission.EXPORT,
    query=ExportQuery,
    response=WholeTicket,
    many=True,
    manages_transactions=True,
    downloads={
        "text/csv": {"type": "string", "description": "A row for each ticket, the thread in the last column."},
        spreadsheets.MEDIA_TYPE: {"type": "string", "format": "binary", "description": "The same as an Excel file."},
    },
)
def export_tickets(query: Row) -> Response:
    """Export all tickets.

    Every ticket of your company with its thread, as a file: JSON, or CSV or Excel (xlsx) for spreadsheets. Tickets that come in
    meanwhile are not in it.
    """
    kind, open_unit = query["format"], partial(current_runtime().storage.unit_of_work, g.actor)
    period = {"after": query.get("created_after", ""), "before": query.get("created_before", "")}
    with open_unit() as uow:
        extent, today = exports.current_extent(uow, **period), uow.real_now[:10]
    pages = exports.pages(open_unit, extent)
    pieces: Iterable[bytes]
    if kind == "xlsx":
        pieces = spreadsheets.pieces(exports.as_sheet(pages))
    else:
        pieces = exports.as_csv(pages) if kind == "csv" else exports.as_json(pages, "All tickets of your company.")
    response = Response(pieces, mimetype=MEDIA[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="tickets-{today}.{kind}"'
    response.headers["Cache-Control"] = "no-store"
    return response
