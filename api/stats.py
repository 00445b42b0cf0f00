"""Ticket statistics over HTTP: all figures of a dashboard in one call; services/stats/report.py counts them."""

from typing import Any

from flask import Response, g
from marshmallow import Schema, ValidationError, fields, validates_schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Moment, Person, TeamName
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.models import LIMITS
from core.permissions import Permission
from services.import_export import spreadsheets
from services.stats import report, table
from storage import Row

blp = Resource("stats", __name__, description="Ticket statistics.")


class StatsQuery(Schema):
    """Which tickets to count."""

    start = Moment(data_key="from", about="Only tickets opened at this time or later.")
    end = Moment(data_key="to", about="Only tickets opened before this time; the 30 days of the charts end here.")
    team = TeamName(about="Only tickets of this team.")
    agent = Person(LIMITS["assigned_to"], about="Only tickets of this agent, as in assigned_to.")

    @validates_schema
    def check_order(self, values: Row, **_: Any) -> None:
        if "start" in values and "end" in values and values["start"] >= values["end"]:
            raise ValidationError("to must be later than from; a day ends where the next one starts.", "to")


class Outcomes(Schema):
    """How agreed times were kept, and what customers said."""

    sla_met_percent = schemas.decimal(
        "Percent of tickets whose agreed times were met, of those met or breached.", required=False
    )
    csat_average = schemas.decimal("Mean rating by customers, from 1.00 to 5.00.", required=False)
    csat_count = schemas.integer("Tickets that their customer rated.")


class AgentFigures(Outcomes):
    """One agent's share."""

    agent = schemas.text("Agent, as in assigned_to.")
    open = schemas.integer("Their tickets that are not resolved or closed.")
    resolved = schemas.integer("Their tickets that are resolved or closed.")
    replies = schemas.integer("Public replies that people wrote on their tickets.")
    first_response_seconds_median = schemas.integer(
        "Median time from opening to a person's first public reply on their tickets.", required=False
    )
    resolution_seconds_median = schemas.integer("Median time from opening to resolving their tickets.", required=False)


class Numbers(Outcomes):
    """The single numbers of a period."""

    total_tickets = schemas.integer("All tickets.")
    new_tickets = schemas.integer("Tickets that are new.")
    ai_responded_tickets = schemas.integer("Tickets answered by AI and by nobody else yet.")
    assigned_tickets = schemas.integer("Tickets given to an agent who has not started.")
    resolved_tickets = schemas.integer("Tickets that are resolved and not closed.")
    ai_resolution_rate = schemas.decimal("Percent of resolved or closed tickets that AI answered and no person did.")
    open_tickets = schemas.integer("Tickets not resolved or closed.")
    backlog = schemas.integer("Unresolved tickets.")
    average_urgency = schemas.decimal("Mean urgency, from 1.0 to 5.0.", required=False)
    first_response_seconds_median = schemas.integer(
        "Median time from opening to a person's first public reply.", required=False
    )
    first_response_seconds_p90 = schemas.integer(
        "Time to a person's first public reply that 90 percent of tickets do not exceed.", required=False
    )
    resolution_seconds_median = schemas.integer("Median time from opening to resolving.", required=False)
    resolution_seconds_p90 = schemas.integer(
        "Time to resolving that 90 percent of tickets do not exceed.", required=False
    )
    ai_confirmed = schemas.integer("Tickets AI resolved alone whose customer closed them or rated them 4 or 5.")
    ai_assumed = schemas.integer("Tickets AI resolved alone of which the customer said nothing.")
    ai_handed_over = schemas.integer("Tickets AI answered that a person answered too, or was given.")
    ai_reopened = schemas.integer("Tickets that were reopened after AI had resolved them alone.")


class WeekFigures(Schema):
    """How agreed times were kept in one week."""

    key = schemas.text("The Monday that the week begins with, in UTC.")
    label = schemas.text("The same.")
    met = schemas.integer("Tickets opened in this week whose agreed times were met.")
    breached = schemas.integer("Those whose agreed times were missed.")
    sla_met_percent = schemas.decimal("Percent of both whose agreed times were met.", required=False)


class NumberChange(Schema):
    """How a number differs from the period before."""

    key = schemas.text("Name of the number.")
    label = schemas.text("Its name for people.")
    value = schemas.decimal("The number.")
    previous = schemas.decimal("The number of the period before.")
    change = schemas.decimal("How much it grew; negative when it fell.")
    change_percent = schemas.decimal("The same in percent; left out when it was 0 before.", required=False)


class Stats(Numbers):
    """The figures of the dashboard."""

    by_status = schemas.items(schemas.Count, "Tickets by status.")
    by_priority = schemas.items(schemas.Count, "Tickets by priority.")
    by_category = schemas.items(schemas.Count, "Tickets by category.")
    by_team = schemas.items(schemas.Count, "Tickets by team.")
    by_sentiment = schemas.items(schemas.Count, "Tickets by sentiment.")
    by_source = schemas.items(schemas.Count, "Tickets by source.")
    by_tier = schemas.items(schemas.Count, "Tickets by the customer's plan.")
    by_topic = schemas.items(schemas.Count, "Tickets by topic, the 50 most frequent.")
    by_tag = schemas.items(schemas.Count, "Tickets by tag, the 50 most frequent.")
    by_hour = schemas.items(
        schemas.Count, "Tickets by the hour of the week in which they were opened, in your time zone."
    )
    created_per_day = schemas.items(schemas.Count, "Tickets opened on each of the last 30 days, oldest first.")
    resolved_per_day = schemas.items(schemas.Count, "Tickets resolved on each of the last 30 days, oldest first.")
    backlog_by_age = schemas.items(schemas.Count, "Unresolved tickets by their age in days.")
    sla_by_week = schemas.items(WeekFigures, "How agreed times were kept in the last 12 weeks, oldest first.")
    changes = schemas.items(
        NumberChange, "How each single number differs from the period before, as long as this one; only with from."
    )
    agents = schemas.items(AgentFigures, "What each agent has, in the order of their names.")
    previous = fields.Nested(
        Numbers,
        metadata={"description": "The single numbers of the period before, as long as this one; only with from."},
    )


class StatsExportQuery(StatsQuery):
    """Which tickets to count, and the kind of file."""

    format = Choice(("csv", "xlsx"), load_default="csv", about="Kind of file.")


@blp.get(
    "/api/stats",
    "GetStats",
    permission=Permission.STATS_READ,
    query=StatsQuery,
    response=Stats,
    manages_transactions=True,
)
def get_stats(query: Row) -> Answer:
    """Get ticket statistics.

    Every figure of a dashboard in one call. It can be filtered by time of opening, team and agent.
    """
    with current_runtime().storage.unit_of_work(g.actor, snapshot=True) as uow:
        figures = report.overview(uow, **query)
    return Answer(
        figures, f"{how_many(figures['total_tickets'], 'ticket')[:-1]}, {figures['open_tickets']} of them open."
    )


@blp.get(
    "/api/stats/export",
    "ExportStats",
    permission=Permission.STATS_READ,
    query=StatsExportQuery,
    response=Stats,
    manages_transactions=True,
    downloads={
        "text/csv": {"type": "string", "description": "A row for each number: figure, key, label, value, previous."},
        spreadsheets.MEDIA_TYPE: {"type": "string", "format": "binary", "description": "The same as an Excel file."},
    },
)
def export_stats(query: Row) -> Response:
    """Export ticket statistics.

    The same figures as a CSV or Excel (xlsx) file for spreadsheets, with a row for each number.
    """
    kind = query.pop("format")
    with current_runtime().storage.unit_of_work(g.actor, snapshot=True) as uow:
        figures, today = report.overview(uow, **query), uow.real_now[:10]
    if kind == "xlsx":
        response = Response(spreadsheets.pieces(table.as_sheet(figures)), mimetype=spreadsheets.MEDIA_TYPE)
    else:
        response = Response(table.as_csv(figures), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="stats-{today}.{kind}"'
    response.headers["Cache-Control"] = "no-store"
    return response
