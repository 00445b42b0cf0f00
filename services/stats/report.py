"""Figures of the dashboard; docs/metrics.md has every formula. Only reads.

Figures of all tickets come from counters (all_time.py). Figures of a period are counted from the tickets created from
`start` to before `end`, in four statements.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Integer, and_, func, literal, select, type_coerce, union_all
from sqlalchemy.sql.elements import ColumnElement

from core import models
from database.tables import tickets
from services.stats import all_time
from services.stats.all_time import half_up
from storage import Row, UnitOfWork

t = tickets.c
Period = list[ColumnElement[bool]]
DAYS = 30
WORDS: dict[str, tuple[ColumnElement[str], tuple[str, ...]]] = {
    "by_status": (t.status, models.STATUSES),
    "by_priority": (t.priority, models.PRIORITIES),
    "by_category": (t.category, models.CATEGORIES),
    "by_sentiment": (t.sentiment, models.SENTIMENTS),
    "by_source": (t.source, models.SOURCES),
    "by_tier": (t.customer_tier, models.TIERS),
}
_CELLS = [(name, word) for name, (_, words) in WORDS.items() for word in words]
MEDIANS: dict[str, ColumnElement[Any]] = {
    "first_response_seconds_median": t.first_response_seconds,
    "resolution_seconds_median": t.resolution_seconds,
}
_FINISHED = t.status.in_(models.FINISHED)
_BY_AI = and_(_FINISHED, t.ai_response != "", ~t.human_replied)
_TOTALS = (func.count(), func.sum(type_coerce(t.urgency, Integer)), func.count().filter(_BY_AI))
_COUNTS = tuple(func.count().filter(WORDS[name][0] == word) for name, word in _CELLS)


def overview(uow: UnitOfWork, *, start: str = "", end: str = "") -> Row:
    """All figures of docs/metrics.md about tickets created from `start` to before `end` ("" for no limit)."""
    period = [t.created_at >= start] if start else []
    if end:
        period.append(t.created_at < end)
    days = _days(uow.now, end)
    if period:
        total, urgency, by_ai, counts = _totals(uow, period)
        medians, per_day = _medians(uow, period), _per_day(uow, period, days)
        shares = _shares(uow, period)
    else:
        total, urgency, by_ai, counts = all_time.totals(uow)
        medians, per_day = all_time.medians(uow), all_time.per_day(uow, days)
        shares = all_time.shares(uow, counts["by_team"])
    by_team, agents = _teams_and_agents(*shares, medians)
    status = counts["by_status"]
    unresolved = sum(status[name] for name in models.OPEN)
    charts = {name: models.chart_rows(counts[name], words) for name, (_, words) in WORDS.items()}
    return {
        "total_tickets": total,
        **{f"{name}_tickets": status[name] for name in ("new", "ai_responded", "assigned", "resolved")},
        "ai_resolution_rate": half_up(1000 * by_ai, total - unresolved) / 10 if total > unresolved else 0.0,
        "open_tickets": unresolved,
        **charts,
        "by_team": by_team,
        **{name: models.chart_rows(by_day, days) for name, by_day in per_day.items()},
        "backlog": unresolved,
        **({"average_urgency": half_up(urgency, total) / 10} if total else {}),
        **{name: medians[name, ""] for name in MEDIANS if (name, "") in medians},
        "agents": agents,
    }


def _totals(uow: UnitOfWork, period: Period) -> tuple[int, int, int, dict[str, Counter[str]]]:
    """Returns (tickets, sum of urgency in tenths, tickets resolved by AI, counts of each value), in one query."""
    total, urgency, by_ai, *numbers = uow.aggregate(uow.query(tickets, *_TOTALS, *_COUNTS).where(*period))[0]
    counts: dict[str, Counter[str]] = {name: Counter() for name in WORDS}
    for (name, word), number in zip(_CELLS, numbers, strict=True):
        counts[name][word] = number
    return total, int(urgency or 0), by_ai, counts


def _shares(uow: UnitOfWork, period: Period) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Tickets per team, per agent, and finished tickets per agent, in one query."""
    columns = (t.assigned_team, t.assigned_to)
    query = uow.query(tickets, *columns, func.count(), func.count().filter(_FINISHED)).where(*period)
    teams: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    finished: Counter[str] = Counter()
    for team, agent, number, resolved in uow.aggregate(query.group_by(*columns)):
        teams[team] += number
        agents[agent] += number
        finished[agent] += resolved
    return teams, agents, finished


def _teams_and_agents(
    teams: Counter[str], agent_totals: Counter[str], finished: Counter[str], medians: dict[tuple[str, str], int]
) -> tuple[list[Row], list[Row]]:
    agent_rows = [
        {
            "agent": agent,
            "open": agent_totals[agent] - finished[agent],
            "resolved": finished[agent],
            **({"resolution_seconds_median": medians["agent", agent]} if ("agent", agent) in medians else {}),
        }
        for agent in sorted(agent_totals)
        if agent
    ]
    return models.chart_rows(teams, (*models.TEAMS, *sorted(set(teams) - set(models.TEAMS)))), agent_rows


def _days(now: str, end: str) -> list[str]:
    """The last 30 days in UTC, oldest first: up to today, or up to the last day before `end`."""
    last = date.fromisoformat((end or now)[:10]).toordinal()
    if end.endswith("T00:00:00.000Z"):
        last -= 1
    last = max(last, DAYS)  # there is no day before 0001-01-01
    return [date.fromordinal(day).isoformat() for day in range(last - DAYS + 1, last + 1)]


def _per_day(uow: UnitOfWork, period: Period, days: list[str]) -> dict[str, dict[str, int]]:
    first, last = f"{days[0]}T00:00:00.000Z", f"{days[-1]}T23:59:59.999Z"
    columns = {"created_per_day": t.created_at, "resolved_per_day": t.resolved_at}
    moments = union_all(
        *(
            uow.query(tickets, literal(name).label("name"), func.substr(column, 1, 10).label("day")).where(
                column.between(first, last), *period
            )
            for name, column in columns.items()
        )
    ).subquery()
    same = (moments.c.name, moments.c.day)
    counts: dict[str, dict[str, int]] = {name: {} for name in columns}
    for name, day, number in uow.aggregate(select(*same, func.count()).group_by(*same)):
        counts[name][day] = number
    return counts


def _medians(uow: UnitOfWork, period: Period) -> dict[tuple[str, str], int]:
    """The median of each measure that has values: under (field, "") for all tickets, under ("agent", name) for one agent's.

    SQLite has no median function, so rows are numbered and the middle one or two are read.
    """

    def values_of(name: str, column: ColumnElement[Any], agent: ColumnElement[str]) -> Any:
        labels = (literal(name).label("name"), agent.label("who"), column.label("seconds"))
        return uow.query(tickets, *labels).where(column.is_not(None), *period)

    queries = [values_of(name, column, literal("")) for name, column in MEDIANS.items()]
    values = union_all(*queries, values_of("agent", t.resolution_seconds, t.assigned_to)).subquery()
    group = (values.c.name, values.c.who)
    place = func.row_number().over(partition_by=group, order_by=values.c.seconds).label("place")
    rows = select(*group, values.c.seconds, place, func.count().over(partition_by=group).label("size")).subquery().c
    middle = select(rows.name, rows.who, func.min(rows.seconds), func.max(rows.seconds))
    middle = middle.where((2 * rows.place).between(rows.size, rows.size + 2))
    middles: Iterable[tuple[Any, ...]] = uow.aggregate(middle.group_by(rows.name, rows.who))
    return {(name, agent): half_up(low + high, 2) for name, agent, low, high in middles}
