"""Reads and writes the JSON document, and renders rows as JSON text.

database/json_store/row_loader.py checks the rows.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from sqlalchemy import Connection, Table

from database.column_types import JsonText
from database.json_store.journal import sync_folder
from database.tables import metadata

FORMAT = 1
BATCH = 1000  # rows per batch
JOINED = 200  # rows that are rendered by one statement
END = "}}\n"
LARGEST_SEQ = 10**15
_HEAD = re.compile(rb'\{"foyer": %d, "revision": "(\w+)", "seq": (\d+), "tables": \{\n' % FORMAT)
_TABLE = re.compile(rb',?"(\w+)": \[\n')
_KEYS = {"foyer", "revision", "seq", "tables"}
_BOM = b"\xef\xbb\xbf"  # some editors write it at the beginning


class MalformedLine(Exception):
    """The document does not have one row on each line, as this program writes it. It may still be valid JSON."""


class Invalid(Exception):
    """The document cannot be used; the text names file, table, row and field."""


@dataclass(frozen=True)
class Where:
    """The source of rows, as error messages name it; `document` is the file in which to look up line numbers, if any."""

    name: str
    document: Path | None = None

    def row(self, table: str, row_id: str) -> str:
        """The row with that id."""
        line = self._line(table, rb'"id"\s*:\s*' + re.escape(orjson.dumps(row_id)))
        return f"{self.name}{f', line {line}' if line else ''}: table {table}, row {row_id}"

    def nth(self, table: str, number: int) -> str:
        """The row without an id at that position, from 1. Its line is known when each row has its own line."""
        line = self._line(table, rb"\[\n$", only_in_lines=True)
        return f"{self.name}{f', line {line + number}' if line else ''}: table {table}, row number {number}"

    def _line(self, table: str, regex: bytes, *, only_in_lines: bool = False) -> int:
        """The number of the first line of a table that matches the pattern, 0 when none does."""
        if self.document is None:
            return 0
        begins, pattern, inside = re.compile(rb'"%b"\s*:' % table.encode()), re.compile(regex), False
        with self.document.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1 and only_in_lines and not _HEAD.fullmatch(line):
                    return 0
                inside = inside or bool(begins.search(line))
                if inside and pattern.search(line):
                    return number
        return 0


@dataclass(frozen=True)
class Document:
    """A document: its path, the revision of its rows and the number of the last transaction in it.

    `tables` holds its rows by table, or None when they are still in the file, one on each line.
    """

    path: Path
    revision: str
    seq: int
    tables: dict[str, Any] | None = None

    def portions(self) -> Iterator[tuple[str, list[Any]]]:
        """Yields tables with batches of their rows; an empty table once. Raises Invalid, MalformedLine."""
        if self.tables is None:
            with self.path.open("rb") as file:
                file.readline()
                yield from batches(file)
            return
        for table, rows in self.tables.items():
            if not isinstance(rows, list):
                raise Invalid(f"{self.path}: table {table} must be a list of rows")
            for start in range(0, max(1, len(rows)), BATCH):
                yield table, rows[start : start + BATCH]


def read(path: Path) -> Document | None:
    """The document at `path`, None when there is none. Rows on lines of their own stay in the file. Raises Invalid."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        try:
            return Document(path, *head(file.readline(1000)))
        except MalformedLine:
            return read_whole(path)


def read_whole(path: Path) -> Document:
    """The document at `path` with its rows, in any layout. Raises Invalid."""
    return parse(path, path.read_bytes())


def parse(path: Path, raw: bytes) -> Document:
    """The document in these bytes; errors name `path`. Raises Invalid."""
    try:
        content = orjson.loads(raw.removeprefix(_BOM))
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict) or content.keys() != _KEYS:
        raise Invalid(f"{path} is not a Foyer document: it must be an object with {', '.join(sorted(_KEYS))}")
    if content["foyer"] != FORMAT:
        raise Invalid(f"{path}: format {content['foyer']!r} is not known to this Foyer")
    revision, seq, tables = content["revision"], content["seq"], content["tables"]
    if not isinstance(revision, str) or type(seq) is not int or not isinstance(tables, dict):
        raise Invalid(f"{path}: revision must be text, seq a whole number, tables an object")
    if not 0 <= seq <= LARGEST_SEQ:
        raise Invalid(f"{path}: seq must be a whole number from 0 to {LARGEST_SEQ}")
    return Document(path, revision, seq, tables)


def head(line: bytes) -> tuple[str, int]:
    """The revision and the last transaction in the first line of a document. Raises MalformedLine."""
    match = _HEAD.fullmatch(line)
    if not match or int(match[2]) > LARGEST_SEQ:
        raise MalformedLine  # `parse` then names the number that is too large
    return match[1].decode(), int(match[2])


def batches(file: BinaryIO, *, end: bytes = END.encode()) -> Iterator[tuple[str, list[Any]]]:
    """Yields tables with batches of their rows from the lines after the head; an empty table once, with no rows.

    Reading all rows at once would take several times the size of the file in memory. `end` begins the last line. Raises
    MalformedLine.
    """
    tables = set()
    while not (line := file.readline()).startswith(end):
        match = _TABLE.fullmatch(line)
        if not match or match[1] in tables:
            raise MalformedLine
        tables.add(match[1])
        for rows in _rows(file):
            yield match[1].decode(), rows
    if file.read(1):
        raise MalformedLine


def _rows(file: BinaryIO) -> Iterator[list[Any]]:
    row_lines = takewhile(b"]\n".__ne__, file)
    more = False
    while (lines := list(islice(row_lines, BATCH))) or not more:
        more = bool(lines) and lines[-1].endswith(b",\n")
        try:
            rows = orjson.loads(b"[%b]" % b"".join(lines).removesuffix(b",\n" if more else b"\n"))
        except ValueError:
            raise MalformedLine from None
        if len(rows) != len(lines):
            raise MalformedLine
        yield rows
        if not more:
            break
    if more or next(row_lines, None):
        raise MalformedLine


def write(connection: Connection, path: Path, seq: int, revision: str) -> None:
    """Writes all rows the connection sees as the document, one row a line, and replaces the old one atomically."""
    with replacing(path) as file:
        for text in texts(connection, seq, revision):
            file.write(text.encode())


def lines(connection: Connection, seq: int, revision: str) -> Iterator[str]:
    """The lines of a document with all rows the connection sees: head, rows of each table, end."""
    for text in texts(connection, seq, revision):
        yield from (f"{line}\n" for line in text.split("\n")[:-1])


def texts(connection: Connection, seq: int, revision: str) -> Iterator[str]:
    """As `lines`, many lines at once: between two rows the driver would let other threads compute, and wait for them."""
    yield f'{{"foyer": {FORMAT}, "revision": "{revision}", "seq": {seq}, "tables": {{\n'
    for place, table in enumerate(_tables()):
        text, end = f'{"," if place else ""}"{table.name}": [', "\n"
        for rows in _joined_rows(connection, table.name):
            yield text + end
            text, end = rows, ",\n"
        yield text + "\n"
        yield "]\n"
    yield END


def _joined_rows(connection: Connection, table: str) -> Iterator[str]:
    """The rows of a table as JSON, JOINED of them at a time, with a comma at the end of each line but the last."""
    portion = (
        f"SELECT group_concat(line, ',\n'), max(number) FROM (SELECT t.rowid AS number, {_row_as_json(table, 't.')} AS line "
        f'FROM "{table}" t WHERE t.rowid > ? ORDER BY t.rowid LIMIT {JOINED})'
    )
    rows, last = connection.exec_driver_sql(portion, (-1,)).one()
    while rows:
        yield rows
        rows, last = connection.exec_driver_sql(portion, (last,)).one()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that replaces `path` atomically, synced to disk, when the block ends without an error."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_temporary(path))
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        sync_folder(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove_unfinished(path: Path) -> None:
    """Removes temporary files of a process that was killed while it wrote the document."""
    for file in path.parent.glob(f"{_temporary(path)}*"):
        file.unlink()


def _temporary(path: Path) -> str:
    return f"{path.name}.tmp-"


def record_changes(connection: Connection) -> Connection:
    """The connection, which from now on records every changed row. One of the pool may do so already."""
    if not connection.info.get("records_changes"):
        driver: Any = connection.connection.driver_connection
        try:
            driver.executescript(_capture_script())
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        connection.info["records_changes"] = True
    return connection


@cache
def _capture_script() -> str:
    """Statements that make triggers which write every changed row into temp.changes as JSON."""
    statements = ["CREATE TEMP TABLE changes (n INTEGER PRIMARY KEY, line TEXT NOT NULL)"]
    for table in _tables():
        put_line = f"INSERT INTO changes (line) VALUES ('[\"put\",\"{table.name}\",' || {_row_as_json(table.name, 'NEW.')} || ']')"
        delete_line = f"INSERT INTO changes (line) VALUES (json_array('del', '{table.name}', OLD.id))"
        for name, verb, action in (("i", "INSERT", put_line), ("u", "UPDATE", put_line), ("d", "DELETE", delete_line)):
            statements.append(
                f'CREATE TEMP TRIGGER "{table.name}_{name}" AFTER {verb} ON main."{table.name}" BEGIN {action}; END'
            )
    return ";\n".join(statements)


@cache
def _tables() -> list[Table]:
    """Every table, each after those that it refers to."""
    return metadata.sorted_tables


@cache
def _row_as_json(table: str, prefix: str) -> str:
    """An SQL expression for a row as a JSON object. Built in pieces: SQLite functions take at most 127 arguments."""
    columns = list(metadata.tables[table].columns)
    pieces = []
    for start in range(0, len(columns), 40):
        # Lists and objects first, because `trim` would also remove a brace at the end of a value.
        piece = sorted(columns[start : start + 40], key=lambda column: not isinstance(column.type, JsonText))
        pairs = ", ".join(f"'{c.name}', {_column_as_json(c, prefix)}" for c in piece)
        pieces.append(f"trim(json_object({pairs}), '{{}}')" if len(columns) > 40 else f"json_object({pairs})")
    return pieces[0] if len(pieces) == 1 else "'{' || " + " || ',' || ".join(pieces) + " || '}'"


def _column_as_json(column: Any, prefix: str) -> str:
    name = f'{prefix}"{column.name}"'
    return f"json({name})" if isinstance(column.type, JsonText) else name
