"""Imports articles: each is found again by its source, and a second import changes only what changed."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from math import inf
from time import monotonic
from typing import Any

from core.errors import AppError, FieldError
from services.import_export.import_values import RawRow
from services.import_export.imports import MOST_ERRORS, UNIT_SECONDS, Check
from services.knowledge import articles
from storage import OpenUnitOfWork, Row, UnitOfWork


@dataclass(slots=True)
class Result:
    """What became of the articles. `errors` holds the first 200 reasons: line, field and message."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, line: int, problems: Iterable[FieldError]) -> None:
        """Counts a refused article and says why."""
        self.rejected += 1
        reasons = [{"line": line, "field": one.field, "message": one.message} for one in problems]
        self.errors = [*self.errors, *reasons][:MOST_ERRORS]

    def add(self, other: "Result") -> None:
        """Adds the counts and errors of another part."""
        for name in ("read", "created", "updated", "unchanged", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors = [*self.errors, *other.errors][:MOST_ERRORS]

    def as_data(self) -> Row:
        """The public shape."""
        return asdict(self)


def import_rows(open_uow: OpenUnitOfWork, rows: Iterable[RawRow], check: Check, *, seconds: float = inf) -> Result:
    """Imports the articles in short units of work. `check` puts the fields into their form, or raises AppError.

    Stops after `seconds` and says at which article: the same import, sent again, goes on from there.
    """
    total, waiting, ends = Result(), without_repeats(rows), monotonic() + seconds
    while (row := next(waiting, None)) is not None:
        if monotonic() >= ends:
            stopped = "Stopped here after the longest time. Send the file again, and it goes on."
            total.errors.append({"line": row.line, "field": "", "message": stopped})
            break
        part = Result()
        with open_uow(write=True) as uow:
            for one in _for_a_while(chain([row], waiting)):
                _import_one(uow, one, check, part)
        total.add(part)  # after the commit: what is undone was not imported
    return total


def without_repeats(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    """The rows; one whose source stood there before has a problem instead, because it would overwrite that one."""
    sources = set[str]()
    for row in rows:
        source = row.values.get("source", "")
        if not row.problem and source in sources:
            row = RawRow(
                row.line, problem=FieldError("source", "Another article before it has the same source or title.")
            )
        sources.add(source)
        yield row


def _for_a_while(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    ends = monotonic() + UNIT_SECONDS
    for row in rows:
        yield row
        if monotonic() >= ends:
            return


def _import_one(uow: UnitOfWork, row: RawRow, check: Check, result: Result) -> None:
    result.read += 1
    if row.problem:
        result.reject(row.line, [row.problem])
        return
    try:
        fields = {"source": row.values["source"], **check(row.values)}
        with uow.attempt():
            outcome = articles.import_one(uow, fields)
    except AppError as error:
        if error.status >= 500:
            raise
        result.reject(row.line, error.errors or [FieldError("", error.message)])
        return
    setattr(result, outcome, getattr(result, outcome) + 1)
