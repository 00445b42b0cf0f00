"""The JSON document of the JSON-file engine: reading, checking, loading and writing it, and the capture of changes.

Knows rows as JSON and as SQLite stores them, and no rule of the desk.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, inspect

import models
from journal import sync_folder
from tables import JsonText, metadata

FORMAT = 1
_TIME = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z"
_CHOICES: dict[str, dict[str, Sequence[str]]] = {
    "tickets": {
        "status": models.STATUSES,
        "category": models.CATEGORIES,
        "priority": models.PRIORITIES,
        "sentiment": models.SENTIMENTS,
        "customer_tier": models.TIERS,
        "source": models.SOURCES,
    }
}


class Invalid(Exception):
    """The document cannot be used; the text names file, table, row and field."""


@dataclass(frozen=True)
class Document:
    """A document as read: where from, which revision its rows have, the last transaction in it, and its rows by table."""

    path: Path
    revision: str
    seq: int
    tables: dict[str, list[dict[str, Any]]]


def read(path: Path) -> Document | None:
    """The document at `path`, None when there is none. Raises Invalid."""
    if not path.exists():
        return None
    try:
        content = orjson.loads(path.read_bytes())
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}") from error
    try:
        if content["foyer"] != FORMAT:
            raise Invalid(f"{path}: format {content['foyer']!r} is not known to this Foyer")
        return Document(path, str(content["revision"]), int(content["seq"]), dict(content["tables"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"{path} is not a Foyer document: {error}") from error


def load(connection: Connection, document: Document) -> int:
    """Puts the document's rows into the empty tables; gives its last transaction number. Raises Invalid."""
    for table, rows in document.tables.items():
        if not isinstance(rows, list):
            raise Invalid(f"{document.path}: table {table} must be a list of rows")
        _put(connection, table, rows, str(document.path))
    return document.seq


def apply(connection: Connection, changes: Iterable[Sequence[Any]], where: str) -> None:
    """Repeats the changes of one transaction. Raises Invalid."""
    for kind, table, content in changes:
        if kind == "put":
            _put(connection, table, [content], where)
        else:
            connection.exec_driver_sql(f'DELETE FROM "{table}" WHERE id = ?', (content,))


def _put(connection: Connection, table: str, rows: list[dict[str, Any]], where: str) -> None:
    columns = _columns(connection, table)
    if not columns:
        raise Invalid(f"{where}: there is no table {table}")
    ready: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        values = _checked(row, columns, f"{where}: table {table}")
        ready.setdefault(tuple(row), []).append(values)
    for names, values_list in ready.items():
        listed = ", ".join(f'"{name}"' for name in names)
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(
            f'INSERT INTO "{table}" ({listed}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {updates}', values_list
        )


def _columns(connection: Connection, table: str) -> dict[str, tuple[bool, bool]]:
    """Column name → (holds text, may be null), as the database itself says, whatever its revision; read once."""
    known = connection.info.setdefault("foyer_columns", {})
    if table not in known:
        described = connection.exec_driver_sql(f'PRAGMA table_info("{table}")').all()
        known[table] = {row[1]: ("CHAR" in row[2] or "TEXT" in row[2], not row[3]) for row in described}
    return dict(known[table])


def _checked(row: Any, columns: dict[str, tuple[bool, bool]], where: str) -> tuple[Any, ...]:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise Invalid(f"{where}: every row is an object with an id")
    return tuple(_value(name, value, columns, f"{where}, row {row['id']}") for name, value in row.items())


def _value(name: str, value: Any, columns: dict[str, tuple[bool, bool]], where: str) -> Any:
    if name not in columns:
        raise Invalid(f"{where}: there is no field {name}")
    is_text, nullable = columns[name]
    if value is None and nullable:
        return None
    if is_text and isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    if is_text and isinstance(value, str):
        return value
    if not is_text and isinstance(value, int):
        return int(value)
    raise Invalid(f"{where}: field {name} must be {'text' if is_text else 'a whole number'}")


def check(connection: Connection, path: Path) -> None:
    """Finds values that no program of ours writes but a hand may: times and words. Raises Invalid."""
    for table in inspect(connection).get_table_names():
        for described in inspect(connection).get_columns(table):
            name = described["name"]
            if getattr(described["type"], "length", None) == 24:
                _none_may(
                    connection,
                    path,
                    table,
                    name,
                    f"\"{name}\" NOT GLOB '{_TIME}'",
                    "a time like 2026-01-31T08:00:00.000Z",
                )
            choices = _CHOICES.get(table, {}).get(name)
            if choices:
                listed = ", ".join(f"'{choice}'" for choice in choices)
                _none_may(connection, path, table, name, f'"{name}" NOT IN ({listed})', "one of " + ", ".join(choices))


def _none_may(connection: Connection, path: Path, table: str, name: str, condition: str, accepted: str) -> None:
    found = connection.exec_driver_sql(f'SELECT id FROM "{table}" WHERE {condition} LIMIT 1').first()
    if found:
        raise Invalid(f"{path}: table {table}, row {found[0]}: field {name} must be {accepted}")


def check_references(connection: Connection, path: Path) -> None:
    """Finds rows that point to rows that are not there. Raises Invalid."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken:
        table, rowid, parent, _ = broken
        row_id = connection.exec_driver_sql(f'SELECT id FROM "{table}" WHERE rowid = ?', (rowid,)).scalar()
        raise Invalid(f"{path}: table {table}, row {row_id}: points to a row of {parent} that is not there")


def write(connection: Connection, path: Path, seq: int, revision: str) -> None:
    """Writes everything the connection sees as the document, one row a line, replacing the old one in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.tmp-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(f'{{"foyer": {FORMAT}, "revision": "{revision}", "seq": {seq}, "tables": {{\n')
            for place, table in enumerate(metadata.sorted_tables):
                file.write(f'{"," if place else ""}"{table.name}": [')
                rows = connection.exec_driver_sql(
                    f'SELECT {_row_as_json(table.name, "t.")} FROM "{table.name}" t ORDER BY rowid'
                )
                for count, (line,) in enumerate(rows):
                    file.write(("," if count else "") + "\n" + line)
                file.write("\n]\n")
            file.write("}}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        sync_folder(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def capture_statements(engine: Engine) -> list[str]:
    """What a new connection executes so that every changed row is noted in temp.changes, bulk changes included."""
    statements = ["CREATE TEMP TABLE changes (n INTEGER PRIMARY KEY, line TEXT NOT NULL)"]
    for table in metadata.sorted_tables:
        put = f"INSERT INTO changes (line) VALUES ('[\"put\",\"{table.name}\",' || {_row_as_json(table.name, 'NEW.')} || ']')"
        gone = f"INSERT INTO changes (line) VALUES (json_array('del', '{table.name}', OLD.id))"
        for name, verb, action in (("i", "INSERT", put), ("u", "UPDATE", put), ("d", "DELETE", gone)):
            statements.append(
                f'CREATE TEMP TRIGGER "{table.name}_{name}" AFTER {verb} ON main."{table.name}" BEGIN {action}; END'
            )
    return statements


def _row_as_json(table: str, prefix: str) -> str:
    """An SQL expression for a row as a JSON object; in pieces, since SQLite functions take at most 127 arguments."""
    columns = list(metadata.tables[table].columns)
    pieces = []
    for start in range(0, len(columns), 40):
        # Lists and objects first: a piece must not end in a brace of its own when the outer braces are trimmed off.
        piece = sorted(columns[start : start + 40], key=lambda column: not isinstance(column.type, JsonText))
        pairs = ", ".join(f"'{c.name}', {_column_as_json(c, prefix)}" for c in piece)
        pieces.append(f"trim(json_object({pairs}), '{{}}')" if len(columns) > 40 else f"json_object({pairs})")
    return pieces[0] if len(pieces) == 1 else "'{' || " + " || ',' || ".join(pieces) + " || '}'"


def _column_as_json(column: Any, prefix: str) -> str:
    name = f'{prefix}"{column.name}"'
    return f"json({name})" if isinstance(column.type, JsonText) else name
