"""The feed of events over HTTP, and samples of them."""

from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from marshmallow import Schema, ValidationError, fields

from api.http import schemas
from api.http.envelope import Answer, how_many, if_changed
from api.http.fields import Moment, Number, Text
from api.http.resource import Resource
from core.errors import not_found
from core.models import EVENTS, INCIDENT_STATUSES, LIMITS
from core.permissions import Permission
from services.events import feed, happenings, samples
from storage import Row, UnitOfWork

blp = Resource("events", __name__, description="What happened, to poll or to be sent.")
TAG_BYTES = 16


class IncidentOut(Schema):
    """The incident of an event."""

    id = schemas.text("Id of the incident.")
    title = schemas.text("What it is about.")
    status = schemas.word(INCIDENT_STATUSES, "State of the incident.")
    opened_at = schemas.moment("When it was opened.", required=True)
    resolved_at = schemas.moment("When it was resolved.")


class EventOut(Schema):
    """Something that happened."""

    id = schemas.text("Id of the event; ids are in the order of the events.")
    event = schemas.word(EVENTS, "What happened.")
    created_at = schemas.moment("When it happened.", required=True)
    ticket_id = schemas.text("Id of the ticket, or empty.")
    ticket = fields.Nested(schemas.Ticket, metadata={"description": "The ticket."})
    internal = fields.Boolean(metadata={"description": "Of ticket.replied: a note that customers never see."})
    reply = fields.Nested(schemas.Reply, metadata={"description": "Of ticket.replied: the reply."})
    incident_id = schemas.optional_text("Of incident.opened: id of the incident.")
    incident = fields.Nested(IncidentOut, metadata={"description": "Of incident.opened: the incident."})


@lru_cache(maxsize=1_000)
def _event_or_time(text: str) -> str:
    """The id or time in its one form. A tab that polls asks with the same one again. Raises ValidationError."""
    try:
        happenings.stamp_of(text)
        return str(UUID(text))
    except ValueError:
        return str(Moment().deserialize(text))


class EventId(Text):
    """The id of an event, or a time."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return _event_or_time(text)
        except ValidationError:
            raise ValidationError(f"{attr} must be the id of an event that you were sent, or a time.") from None


class EventsQuery(Schema):
    """What the caller has seen already."""

    after = EventId(
        LIMITS["key"], load_default="", about="The last id you were sent, or a time; without it from the beginning."
    )
    limit = Number(1, 200, load_default=50, about="How many at most.")


@blp.get(
    "/api/events", "ListEvents", permission=Permission.TICKETS_READ, query=EventsQuery, response=EventOut, many=True
)
def list_events(uow: UnitOfWork, query: Row) -> Response:
    """List events.

    What happened after the event that you name, oldest first, with each ticket as it is now; total counts those sent.
    Send the ETag as If-None-Match: without news the answer is an empty 304.
    """
    after, is_time = query["after"], query["after"].endswith("Z")
    rows = feed.after(uow, "" if is_time else after, after if is_time else "", limit=query["limit"])
    tag = blake2b(orjson.dumps([after, rows]), digest_size=TAG_BYTES).hexdigest()
    page = (len(rows), query["limit"], 0)
    return if_changed(Answer(rows, how_many(len(rows), "event"), page=page, headers={"ETag": f'"{tag}"'}))


@blp.get("/api/events/samples/<event>", "GetEventSample", permission=Permission.TICKETS_READ, response=EventOut)
def get_event_sample(uow: UnitOfWork, event: str) -> Answer:
    """Get a sample of an event.

    A made-up event with every field, as webhooks send it and the list of events shows it.
    """
    sample = samples.sample(event, uow.actor)
    if sample is None:
        raise not_found()
    return Answer(sample, f"A sample of {event}.")
