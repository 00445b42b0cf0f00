"""The expected time of resolution of a new ticket, from the resolved tickets of its company. Only reads.

docs/metrics.md has the formula. What was learned is held in memory, so a new ticket asks the store nothing.
"""

import threading
from bisect import insort
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

from database.tables import tickets
from services.stats.percentiles import half_up
from storage import Row, UnitOfWork

t = tickets.c
LEAST = 10  # resolved tickets of a group, to expect anything from it
MOST = 2_000  # resolved tickets, the newest, that count
MOST_NEW = 10  # tickets opened since it was learned, before a small company learns again
MOST_COMPANIES = 1_000
FIELD = "expected_resolution_seconds"
# The groups of like tickets, the narrowest first. The first that is large enough counts.
GROUPS = (("category", "priority", "customer_tier"), ("category", "priority"), ("priority",), ())


class Expected(NamedTuple):
    """Seconds from opening to resolving: the median of like tickets, and the bounds of the middle 80 percent of them."""

    median: int
    low: int
    high: int

    def fields(self) -> Row:
        """The fields of a ticket."""
        return {FIELD: self.median, f"{FIELD}_low": self.low, f"{FIELD}_high": self.high}


class _Learned(NamedTuple):
    number: int  # the newest ticket's when it was learned
    size: int  # resolved tickets
    groups: dict[tuple[str, ...], Expected]


class ResolutionTimes:
    """What the resolved tickets of each company say. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._learned: OrderedDict[str, _Learned] = OrderedDict()
        self._newest: dict[str, int] = {}  # the number of the newest ticket seen of each company

    def expected(self, company: str, ticket: Row) -> Row:
        """The expected time of a new ticket as fields; {} when its company has not resolved enough like it."""
        with self._lock:
            self._newest[company] = ticket["number"]
            learned = self._learned.get(company)
        if learned is None:
            return {}
        expected = next((learned.groups[key] for key in _keys(ticket) if key in learned.groups), None)
        return expected.fields() if expected else {}

    def is_due(self, company: str) -> bool:
        """Whether to learn: nothing is learned yet, or the company has opened a quarter as many tickets since, 10 at least."""
        with self._lock:
            learned, newest = self._learned.get(company), self._newest.get(company, 0)
        return learned is None or abs(newest - learned.number) >= max(MOST_NEW, learned.size // 4)

    def learn(self, uow: UnitOfWork) -> None:
        """Learns from the newest resolved tickets. The unit of work must see the whole company."""
        company = uow.actor.company_id
        with self._lock:
            number = self._newest.get(company, 0)
        rows = history(uow)
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row in rows:
            for key in _keys(row):
                groups[key].append(row["resolution_seconds"])
        expected = {key: _of_values(sorted(values)) for key, values in groups.items() if len(values) >= LEAST}
        with self._lock:
            self._learned[company] = _Learned(number, len(rows), expected)
            self._learned.move_to_end(company)
            while len(self._learned) > MOST_COMPANIES:
                self._newest.pop(self._learned.popitem(last=False)[0], None)

    def clear(self) -> None:
        """Forgets everything: another store was opened."""
        with self._lock:
            self._learned.clear()
            self._newest.clear()


def history(uow: UnitOfWork) -> list[Row]:
    """The newest resolved tickets, the newest first: what a ticket was like, and how long it took."""
    columns = (t.category, t.priority, t.customer_tier, t.resolution_seconds, t.created_at, t.resolved_at)
    resolved = uow.query(tickets, *columns).where(t.resolved_at.is_not(None), t.resolution_seconds.is_not(None))
    return uow.find(resolved.order_by(t.resolved_at.desc()).limit(MOST))


def quality(uow: UnitOfWork) -> tuple[list[tuple[str, bool]], int | None]:
    """How right the expectation is on stored history, each ticket seen with what was resolved before it was opened.

    Returns for each ticket the month of its opening and whether the interval held its time. Also the median of the
    absolute errors in seconds, None without tickets.
    """
    outcomes, errors = [], []
    for row, expected in _expectations(history(uow)):
        seconds = row["resolution_seconds"]
        outcomes.append((row["created_at"][:7], expected.low <= seconds <= expected.high))
        errors.append(abs(expected.median - seconds))
    return outcomes, round(median(errors)) if errors else None


def _expectations(rows: Iterable[Row]) -> Iterator[tuple[Row, Expected]]:
    """Each ticket, the first opened first, with what the tickets resolved before it made expect."""
    rows = list(rows)
    resolved = iter(sorted(rows, key=lambda row: str(row["resolved_at"])))
    earlier = next(resolved, None)
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: str(row["created_at"])):
        while earlier is not None and earlier["resolved_at"] < row["created_at"]:
            for key in _keys(earlier):
                insort(groups[key], earlier["resolution_seconds"])
            earlier = next(resolved, None)
        values = next((groups[key] for key in _keys(row) if len(groups[key]) >= LEAST), None)
        if values:
            yield row, _of_values(values)


def _keys(row: Row) -> Iterator[tuple[str, ...]]:
    """The groups that a ticket belongs to, the narrowest first."""
    return ((str(len(names)), *(row[name] for name in names)) for names in GROUPS)


def _of_values(values: Sequence[int]) -> Expected:
    """Median and 10th and 90th percentile (nearest rank) of values in order."""
    count = len(values)
    middle = values[(count - 1) // 2 : count // 2 + 1]

    def ranked(tenths: int) -> Any:
        return values[-(-tenths * count // 10) - 1]

    return Expected(half_up(sum(middle), len(middle)), ranked(1), ranked(9))
