"""Hints for the query planner of SQLite. PostgreSQL needs none."""

from typing import Any

from sqlalchemy.sql.elements import ColumnElement, Grouping, UnaryExpression
from sqlalchemy.sql.operators import custom_op

_UNARY_PLUS: custom_op[bool] = custom_op("+")


def without_index(term: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """The term written so that SQLite uses no index for it (unary plus)."""
    if dialect != "sqlite":
        return term
    return UnaryExpression(Grouping(term), operator=_UNARY_PLUS, type_=term.type)
