"""The JSON document of the JSON-file engine as a file: reading it, writing it in one step, and rows as JSON text.

What the rows may hold is json_rows.py's business.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from columns import JsonText
from journal import sync_folder
from tables import metadata

FORMAT = 1
_KEYS = {"foyer", "revision", "seq", "tables"}
_BOM = b"\xef\xbb\xbf"  # what some editors put in front of a text
BATCH = 1000  # rows handed on together
# The lines `write` makes: the first, one that begins a table, one that ends it.
_HEAD = re.compile(rb'\{"foyer": %d, "revision": "(\w+)", "seq": (\d+), "tables": \{\n' % FORMAT)
_TABLE = re.compile(rb',?"(\w+)": \[\n')
_END, _FOOT = b"]\n", b"}}\n"


class Invalid(Exception):
    """The document cannot be used; the text names file, table, row and field."""


class OtherLayout(Exception):
    """The document is not in lines as `write` makes them: only `read` with `whole` can tell what it holds."""


@dataclass(frozen=True)
class Document:
    """A document as read: where from, which revision its rows have, the last transaction in it.

    `tables` holds its rows by table, or None when they are still in the file, one on each line.
    """

    path: Path
    revision: str
    seq: int
    tables: dict[str, Any] | None = None

    def portions(self) -> Iterator[tuple[str, list[Any]]]:
        """Each table with some of its rows, again and again; without rows once. Raises Invalid, OtherLayout."""
        if self.tables is None:
            yield from _lines(self.path)
            return
        for table, rows in self.tables.items():
            if not isinstance(rows, list):
                raise Invalid(f"{self.path}: table {table} must be a list of rows")
            for start in range(0, max(1, len(rows)), BATCH):
                yield table, rows[start : start + BATCH]


def _lines(path: Path) -> Iterator[tuple[str, list[Any]]]:
    """The rows of a document in lines, read as they are wanted: all at once would be several times the file in memory."""
    seen = set()
    with path.open("rb") as file:
        file.readline()
        while (line := file.readline()) != _FOOT:
            begun = _TABLE.fullmatch(line)
            if not begun or begun[1] in seen:
                raise OtherLayout
            seen.add(begun[1])
            for rows in _rows(file):
                yield begun[1].decode(), rows
        if file.read(1):
            raise OtherLayout


def _rows(file: Any) -> Iterator[list[Any]]:
    more = True
    while more:
        lines: list[bytes] = []
        while len(lines) < BATCH and more:
            line = file.readline()
            more = line not in (_END, b"")
            if more:
                lines.append(line)
        try:
            rows = orjson.loads(b"[%b]" % b"".join(lines).removesuffix(b",\n" if more else b"\n"))
        except ValueError:
            raise OtherLayout from None
        if len(rows) != len(lines):
            raise OtherLayout
        yield rows


def read(path: Path) -> Document | None:
    """The document at `path`, None when there is none; in lines its rows stay in the file. Raises Invalid."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        head = _HEAD.fullmatch(file.readline(1000))
    return Document(path, head[1].decode(), int(head[2])) if head else read_whole(path)


def read_whole(path: Path) -> Document:
    """The document at `path` with its rows, however it is laid out. Raises Invalid."""
    try:
        content = orjson.loads(path.read_bytes().removeprefix(_BOM))
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict) or content.keys() != _KEYS:
        raise Invalid(f"{path} is not a Foyer document: it must be an object with {', '.join(sorted(_KEYS))}")
    if content["foyer"] != FORMAT:
        raise Invalid(f"{path}: format {content['foyer']!r} is not known to this Foyer")
    revision, seq, tables = content["revision"], content["seq"], content["tables"]
    if not isinstance(revision, str) or type(seq) is not int or seq < 0 or not isinstance(tables, dict):
        raise Invalid(f"{path}: revision must be text, seq a whole number, tables an object")
    return Document(path, revision, seq, tables)


def write(connection: Connection, path: Path, seq: int, revision: str) -> None:
    """Writes everything the connection sees as the document, one row a line, replacing the old one in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_temporary(path))
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


def remove_unfinished(path: Path) -> None:
    """Removes what a process that was killed while writing the document left beside it."""
    for left in path.parent.glob(f"{_temporary(path)}*"):
        left.unlink()


def _temporary(path: Path) -> str:
    return f"{path.name}.tmp-"


def capture_statements() -> list[str]:
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
