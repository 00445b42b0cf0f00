"""What AI did and cost over HTTP, day by day."""

from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Moment
from api.http.resource import Resource
from core import timestamps
from core.errors import invalid_field
from core.permissions import Permission
from services import ai_usage
from storage import Row, UnitOfWork

blp = Resource("ai_usage", __name__, description="What AI did and cost.")
USUAL_DAYS, MOST_DAYS = 30, 366


class UsageQuery(Schema):
    """Which days."""

    start = Moment(data_key="from", about="The first day, UTC; 30 days before the last one when not given.")
    end = Moment(data_key="to", about="The last day, UTC; today when not given.")

    @validates_schema
    def check_order(self, values: Row, **_: Any) -> None:
        if "start" in values and "end" in values and values["start"] > values["end"]:
            raise ValidationError("to must not be before from.", "to")


class Usage(Schema):
    """One day."""

    day = schemas.text("The day in UTC, like 2026-11-29.")
    model_calls = schemas.integer("Calls of the model, second tries included.")
    tokens_in = schemas.integer("Tokens that were sent to it, as its provider counts them.")
    tokens_out = schemas.integer("Tokens that it wrote.")
    cost_usd = schemas.decimal("Their estimated cost, by the prices in the settings.")
    answers_model = schemas.integer("Answers that the model wrote.")
    answers_knowledge = schemas.integer("Answers that quoted an article.")
    answers_canned = schemas.integer("Ready-made answers.")
    handoffs = schemas.integer("Conversations that the AI handed to a person.")
    handoffs_by_reason = schemas.items(schemas.Count, "The same by reason.")
    resolved_confirmed = schemas.integer(
        "Conversations with the AI that their customer closed, and did not go on with."
    )
    resolved_assumed = schemas.integer("Conversations with the AI that ended by silence, and did not go on.")
    reopened = schemas.integer("Conversations that had ended and went on.")


@blp.get("/api/ai/usage", "GetAiUsage", permission=Permission.STATS_READ, query=UsageQuery, response=Usage, many=True)
def get_usage(uow: UnitOfWork, query: Row) -> Answer:
    """Get what AI did and cost.

    One row for each day: calls, tokens and estimated cost, answers by their source, and how conversations with the AI ended.
    """
    end = query.get("end", uow.real_now)
    start = query.get("start", timestamps.later(end, seconds=-(USUAL_DAYS - 1) * ai_usage.DAY_SECONDS))
    days = _days(start, end)
    if not 0 < len(days) <= MOST_DAYS:
        raise invalid_field("from", f"from and to must span 1 to {MOST_DAYS} days, today being the last without to.")
    rows = ai_usage.report(uow, days)
    return Answer(rows, how_many(len(rows), "day"), page=(len(rows), len(rows), 0))


def _days(start: str, end: str) -> list[str]:
    """The days from one time to another, both included."""
    first, last = timestamps.moment(start).date(), timestamps.moment(end).date()
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
