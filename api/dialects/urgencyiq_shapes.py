"""What clients of UrgencyIQ send and get: the schemas of api/dialects/urgencyiq.py."""

from typing import Any

from marshmallow import Schema, fields, post_load

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.fields import Choice, Number, Person, Text, Yes
from core.models import FINISHED, LIMITS, OPEN, STATUSES
from services.tickets.titles import title_of
from storage import Row

MOST_ID = 10**12 - 1
MEANT = {"open": list(OPEN), "resolved": list(FINISHED), "all": list(STATUSES)}
SORTS = {"urgency": "urgency", "time": "-created_at"}


def _nullable(about: str, kind: type[Any] = fields.String) -> Any:
    return kind(required=True, allow_none=True, metadata={"description": about})


class UrgencyiqDone(Schema):
    """That it was done."""

    success = schemas.flag("Always true.")


class UrgencyiqSent(UrgencyiqDone):
    """A stored message."""

    message_id = schemas.integer("Number of its ticket.")
    urgency = schemas.decimal("Urgency from 1.0 to 5.0.")


class UrgencyiqReplyShown(Schema):
    """What an agent wrote."""

    agent_name = schemas.text("Name of the agent.")
    reply = schemas.text("What it says.")
    timestamp = schemas.text("When it was written, in UTC.")


class UrgencyiqMessage(Schema):
    """A message: a ticket with what agents replied."""

    id = schemas.integer("Number of the ticket.")
    customer_id = _nullable("Id of the customer, null when it is no whole number.", fields.Integer)
    message = schemas.text("What the customer wrote.")
    timestamp = schemas.text("When it was written, in UTC.")
    urgency = schemas.decimal("Urgency from 1.0 to 5.0.")
    status = schemas.word(("open", "resolved"), "Whether it is resolved.")
    assigned_to = _nullable("Agent who takes care.")
    assigned_at = _nullable("When it was assigned, in UTC.")
    replies = schemas.items(UrgencyiqReplyShown, "What agents replied, oldest first.")


class UrgencyiqAssigned(UrgencyiqDone):
    """Who takes care."""

    assigned_to = schemas.text("Agent who takes care.")
    assigned_at = schemas.text("When it was assigned, in UTC.")


class UrgencyiqCounts(Schema):
    """What was seeded."""

    rows = schemas.integer("Rows of the file.")
    messages = schemas.integer("Tickets that were made.")
    customers = schemas.integer("Customers who were new.")


class UrgencyiqSeeded(UrgencyiqDone):
    """What was seeded."""

    seeded = schemas.part(UrgencyiqCounts)
    note = schemas.optional_text("What became of the other rows, when there are any.")


class UrgencyiqSwitch(Schema):
    """The switch of the language model."""

    use_llm = schemas.flag("Whether the language model may be asked.")


class UrgencyiqNewMessage(Repeatable):
    """A message of a customer."""

    ALSO_FORM = True

    user_id = Number(1, MOST_ID, required=True, about="Id of the customer.")
    message = Text(LIMITS["description"], lines=True, required=True, about="What the customer writes.")

    @post_load
    def _as_ticket(self, values: Row, **_: Any) -> Row:
        text = values.pop("message")
        fields_of_ticket = {"title": title_of(text), "description": text, "customer_id": str(values.pop("user_id"))}
        return {**values, **fields_of_ticket}


class UrgencyiqQuery(Schema):
    """Which messages."""

    status = Choice(tuple(MEANT), load_default="open", about="open, resolved or all.")
    sort = Choice(tuple(SORTS), load_default="urgency", about="The most urgent or the newest first.")
    user_id = Number(1, MOST_ID, about="Id of the customer.")
    search = Text(LIMITS["q"], about="Words to search for.")
    limit = Number(1, 200, load_default=200, about="How many at most.")
    offset = Number(0, 10**9, load_default=0, about="How many to skip.")


class UrgencyiqNewReply(Repeatable):
    """What an agent writes."""

    ALSO_FORM = True

    agent_name = Text(LIMITS["name"], required=True, about="Name of the agent, which the customer sees.")
    reply = Text(LIMITS["body"], lines=True, required=True, about="What to say.")


class UrgencyiqAgent(Repeatable):
    """Who takes care."""

    ALSO_FORM = True

    agent_name = Person(LIMITS["assigned_to"], required=True, about="Agent, by name or e-mail address.")


class UrgencyiqNewSwitch(Repeatable):
    """The switch of the language model."""

    ALSO_FORM = True

    use_llm = Yes(required=True, about="Whether the language model may be asked.")


# Added to our answers, by the name of their schema: /api/health, and /api/customers/{name} for a whole number.
ADDED_PROPERTIES: dict[str, dict[str, Any]] = {
    "Error": {"error": {"type": "string", "description": "For UrgencyIQ: the message, of a customer with such an id."}},
    "HealthAnswer": {"status": {"type": "string", "description": "For UrgencyIQ: ok."}},
    "CustomerAnswer": {
        name: {"type": kind, "nullable": True, "description": "For UrgencyIQ, when the id is a whole number."}
        for kind, names in {
            "integer": ("id", "total_messages", "open_messages", "resolved_messages"),
            "number": ("avg_urgency",),
            "string": ("first_contact", "last_contact"),
        }.items()
        for name in names
    },
}
