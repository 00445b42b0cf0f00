"""Importing records of another help desk over HTTP: customers, agents, macros, and tickets with their threads."""

from functools import partial

from flask import g
from marshmallow import Schema

from api.http import gate, schemas
from api.http.envelope import Answer
from api.http.fields import Choice, Email, Id, Moment, Text, Things, Yes
from api.http.gate import current_runtime
from api.http.parsing import load_values
from api.http.resource import Resource
from api.imports import MAX_FILE, ImportedTicket, RowError
from api.macros import MacroChanges
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.help_desks import writing
from services.import_export.imports import Result
from storage import Row

blp = Resource("import_records", __name__, description="Bringing in what another help desk holds.")


class PastReply(Schema):
    """A message or note of a ticket."""

    author_role = Choice(models.AUTHOR_ROLES, about="Who wrote it; agent when not given.")
    author_name = Text(LIMITS["name"], about="Name of who wrote it.")
    author_email = Email(about="Address of who wrote it.")
    body = Text(LIMITS["body"], lines=True, required=True, about="What was written.")
    internal = Yes(about="true: customers do not see it.")
    created_at = Moment(required=True, about="When it was written.")


class TicketRecord(ImportedTicket):
    """A ticket of another help desk."""

    external_id = Id(LIMITS["external_id"], required=True, about="Its id there, like zendesk:123; taken once.")
    replies = Things(PastReply, writing.MOST_REPLIES, about="Messages and notes, the description left out.")


class CustomerRecord(Schema):
    """A customer of another help desk; customer_email or customer_id is required."""

    customer_email = Email(about="E-mail address.")
    customer_id = Id(LIMITS["customer_id"], about="Id in your own systems.")
    customer_name = Text(LIMITS["name"], about="Name.")
    customer_tier = Choice(models.TIERS, about="Plan.")


class AgentRecord(Schema):
    """An agent of another help desk, who cannot sign in here until an admin enables them."""

    email = Email(required=True, about="E-mail address.")
    name = Text(LIMITS["name"], about="Name.")


class MacroRecord(MacroChanges):
    """A macro of another help desk."""

    class Meta:
        exclude = ("clear",)

    name = Text(LIMITS["name"], required=True, about="Its name; one that is here already is left as it is.")


class Records(Schema):
    """What to bring in."""

    customers = Things(CustomerRecord, writing.MOST, about="Customers.")
    agents = Things(AgentRecord, writing.MOST, about="Agents.")
    macros = Things(MacroRecord, writing.MOST, about="Macros.")
    tickets = Things(TicketRecord, writing.MOST, about="Tickets.")
    dry_run = Yes(load_default=False, about="true: nothing is changed; the answer is the same.")


class KindResult(Schema):
    """What became of the records of one kind."""

    created = schemas.integer("Records that were made.")
    skipped = schemas.integer("Records that were here already.")
    rejected = schemas.integer("Records that cannot be used.")
    replies = schemas.integer("Messages and notes of the tickets that were made.")
    errors = schemas.items(RowError, "Why records were refused; line is the position, from 1.")


class RecordsResult(Schema):
    """What became of the records."""

    customers = schemas.part(KindResult)
    agents = schemas.part(KindResult)
    macros = schemas.part(KindResult)
    tickets = schemas.part(KindResult)


_SCHEMAS = {"customers": CustomerRecord(), "agents": AgentRecord(), "macros": MacroRecord(), "tickets": TicketRecord()}


def check_record(kind: str, values: Row) -> Row:
    """The values of a record in the server's own form. Raises AppError 400 naming every field that cannot be used."""
    return load_values(_SCHEMAS[kind], values)


@blp.post(
    "/api/import/records",
    "ImportRecords",
    permission=Permission.IMPORT,
    body=Records,
    response=RecordsResult,
    manages_transactions=True,
    max_body=MAX_FILE,
)
def import_records(body: Row) -> Answer:
    """Import records of another help desk.

    Brings in at most 100 records of each kind: customers, agents who cannot sign in yet, macros, and tickets with their threads.
    What is here already stays as it is. Nobody is mailed or answered. `flask import zendesk|freshdesk|jira` makes such records.
    """
    if body.get("agents"):
        gate.check_can_grant("agent")
    runtime = current_runtime()
    open_uow = partial(runtime.storage.unit_of_work, g.actor)
    dry_run = body["dry_run"]
    results = {
        kind: writing.bring_in(
            open_uow, runtime.trained_models, runtime.erasure_marks, kind, body.get(kind, []), dry_run=dry_run
        )
        for kind in writing.KINDS
    }
    created, skipped, rejected = (
        sum(getattr(result, name) for result in results.values()) for name in ("created", "skipped", "rejected")
    )
    nothing = "; nothing was changed" if dry_run else ""
    message = f"{created} created, {skipped} here already, {rejected} refused{nothing}."
    return Answer({kind: _shape(result) for kind, result in results.items()}, message)


def _shape(result: Result) -> Row:
    return {name: getattr(result, name) for name in ("created", "skipped", "rejected", "replies", "errors")}
