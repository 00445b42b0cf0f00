"""How many tickets have which values, read from the tallies the database keeps instead of counted. Only reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, func, true
from sqlalchemy.sql.elements import ColumnElement

from database.tables import tallies
from storage import UnitOfWork

c = tallies.c
COLUMNS = [c[name] for name in "abcdefg"]
# Kind → the fields of a ticket it counts by, in the order of a to g; smaller kinds first.
KINDS: dict[str, tuple[str, ...]] = {
    "queue": ("status", "priority", "category", "assigned_team"),
    "origin": ("status", "customer_tier", "source", "sentiment"),
    "agent": ("assigned_to", "status", "priority", "category"),
    "topic": ("topic", "status", "priority", "category"),
    "tag": ("tag", "status", "priority", "category"),
    "all": ("status", "priority", "category", "assigned_team", "sentiment", "customer_tier", "source"),
}
PARTIAL = ("agent", "topic", "tag")  # of many rows, of which the first field picks a few


def count(uow: UnitOfWork, values: Mapping[str, Sequence[str]]) -> dict[str, int] | None:
    """How many tickets have one of the wanted words in every field, under "", and in each field alone, under its name.

    Of an agent, a topic or a tag that one alone is told. None when no kind counts by these fields together.
    """
    fits = (name for name, fields in KINDS.items() if values.keys() <= set(fields))
    kind = next((name for name in fits if name not in PARTIAL or KINDS[name][0] in values), None)
    if kind is None or uow.actor.is_customer:  # nobody's tallies but the company's are kept
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
    """Whether the column has one of the words."""
    return column == words[0] if len(words) == 1 else column.in_(words)
