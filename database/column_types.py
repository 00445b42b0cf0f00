"""The column types of all tables, portable between engines, and the conversion of their values for responses.

Text, integers and fixed decimals only: no BLOBs, no floats.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    TextClause,
    literal_column,
)
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator


class JsonText(TypeDecorator[Any]):
    """A list or object kept as JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class Fixed(TypeDecorator[float]):
    """A decimal with a fixed number of places, kept as an integer: urgency 4.3 with one place is 43."""

    impl = Integer
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__()
        self.scale = 10**places

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | None:
        return None if value is None else round(value * self.scale)

    def process_result_value(self, value: int | None, dialect: Dialect) -> float | None:
        return None if value is None else value / self.scale


def key() -> Column[str]:
    """A row's id."""
    return Column("id", String(36), primary_key=True)


def company() -> Column[str]:
    """Whose row it is."""
    return Column("company_id", ForeignKey("companies.id"), nullable=False)


def user() -> Column[str]:
    """Whose row it is, of the company's people."""
    return Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def ticket() -> Column[str]:
    """The ticket it belongs to."""
    return Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False)


def text(name: str) -> Column[str]:
    """Text, "" when not set."""
    return Column(name, Text, nullable=False, server_default="")


def word(name: str, default: str = "") -> Column[str]:
    """One of a few words."""
    return Column(name, String(40), nullable=False, server_default=default)


def moment(name: str, *, required: bool = False) -> Column[str]:
    """A time, NULL when not set."""
    return Column(name, String(24), nullable=not required)


def text_list(name: str) -> Column[Any]:
    """A list."""
    return Column(name, JsonText, nullable=False, server_default="[]")


def large_number() -> Integer:
    """A whole number of any size: seconds of a ticket that was open for a century, tokens of a day."""
    return Integer().with_variant(BigInteger(), "postgresql")


@cache
def default_values(table: Table) -> dict[str, Any]:
    """The default of each column of `table`, None for a column without one."""
    return {column.name: _default(column) for column in table.columns}


def _default(column: Column[Any]) -> Any:
    if column.server_default is None:
        return None
    default = str(column.server_default.arg)  # type: ignore[attr-defined]
    if isinstance(column.type, Boolean):
        return default == "true"
    if isinstance(column.type, Fixed):
        return int(default) / column.type.scale
    if isinstance(column.type, JsonText):
        return orjson.loads(default)
    return int(default) if isinstance(column.type, Integer) else default


@cache
def output_converters(table: Table, fields: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    """The fields that are stored in another form, each with the function that converts a stored value."""
    columns = [table.c[name] for name in fields]
    return [(column.name, form) for column in columns if (form := _form(column))]


def _form(column: Column[Any]) -> Callable[[Any], Any] | None:
    if isinstance(column.type, JsonText):
        return orjson.Fragment
    if isinstance(column.type, Fixed):
        scale = column.type.scale
        return lambda value: value / scale
    return bool if isinstance(column.type, Boolean) else None


def unique_when_set(name: str, column: str, *further: str, of_company: bool = True) -> Index:
    """A unique index of the rows in which the column is not "", per company or of all companies."""
    condition = sql(f"{column} <> ''")
    columns = ["company_id", column] if of_company else [column]
    return Index(name, *columns, *further, unique=True, sqlite_where=condition, postgresql_where=condition)


def is_broken(error: IntegrityError, table: Table, index: str) -> bool:
    """Whether the error is a violation of this unique index, by the fields of the driver's error."""
    driver_error: Any = error.orig
    if constraint := getattr(getattr(driver_error, "diag", None), "constraint_name", None):
        return bool(constraint == index)
    unique = next(candidate for candidate in table.indexes if candidate.name == index)
    index_columns = {f"{table.name}.{column.name}" for column in unique.columns}
    # SQLite has no such field. Its message ends with the columns of the index and is never translated.
    violated_columns = set(str(driver_error).rpartition(": ")[2].split(", "))
    is_unique_fault = getattr(driver_error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_UNIQUE"
    return is_unique_fault and violated_columns == index_columns


def clock_of_agreed_times() -> tuple[SchemaItem, ...]:
    """The clock of a ticket's agreed times (services/sla/clocks.py), and the index of what changes next.

    Since when it runs, the seconds it ran before, when the status changes next, and which alerts have been sent.
    """
    is_set = sql("sla_next_at IS NOT NULL")
    return (
        moment("sla_running_since"),
        Column("sla_consumed_seconds", large_number(), nullable=False, server_default="0"),
        moment("sla_next_at"),
        text_list("sla_told"),
        Index("ix_tickets_sla_next", "sla_next_at", sqlite_where=is_set, postgresql_where=is_set),
    )


def wait_for_an_agent() -> tuple[SchemaItem, ...]:
    """Since when a ticket waits for an agent in its team's queue, by the real clock, and when that was escalated.

    `queue_since` is NULL unless it waits (services/tickets/team_queue.py).
    """
    unescalated = sql("queue_since IS NOT NULL AND escalated_at IS NULL")
    since = ("company_id", "queue_since")
    return (
        moment("queue_since"),
        moment("escalated_at"),
        Index("ix_tickets_unescalated", *since, sqlite_where=unescalated, postgresql_where=unescalated),
    )


def is_removal() -> TextClause:
    """The condition of the events that say that something is gone (services/tombstones.py)."""
    return sql("action IN ('deleted', 'user_deleted', 'customer_erased')")


def index_of_values(name: str, *columns: str, value: str = "", of_company: bool = True) -> Index:
    """An index of the rows in which `value`, else the last of the columns, is set, per company or of all companies."""
    condition = sql(f"{value or columns[-1]} IS NOT NULL")
    indexed = ["company_id", *columns] if of_company else columns
    return Index(name, *indexed, sqlite_where=condition, postgresql_where=condition)


def index_of_snoozed(name: str) -> Index:
    """An index of a company's snoozed tickets by status, for lists."""
    condition = sql("snoozed_until IS NOT NULL")
    columns = ("company_id", "status", "created_at", "id")
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def is_set(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text has a value, written exactly as in the partial indexes of texts.

    With a parameter for the empty text, SQLite would check the indexes and prepare the statement at each run.
    """
    return column != literal_column("''")


def index_of_texts(name: str, column: str) -> Index:
    """An index of a company's rows in which the text column is not ""."""
    condition = sql(f"{column} <> ''")
    return Index(name, "company_id", column, sqlite_where=condition, postgresql_where=condition)
