"""Row visibility: which rows of each table an actor may read or change.

storage.py adds these conditions to every query, update and delete.
"""

from functools import cache, lru_cache
from typing import Any, Literal

from sqlalchemy import Select, Table, and_, bindparam, false, or_, select, true, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.elements import ColumnElement

from core.models import INTERNAL_ACTIONS, Actor
from database import tables
from database.column_types import is_set

# system: the rows of every company; company: those of one company; customer: a customer's own tickets in it
Visibility = Literal["system", "company", "customer"]


def visibility_of(actor: Actor | None) -> Visibility:
    """The visibility of an actor. None has system visibility."""
    return "system" if actor is None else "customer" if actor.is_customer else "company"


def cache_scope(actor: Actor | None) -> tuple[str, ...]:
    """Everything that decides which rows and fields an actor sees. Part of every cache key."""
    return ("system",) if actor is None else (visibility_of(actor), actor.role, *scope_params(actor).values())


def scope_params(actor: Actor) -> dict[str, str]:
    """The parameters that `scope_conditions` binds, for this actor."""
    person = {
        "own_email_": actor.customer_email,
        "own_id_": actor.customer_id,
        "customer_": actor.customer_row,
    }
    return {"company_": actor.company_id, **person}


def scope_conditions(table: Table, visibility: Visibility) -> list[ColumnElement[bool]]:
    """The conditions that select the rows of `table` an actor with this visibility may see."""
    if visibility == "system":
        return []
    if "company_id" not in table.c and table is not tables.companies:
        return [false()]  # rows without a company: visible to the system only
    company: ColumnElement[str] = bindparam("company_", type_=tables.companies.c.id.type)
    if table is tables.companies:
        return [table.c.id == company]
    conditions: list[ColumnElement[bool]] = [table.c.company_id == company]
    if visibility == "company" or table is tables.idempotency:
        return conditions
    if table is tables.articles:
        return [*conditions, table.c.status == "published"]
    customer_row: ColumnElement[str] = bindparam("customer_", type_=tables.customers.c.id.type)
    of_customer = tables.tickets.c.customer_row == customer_row
    if table is tables.tickets:
        return [*conditions, of_customer]
    if table is tables.customers:
        # Also by address and customer ID: the row may be newer than this customer's authentication.
        email: ColumnElement[str] = bindparam("own_email_", type_=table.c.email.type)
        customer_id: ColumnElement[str] = bindparam("own_id_", type_=table.c.customer_id.type)
        by_email, by_customer_id = (
            and_(email != "", table.c.email == email),
            and_(customer_id != "", table.c.customer_id == customer_id),
        )
        return [*conditions, or_(table.c.id == customer_row, by_email, by_customer_id)]
    if table is tables.events:  # of their tickets; services/events leaves out what only staff may know
        of_own = table.c.subject_id.in_(select(tables.tickets.c.id).where(of_customer))
        return [
            *conditions,
            table.c.subject == "ticket",
            table.c.action.not_in(INTERNAL_ACTIONS),
            of_own,
        ]
    if table in (tables.replies, tables.attachments, tables.jobs, tables.conversations):
        # Customers create jobs but cannot read them. Of their tickets they read replies and files, without internal ones.
        readable = false() if table is tables.jobs else ~table.c.internal if "internal" in table.c else true()
        of_own_tickets = table.c.ticket_id.in_(select(tables.tickets.c.id).where(of_customer))
        return [*conditions, and_(of_own_tickets, readable)]
    return [*conditions, false()]


@cache
def visible_rows(table: Table, visibility: Visibility, fields: tuple[str, ...] = ()) -> Select[Any]:
    """A SELECT of the visible rows of `table`, with the named columns or all columns."""
    columns: list[Any] = [table.c[name] for name in fields] or [table]
    return select(*columns).where(*scope_conditions(table, visibility))


@cache
def row_by_id(table: Table, visibility: Visibility, lock: bool) -> Select[Any]:
    """A SELECT of the visible row with the ID `id_`."""
    statement = visible_rows(table, visibility).where(table.c.id == bindparam("id_"))
    return statement.with_for_update() if lock else statement


@lru_cache(maxsize=1_000)  # callers choose the columns, so not every combination is kept
def update_by_id(table: Table, columns: tuple[str, ...], visibility: Visibility) -> ReturningUpdate[Any]:
    """An UPDATE of the named columns, to the parameters `set_<column>`, of the visible row with the ID `id_`."""
    values = {name: bindparam(f"set_{name}", type_=table.c[name].type) for name in columns}
    conditions = scope_conditions(table, visibility)
    return update(table).where(table.c.id == bindparam("id_"), *conditions).values(values).returning(table)


@cache
def ids_by(table: Table, column: str, visibility: Visibility) -> Select[Any]:
    """A SELECT of the IDs of the visible rows whose text column has the value `value_`, which is not ""."""
    has_value = table.c[column] == bindparam("value_")
    return visible_rows(table, visibility, ("id",)).where(has_value, is_set(table.c[column]))


@cache
def increment(table: Table, column: str, visibility: Visibility) -> ReturningUpdate[Any]:
    """An UPDATE that adds 1 to a column of the visible row with the ID `id_`."""
    values = {column: table.c[column] + 1}
    conditions = scope_conditions(table, visibility)
    return update(table).where(table.c.id == bindparam("id_"), *conditions).values(values).returning(table)
