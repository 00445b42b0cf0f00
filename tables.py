"""The tables, one set for every engine, and the column types that make them portable.

Journalled tables hold text, integers and fixed decimals only: no BLOBs, no floats. Text that is not set is "", a date
or number that is not set is NULL. Times are RFC 3339 text in UTC with three fraction digits, so they sort as text.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


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


def _id() -> Column[str]:
    return Column("id", String(36), primary_key=True)


def _company() -> Column[str]:
    return Column("company_id", ForeignKey("companies.id"), nullable=False)


def _ticket() -> Column[str]:
    return Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _word(name: str, default: str = "") -> Column[str]:
    return Column(name, String(40), nullable=False, server_default=default)


def _time(name: str, *, required: bool = False) -> Column[str]:
    return Column(name, String(24), nullable=not required)


def _list(name: str) -> Column[Any]:
    return Column(name, JsonText, nullable=False, server_default="[]")


@cache
def blank(table: Table) -> dict[str, Any]:
    """What a row of `table` holds where nothing is said: each column's default, None where it has none."""
    return {column.name: _default(column) for column in table.columns}


def _default(column: Column[Any]) -> Any:
    if column.server_default is None:
        return None
    said = str(column.server_default.arg)  # type: ignore[attr-defined]
    if isinstance(column.type, Boolean):
        return said == "true"
    if isinstance(column.type, Fixed):
        return int(said) / column.type.scale
    if isinstance(column.type, JsonText):
        return orjson.loads(said)
    return int(said) if isinstance(column.type, Integer) else said


@cache
def leaving(table: Table, fields: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    """Which of the fields may be unset or are kept in another form, and how a kept value leaves (JSON text as it is)."""
    columns = [table.c[name] for name in fields]
    special = [column for column in columns if column.nullable or isinstance(column.type, JsonText | Fixed | Boolean)]
    return [(column.name, _form(column)) for column in special]


def _form(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, JsonText):
        return orjson.Fragment
    if isinstance(column.type, Fixed):
        scale = column.type.scale
        return lambda value: value / scale
    return bool if isinstance(column.type, Boolean) else lambda value: value


def _unique_when_set(name: str, column: str) -> Index:
    """Unique in a company among the rows where the column is not ""."""
    given = text(f"{column} <> ''")
    return Index(name, "company_id", column, unique=True, sqlite_where=given, postgresql_where=given)


companies = Table(
    "companies",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("last_number", Integer, nullable=False, server_default="0"),
    Column("settings", JsonText, nullable=False, server_default="{}"),
    _time("created_at", required=True),
)

users = Table(
    "users",
    metadata,
    _id(),
    _company(),
    _text("email"),
    _text("name"),
    _word("role", "agent"),
    _word("team"),
    Column("available", Boolean, nullable=False, server_default=true()),
    _time("created_at", required=True),
    UniqueConstraint("company_id", "email"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _company(),
    _text("name"),
    _word("prefix"),
    Column("key_hash", String(64), nullable=False, unique=True),
    _word("role", "admin"),
    _list("scopes"),
    _time("expires_at"),
    _time("last_used_at"),
    _time("created_at", required=True),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    _company(),
    _text("email"),
    _text("customer_id"),
    _text("name"),
    _word("tier", "standard"),
    _time("created_at", required=True),
    _unique_when_set("uq_customers_email", "email"),
    _unique_when_set("uq_customers_customer_id", "customer_id"),
)

tickets = Table(
    "tickets",
    metadata,
    _id(),
    _company(),
    Column("customer_row", ForeignKey("customers.id"), nullable=False),
    Column("number", Integer, nullable=False),
    _text("title"),
    _text("description"),
    _text("customer_email"),
    _text("customer_id"),
    _text("customer_name"),
    _word("customer_tier", "standard"),
    _word("source", "api"),
    _text("product"),
    _list("tags"),
    _word("status", "new"),
    _word("category", "general"),
    _word("priority", "medium"),
    Column("priority_rank", Integer, nullable=False, server_default="2"),
    Column("priority_score", Integer, nullable=False, server_default="0"),
    Column("urgency", Fixed(1), nullable=False, server_default="10"),
    _word("sentiment", "neutral"),
    _text("topic"),
    Column("topic_confidence", Fixed(3)),
    _word("assigned_team", "support"),
    _text("assigned_to"),
    _time("assigned_at"),
    _text("ai_response"),
    _word("ai_source"),
    _word("ai_status", "off"),
    Column("ai_confidence", Fixed(3)),
    _list("ai_citations"),
    _word("triage_source", "rules"),
    _list("triage_reasons"),
    _text("next_action"),
    _text("resolution"),
    Column("human_replied", Boolean, nullable=False, server_default=false()),
    _time("first_response_at"),
    Column("first_response_seconds", Integer),
    _time("first_response_due_at"),
    _time("resolve_due_at"),
    _word("sla_status"),
    _time("resolved_at"),
    Column("resolution_seconds", Integer),
    _time("closed_at"),
    Column("csat_score", Integer),
    _text("external_id"),
    Column("version", Integer, nullable=False, server_default="1"),
    _time("created_at", required=True),
    _time("updated_at", required=True),
    Index("uq_tickets_number", "company_id", "number", unique=True),
    Index("ix_tickets_created", "company_id", "created_at", "id"),
    Index("ix_tickets_updated", "company_id", "updated_at", "id"),
    Index("ix_tickets_status", "company_id", "status", "created_at", "id"),
    Index("ix_tickets_customer", "company_id", "customer_row", "created_at", "id"),
    Index("ix_tickets_assigned", "company_id", "assigned_to", "created_at", "id"),
    _unique_when_set("uq_tickets_external_id", "external_id"),
    Index("ix_tickets_urgency", "company_id", text("urgency DESC"), "created_at", "id"),
    Index(
        "ix_tickets_priority", "company_id", text("priority_rank DESC"), text("priority_score DESC"), "created_at", "id"
    ),
)

replies = Table(
    "replies",
    metadata,
    _id(),
    _company(),
    _ticket(),
    _word("author_role", "agent"),
    _text("author_name"),
    _text("author_email"),
    _text("body"),
    Column("internal", Boolean, nullable=False, server_default=false()),
    _time("created_at", required=True),
    Index("ix_replies_ticket", "ticket_id", "created_at", "id"),
)

events = Table(
    "events",
    metadata,
    _id(),
    _company(),
    _ticket(),
    _word("action"),
    _text("actor"),
    _text("said_by"),
    _word("field"),
    _text("from_value"),
    _text("to_value"),
    _time("created_at", required=True),
    Index("ix_events_ticket", "ticket_id", "created_at", "id"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    _company(),
    _word("lane"),
    _word("kind"),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    Column("payload", JsonText, nullable=False, server_default="{}"),
    _word("state", "waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _time("run_at", required=True),
    _text("last_error"),
    _time("created_at", required=True),
    Index("ix_jobs_due", "state", "lane", "run_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    _id(),
    _company(),
    _text("caller"),
    _text("route"),
    _text("key"),
    Column("body_hash", String(64), nullable=False),
    _word("state", "done"),
    Column("status", Integer),
    _text("answer"),
    _time("expires_at", required=True),
    _time("created_at", required=True),
    UniqueConstraint("company_id", "caller", "route", "key"),
)
