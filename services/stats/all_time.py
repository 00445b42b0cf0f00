"""Statistics over all tickets of a company, from the counters that the database maintains. Only reads.

report.py combines them, and counts the same figures for a period directly from the tickets.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from core.models import FINISHED
from database.tables import tallies, tickets
from services.stats.counters import KINDS
from storage import UnitOfWork

c, t = tallies.c, tickets.c
Counts = dict[str, Counter[str]]
FIGURES = {
    "status": "by_status",
    "priority": "by_priority",
    "category": "by_category",
    "assigned_team": "by_team",
    "sentiment": "by_sentiment",
    "source": "by_source",
    "customer_tier": "by_tier",
}
MEDIANS_PER_QUERY = 100  # medians computed in one statement


class Distribution(NamedTuple):
    """Histogram of durations. Size 44 means 4000 to 4999 seconds, size 51 means 10000 to 19999."""

    column: ColumnElement[int | None]
    agent: str | None  # None for all tickets
    sizes: Mapping[int, int]

    def middle(self) -> tuple[int, int, int]:
        """Returns (lower bound of the median's size, rows to skip from there, rows to read: 1 or 2)."""
        total = sum(self.sizes.values())
        before, position = 0, (total - 1) // 2
        for size, number in sorted(self.sizes.items()):
            if before + number > position:
                return size % 10 * 10 ** (size // 10 - 1), position - before, 2 - total % 2
            before += number
        raise ValueError("a median needs at least one value")


def totals(uow: UnitOfWork) -> tuple[int, int, int, Counts]:
    """Returns (tickets, sum of urgency in tenths, tickets resolved by AI, counts of each value)."""
    total = urgency = by_ai = 0
    counts: Counts = {name: Counter() for name in FIGURES.values()}
    for kind in ("queue", "origin"):
        fields = KINDS[kind]
        places = [c[name] for name in "abcd"]
        figures = [counts[FIGURES[field]] for field in fields]
        cells = uow.query(tallies, *places, c.number, c.urgency, c.by_ai).where(c.kind == kind)
        for *words, number, tenths, resolved in uow.aggregate(cells):
            if kind == "queue":
                total, urgency, by_ai = total + number, urgency + tenths, by_ai + resolved
            for place, (figure, word) in enumerate(zip(figures, words, strict=True)):
                if kind == "queue" or place:  # both kinds count the status
                    figure[word] += number
    return total, urgency, by_ai, counts


def shares(uow: UnitOfWork, teams: Counter[str]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Tickets per team (`teams` unchanged), per agent, and finished tickets per agent."""
    finished = func.coalesce(func.sum(c.number).filter(c.b.in_(FINISHED)), 0)
    cells = uow.query(tallies, c.a, func.sum(c.number), finished).where(c.kind == "agent").group_by(c.a)
    rows = uow.aggregate(cells)
    totals, finished_counts = ({row[0]: int(row[place]) for row in rows} for place in (1, 2))
    return teams, Counter(totals), Counter(finished_counts)


def per_day(uow: UnitOfWork, days: list[str]) -> dict[str, dict[str, int]]:
    """Number of tickets created and resolved on each of the days."""
    counts: dict[str, dict[str, int]] = {"created_per_day": {}, "resolved_per_day": {}}
    kinds = {"opened": counts["created_per_day"], "ended": counts["resolved_per_day"]}
    cells = uow.query(tallies, c.kind, c.a, func.sum(c.number)).where(c.kind.in_(kinds), c.a.between(days[0], days[-1]))
    for kind, day, number in uow.aggregate(cells.group_by(c.kind, c.a)):
        kinds[kind][day] = int(number)
    return counts


def medians(uow: UnitOfWork) -> dict[tuple[str, str], int]:
    """The median of each measure that has values: under (field, "") for all tickets, under ("agent", name) for one agent's.

    The counters give the size of the median; its exact value is read from an index.
    """
    answers: Counter[int] = Counter()
    solutions: dict[str, Counter[int]] = defaultdict(Counter)
    cells = uow.query(tallies, c.kind, c.a, c.b, c.number).where(c.kind.in_(("answer", "solution")))
    for kind, first, second, number in uow.aggregate(cells):
        if kind == "answer":
            answers[int(first)] += number
        else:
            solutions[first][int(second)] += number
    all_solutions = sum(solutions.values(), Counter[int]())
    all_distributions = {("first_response_seconds_median", ""): Distribution(t.first_response_seconds, None, answers)}
    all_distributions["resolution_seconds_median", ""] = Distribution(t.resolution_seconds, None, all_solutions)
    all_distributions |= {
        ("agent", agent): Distribution(t.resolution_seconds, agent, sizes)
        for agent, sizes in solutions.items()
        if agent
    }
    distributions = [(name, distribution) for name, distribution in all_distributions.items() if distribution.sizes]
    return {name: value for name, value in _medians_of(uow, distributions)}


def _medians_of(
    uow: UnitOfWork, distributions: list[tuple[tuple[str, str], Distribution]]
) -> Iterable[tuple[tuple[str, str], int]]:
    for start in range(0, len(distributions), MEDIANS_PER_QUERY):
        portion = distributions[start : start + MEDIANS_PER_QUERY]
        middle_values: dict[int, list[int]] = defaultdict(list)
        arms = [_arm(uow, place, distribution) for place, (_, distribution) in enumerate(portion)]
        for place, seconds in uow.aggregate(select(union_all(*arms).subquery())):
            middle_values[place].append(seconds)
        for place, values in middle_values.items():
            yield portion[place][0], half_up(sum(values), len(values))


def _arm(uow: UnitOfWork, number: int, distribution: Distribution) -> Select[Any]:
    low, skipped, limit = distribution.middle()
    query = uow.query(tickets, distribution.column).where(distribution.column >= low)
    if distribution.agent is not None:
        query = query.where(t.assigned_to == distribution.agent)
    values = query.order_by(distribution.column).limit(limit).offset(skipped).subquery()
    return select(literal(number), *values.c)


def half_up(part: int, whole: int) -> int:
    """`part` / `whole` as a whole number, halves rounded up; in integers, so that every engine gives the same."""
    return (2 * part + whole) // (2 * whole)
