"""Many tickets at once over HTTP."""

from typing import Any

from flask import g
from marshmallow import Schema, ValidationError, fields, validates_schema

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Choice, Id, Moment, Number, Person, Text, Thing, Things, Yes
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.ticket_inputs import TicketChanges, TicketQuery, WriteMeta, pop_actor_and_version
from core.models import LIMITS
from core.permissions import Permission
from services.tickets import bulk
from storage import Row, UnitOfWork

blp = Resource("bulk", __name__, description="Many tickets at once.")
WHICH = ("ids", "items", "filter")


class BulkResult(Schema):
    """What became of one ticket."""

    id = schemas.text("Id of the ticket, as it was sent.")
    success = schemas.flag("Whether it was done.")
    message = schemas.text("What was done, or why not.")
    code = schemas.text("Code of the error; empty when it was done.")
    bulk_id = schemas.text("Id of the whole; send it to undo within 15 minutes.")
    ticket = fields.Nested(
        schemas.Ticket, metadata={"description": "The ticket as it is now; left out when it was not done."}
    )


class BulkItem(Schema):
    """A ticket and the version you saw."""

    id = Id(LIMITS["key"], required=True, about="Id of the ticket.")
    version = Number(1, 2**31 - 1, about="The version you saw; a stale one fails.")


class BulkFilter(TicketQuery):
    """Filters, as those of the list of tickets."""

    class Meta:
        exclude = ("sort", "limit", "offset", "view")


class BulkChanges(TicketChanges):
    """Fields to set on each ticket."""

    READ_ONLY: frozenset[str] = frozenset()

    class Meta:
        exclude = ("user", "action", "version", "title", "description", "external_id", "customer_name")


class BulkArguments(Schema):
    """What an action needs."""

    agent_email = Person(LIMITS["assigned_to"], about="assign: the agent.")
    auto = Yes(about="assign: true for the agent who is free, with the fewest open tickets.")
    resolution = Text(LIMITS["resolution"], lines=True, about="resolve: how it was resolved.")
    until = Moment(about="snooze: until when.")
    macro_id = Id(LIMITS["key"], about="macro: id of the macro.")


class TicketIds(fields.List):  # type: ignore[type-arg]
    """Ids of tickets, each kept in its place: one that cannot be an id is a ticket that does not exist."""

    def __init__(self, **kwargs: Any) -> None:
        about = {"description": kwargs.pop("about"), "minItems": 1, "maxItems": bulk.MOST_TICKETS}
        super().__init__(fields.String(), metadata=about, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list) or not 0 < len(value) <= bulk.MOST_TICKETS:
            raise ValidationError(f"{attr} must be a list of 1 to {bulk.MOST_TICKETS} ids.")
        return [str(one)[: LIMITS["key"]] if isinstance(one, str | int) else "" for one in value]


class Bulk(Repeatable):
    """Which tickets, and what to do to each."""

    user = Person(LIMITS["email"], about="Who is acting, as your app knows them; kept in the history.")
    ids = TicketIds(about="The tickets, at most 500.")
    items = Things(BulkItem, bulk.MOST_TICKETS, least=1, about="Instead of ids: tickets with the versions you saw.")
    filter = Thing(BulkFilter, about="Instead of ids: every ticket that matches, at most 500.")
    set = Thing(BulkChanges, about="Fields to set.")
    action = Choice(tuple(bulk.ACTIONS), about="Instead of set: what to do.")
    arguments = Thing(BulkArguments, about="What the action needs.")

    @validates_schema
    def _one_of_each(self, values: Row, **_: Any) -> None:
        if sum(name in values for name in WHICH) != 1:
            raise ValidationError("Say which tickets by one of ids, items and filter.", "ids")
        if ("set" in values) == ("action" in values):
            raise ValidationError("Give either set or action.", "set")
        if values.get("filter") == {}:
            raise ValidationError("filter must name something. For all tickets send status: all.", "filter")
        if "arguments" in values and "action" not in values:
            raise ValidationError("arguments belong to an action.", "arguments")


class Undo(WriteMeta, Repeatable):
    """Which bulk to undo."""

    bulk_id = Id(LIMITS["key"], required=True, about="The bulk_id of its results.")


def _items(uow: UnitOfWork, body: Row) -> list[bulk.Item]:
    if "filter" in body:
        return bulk.matching(uow, body["filter"])
    if "items" in body:
        return [bulk.Item(item["id"], item.get("version")) for item in body["items"]]
    return [bulk.Item(ticket_id) for ticket_id in body["ids"]]


def _summary(results: list[Row], done: str) -> Answer:
    good = sum(result["success"] for result in results)
    message = f"{good} of {len(results)} tickets {done}."
    return Answer(results, message, page=(len(results), len(results), 0))


@blp.post(
    "/api/bulk/tickets",
    "ChangeTickets",
    permission=Permission.TICKETS_WORK,
    body=Bulk,
    response=BulkResult,
    many=True,
    manages_transactions=True,
)
def change_tickets(body: Row) -> Answer:
    """Change many tickets.

    Does one thing to each, at most 500, with one result for each in the same order. A ticket that fails does not stop the others.
    """
    work = bulk.Work(body.get("action", ""), body.get("arguments", {}), body.get("set", {}), body.get("user", ""))
    work.check()
    storage, actor = current_runtime().storage, g.actor
    with storage.unit_of_work(actor, write=True) as uow:
        work.prepare(uow)
        items, bulk_id = _items(uow, body), bulk.start(uow)
    results: list[Row] = []
    for start in range(0, len(items), bulk.AT_ONCE):
        with storage.unit_of_work(actor, write=True) as uow:
            results += bulk.run(uow, bulk_id, items[start : start + bulk.AT_ONCE], work)
    return _summary(results, "done")


@blp.post("/api/bulk/undo", "UndoBulk", permission=Permission.TICKETS_WORK, body=Undo, response=BulkResult, many=True)
def undo_bulk(uow: UnitOfWork, body: Row) -> Answer:
    """Undo a bulk.

    Puts its tickets back as they were, within 15 minutes, those that nobody changed since. Mail stays sent.
    """
    said_by = pop_actor_and_version(body)["said_by"]
    return _summary(bulk.undo(uow, body["bulk_id"], said_by=said_by), "put back")
