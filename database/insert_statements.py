"""INSERT statements for a table, built once each."""

from functools import cache
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert, ReturningInsert


@cache
def insert_into(table: Table) -> Insert:
    return insert(table)


@cache
def insert_or_ignore(table: Table, dialect: str) -> ReturningInsert[Any]:
    dialect_insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return dialect_insert(table).on_conflict_do_nothing().returning(table.c.id)
