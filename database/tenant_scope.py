"""Question 2 of the house: which rows exist for this actor? One function answers; storage.py builds it into every verb."""

from functools import cache
from typing import Any, Literal

from sqlalchemy import Select, Table, and_, bindparam, false, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.elements import ColumnElement

from core.models import Actor
from database import tables

Visibility = Literal[
    "all", "company", "own"
]  # how far an actor sees: every company, the own one, the own tickets in it


def sight_of(actor: Actor | None) -> Visibility:
    """How far an actor sees. None sees every company."""
    return "all" if actor is None else "own" if actor.is_customer else "company"


def viewpoint(actor: Actor | None) -> tuple[str, ...]:
    """All of an actor that decides what it sees: rows by visibility and identity, fields by role. Part of every cache key."""
    return ("all",) if actor is None else (sight_of(actor), actor.role, *identity(actor).values())


def identity(actor: Actor) -> dict[str, str]:
    """Who an actor is, as the conditions of `scope_of` name it."""
    person = {
        "own_email_": actor.customer_email,
        "own_id_": actor.customer_id,
        "customer_": actor.customer_row,
    }
    return {"company_": actor.company_id, **person}


def scope_of(table: Table, sight: Visibility) -> list[ColumnElement[bool]]:
    """Question 2 of the house, answered: which rows of `table` exist for an actor of this kind?"""
    if sight == "all":
        return []
    if "company_id" not in table.c and table is not tables.companies:
        return [false()]  # belongs to nobody: seen at an unscoped desk alone
    company: ColumnElement[str] = bindparam("company_", type_=tables.companies.c.id.type)
    if table is tables.companies:
        return [table.c.id == company]
    conditions: list[ColumnElement[bool]] = [table.c.company_id == company]
    if sight == "company" or table is tables.idempotency:
        return conditions
    person: ColumnElement[str] = bindparam("customer_", type_=tables.customers.c.id.type)
    mine = tables.tickets.c.customer_row == person
    if table is tables.tickets:
        return [*conditions, mine]
    if table is tables.customers:
        # By name too: the row may have been made since this customer was asked who they are.
        email: ColumnElement[str] = bindparam("own_email_", type_=table.c.email.type)
        customer_id: ColumnElement[str] = bindparam("own_id_", type_=table.c.customer_id.type)
        by_email, by_id = (
            and_(email != "", table.c.email == email),
            and_(customer_id != "", table.c.customer_id == customer_id),
        )
        return [*conditions, or_(table.c.id == person, by_email, by_id)]
    if table in (tables.replies, tables.jobs):
        # A customer's own work writes jobs; only the thread without notes is theirs to read.
        readable = ~table.c.internal if table is tables.replies else false()
        own = table.c.ticket_id.in_(select(tables.tickets.c.id).where(mine))
        return [*conditions, and_(own, readable)]
    return [*conditions, false()]


@cache
def visible(table: Table, sight: Visibility, fields: tuple[str, ...] = ()) -> Select[Any]:
    """The rows of `table` that exist for an actor of this kind; of them the named fields, or all."""
    chosen: list[Any] = [table.c[name] for name in fields] or [table]
    return select(*chosen).where(*scope_of(table, sight))


@cache
def by_id(table: Table, sight: Visibility, lock: bool) -> Select[Any]:
    """The one of them whose id is given as `id_`."""
    statement = visible(table, sight).where(table.c.id == bindparam("id_"))
    return statement.with_for_update() if lock else statement


@cache
def raising(table: Table, column: str, sight: Visibility) -> ReturningUpdate[Any]:
    """Adds one to a number of that row."""
    raised = {column: table.c[column] + 1}
    conditions = scope_of(table, sight)
    return update(table).where(table.c.id == bindparam("id_"), *conditions).values(raised).returning(table)
