"""Figures of the dashboard; docs/metrics.md has every formula. Only reads.

Counts and sums come from services/stats/sums.py, percentiles from services/stats/percentiles.py. The cost grows with the days,
teams and agents of the selection, not with its tickets.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Select, func

from core import models
from database.tables import tickets
from database.ticket_sums import DURATIONS, WORDS
from services.prepared_statements import prepared, text
from services.routing import teams
from services.stats import hours, percentiles, statements
from services.stats.percentiles import Figure, half_up
from services.stats.period import AFTER_ALL, MIDNIGHT, Selection
from services.stats.sums import Sums, SumsOf
from storage import Row, UnitOfWork

t = tickets.c
DAYS, WEEKS = 30, 12
MOST_WORDS = 50  # topics and tags, the most frequent
CHARTS = {
    "by_status": "status",
    "by_priority": "priority",
    "by_category": "category",
    "by_sentiment": "sentiment",
    "by_source": "source",
    "by_tier": "customer_tier",
}
# Age in days of UTC: the key, and the first age that it has no more.
AGES = {"today": 1, "1_to_2_days": 3, "3_to_6_days": 7, "7_to_29_days": 30, "30_days_or_more": None}
COUNTED = ("ai_confirmed", "ai_assumed", "ai_handed_over", "ai_reopened")


def overview(uow: UnitOfWork, *, start: str = "", end: str = "", team: str = "", agent: str = "") -> Row:
    """All figures of docs/metrics.md about tickets created from `start` to before `end`, of a team, of an agent ("" for all).

    The unit of work must be a snapshot if somebody may write or count days meanwhile.
    """
    selection = Selection(start, end, team, agent)
    sums = SumsOf(uow, selection)
    totals, by_agent, by_day = sums.totals(), sums.by_agent(), sums.by_day()
    earlier = selection.before(uow.now)
    earlier_totals = SumsOf(uow, earlier).totals() if earlier else Sums()
    percentile_requests = [*percentiles.of_selection(selection, totals), *_of_agents(selection, by_agent)]
    if earlier:
        percentile_requests += percentiles.of_selection(earlier, earlier_totals, prefix="previous")
    durations = percentiles.find(uow, percentile_requests)
    numbers = _numbers(totals, percentiles.by_figure(durations, ""))
    previous = _numbers(earlier_totals, percentiles.by_figure(durations, "previous")) if earlier else None
    days = _days(uow.now, end)
    unresolved = {day: number - finished for day, (number, finished, *_) in by_day.items()}
    return {
        **numbers,
        **{name: _chart(totals, field) for name, field in CHARTS.items()},
        "by_team": _teams({key: one["number"] for key, one in sums.by_team().items()}, teams.names(uow)),
        "created_per_day": models.chart_rows({day: numbers[0] for day, numbers in by_day.items()}, days),
        "resolved_per_day": models.chart_rows(_resolved(uow, selection, days), days),
        "backlog_by_age": _ages(unresolved, uow.now[:10]),
        "sla_by_week": _weeks(by_day, days[-1]),
        "by_hour": hours.by_hour(uow, selection, sums),
        "by_topic": _words(sums.by_word("topic")),
        "by_tag": _words(sums.by_word("tag")),
        "agents": _agents(by_agent, durations),
        "changes": _changes(numbers, previous or {}),
        **({"previous": previous} if previous is not None else {}),
    }


def _changes(numbers: Row, previous: Row) -> list[Row]:
    """Each number that both periods have, with how much it grew; in percent unless it was 0 before."""
    return [
        {
            "key": name,
            "label": models.label(name),
            "value": value,
            "previous": before,
            "change": round(value - before, 2),
            **({"change_percent": round(100 * (value - before) / before, 1)} if before else {}),
        }
        for name, value in sorted(numbers.items())
        if (before := previous.get(name)) is not None
    ]


def _weeks(by_day: Mapping[str, list[int]], last_day: str) -> list[Row]:
    """Kept and missed times of tickets opened in each of the last 12 weeks, oldest first. A week begins on Monday in UTC."""
    last = date.fromisoformat(last_day)
    monday = max(last.toordinal() - last.weekday(), 7 * WEEKS)  # there is no day before 0001-01-01
    first = monday - 7 * (WEEKS - 1)
    counts = [[0, 0] for _ in range(WEEKS)]
    for day, (*_, met, breached) in by_day.items():
        week = (date.fromisoformat(day).toordinal() - first) // 7
        if 0 <= week < WEEKS:
            counts[week][0] += met
            counts[week][1] += breached
    return [_week(date.fromordinal(first + 7 * place).isoformat(), *numbers) for place, numbers in enumerate(counts)]


def _week(key: str, met: int, breached: int) -> Row:
    decided = met + breached
    share = {"sla_met_percent": half_up(1000 * met, decided) / 10} if decided else {}
    return {"key": key, "label": key, "met": met, "breached": breached, **share}


def _numbers(sums: Sums, durations: Mapping[str, int]) -> Row:
    """The single numbers of a selection."""
    total, finished = sums["number"], sums["finished"]
    status = {name: sums[f"status_{name}"] for name in models.STATUSES}
    return {
        "total_tickets": total,
        **{f"{name}_tickets": status[name] for name in ("new", "ai_responded", "assigned", "resolved")},
        "ai_resolution_rate": half_up(1000 * sums["by_ai"], finished) / 10 if finished else 0.0,
        "open_tickets": total - finished,
        "backlog": total - finished,
        **({"average_urgency": half_up(sums["urgency"], total) / 10} if total else {}),
        **durations,
        **_sla_and_csat(sums),
        **{name: sums[name] for name in COUNTED},
    }


def _sla_and_csat(sums: Sums) -> Row:
    decided, rated = sums["sla_met"] + sums["sla_breached"], sums["csat_count"]
    return {
        **({"sla_met_percent": half_up(1000 * sums["sla_met"], decided) / 10} if decided else {}),
        **({"csat_average": half_up(100 * sums["csat_sum"], rated) / 100} if rated else {}),
        "csat_count": rated,
    }


def _chart(sums: Sums, field: str) -> list[Row]:
    return models.chart_rows({word: sums[f"{field}_{word}"] for word in WORDS[field]}, WORDS[field])


def _teams(counts: Mapping[str, int], names: Mapping[str, str]) -> list[Row]:
    """The teams of the company under their names, and those that only tickets still name."""
    others = sorted(key for key, number in counts.items() if number and key not in names)
    rows = models.chart_rows(counts, (*names, *others))
    return [{**row, "label": names.get(row["key"], row["label"])} for row in rows]


def _words(counts: Mapping[str, int]) -> list[Row]:
    """The most frequent words, the most frequent first. They are the company's own, so each is its own label."""
    most = sorted(((number, word) for word, number in counts.items() if number), key=lambda row: (-row[0], row[1]))
    return [{"key": word, "label": word, "count": number} for number, word in most[:MOST_WORDS]]


def _ages(unresolved: Mapping[str, int], today: str) -> list[Row]:
    counts: Counter[str] = Counter()
    last = date.fromisoformat(today).toordinal()
    for day, number in unresolved.items():
        age = last - date.fromisoformat(day).toordinal()
        counts[next(key for key, end in AGES.items() if end is None or age < end)] += number
    return models.chart_rows(counts, AGES)


def _of_agents(selection: Selection, by_agent: Mapping[str, Sums]) -> Iterable[Figure]:
    for name, sums in by_agent.items():
        theirs = Selection(selection.start, selection.end, selection.team, name)
        for measure, column in DURATIONS.items():
            if name:
                yield Figure((("agent", name), f"{column}_median"), measure, theirs, sums, "median")


def _agents(by_agent: Mapping[str, Sums], durations: Mapping[tuple[object, str], int]) -> list[Row]:
    times: dict[str, Row] = {}
    for (prefix, name), seconds in durations.items():
        if isinstance(prefix, tuple):
            times.setdefault(prefix[1], {})[name] = seconds
    return [
        {
            "agent": agent,
            "open": sums["number"] - sums["finished"],
            "resolved": sums["finished"],
            "replies": sums["replies"],
            **times.get(agent, {}),
            **_sla_and_csat(sums),
        }
        for agent, sums in sorted(by_agent.items())
        if agent and sums["number"]
    ]


def _days(now: str, end: str) -> list[str]:
    """The last 30 days in UTC, oldest first: up to today, or up to the last day before `end`."""
    last = date.fromisoformat((end or now)[:10]).toordinal()
    if end.endswith(MIDNIGHT):
        last -= 1
    last = max(last, DAYS)  # there is no day before 0001-01-01
    return [date.fromordinal(day).isoformat() for day in range(last - DAYS + 1, last + 1)]


def _resolved(uow: UnitOfWork, selection: Selection, days: list[str]) -> dict[str, int]:
    """The number of tickets of the selection by the day of their resolution."""

    def build() -> Select[Any]:
        day = func.substr(t.resolved_at, 1, 10)
        created_at, team, agent = (uow.no_index(column) for column in (t.created_at, t.assigned_team, t.assigned_to))
        within = t.resolved_at.between(text("first"), text("last"))
        query = uow.query(tickets, day, func.count()).where(
            within, created_at >= text("start"), created_at < text("end")
        )
        return statements.place(query.group_by(day), selection, team, agent)

    place = statements.place_values(selection)
    params = {"first": days[0] + MIDNIGHT, "last": f"{days[-1]}T23:59:59.999Z", "start": selection.start}
    statement = prepared(uow, ("resolved", tuple(place)), build)
    return {
        name: number for name, number in uow.aggregate(statement, **params, end=selection.end or AFTER_ALL, **place)
    }
