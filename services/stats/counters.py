"""Ticket counts by field values, read from the counters that the database maintains. Only reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, func
from sqlalchemy.sql.elements import ColumnElement

from database.tables import tallies
from database.ticket_counts import KINDS, PARTIAL
from services.prepared_statements import prepared
from storage import UnitOfWork

c = tallies.c
COLUMNS = [c[name] for name in "abcdefg"]


def count(uow: UnitOfWork, values: Mapping[str, Sequence[str]]) -> int | None:
    """Number of tickets that have one of the values in each of the fields. None if no counter has all these fields."""
    fits = (name for name, fields in KINDS.items() if values.keys() <= set(fields))
    kind = next((name for name in fits if name not in PARTIAL or KINDS[name][0] in values), None)
    if kind is None or uow.actor.is_customer:  # counters exist per company, not per customer
        return None
    return _sum(uow, kind, values)


def count_assigned(uow: UnitOfWork, values: Mapping[str, Sequence[str]]) -> int | None:
    """Number of tickets that have an agent, and one of the values in each of the fields. None if no counter has them."""
    if uow.actor.is_customer or not values.keys() <= set(KINDS["agent"]):
        return None
    return _sum(uow, "agent", values)


def _sum(uow: UnitOfWork, kind: str, values: Mapping[str, Sequence[str]]) -> int:
    of_one = tuple([(name, len(words) == 1) for name, words in values.items()])

    def build() -> Select[Any]:
        conditions = [_matches(COLUMNS[KINDS[kind].index(name)], name, is_one=is_one) for name, is_one in of_one]
        return uow.query(tallies, func.coalesce(func.sum(c.number), 0)).where(c.kind == kind, *conditions)

    words_by_name = {name: words[0] if len(words) == 1 else words for name, words in values.items()}
    return int(uow.aggregate(prepared(uow, ("tickets", kind, of_one), build), **words_by_name)[0][0])


def _matches(column: ColumnElement[Any], name: str, *, is_one: bool) -> ColumnElement[bool]:
    """The condition that the column has the word, or one of the words, of the parameter `name`."""
    words: BindParameter[Any] = bindparam(name, type_=column.type, expanding=not is_one)
    return column == words if is_one else column.in_(words)


def one_of(column: ColumnElement[Any], words: Sequence[str]) -> ColumnElement[bool]:
    """The condition that the column has one of the words."""
    return column == words[0] if len(words) == 1 else column.in_(words)
