"""Sums over the tickets of a selection, from the sums that the database keeps for days and months. Only reads.

Uncounted tickets are summed directly: those of stale days, and of the first and last hours of a period.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import Any

from sqlalchemy import Select, Subquery, func, literal_column, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from database.tables import stale_days, ticket_sums, tickets, word_sums
from database.ticket_sums import DURATIONS, HALF_HOURS, STEPS, SUMS
from services.prepared_statements import prepared, text
from services.stats import statements
from services.stats.period import AFTER_ALL, Selection, cover
from storage import UnitOfWork

t, s, w = tickets.c, ticket_sums.c, word_sums.c
STEP_NAMES = {measure: tuple(f"{measure}_{step}" for step in STEPS) for measure in DURATIONS}
TOTALS = tuple(name for name in SUMS if name not in HALF_HOURS)
OF_AGENT = (
    *("number", "finished", "replies", "sla_met", "sla_breached", "csat_count", "csat_sum"),
    *(name for names in STEP_NAMES.values() for name in names),
)
COUNTS_OF_DAY = ("number", "finished", "sla_met", "sla_breached")
OF_DAY = (*COUNTS_OF_DAY, *HALF_HOURS)
MOST_PARTS = 2  # of a period: the hours before its first whole day, and after its last
Sums = Counter[str]
Span = tuple[str, str, str]  # months or days, start, exclusive end
_GROUPS = {"day": func.substr(t.created_at, 1, 10), "team": t.assigned_team, "agent": t.assigned_to}


class SumsOf:
    """The sums of one selection."""

    def __init__(self, uow: UnitOfWork, selection: Selection) -> None:
        self._uow = uow
        self._selection = selection
        self._cover = cover(selection.start, selection.end)
        self._place = statements.place_values(selection)
        self._stale_days = self._read_stale_days()
        self._spans = self._cover.spans({day[:7] for day in self._stale_days})
        self._kind = _kind(bool(selection.team), bool(selection.agent))

    def totals(self) -> Sums:
        """All sums but those of half-hours."""
        return self._by("", self._kind, TOTALS).get("", Sums())

    def by_team(self) -> dict[str, Sums]:
        """The number of tickets of each team."""
        return self._by("team", _kind(True, bool(self._selection.agent)), ("number",))

    def by_agent(self) -> dict[str, Sums]:
        """OF_AGENT of each value of assigned_to, "" included."""
        return self._by("agent", _kind(bool(self._selection.team), True), OF_AGENT)

    def by_day(self) -> dict[str, list[int]]:
        """COUNTS_OF_DAY of each day in UTC that has tickets."""
        days = {day: numbers[: len(COUNTS_OF_DAY)] for day, numbers in self.whole_days.items()}
        return days | dict(self._uncounted_sums("day", COUNTS_OF_DAY))

    @cached_property
    def whole_days(self) -> dict[str, list[int]]:
        """OF_DAY of each day in UTC of which every moment is in the period, if it has tickets and is not stale."""
        if self._cover.first_day >= self._cover.day_end:
            return {}
        spans = [("days", self._cover.first_day, self._cover.day_end)]
        return {day: list(map(int, row)) for day, *row in self._read("span", self._kind, OF_DAY, spans)}

    def uncounted_minutes(self) -> list[tuple[Any, ...]]:
        """The minutes in which uncounted tickets were opened, like 2026-11-20T09:41, and the number of each."""
        if not self._has_uncounted:
            return []
        minute = func.substr(t.created_at, 1, 16)
        return self._uow.aggregate(
            self._uncounted_tickets("minutes", [minute, func.count()], group=[minute]), **self._range_values()
        )

    def by_word(self, kind: str) -> Counter[str]:
        """The number of tickets of each `topic` or `tag`."""
        counts: Counter[str] = Counter()
        scope = "pair" if self._selection.team or self._selection.agent else "all"
        if self._spans:
            arms = _arm_count(self._spans)
            statement = prepared(self._uow, ("words", arms, tuple(self._place)), lambda: self._word_query(arms))
            params = _span_values(f"{kind}_{scope}", self._spans) | self._place
            counts.update({word: int(number) for word, number in self._uow.aggregate(statement, **params)})
        for topic, tags in self._uncounted_words:
            counts.update({topic} - {""} if kind == "topic" else set(tags))
        return counts

    @cached_property
    def _uncounted_words(self) -> list[tuple[Any, ...]]:
        """The topic and tags of each uncounted ticket."""
        if not self._has_uncounted:
            return []
        return self._uow.aggregate(self._uncounted_tickets("words", [t.topic, t.tags]), **self._range_values())

    def _by(self, group: str, kind: str, names: tuple[str, ...]) -> dict[str, Sums]:
        groups: dict[str, Sums] = {}
        for row in self._read(group, kind, names, self._spans):
            key, sums = (row[0], row[1:]) if group else ("", row)
            if sums[0] is not None:
                groups[key] = Sums(dict(zip(names, map(int, sums), strict=True)))
        for key, numbers in self._uncounted_sums(group, names):
            groups.setdefault(key, Sums()).update(dict(zip(names, numbers, strict=True)))
        return groups

    def _read(self, group: str, kind: str, names: tuple[str, ...], spans: list[Span]) -> list[tuple[Any, ...]]:
        """The sums of whole months and days, grouped by the column `group` unless it is ""."""
        if not spans:
            return []
        arms = _arm_count(spans)

        def build() -> Select[Any]:
            columns = [s[group]] if group else []
            query = self._uow.query(ticket_sums, *columns, *(func.sum(s[name]) for name in names))
            return statements.place(_in_spans(query, s, arms), self._selection, s.team, s.agent).group_by(*columns)

        statement = prepared(self._uow, ("sums", group, names, arms, tuple(self._place)), build)
        return self._uow.aggregate(statement, **_span_values(kind, spans), **self._place)

    def _word_query(self, arms: int) -> Select[Any]:
        query = self._uow.query(word_sums, w.word, func.sum(w.number)).group_by(w.word)
        return statements.place(_in_spans(query, w, arms), self._selection, w.team, w.agent)

    @property
    def _has_uncounted(self) -> bool:
        return bool(self._cover.parts or self._stale_days)

    def _read_stale_days(self) -> list[str]:
        def build() -> Select[Any]:
            day = stale_days.c.day
            return self._uow.query(stale_days, day).where(day >= text("first_day"), day < text("day_end"))

        return [day for (day,) in self._uow.aggregate(prepared(self._uow, "stale days", build), **self._whole_days())]

    def _whole_days(self) -> dict[str, str]:
        return {"first_day": self._cover.first_day, "day_end": self._cover.day_end}

    def _uncounted_sums(self, group: str, names: tuple[str, ...]) -> Iterator[tuple[str, list[int]]]:
        """The sums of uncounted tickets, grouped by day, team or agent, or in all for ""."""
        if not self._has_uncounted:
            return
        columns = [_GROUPS[group]] if group else []
        sums: list[ColumnElement[Any]] = [literal_column(SUMS[name].format("tickets")) for name in names]
        statement = self._uncounted_tickets(("sums", group, names), [func.count(), *columns, *sums], group=columns)
        for number, *row in self._uow.aggregate(statement, **self._range_values()):
            if number:  # without a group there is a row also without tickets
                yield (row[0] if group else ""), list(map(int, row[len(columns) :]))

    def _uncounted_tickets(
        self, name: Hashable, columns: list[ColumnElement[Any]], group: Iterable[ColumnElement[Any]] = ()
    ) -> Select[Any]:
        """A query of uncounted tickets."""

        def build() -> Select[Any]:
            ranges = self._uncounted_ranges()
            query = self._uow.query(tickets, *columns).group_by(*group)
            query = query.where(t.created_at >= ranges.c.start, t.created_at < ranges.c.end)
            return statements.place(query, self._selection, t.assigned_team, t.assigned_to)

        return prepared(self._uow, ("uncounted", name, tuple(self._place)), build)

    def _uncounted_ranges(self) -> Subquery:
        """The times of uncounted tickets as rows: `start` and exclusive `end`."""
        day = stale_days.c.day
        stale = self._uow.query(stale_days, (day + "T").label("start"), (day + "T24").label("end"))
        stale = stale.where(day >= text("first_day"), day < text("day_end"))
        ends = (
            select(text(f"start_{number}").label("start"), text(f"end_{number}").label("end"))
            for number in range(MOST_PARTS)
        )
        return union_all(stale, *ends).subquery("ranges")

    def _range_values(self) -> dict[str, str]:
        values = self._place | self._whole_days()
        for number in range(MOST_PARTS):
            part = self._cover.parts[number] if number < len(self._cover.parts) else (AFTER_ALL, AFTER_ALL)
            values |= {f"start_{number}": part[0], f"end_{number}": part[1]}
        return values


def _kind(by_team: bool, by_agent: bool) -> str:
    return {(False, False): "all", (True, False): "team", (False, True): "agent", (True, True): "pair"}[
        by_team, by_agent
    ]


def _arm_count(spans: list[Span]) -> int:
    """For how many spans a statement is built: a power of two, so that few statements serve all."""
    return 1 << max(1, (len(spans) - 1).bit_length())


def _in_spans(query: Select[Any], columns: Any, arms: int) -> Select[Any]:
    """The query limited to the rows of so many spans, which are parameters."""
    names = ("kind", "first", "end")
    rows = (select(*(text(f"{name}_{number}").label(name) for name in names)) for number in range(arms))
    spans = union_all(*rows).subquery("spans").c
    return query.where(columns.kind == spans.kind, columns.span >= spans.first, columns.span < spans.end)


def _span_values(kind: str, spans: list[Span]) -> dict[str, str]:
    """The parameters of `_in_spans`. Those in excess read nothing."""
    values: dict[str, str] = {}
    for number in range(_arm_count(spans)):
        unit, first, end = spans[number] if number < len(spans) else ("", "", "")
        values |= {f"kind_{number}": f"{kind}_{unit}", f"first_{number}": first, f"end_{number}": end}
    return values
