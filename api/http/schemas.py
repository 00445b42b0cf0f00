"""Response schemas for the API descriptions: public records and the envelope around them.

Responses are not rendered by them, which would be slow; tests compare them with real responses.
"""

from functools import cache
from typing import Any

from marshmallow import Schema, fields

from core import models


def text(about: str, **more: Any) -> fields.String:
    """A text that is "" when not set."""
    return fields.String(metadata={"description": about, **more}, required=True)


def word(choices: tuple[str, ...], about: str) -> fields.String:
    """One of the listed words."""
    return text(about, enum=list(choices))


def moment(about: str, *, required: bool = False) -> fields.String:
    """A time; left out when not set."""
    return fields.String(metadata={"description": about, "format": "date-time"}, required=required)


def integer(about: str, *, required: bool = True) -> fields.Integer:
    """A whole number."""
    return fields.Integer(metadata={"description": about}, required=required)


def decimal(about: str, *, required: bool = True) -> fields.Float:
    """A number with decimals."""
    return fields.Float(metadata={"description": about}, required=required)


def flag(about: str) -> fields.Boolean:
    """True or false."""
    return fields.Boolean(metadata={"description": about}, required=True)


def texts(about: str, *, required: bool = True) -> fields.List[Any]:
    """A list of texts, [] when not set."""
    return fields.List(fields.String(), metadata={"description": about}, required=required)


def part(schema: type[Schema]) -> fields.Nested:
    """A thing inside a thing."""
    return fields.Nested(schema, required=True)


def optional_part(schema: type[Schema]) -> fields.Nested:
    """A thing inside a thing, any of whose fields may be left out."""
    return fields.Nested(schema(partial=True), required=True)


def optional_text(about: str) -> fields.String:
    """A text that is left out when not set."""
    return fields.String(metadata={"description": about})


def items(schema: type[Schema], about: str) -> fields.List[Any]:
    """A list of things, [] when there are none."""
    return fields.List(fields.Nested(schema), metadata={"description": about}, required=True)


class Link(Schema):
    """A link to another ticket."""

    ticket_id = text("Id of the other ticket.")
    number = integer("Number of the other ticket for people.")
    kind = word(models.LINK_KINDS, "What the other ticket is to this one.")


class Ticket(Schema):
    """A ticket. Customers get it without the fields that explain the triage."""

    id = text("Id of the ticket.")
    number = integer("Number of the ticket for people, counted per company.")
    title = text("What it is about, in a few words.")
    description = text("What the customer wrote.")
    customer_email = text("E-mail address of the customer.")
    customer_id = text("Id of the customer in your own systems.")
    customer_name = text("Name of the customer.")
    customer_tier = word(models.TIERS, "Plan of the customer.")
    source = word(models.SOURCES, "Where the ticket came in.")
    product = text("Product it is about.")
    tags = texts("Tags.")
    status = word(models.STATUSES, "State of the ticket.")
    category = word(models.CATEGORIES, "Kind of question.")
    priority = word(models.PRIORITIES, "Priority.")
    priority_score = fields.Integer(metadata={"description": "Priority as a number from 0 to 100."})
    urgency = decimal("Urgency from 1.0 to 5.0.")
    sentiment = word(models.SENTIMENTS, "How the customer feels.")
    topic = fields.String(metadata={"description": "The company's own label."})
    topic_confidence = decimal("How sure the topic is, from 0 to 1.", required=False)
    assigned_team = text("Team that takes care.")
    assigned_to = fields.String(metadata={"description": "Agent who takes care."})
    assigned_at = moment("When it was assigned.")
    ai_response = text("What the AI answered.")
    ai_source = text("Who wrote the AI answer: model, knowledge or canned.")
    ai_status = text("State of the AI answer: off, pending, done or failed.")
    ai_confidence = decimal("How sure the AI is, from 0 to 1.", required=False)
    ai_citations = texts("Articles the AI answer rests on.")
    triage_source = fields.String(metadata={"description": "Who decided category and priority."})
    triage_reasons = texts("Why, in plain words.", required=False)
    next_action = fields.String(metadata={"description": "What to do next."})
    resolution = text("How it was resolved.")
    first_response_at = moment("When a person first answered.")
    first_response_due_at = moment("When a person should have answered; left out while it waits for the customer.")
    resolve_due_at = moment("When it should be resolved; left out while it waits for the customer.")
    sla_status = text("How the agreed times are kept: on_track, at_risk (last quarter), breached or met.")
    resolved_at = moment("When it was resolved.")
    closed_at = moment("When it was closed.")
    csat_score = integer("How satisfied the customer was, from 1 to 5.", required=False)
    external_id = text("Id of the ticket in your own systems.")
    incident_id = fields.String(metadata={"description": "Id of the incident that it belongs to."})
    merged_into = text("Id of the ticket that it is merged into; replies go there.")
    links = fields.List(fields.Nested(Link), metadata={"description": "Links to other tickets."})
    watchers = texts("Addresses that are told of replies and of the resolution.", required=False)
    snoozed_until = moment("Until when it is put off.")
    expected_resolution_seconds = integer(
        "Expected time from opening to resolving, when it was opened: the median of your resolved tickets like it.",
        required=False,
    )
    expected_resolution_seconds_low = integer(
        "Lower end of the interval that held the time of 8 in 10 such tickets.", required=False
    )
    expected_resolution_seconds_high = integer("Upper end of that interval.", required=False)
    last_message = optional_text(
        "In lists and GET /api/events: how the last public message begins, at most 140 characters."
    )
    last_message_by = fields.String(
        metadata={"description": "In lists and GET /api/events: who wrote it.", "enum": list(models.SPEAKERS)}
    )
    last_message_at = moment("In lists and GET /api/events: when it was written.")
    version = integer("Raised with every change by a person; name it to be sure that nothing is overwritten.")
    created_at = moment("When it was opened.", required=True)
    updated_at = moment("When it last changed.", required=True)


class Reply(Schema):
    """One entry of a ticket's thread."""

    id = text("Id of the reply.")
    ticket_id = text("Id of its ticket: the one it is merged into, or a new one if it was resolved too long ago.")
    author_role = word(("customer", "agent", "ai", "system"), "Who wrote it.")
    author_name = text("Name of the author.")
    author_email = fields.String(metadata={"description": "E-mail address of the author."})
    body = text("What was written.")
    internal = fields.Boolean(metadata={"description": "A note that customers never see."})
    created_at = moment("When it was written.", required=True)


class Event(Schema):
    """One entry of a ticket's history."""

    id = text("Id of the event.")
    action = text("What happened.")
    actor = text("The credential that acted.")
    said_by = text("Who the calling app said was acting.")
    field = text("The field that changed.")
    from_ = fields.String(data_key="from", metadata={"description": "Its value before."}, required=True)
    to = text("Its value after.")
    created_at = moment("When it happened.", required=True)


class AiResponse(Schema):
    """The AI answer of a ticket."""

    ai_response = text("What the AI answered.")
    ai_source = text("Who wrote it: model, knowledge or canned.")
    ai_status = text("State of the answer: off, pending, done or failed.")
    ai_confidence = decimal("How sure the AI is, from 0 to 1.", required=False)
    ai_citations = texts("Articles the answer rests on.")


class Citation(Schema):
    """A published article that a text rests on."""

    article_id = text("Id of the article.")
    title = text("What it is about.")


class Customer(Schema):
    """A customer with counts of their tickets."""

    email = text("E-mail address.")
    customer_id = text("Id in your own systems.")
    name = text("Name.")
    tier = word(models.TIERS, "Plan.")
    total_tickets = integer("All their tickets.")
    open_tickets = integer("Tickets not resolved or closed.")
    resolved_tickets = integer("Tickets resolved or closed.")
    average_urgency = decimal("Mean urgency of their tickets.", required=False)
    first_contact_at = moment("When they first wrote.")
    last_contact_at = moment("When they last opened a ticket.")


class Choice(Schema):
    """One entry of a drop-down."""

    key = text("Value to send.")
    label = text("Text to show.")


class Count(Choice):
    """One row of a chart."""

    count = integer("How many.")


class Deleted(Schema):
    """What a removal answers."""

    deleted = flag("Always true.")


@cache
def envelope(schema: type[Schema]) -> type[Schema]:
    """The envelope around one thing."""
    return Schema.from_dict({**_head(), "data": fields.Nested(schema, required=True)}, name=f"{schema.__name__}Answer")


@cache
def listing(schema: type[Schema]) -> type[Schema]:
    """The envelope around a list."""
    page = {
        "total": integer("How many there are in all."),
        "limit": integer("How many are sent at most."),
        "offset": integer("How many were skipped."),
    }
    data = fields.List(fields.Nested(schema), required=True)
    return Schema.from_dict({**_head(), "data": data, **page}, name=f"{schema.__name__}List")


def _head() -> dict[str, Any]:
    return {"success": flag("Whether it worked."), "message": text("A sentence that can be shown to a person.")}
