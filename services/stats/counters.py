"""Ticket counts by field values, read from the counters that the database maintains. Only reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, func, true
from sqlalchemy.sql.elements import ColumnElement

from database.tables import tallies
from storage import UnitOfWork

c = tallies.c
COLUMNS = [c[name] for name in "abcdefg"]
# Kind of counter -> ticket fields in columns a to g; kinds with few rows first.
KINDS: dict[str, tuple[str, ...]] = {
    "queue": ("status", "priority", "category", "assigned_team"),
    "origin": ("status", "customer_tier", "source", "sentiment"),
    "agent": ("assigned_to", "status", "priority", "category"),
    "topic": ("topic", "status", "priority", "category"),
    "tag": ("tag", "status", "priority", "category"),
    "all": ("status", "priority", "category", "assigned_team", "sentiment", "customer_tier", "source"),
}
PARTIAL = ("agent", "topic", "tag")  # kinds with many rows, used only with a filter on their first field


def count(uow: UnitOfWork, values: Mapping[str, Sequence[str]]) -> dict[str, int] | None:
    """Number of tickets that match all fields, under "", and that match each field alone, under its name.

    With a filter on agent, topic or tag, only that field is counted alone. None if no counter has all these fields.
    """
    fits = (name for name, fields in KINDS.items() if values.keys() <= set(fields))
    kind = next((name for name in fits if name not in PARTIAL or KINDS[name][0] in values), None)
    if kind is None or uow.actor.is_customer:  # counters exist per company, not per customer
        return None
    first = KINDS[kind][0]
    conditions = {name: one_of(COLUMNS[KINDS[kind].index(name)], words) for name, words in values.items()}
    counted = {
        "": and_(true(), *conditions.values()),
        **({first: conditions[first]} if kind in PARTIAL else conditions),
    }
    sums = [func.coalesce(func.sum(c.number).filter(condition), 0) for condition in counted.values()]
    cells = uow.query(tallies, *sums).where(c.kind == kind, *([conditions[first]] if kind in PARTIAL else []))
    return dict(zip(counted, map(int, uow.aggregate(cells)[0]), strict=True))


def one_of(column: ColumnElement[Any], words: Sequence[str]) -> ColumnElement[bool]:
    """The condition that the column has one of the words."""
    return column == words[0] if len(words) == 1 else column.in_(words)
