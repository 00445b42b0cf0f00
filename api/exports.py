"""Taking all tickets out over HTTP, as a file that is sent while it is read."""

from functools import partial

from flask import Response, g
from marshmallow import Schema

from api import shapes
from api.fields import Choice, Moment
from api.gate import the_foyer
from api.noun import Noun
from permissions import Permission
from services import exports
from storage import Row

blp = Noun("exports", __name__, description="Taking everything out.")

MEDIA = {"json": "application/json", "csv": "text/csv"}


class WholeTicket(shapes.Ticket):
    """A ticket with its thread, notes included, and its history."""

    replies = shapes.items(shapes.Reply, "The thread, oldest first.")
    history = shapes.items(shapes.Event, "What happened, oldest first.")


class ExportQuery(Schema):
    """Which tickets, and as what."""

    format = Choice(tuple(MEDIA), load_default="json", about="Kind of file.")
    created_after = Moment(about="Only tickets opened after this time.")
    created_before = Moment(about="Only tickets opened before this time.")


@blp.get(
    "/api/export",
    "ExportTickets",
    may=Permission.EXPORT,
    query=ExportQuery,
    gives=WholeTicket,
    many=True,
    own_units=True,
    downloads={"text/csv": {"type": "string", "description": "A row for each ticket, the thread in the last column."}},
)
def export_tickets(query: Row) -> Response:
    """Export all tickets.

    Every ticket of your company with its thread, as a file: JSON, or CSV for spreadsheets. Tickets that come in meanwhile are
    not in it.
    """
    kind, open_desk = query["format"], partial(the_foyer().storage.desk, g.actor)
    period = {"after": query.get("created_after", ""), "before": query.get("created_before", "")}
    with open_desk() as desk:
        extent, today = exports.begin(desk, **period), desk.real_now[:10]
    found = exports.pages(open_desk, extent)
    pieces = exports.as_csv(found) if kind == "csv" else exports.as_json(found, "All tickets of your company.")
    response = Response(pieces, mimetype=MEDIA[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="tickets-{today}.{kind}"'
    response.headers["Cache-Control"] = "no-store"
    return response
