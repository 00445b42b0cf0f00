"""Sums over the tickets of a selection, from the sums that the database keeps for days and months. Only reads.

What no whole day covers, the first and last hours of a period, is summed from the tickets themselves.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, and_, func, literal_column, or_
from sqlalchemy.sql.elements import ColumnElement

from database.tables import ticket_sums, tickets, word_sums
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
MOST_PARTS = 2  # the beginning and the end of a period
Sums = Counter[str]
_PLACES = {name: place for place, name in enumerate(TOTALS)}


class Parts(NamedTuple):
    """Sums of parts of days: for each row its day, team and agent, and its numbers in the order of TOTALS."""

    keys: dict[str, list[str]]
    numbers: npt.NDArray[np.int64]


class SumsOf:
    """The sums of one selection. Parts of days are read once."""

    def __init__(self, uow: UnitOfWork, selection: Selection) -> None:
        self._uow = uow
        self._selection = selection
        self._cover = cover(selection.start, selection.end)
        self._place = statements.place_values(selection)
        self._parts = self._read_parts()
        self._days: dict[str, list[int]] | None = None
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
        days = {day: numbers[: len(COUNTS_OF_DAY)] for day, numbers in self.whole_days().items()}
        return days | dict(self._of_part("day", COUNTS_OF_DAY))

    def whole_days(self) -> dict[str, list[int]]:
        """OF_DAY of each day in UTC of which every moment is in the period, if it has tickets. Read once."""
        if self._days is None:
            self._days = {}
            if self._cover.first_day < self._cover.day_end:
                span = ("days", self._cover.first_day, self._cover.day_end)
                self._days = {day: list(map(int, row)) for day, *row in self._read("span", self._kind, OF_DAY, span)}
        return self._days

    def minutes_of_parts(self) -> list[tuple[Any, ...]]:
        """The minutes of the parts of days, like 2026-11-20T09:41, and the number of their tickets."""
        if not self._cover.parts:
            return []
        minute = func.substr(t.created_at, 1, 16)
        return self._uow.aggregate(
            self._of_parts("minutes", [minute, func.count()], group=[minute]), **self._part_values()
        )

    def by_word(self, kind: str) -> Counter[str]:
        """The number of tickets of each `topic` or `tag`."""
        counts: Counter[str] = Counter()
        scope = "pair" if self._selection.team or self._selection.agent else "all"
        for size, first, end in self._cover.spans():
            statement = prepared(self._uow, ("words", tuple(self._place)), self._word_query)
            params = {"kind": f"{kind}_{scope}_{size}", "first": first, "end": end, **self._place}
            for word, number in self._uow.aggregate(statement, **params):
                counts[word] += int(number)
        if self._cover.parts:
            for topic, tags in self._uow.aggregate(self._of_parts("words", [t.topic, t.tags]), **self._part_values()):
                counts.update({topic} - {""} if kind == "topic" else set(tags))
        return counts

    def _by(self, group: str, kind: str, names: tuple[str, ...]) -> dict[str, Sums]:
        groups: dict[str, Sums] = {}
        for span in self._cover.spans():
            for row in self._read(group, kind, names, span):
                key, sums = (row[0], row[1:]) if group else ("", row)
                if sums[0] is not None:
                    groups.setdefault(key, Sums()).update(dict(zip(names, map(int, sums), strict=True)))
        for key, numbers in self._of_part(group, names):
            groups.setdefault(key, Sums()).update(dict(zip(names, numbers, strict=True)))
        return groups

    def _read(self, group: str, kind: str, names: tuple[str, ...], span: tuple[str, str, str]) -> list[tuple[Any, ...]]:
        """The sums of whole months or days, grouped by the column `group` unless it is ""."""

        def build() -> Select[Any]:
            columns = [s[group]] if group else []
            query = self._uow.query(ticket_sums, *columns, *(func.sum(s[name]) for name in names))
            return statements.place(_in_span(query, s), self._selection, s.team, s.agent).group_by(*columns)

        size, first, end = span
        statement = prepared(self._uow, ("sums", group, names, tuple(self._place)), build)
        params = {"kind": f"{kind}_{size}", "first": first, "end": end, **self._place}
        return self._uow.aggregate(statement, **params)

    def _word_query(self) -> Select[Any]:
        query = self._uow.query(word_sums, w.word, func.sum(w.number)).group_by(w.word)
        return statements.place(_in_span(query, w), self._selection, w.team, w.agent)

    def _read_parts(self) -> Parts | None:
        """The sums of the parts of days, for each day, team and agent."""
        if not self._cover.parts:
            return None
        place = [func.substr(t.created_at, 1, 10), t.assigned_team, t.assigned_to]
        sums: list[ColumnElement[Any]] = [
            func.sum(literal_column(f"({SUMS[name].format('tickets')})")) for name in TOTALS
        ]
        statement = self._of_parts("sums", [*place, *sums], group=place)
        rows = self._uow.aggregate(statement, **self._part_values())
        keys = {name: [row[number] for row in rows] for number, name in enumerate(("day", "team", "agent"))}
        return Parts(keys, np.array([row[3:] for row in rows], dtype=np.int64)) if rows else None

    def _of_part(self, group: str, names: tuple[str, ...]) -> Iterator[tuple[str, list[int]]]:
        """The sums of the parts of days, grouped by day, team or agent, or in all for ""."""
        if self._parts is None:
            return
        columns = [_PLACES[name] for name in names]
        rows_of: dict[str, list[int]] = defaultdict(list)
        for row, key in enumerate(self._parts.keys.get(group) or [""] * len(self._parts.numbers)):
            rows_of[key].append(row)
        for key, rows in rows_of.items():
            yield key, self._parts.numbers[np.ix_(rows, columns)].sum(axis=0).tolist()

    def _of_parts(
        self, name: str, columns: list[ColumnElement[Any]], group: Iterable[ColumnElement[Any]] = ()
    ) -> Select[Any]:
        """A query of the tickets in parts of days."""

        def build() -> Select[Any]:
            in_parts = (
                and_(t.created_at >= text(f"start_{number}"), t.created_at < text(f"end_{number}"))
                for number in range(MOST_PARTS)
            )
            query = self._uow.query(tickets, *columns).where(or_(*in_parts)).group_by(*group)
            return statements.place(query, self._selection, t.assigned_team, t.assigned_to)

        return prepared(self._uow, ("parts", name, tuple(self._place)), build)

    def _part_values(self) -> dict[str, str]:
        values = dict(self._place)
        for number in range(MOST_PARTS):
            part = self._cover.parts[number] if number < len(self._cover.parts) else (AFTER_ALL, AFTER_ALL)
            values |= {f"start_{number}": part[0], f"end_{number}": part[1]}
        return values


def _kind(by_team: bool, by_agent: bool) -> str:
    return {(False, False): "all", (True, False): "team", (False, True): "agent", (True, True): "pair"}[
        by_team, by_agent
    ]


def _in_span(query: Select[Any], columns: Any) -> Select[Any]:
    """The query limited to the rows of the parameters: a kind, and the spans from `first` to before `end`."""
    return query.where(columns.kind == text("kind"), columns.span >= text("first"), columns.span < text("end"))
