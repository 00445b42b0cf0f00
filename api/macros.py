"""Macros over HTTP: list, add, change and delete them, and use one on a ticket."""

from marshmallow import Schema

from api.bulk import BulkChanges
from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Id, Text, Thing, Words, Yes
from api.http.resource import Resource
from api.ticket_inputs import Versioned, pop_actor_and_version
from core import models
from core.models import LIMITS, ticket_shape
from core.permissions import Permission
from services.tickets import changes, macros
from storage import Row, UnitOfWork

blp = Resource("macros", __name__, description="Prepared replies and changes.")


class MacroSet(Schema):
    """Fields that a macro sets; those it does not set are left out."""

    status = schemas.word(models.STATUSES, "State of the ticket.")
    priority = schemas.word(models.PRIORITIES, "Priority.")
    category = schemas.word(models.CATEGORIES, "Kind of question.")
    assigned_team = schemas.text("Team.")
    assigned_to = schemas.text("Agent.")
    resolution = schemas.text("How it was resolved.")
    tags = schemas.texts("Tags.")
    product = schemas.text("Product it is about.")


class MacroOut(Schema):
    """A macro."""

    id = schemas.text("Id of the macro.")
    name = schemas.text("Its name.")
    body = schemas.text("The reply, with variables like {{customer_name}}.")
    set = schemas.optional_part(MacroSet)
    created_at = schemas.moment("When it was added.", required=True)
    updated_at = schemas.moment("When it was last changed.", required=True)


class MacroUse(Schema):
    """What a macro does, or did."""

    applied = schemas.flag("Whether it was applied.")
    body = schemas.text("The reply with the variables filled in.")
    set = schemas.optional_part(MacroSet)
    ticket = schemas.part(schemas.Ticket)


class MacroChanges(Schema):
    """Fields of a macro."""

    name = Text(LIMITS["name"], about="Its name.")
    body = Text(LIMITS["body"], lines=True, about=f"The reply; variables: {', '.join(macros.VARIABLES)}.")
    set = Thing(BulkChanges, about="Fields to set on the ticket.")
    clear = Words(len(macros.CLEARABLE), Choice(tuple(macros.CLEARABLE)), about="Fields to empty.")


class NewMacro(MacroChanges, Repeatable):
    """A macro to add."""

    class Meta:
        exclude = ("clear",)

    name = Text(LIMITS["name"], required=True, about="Its name.")


class UseMacro(Versioned, Repeatable):
    """Which macro, and whether to apply it."""

    macro_id = Id(LIMITS["key"], required=True, about="Id of the macro.")
    apply = Yes(about="true applies it; otherwise it is only shown.")


@blp.get("/api/macros", "ListMacros", permission=Permission.TICKETS_WORK, query=PageQuery, response=MacroOut, many=True)
def list_macros(uow: UnitOfWork, query: Row) -> Answer:
    """List macros.

    Those of your company, by name.
    """
    rows, total = macros.find(uow, limit=query["limit"], offset=query["offset"])
    data = [macros.macro_shape(row) for row in rows]
    return Answer(data, how_many(total, "macro"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/macros/<macro_id>", "GetMacro", permission=Permission.TICKETS_WORK, response=MacroOut)
def get_macro(uow: UnitOfWork, macro_id: str) -> Answer:
    """Get a macro.

    One macro by its id.
    """
    macro = macros.get(uow, macro_id)
    return Answer(macros.macro_shape(macro), f"Macro {macro['name']}.")


@blp.post(
    "/api/macros", "CreateMacro", permission=Permission.TICKETS_WORK, body=NewMacro, response=MacroOut, status=201
)
def create_macro(uow: UnitOfWork, body: Row) -> Answer:
    """Add a macro.

    A prepared reply, changes, or both, for everybody in your company.
    """
    return Answer(macros.macro_shape(macros.create(uow, body)), "The macro is added.", 201)


@blp.patch(
    "/api/macros/<macro_id>", "UpdateMacro", permission=Permission.TICKETS_WORK, body=MacroChanges, response=MacroOut
)
def update_macro(uow: UnitOfWork, macro_id: str, body: Row) -> Answer:
    """Change a macro.

    Changes the fields that are given and leaves the others.
    """
    return Answer(macros.macro_shape(macros.update(uow, macro_id, body)), "The macro is saved.")


@blp.delete("/api/macros/<macro_id>", "DeleteMacro", permission=Permission.TICKETS_WORK, response=schemas.Deleted)
def delete_macro(uow: UnitOfWork, macro_id: str) -> Answer:
    """Delete a macro.

    Tickets that it was used on stay as they are.
    """
    macros.remove(uow, macro_id)
    return Answer({"deleted": True}, "The macro is deleted.")


@blp.post(
    "/api/tickets/<ticket_id>/macro",
    "UseMacro",
    permission=Permission.TICKETS_WORK,
    body=UseMacro,
    response=MacroUse,
)
def use_macro(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Use a macro on a ticket.

    Shows what it would reply and set; with apply it replies and sets it, together or not at all.
    """
    who = pop_actor_and_version(body)
    ticket = changes.get_for_update(uow, ticket_id, who["version"])
    macro = macros.get(uow, body["macro_id"])
    use = {
        "applied": body.get("apply", False),
        "body": macros.text_for(uow, macro["body"], ticket, said_by=who["said_by"]),
        "set": macro["changes"],
    }
    if use["applied"]:
        ticket = macros.apply(uow, ticket_id, macro, **who)
    message = f"{macro['name']} is {'applied' if use['applied'] else 'shown'}."
    return Answer({**use, "ticket": ticket_shape(ticket, uow.actor)}, message)
