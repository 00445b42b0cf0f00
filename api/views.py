"""Saved views over HTTP: named filters of the list of tickets."""

from marshmallow import Schema

from api.bulk import BulkFilter
from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Text, Thing, Words, Yes
from api.http.parsing import load_values
from api.http.resource import Resource
from core.models import LIMITS
from core.permissions import Permission
from services.tickets import queries, views
from storage import Row, UnitOfWork

blp = Resource("views", __name__, description="Saved filters.")
FILTER = "priority category assigned_team sentiment customer_tier source assigned_to customer_email customer_id".split()
FILTER += "external_id product tag number topic q created_after created_before updated_since user role".split()
FILTER += "sla_status snoozed unassigned".split()
ViewFilter = Schema.from_dict(
    {name: schemas.optional_text(f"Filter {name} of the list of tickets.") for name in ("status", *FILTER)},
    name="ViewFilter",
)


class ViewOut(Schema):
    """A saved view."""

    id = schemas.text("Id of the view.")
    name = schemas.text("Its name.")
    filter = schemas.optional_part(ViewFilter)
    sort = schemas.text("Its order; empty for the newest first.")
    shared = schemas.flag("Whether everybody in the company sees it.")
    own = schemas.flag("Whether it is yours.")
    standard = schemas.flag("Whether everybody has it and nobody can change it.")
    count = schemas.integer("How many tickets match.", required=False)
    created_at = schemas.moment("When it was saved; a standard view has none.")
    updated_at = schemas.moment("When it was last changed; a standard view has none.")


class ViewChanges(Schema):
    """Fields of a view."""

    name = Text(LIMITS["name"], about="Its name.")
    filter = Thing(BulkFilter, keep=True, about="Filters, as those of the list of tickets.")
    sort = Choice(tuple(queries.SORTS), about="Its order.")
    shared = Yes(about="true: everybody in the company sees it.")
    clear = Words(len(views.CLEARABLE), Choice(tuple(views.CLEARABLE)), about="Fields to empty.")


class NewView(ViewChanges, Repeatable):
    """A view to save."""

    class Meta:
        exclude = ("clear",)

    name = Text(LIMITS["name"], required=True, about="Its name.")
    filter = Thing(BulkFilter, keep=True, required=True, about="Filters, as those of the list of tickets.")


class ViewsQuery(Schema):
    """Which views."""

    standard = Yes(load_default=False, about="true: also those that everybody has, first.")


def load_filter(stored: Row) -> Row:
    """A stored filter as the values that queries take. Raises AppError 400 for one that is no longer valid."""
    return load_values(BulkFilter(), stored)


@blp.get("/api/views", "ListViews", permission=Permission.TICKETS_WORK, query=ViewsQuery, response=ViewOut, many=True)
def list_views(uow: UnitOfWork, query: Row) -> Answer:
    """List saved views.

    Yours and the shared ones, each with the number of its tickets. With standard also mine, unassigned, open, handoff, due,
    snoozed and resolved, which the parameter view takes as well.
    """
    rows = views.find(uow, load_filter, standard=query["standard"])
    return Answer(rows, how_many(len(rows), "view"), page=(len(rows), len(rows), 0))


@blp.post("/api/views", "CreateView", permission=Permission.TICKETS_WORK, body=NewView, response=ViewOut, status=201)
def create_view(uow: UnitOfWork, body: Row) -> Answer:
    """Save a view.

    List its tickets with the parameter view.
    """
    return Answer(views.view_shape(uow, views.create(uow, body)), "The view is saved.", 201)


@blp.patch("/api/views/<view_id>", "UpdateView", permission=Permission.TICKETS_WORK, body=ViewChanges, response=ViewOut)
def update_view(uow: UnitOfWork, view_id: str, body: Row) -> Answer:
    """Change a view.

    Changes the fields that are given and leaves the others.
    """
    return Answer(views.view_shape(uow, views.update(uow, view_id, body)), "The view is saved.")


@blp.delete("/api/views/<view_id>", "DeleteView", permission=Permission.TICKETS_WORK, response=schemas.Deleted)
def delete_view(uow: UnitOfWork, view_id: str) -> Answer:
    """Delete a view.

    Its tickets stay.
    """
    views.remove(uow, view_id)
    return Answer({"deleted": True}, "The view is deleted.")
