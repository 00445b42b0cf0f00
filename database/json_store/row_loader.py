"""Loads rows of the JSON document and journal into the tables, and checks every value.

Errors name the table, row and field. No file is read or written here.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from typing import Any

from sqlalchemy import Connection

from database.json_store.document import Document, Invalid, Where
from database.json_store.values import Field
from database.sqlite_engine import broken_reference, error_message
from database.tables import derived

_AT_ONCE = 50_000  # values per statement; more is not faster


@dataclass(frozen=True)
class _Portion:
    """Rows of a table that name the same fields, as SQLite stores them."""

    table: str
    names: tuple[str, ...]
    values: list[tuple[Any, ...]]
    where: Where


class Rows:
    """Inserts rows into the tables of the connected database, whatever its revision."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        driver: Any = connection.connection.driver_connection  # without SQLAlchemy, which would convert each value
        self._driver = driver
        self._at_once = min(_AT_ONCE, driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))
        self._tables = {name: _fields(connection, name) for name in _table_names(connection)}
        self._counts = dict.fromkeys(self._tables, 0)  # rows read so far, by table

    def load(self, document: Document) -> None:
        """Puts the document's rows into the empty tables. Raises Invalid, MalformedLine."""
        tables = set()
        with ThreadPoolExecutor(1) as background:  # SQLite inserts one batch while the next is read and checked
            pending: Future[None] | None = None
            for table, rows in document.portions():
                tables.add(table)
                portions = self._check_rows(table, rows, Where(str(document.path), document.path))
                if pending:
                    pending.result()
                pending = background.submit(self._insert, portions)
            if pending:
                pending.result()
        for table in self._tables:
            if table not in tables:
                raise Invalid(f"{document.path}: table {table} is missing; without rows it is []")

    def clear(self) -> None:
        """Deletes all rows."""
        self._counts = dict.fromkeys(self._tables, 0)
        for table in self._tables:
            self._connection.exec_driver_sql(f'DELETE FROM "{table}"')

    def add(self, table: str, rows: list[Any], where: Where) -> None:
        """Puts rows into a table. Raises Invalid."""
        self._insert(self._check_rows(table, rows, where))

    def apply(self, changes: Iterable[Sequence[Any]], where: str) -> None:
        """Applies the changes of one transaction. Raises Invalid."""
        for kind, table, content in changes:
            if kind == "put":
                for portion in self._check_rows(table, [content], Where(where)):
                    self._insert_singly(portion, portion.values, replacing=True)
            else:
                self._check_table(table, Where(where))
                self._driver.execute(f'DELETE FROM "{table}" WHERE id = ?', (content,))

    def _check_table(self, table: str, where: Where) -> None:
        if table not in self._tables:
            raise Invalid(f"{where.name}: there is no table {table}")

    def _check_rows(self, table: str, rows: list[Any], where: Where) -> list[_Portion]:
        self._check_table(table, where)
        for number, row in enumerate(rows, self._counts[table] + 1):
            if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
                raise Invalid(f"{where.nth(table, number)}: every row is an object with an id")
        self._counts[table] += len(rows)
        fields = self._tables[table]
        return [
            _Portion(table, names, _convert_columns(names, group, fields, where, table), where)
            for names, group in _group_by_fields(rows)
        ]

    def _insert(self, portions: list[_Portion]) -> None:
        """Inserts many rows per statement: the other thread runs as long as a statement lasts."""
        for portion in portions:
            count = max(1, self._at_once // len(portion.names))
            for start in range(0, len(portion.values), count):
                rows = portion.values[start : start + count]
                statement = _statement(portion.table, portion.names, rows=len(rows))
                try:
                    self._driver.execute(statement, list(chain.from_iterable(rows)))
                except sqlite3.IntegrityError:
                    self._insert_singly(portion, rows)

    def _insert_singly(self, portion: _Portion, rows: list[tuple[Any, ...]], *, replacing: bool = False) -> None:
        """Inserts rows one by one, to name the one that is refused and why."""
        statement = _statement(portion.table, portion.names, replacing=replacing)
        for row in rows:
            try:
                self._driver.execute(statement, row)
            except sqlite3.IntegrityError as error:
                row_id = row[portion.names.index("id")]
                raise Invalid(f"{portion.where.row(portion.table, row_id)}: {_reason(error_message(error))}") from error


def _group_by_fields(rows: list[Any]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Groups of rows that name the same fields in the same order; nearly always one group."""
    if len(set(map(tuple, rows))) == 1:
        yield tuple(rows[0]), rows
        return
    for names, group in groupby(rows, key=tuple):
        yield names, list(group)


def _table_names(connection: Connection) -> list[str]:
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").scalars()
    excluded = {"alembic_version", *derived.tables}
    return [name for name in names if name not in excluded and not name.startswith("sqlite_")]


def _fields(connection: Connection, table: str) -> dict[str, Field]:
    """The columns by name, as the database describes them."""
    columns = connection.exec_driver_sql(f'PRAGMA table_info("{table}")').all()
    return {
        name: Field(table, name, _kind(column_type, default), not required)
        for _, name, column_type, required, default, _ in columns
    }


def _kind(column_type: str, default: str | None) -> str:
    # SQLite has no JSON type; the default value identifies such columns in every revision.
    if default in ("'[]'", "'{}'"):
        return "list" if default == "'[]'" else "object"
    if column_type == "VARCHAR(24)":
        return "time"
    return {"BOOLEAN": "flag", "INTEGER": "number"}.get(column_type, "text")


def _convert_columns(
    names: tuple[str, ...], rows: list[Any], fields: Mapping[str, Field], where: Where, table: str
) -> list[tuple[Any, ...]]:
    """Rows that name the same fields, as SQLite stores them. Checks whole columns: row by row takes seconds."""
    columns: list[Sequence[Any]] = []
    for name, values in zip(names, zip(*(row.values() for row in rows), strict=True), strict=True):
        if name not in fields:
            raise Invalid(f"{where.row(table, rows[0]['id'])}: there is no field {name}")
        converted = fields[name].to_stored(values)
        if len(converted) < len(rows):
            place = where.row(table, rows[len(converted)]["id"])
            raise Invalid(f"{place}: field {name} must be {fields[name].accepted}")
        columns.append(converted)
    return list(zip(*columns, strict=True))


@lru_cache
def _statement(table: str, names: Sequence[str], *, rows: int = 1, replacing: bool = False) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    marks = f"({', '.join('?' * len(names))})"
    statement = f'INSERT INTO "{table}" ({columns}) VALUES {", ".join([marks] * rows)}'
    if not replacing:
        return statement
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
    return f"{statement} ON CONFLICT (id) DO UPDATE SET {updates}"


def _reason(refusal: str) -> str:
    """SQLite's message (`UNIQUE constraint failed: tickets.company_id, tickets.number`) as the end of a sentence."""
    rule, _, columns = refusal.partition(" constraint failed: ")
    fields = ", ".join(column.partition(".")[2] for column in columns.split(", "))
    if rule == "NOT NULL":
        return f"field {fields} is missing"
    return f"another row has the same {fields}" if rule == "UNIQUE" else refusal


def check(connection: Connection, where: Where) -> None:
    """Checks times, enumerated values and references, which a manual edit can break. Raises Invalid."""
    for table in _table_names(connection):
        rules = {name: field.wrong() for name, field in _fields(connection, table).items()}
        wrong = {name: rule for name, rule in rules.items() if rule[0]}
        # One scan of the table for all rules; each rule by itself only to name the fault.
        if wrong and _first_offender(connection, table, " OR ".join(f"({rule})" for rule, _ in wrong.values())):
            for name, (rule, accepted) in wrong.items():
                row_id = _first_offender(connection, table, rule)
                if row_id:
                    raise Invalid(f"{where.row(table, row_id)}: field {name} must be {accepted}")
    if reference := broken_reference(connection):
        table, row_id, fault = reference
        raise Invalid(f"{where.row(table, row_id)}: {fault}")


def _first_offender(connection: Connection, table: str, rule: str) -> Any:
    return connection.exec_driver_sql(f'SELECT id FROM "{table}" WHERE {rule} LIMIT 1').scalar()
