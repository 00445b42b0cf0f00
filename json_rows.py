"""Rows of the JSON document on their way into the tables: what a hand or a journal wrote is checked, value by value.

Every refusal names table, row and field. No file is read or written here.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, get_args

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

import models
from json_document import Document, Invalid
from sqlite_file import broken_reference, plain
from tables import derived

_LARGEST = 2**63 - 1
_ACCEPTED = {
    "text": "text",
    "time": "text",
    "number": "a whole number",
    "flag": "true or false",
    "list": "a list",
    "object": "an object",
}
_DECIDERS = ("", *get_args(models.Decider))
_CHOICES: dict[tuple[str, str], Sequence[str]] = {
    ("tickets", "status"): models.STATUSES,
    ("tickets", "category"): models.CATEGORIES,
    ("tickets", "priority"): models.PRIORITIES,
    ("tickets", "sentiment"): models.SENTIMENTS,
    ("tickets", "customer_tier"): models.TIERS,
    ("tickets", "source"): models.SOURCES,
    ("tickets", "ai_status"): get_args(models.AiStatus),
    ("tickets", "ai_source"): _DECIDERS,
    ("tickets", "triage_source"): _DECIDERS,
    ("customers", "tier"): models.TIERS,
    ("replies", "author_role"): get_args(models.AuthorRole),
    ("users", "role"): models.ROLES,
    ("api_keys", "role"): models.ROLES,
}


class Rows:
    """The way into the tables as they are now, at whatever revision."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables = {name: _columns(connection, name) for name in _table_names(connection)}

    def load(self, document: Document) -> None:
        """Puts the document's rows into the empty tables. Raises Invalid, Unlined."""
        found = set()
        for table, rows in document.portions():
            self.add(table, rows, str(document.path))
            found.add(table)
        for table in self._tables:
            if table not in found:
                raise Invalid(f"{document.path}: table {table} is missing; without rows it is []")

    def clear(self) -> None:
        """Takes all rows out again."""
        for table in self._tables:
            self._connection.exec_driver_sql(f'DELETE FROM "{table}"')

    def add(self, table: str, rows: list[Any], where: str) -> None:
        """Puts rows into a table. Raises Invalid."""
        self._know([table], where)
        self._insert(table, rows, f"{where}: table {table}")

    def apply(self, changes: Iterable[Sequence[Any]], where: str) -> None:
        """Repeats the changes of one transaction. Raises Invalid."""
        for kind, table, content in changes:
            self._know([table], where)
            if kind == "put":
                self._insert(table, [content], f"{where}: table {table}", replacing=True)
            else:
                self._connection.exec_driver_sql(f'DELETE FROM "{table}" WHERE id = ?', (content,))

    def _know(self, tables: Iterable[str], where: str) -> None:
        for table in tables:
            if table not in self._tables:
                raise Invalid(f"{where}: there is no table {table}")

    def _insert(self, table: str, rows: list[Any], where: str, *, replacing: bool = False) -> None:
        for names, group in groupby(rows, key=_names):
            statement = _statement(table, names, replacing=replacing)
            values = _checked(names, list(group), self._tables[table], where)
            try:
                with self._connection.begin_nested():
                    self._connection.exec_driver_sql(statement, values)
            except IntegrityError:
                self._insert_singly(statement, values, names.index("id"), where)

    def _insert_singly(self, statement: str, rows: list[tuple[Any, ...]], place: int, where: str) -> None:
        """Finds out which of the rows was refused, and why."""
        for row in rows:
            try:
                self._connection.exec_driver_sql(statement, row)
            except IntegrityError as error:
                raise Invalid(f"{where}, row {row[place]}: {_reason(plain(error))}") from error


def _names(row: Any) -> tuple[str, ...]:
    return tuple(row) if isinstance(row, dict) else ()


def _table_names(connection: Connection) -> list[str]:
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").scalars()
    other = {"alembic_version", *derived.tables}
    return [name for name in names if name not in other and not name.startswith("sqlite_")]


def _columns(connection: Connection, table: str) -> dict[str, tuple[str, bool]]:
    """Column name → (kind, may be null), as the database itself says."""
    described = connection.exec_driver_sql(f'PRAGMA table_info("{table}")').all()
    return {name: (_kind(declared, default), not required) for _, name, declared, required, default, _ in described}


def _kind(declared: str, default: str | None) -> str:
    # SQLite knows no JSON columns; what they begin with tells them, also in a revision this program no longer has.
    if default in ("'[]'", "'{}'"):
        return "list" if default == "'[]'" else "object"
    if declared == "VARCHAR(24)":
        return "time"
    return {"BOOLEAN": "flag", "INTEGER": "number"}.get(declared, "text")


def _checked(
    names: tuple[str, ...], rows: list[Any], columns: Mapping[str, tuple[str, bool]], where: str
) -> list[tuple[Any, ...]]:
    """Rows that name the same fields, as SQLite stores them; checked field by field, since one by one takes seconds."""
    if "id" not in names or not all(row["id"] and isinstance(row["id"], str) for row in rows):
        raise Invalid(f"{where}: every row is an object with an id")
    ready: list[Sequence[Any]] = []
    for name, values in zip(names, zip(*(row.values() for row in rows), strict=True), strict=True):
        if name not in columns:
            raise Invalid(f"{where}, row {rows[0]['id']}: there is no field {name}")
        kind, nullable = columns[name]
        stored = _stored(kind, values, {type(None)} if nullable else set())
        if len(stored) < len(rows):
            raise Invalid(f"{where}, row {rows[len(stored)]['id']}: field {name} must be {_ACCEPTED[kind]}")
        ready.append(stored)
    return list(zip(*ready, strict=True))


def _stored(kind: str, values: Sequence[Any], also: set[type]) -> Sequence[Any]:
    """The values of a field as SQLite stores them, up to the first that is not of its kind."""
    types = set(map(type, values))
    if kind in ("text", "time") and types <= {str, *also}:
        return values
    if kind == "number" and types <= {int, *also} and all(-_LARGEST <= value <= _LARGEST for value in values if value):
        return values
    ready: list[str | int | None] = []
    for value in values:
        if type(value) in also:
            ready.append(None)
            continue
        stored = _one_stored(kind, value)
        if stored is None:
            break
        ready.append(stored)
    return ready


def _one_stored(kind: str, value: Any) -> str | int | None:
    if kind == "flag":
        return int(value) if isinstance(value, int) and value in (0, 1) else None
    if kind == "number":
        return value if type(value) is int and abs(value) <= _LARGEST else None
    if kind in ("text", "time"):
        return value if isinstance(value, str) else None
    try:
        return orjson.dumps(value).decode() if isinstance(value, list if kind == "list" else dict) else None
    except TypeError:  # nested deeper than can be written again
        return None


def _statement(table: str, names: Sequence[str], *, replacing: bool) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table}" ({listed}) VALUES ({marks})'
    if not replacing:
        return statement
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
    return f"{statement} ON CONFLICT (id) DO UPDATE SET {updates}"


def _reason(refusal: str) -> str:
    """SQLite's own words (`UNIQUE constraint failed: tickets.company_id, tickets.number`) as a sentence's end."""
    rule, _, columns = refusal.partition(" constraint failed: ")
    fields = ", ".join(column.partition(".")[2] for column in columns.split(", "))
    if rule == "NOT NULL":
        return f"field {fields} is missing"
    return f"another row has the same {fields}" if rule == "UNIQUE" else refusal


def check(connection: Connection, where: str) -> None:
    """Finds what no program of ours writes but a hand may: times, words and references. Raises Invalid."""
    for table in _table_names(connection):
        for name, (kind, _) in _columns(connection, table).items():
            wrong, accepted = _wrong(table, name, kind)
            query = f'SELECT id FROM "{table}" WHERE {wrong} LIMIT 1'
            found = connection.exec_driver_sql(query).first() if wrong else None
            if found:
                raise Invalid(f"{where}: table {table}, row {found[0]}: field {name} must be {accepted}")
    broken = broken_reference(connection)
    if broken:
        raise Invalid(f"{where}: {broken}")


def _wrong(table: str, name: str, kind: str) -> tuple[str, str]:
    """The SQL condition a value of this column must not meet ("" when there is none), and what is accepted instead."""
    if kind == "time":
        # Read and written again: what is not in this form changes, and by the modifier a 30th of February does too.
        again = f"strftime('%Y-%m-%dT%H:%M:%fZ', \"{name}\", '+0 days')"
        return f'"{name}" IS NOT {again} OR "{name}" < \'0001\'', "a time like 2026-01-31T08:00:00.000Z"
    choices = _CHOICES.get((table, name), ())
    listed = ", ".join(f"'{choice}'" for choice in choices)
    words = ", ".join(choice or '""' for choice in choices)
    return (f'"{name}" NOT IN ({listed})' if choices else ""), f"one of {words}"
