"""The dashboard's figures over HTTP: one call draws it. How each figure is counted is in services/stats.py alone."""

from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from api import shapes
from api.envelope import Answer, how_many
from api.fields import Moment
from api.noun import Noun
from permissions import Permission
from services import stats
from storage import Desk, Row

blp = Noun("stats", __name__, description="How the desk is doing.")


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

    agent = shapes.text("Agent, as in assigned_to.")
    open = shapes.whole("Their tickets that are not resolved or closed.")
    resolved = shapes.whole("Their tickets that are resolved or closed.")
    resolution_seconds_median = shapes.whole("Median time from opening to resolving their tickets.", required=False)


class Stats(Schema):
    """The figures of the dashboard."""

    total_tickets = shapes.whole("All tickets.")
    new_tickets = shapes.whole("Tickets that are new.")
    ai_responded_tickets = shapes.whole("Tickets answered by AI and by nobody else yet.")
    assigned_tickets = shapes.whole("Tickets given to an agent who has not started.")
    resolved_tickets = shapes.whole("Tickets that are resolved and not closed.")
    ai_resolution_rate = shapes.decimal("Percent of resolved or closed tickets that AI answered and no person did.")
    open_tickets = shapes.whole("Tickets not resolved or closed.")
    by_status = shapes.items(shapes.Count, "Tickets by status.")
    by_priority = shapes.items(shapes.Count, "Tickets by priority.")
    by_category = shapes.items(shapes.Count, "Tickets by category.")
    by_team = shapes.items(shapes.Count, "Tickets by team.")
    by_sentiment = shapes.items(shapes.Count, "Tickets by sentiment.")
    by_source = shapes.items(shapes.Count, "Tickets by source.")
    by_tier = shapes.items(shapes.Count, "Tickets by the customer's plan.")
    created_per_day = shapes.items(shapes.Count, "Tickets opened on each of the last 30 days, oldest first.")
    resolved_per_day = shapes.items(shapes.Count, "Tickets resolved on each of the last 30 days, oldest first.")
    backlog = shapes.whole("Unresolved tickets.")
    average_urgency = shapes.decimal("Mean urgency, from 1.0 to 5.0.", required=False)
    first_response_seconds_median = shapes.whole(
        "Median time from opening to a person's first public reply.", required=False
    )
    resolution_seconds_median = shapes.whole("Median time from opening to resolving.", required=False)
    agents = shapes.items(AgentFigures, "What each agent has, in the order of their names.")


@blp.get("/api/stats", "GetStats", may=Permission.STATS_READ, query=StatsQuery, gives=Stats)
def get_stats(desk: Desk, query: Row) -> Answer:
    """Get ticket statistics.

    Every figure of a dashboard in one call, over all tickets or those opened from one time to another.
    """
    figures = stats.overview(desk, **query)
    return Answer(
        figures, f"{how_many(figures['total_tickets'], 'ticket')[:-1]}, {figures['open_tickets']} of them open."
    )
