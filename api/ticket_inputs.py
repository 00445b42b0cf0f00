"""Input schemas of the ticket routes: fields of each write, filters of the list, aliases."""

import re
from typing import Any

from flask import g, request
from marshmallow import Schema, ValidationError, pre_load, validates_schema

from api.http.common_inputs import Repeatable
from api.http.fields import (
    Choice,
    Choices,
    Email,
    Id,
    Moment,
    Number,
    Person,
    TeamName,
    TeamNames,
    Text,
    TicketNumber,
    Urgency,
    Words,
    Yes,
)
from api.http.parsing import header
from core import models
from core.errors import invalid_field
from core.mailboxes import bracketed_name
from core.models import LIMITS
from services.tickets import changes, queries
from storage import Row

ALIASES = {
    "subject": "title",
    "message": "description",
    "email": "customer_email",
    "name": "customer_name",
    "agent_email": "assigned_to",
    "agent_name": "assigned_to",
    "agent": "assigned_to",
}
WRITABLE = frozenset(changes.PLAIN_FIELDS) | {"status", "assigned_to", "resolution", "version"}
SET_BY_SERVER = frozenset(changes.TRIAGE_FIELDS) | {"assigned_to", "customer_tier"}
# What other help desks call a state.
STATUS_WORDS = {
    "open": "new",
    "pending": "waiting_customer",
    "waiting": "waiting_customer",
    "waiting_on_customer": "waiting_customer",
    "waiting_for_customer": "waiting_customer",
    "awaiting_customer": "waiting_customer",
    "awaiting_your_reply": "waiting_customer",
    "answered": "waiting_customer",
    "hold": "in_progress",
    "on_hold": "in_progress",
    "waiting_on_third_party": "in_progress",
    "active": "in_progress",
    "started": "in_progress",
    "unassigned": "new",
    "to_do": "new",
    "todo": "new",
    "solved": "resolved",
    "done": "resolved",
    "fixed": "resolved",
    "completed": "resolved",
    "cancelled": "closed",
    "canceled": "closed",
    "archived": "closed",
}
# What other help desks call a priority.
PRIORITY_WORDS = {
    "lowest": "low",
    "minor": "low",
    "trivial": "low",
    "p4": "low",
    "sev4": "low",
    "sev_4": "low",
    "normal": "medium",
    "moderate": "medium",
    "p3": "medium",
    "sev3": "medium",
    "sev_3": "medium",
    "major": "high",
    "important": "high",
    "p2": "high",
    "sev2": "high",
    "sev_2": "high",
    "critical": "urgent",
    "blocker": "urgent",
    "highest": "urgent",
    "emergency": "urgent",
    "p0": "urgent",
    "p1": "urgent",
    "sev1": "urgent",
    "sev_1": "urgent",
}
# Servers that compress responses mark the ETag; the client sends it back like that.
_ENTITY_TAG = re.compile('(?:W/)?"?([0-9]{1,11})(?:[-;](?:gzip|br|deflate|zstd))?"?')


class WriteMeta(Schema):
    """Who acts, as the calling app says; accepted by every ticket write."""

    user = Person(LIMITS["email"], about="Who is acting, as your app knows them; kept in the history.")
    action = Text(LIMITS["name"], about="What they are doing, in your app's words; kept in the history.")


class Versioned(WriteMeta):
    """A write that may name the version it expects."""

    version = Number(1, 2**31 - 1, about="The version you saw; the write is refused when it is stale.")


class TicketFields(WriteMeta):
    """Fields of a ticket that callers write."""

    ALIASES = ALIASES
    FILLED_IN = ("customer_name",)

    product = Text(LIMITS["product"], about="Product it is about.")
    tags = Words(LIMITS["tags"], Text(LIMITS["tag"]), about="Words to find and group tickets by, at most 20.")
    category = Choice(models.CATEGORIES, about="Kind of question; decided by triage when not given.")
    priority = Choice(models.PRIORITIES, also=PRIORITY_WORDS, about="Priority; decided by triage when not given.")
    urgency = Urgency(about="Urgency from 1.0 to 5.0; decided by triage when not given.")
    sentiment = Choice(models.SENTIMENTS, about="How the customer feels; decided by triage when not given.")
    assigned_team = TeamName(about="Team; follows from the category and your rules when not given.")
    assigned_to = Person(LIMITS["assigned_to"], about="Agent, by e-mail address or name.")
    customer_name = Text(LIMITS["name"], about="Name of the customer.")
    customer_tier = Choice(models.TIERS, about="Plan of the customer.")
    external_id = Id(
        LIMITS["external_id"],
        about="Id of the ticket in your own systems; unique, for customers among their own.",
    )

    @pre_load
    def _name_of_mailbox(self, fields: Row, **_: Any) -> Row:
        """The name of `Ada <ada@example.com>` is the customer's, where none is given."""
        address = fields.get("customer_email")
        name = bracketed_name(address) if isinstance(address, str) and "customer_name" not in fields else ""
        return {**fields, "customer_name": name} if name else fields


class NewTicket(TicketFields, Repeatable):
    """A ticket to open."""

    title = Text(LIMITS["title"], required=True, about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, required=True, about="What the customer wrote.")
    customer_email = Email(about="E-mail address of the customer; this or customer_id is required.")
    customer_id = Id(LIMITS["customer_id"], about="Id of the customer in your own systems.")
    source = Choice(models.SOURCES, about="Where it came in.")
    status = Choice(("new",), also=STATUS_WORDS, about="Only new (or open).")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _customer_and_staff_fields(self, _: Row, fields: Row, **__: Any) -> None:
        if not g.actor.is_customer:
            if "customer_email" not in fields and "customer_id" not in fields:
                raise ValidationError(
                    "Give customer_email or customer_id, so that the customer can be answered.", "customer_email"
                )
        elif decided := sorted(SET_BY_SERVER & set(fields)):
            raise ValidationError({name: [f"{name} is set by the server."] for name in decided})


class CreateQuery(Schema):
    """How to create."""

    wait = Number(0, 20, load_default=0, about="Seconds to wait for the model's answer.")


class TicketChanges(TicketFields, Versioned):
    """Fields of a ticket to change; what is left out stays."""

    READ_ONLY = frozenset((*models.TICKET_FIELDS, *models.LAST_MESSAGE_FIELDS)) - WRITABLE

    title = Text(LIMITS["title"], about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, about="What the customer wrote.")
    status = Choice(models.STATUSES, also=STATUS_WORDS, about="New state; goes through the same moves as the actions.")
    resolution = Text(LIMITS["resolution"], lines=True, about="How it was resolved; required to resolve.")
    clear = Words(len(changes.CLEARABLE), Choice(tuple(changes.CLEARABLE)), about="Fields to empty.")


class TicketQuery(Schema):
    """Filters, order and page of a list of tickets."""

    status = Choices(
        models.STATUSES,
        also=STATUS_WORDS,
        groups={"open": models.OPEN, "all": models.STATUSES},
        about="A state, a comma list, open or all.",
    )
    priority = Choices(
        models.PRIORITIES, also=PRIORITY_WORDS, about="Only tickets of this priority; several with commas between."
    )
    category = Choices(models.CATEGORIES, about="Category or a comma list.")
    assigned_team = TeamNames(about="Team or a comma list.")
    sentiment = Choices(models.SENTIMENTS, about="Sentiment or a comma list.")
    customer_tier = Choices(models.TIERS, about="Plan or a comma list.")
    source = Choices(models.SOURCES, about="Source or a comma list.")
    sla_status = Choices(models.SLA_STATUSES, about="How the agreed times are kept: a word or a comma list.")
    snoozed = Yes(about="true: only snoozed tickets; false: only the others.")
    unassigned = Yes(about="true: only tickets without an agent; false: only the others.")
    assigned_to = Person(LIMITS["assigned_to"], about="Agent.")
    customer_email = Email(about="Customer's e-mail address.")
    customer_id = Id(LIMITS["customer_id"], about="Customer's id in your own systems.")
    external_id = Id(LIMITS["external_id"], about="Ticket's id in your own systems.")
    product = Text(LIMITS["product"], about="Only tickets about this product, as it is written there.")
    tag = Text(LIMITS["tag"], about="Only tickets with this tag.")
    number = TicketNumber(1, 2**31 - 1, about="Only the ticket with this number.")
    topic = Text(LIMITS["tag"], about="A topic.")
    incident = Id(LIMITS["key"], about="Only the tickets of the incident with this id.")
    q = Text(
        LIMITS["q"],
        about="Words to search for, each as it is, as a beginning (of three letters or more) or in another form: cancelling "
        "finds cancelled. A ticket number like #7 comes first, then tickets with signs as written, like C++. All words must "
        "be found (of more than 8 words, the 8 longest), in number, title, description, tags, customer, product, external id "
        "or resolution. Nothing is syntax. Signs are skipped; where there is nothing else, such as an emoji alone, they are "
        "looked for as written, in the newest 1,000 tickets. Only the newest 2,000 matches are listed and counted.",
    )
    created_after = Moment(about="Opened later than this.")
    created_before = Moment(about="Opened earlier than this.")
    updated_since = Moment(about="Changed at this time or later.")
    view = Id(LIMITS["key"], about="Id of a saved view, whose filters and order count where none are given.")
    user = Person(LIMITS["email"], about="With role: whose tickets.")
    role = Choice(models.ROLES, about="customer: tickets of user; agent: assigned to user; admin: all.")
    sort = Choice(
        tuple(queries.SORTS),
        about="Order. Without it the best matches of q come first, and without q the newest.",
    )
    limit = Number(1, 200, load_default=50, about="How many at most.")
    offset = Number(0, 10**9, load_default=0, about="How many to skip.")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _user_and_role(self, values: Row, fields: Row, **_: Any) -> None:
        if "user" in fields and "role" not in fields:
            raise ValidationError("Say in which role: role=customer, agent or admin.", "role")
        if values.get("role") in ("customer", "agent") and "user" not in fields:
            raise ValidationError("Say whose tickets: user=<e-mail or id>.", "user")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _nothing_hidden(self, values: Row, fields: Row, **_: Any) -> None:
        # Customers must not learn hidden fields by filtering for them.
        if not g.actor.is_customer:
            return
        hidden = {"assigned_to", "unassigned", "topic", "view", "snoozed", "incident"} & set(fields) | (
            {"role"} if values.get("role") == "agent" else set()
        )
        if hidden:
            raise ValidationError({name: [f"{name} cannot be asked for by customers."] for name in sorted(hidden)})


class AssignTicket(Versioned, Repeatable):
    """The agent of a ticket."""

    ALIASES = {name: "agent_email" for name in ("assigned_to", "agent_name", "agent")}

    agent_email = Person(LIMITS["assigned_to"], about="Agent, by e-mail address or name.")
    auto = Yes(about="true: the agent who is free, in your open hours, with the fewest open tickets.")


class ResolveTicket(Versioned, Repeatable):
    """How a ticket was resolved."""

    resolution = Text(
        LIMITS["resolution"], lines=True, required=True, about="How it was resolved; sent to the customer."
    )


class MoveTicket(Versioned, Repeatable):
    """A transition without further fields."""


def pop_actor_and_version(body: Row) -> dict[str, Any]:
    """Removes user, action and version from a body; returns `said_by` and `version` (or If-Match)."""
    action = body.pop("action", "")
    user = body.pop("user", "")
    if g.actor.is_customer and g.actor.user_id:
        user = action = ""  # a signed-in customer always acts as themselves
    return {"said_by": f"{user} ({action})" if user and action else user or action, "version": named_version(body)}


def named_version(body: Row) -> int | None:
    """The expected version: the body's field or If-Match. Raises AppError 400."""
    version: int | None = body.pop("version", None)
    expected = header(request, "If-Match").strip(" \t")
    if not expected or expected == "*":
        return version
    match = _ENTITY_TAG.fullmatch(expected)
    if match is None or (version is not None and version != int(match[1])):
        raise invalid_field("If-Match", 'If-Match takes one version, like "7", the same as the field version.')
    return int(match[1])
