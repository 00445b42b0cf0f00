"""Ticket statistics over HTTP: all figures of a dashboard in one call; services/stats/report.py counts them."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Moment
from api.http.resource import Resource
from core.permissions import Permission
from services.stats import report
from storage import Row, UnitOfWork

blp = Resource("stats", __name__, description="Ticket statistics.")


class StatsQuery(Schema):
    """Which tickets to count."""

    start = Moment(data_key="from", about="Only tickets opened at this time or later.")
    end = Moment(data_key="to", about="Only tickets opened before this time; the 30 days of the charts end here.")

    @validates_schema
    def check_order(self, values: Row, **_: Any) -> None:
        if "start" in values and "end" in values and values["start"] >= values["end"]:
            raise ValidationError("to must be later than from; a day ends where the next one starts.", "to")


class AgentFigures(Schema):
    """One agent's share."""

    agent = schemas.text("Agent, as in assigned_to.")
    open = schemas.integer("Their tickets that are not resolved or closed.")
    resolved = schemas.integer("Their tickets that are resolved or closed.")
    resolution_seconds_median = schemas.integer("Median time from opening to resolving their tickets.", required=False)


class Stats(Schema):
    """The figures of the dashboard."""

    total_tickets = schemas.integer("All tickets.")
    new_tickets = schemas.integer("Tickets that are new.")
    ai_responded_tickets = schemas.integer("Tickets answered by AI and by nobody else yet.")
    assigned_tickets = schemas.integer("Tickets given to an agent who has not started.")
    resolved_tickets = schemas.integer("Tickets that are resolved and not closed.")
    ai_resolution_rate = schemas.decimal("Percent of resolved or closed tickets that AI answered and no person did.")
    open_tickets = schemas.integer("Tickets not resolved or closed.")
    by_status = schemas.items(schemas.Count, "Tickets by status.")
    by_priority = schemas.items(schemas.Count, "Tickets by priority.")
    by_category = schemas.items(schemas.Count, "Tickets by category.")
    by_team = schemas.items(schemas.Count, "Tickets by team.")
    by_sentiment = schemas.items(schemas.Count, "Tickets by sentiment.")
    by_source = schemas.items(schemas.Count, "Tickets by source.")
    by_tier = schemas.items(schemas.Count, "Tickets by the customer's plan.")
    created_per_day = schemas.items(schemas.Count, "Tickets opened on each of the last 30 days, oldest first.")
    resolved_per_day = schemas.items(schemas.Count, "Tickets resolved on each of the last 30 days, oldest first.")
    backlog = schemas.integer("Unresolved tickets.")
    average_urgency = schemas.decimal("Mean urgency, from 1.0 to 5.0.", required=False)
    first_response_seconds_median = schemas.integer(
        "Median time from opening to a person's first public reply.", required=False
    )
    resolution_seconds_median = schemas.integer("Median time from opening to resolving.", required=False)
    agents = schemas.items(AgentFigures, "What each agent has, in the order of their names.")


@blp.get("/api/stats", "GetStats", permission=Permission.STATS_READ, query=StatsQuery, response=Stats)
def get_stats(uow: UnitOfWork, query: Row) -> Answer:
    """Get ticket statistics.

    Every figure of a dashboard in one call, over all tickets or those opened from one time to another.
    """
    figures = report.overview(uow, **query)
    return Answer(
        figures, f"{how_many(figures['total_tickets'], 'ticket')[:-1]}, {figures['open_tickets']} of them open."
    )
