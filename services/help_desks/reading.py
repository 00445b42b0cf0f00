"""Reads files of exports record by record: JSON Lines and CSV in little memory, a JSON document as a whole."""

import codecs
import os
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

import orjson

from core.errors import AppError
from services.help_desks.records import Raw
from services.import_export import import_csv
from storage import Row

MOST_IN_LINE = 32 * 1024 * 1024  # bytes of one object in JSON Lines
MOST_IN_ROW = 4 * 1024 * 1024  # characters of one record of a CSV file
MOST_IN_DOCUMENT = 256 * 1024 * 1024  # bytes of a JSON document, which is held in memory
_BLANK = b" \t\r\n" + codecs.BOM_UTF8
_COMPRESSED = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_ESCAPED = {code: "\ufffd" for code in range(0xDC80, 0xDD00)}  # bytes that are no text in the charset
_LOOKED_AT = 100  # lines at the beginning of a file, which show its kind
_LINES, _JSON = (".ndjson", ".jsonl"), (".ndjson", ".jsonl", ".json")
# An escape in JSON: a pair of surrogates, a lone one, or another (RFC 8259 §7).
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


def raws(name: str, file: IO[bytes], members: Collection[str], charset: str = "") -> Iterator[Raw]:
    """The records of a file, read from its beginning; a record that cannot be read has a `problem`.

    `members` are the names of lists that hold records. A file that cannot be used at all is one problem without a position.
    """
    try:
        kind = _kind(file, name)
        if kind == "csv":
            yield from _rows(name, file, charset)
        else:
            yield from (_lines if kind == "lines" else _document)(name, file, members)
    except AppError as error:
        yield Raw(name, 0, {}, problem=error.message)


def _kind(file: IO[bytes], name: str) -> str:
    """csv, lines or document. Raises AppError for what is none of them."""
    lines: list[bytes] = []
    start = file.read(4)
    file.seek(0)
    for _ in range(_LOOKED_AT):
        line = file.readline(MOST_IN_LINE)
        if line.strip(_BLANK):
            lines.append(line.strip(_BLANK))
        if not line or len(lines) == 2:
            break
    file.seek(0)
    first = lines[0] if lines else b""
    if start.startswith(_COMPRESSED):
        raise AppError("This file is compressed. Unpack it and name the files in it.")
    if not first:
        raise AppError("The file is empty.")
    if first.startswith(b"<"):
        raise AppError("XML is not taken. Export as JSON or CSV.")
    if b"\0" in first and name.lower().endswith(_JSON):
        raise AppError(
            "The file is not JSON in UTF-8. Save it as UTF-8: what Windows PowerShell writes with > is UTF-16."
        )
    if name.lower().endswith(_LINES):
        return "lines"
    if first[:1] not in (b"{", b"["):
        return "csv"
    return "lines" if len(lines) > 1 and first.startswith(b"{") and _is_line(first, lines[1]) else "document"


def _is_line(first: bytes, second: bytes) -> bool:
    """Whether the first line is a record by itself: it is JSON, or it looks so and another one follows."""
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return first.endswith(b"}") and second.startswith(b"{")
    return True


def _lines(name: str, file: IO[bytes], members: Collection[str]) -> Iterator[Raw]:
    number = 0
    while line := file.readline(MOST_IN_LINE + 1):
        number += 1
        is_long = len(line) > MOST_IN_LINE
        while len(line) > MOST_IN_LINE and not line.endswith(b"\n"):
            line = file.readline(MOST_IN_LINE + 1)
        text = line.strip(_BLANK)
        if is_long:
            yield Raw(name, number, {}, problem=f"A line has at most {MOST_IN_LINE:,} bytes.")
        elif text:
            try:
                values = _loads(text)
            except orjson.JSONDecodeError as error:
                yield Raw(name, number, {}, problem=f"This line is not valid JSON (column {error.colno}).")
            else:
                for member, record in _records(values, members):
                    yield _raw(name, number, member, record, is_line=True)


def _document(name: str, file: IO[bytes], members: Collection[str]) -> Iterator[Raw]:
    if file.seek(0, os.SEEK_END) > MOST_IN_DOCUMENT:
        raise AppError(
            f"A JSON document has at most {MOST_IN_DOCUMENT:,} bytes. Write one record a line: jq -c '.[]' {name}"
        )
    file.seek(0)
    try:
        values = _loads(file.read().removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise AppError(f"The file is not valid JSON (line {error.lineno}, column {error.colno}).") from None
    for number, (member, record) in enumerate(_records(values, members), 1):
        yield _raw(name, number, member, record, is_line=False)


def _loads(text: bytes) -> Any:
    """The value of a JSON text. Half a character, as products leave it where they cut a text in an emoji, becomes U+FFFD.

    Raises orjson.JSONDecodeError.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return orjson.loads(_ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], text))


def _records(values: Any, members: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Each record with the name of its list, "" for none: items of a list, of the named lists of an object, or the object."""
    if isinstance(values, list):
        for value in values:
            yield from _records(value, members) if isinstance(value, dict) else [("", value)]
    elif isinstance(values, dict) and _is_page(values, members):
        for member, records in values.items():
            if isinstance(records, list) and member in members:
                yield from ((member, record) for record in records)
    else:
        yield "", values


def _is_page(values: Row, members: Collection[str]) -> bool:
    """Whether an object holds lists of records; a record, which has an id, may hold lists of such names too."""
    return "id" not in values and any(isinstance(values.get(member), list) for member in members)


def _raw(name: str, number: int, member: str, record: Any, *, is_line: bool) -> Raw:
    if not isinstance(record, dict):
        return Raw(name, number, {}, is_line=is_line, problem="A record must be an object.")
    return Raw(name, number, record, member, is_line=is_line)


def _rows(name: str, file: IO[bytes], charset: str) -> Iterator[Raw]:
    records = import_csv.records(file, charset, most=MOST_IN_ROW)
    _, header, problem = next(records)
    if header is None:
        raise AppError(f"The first line cannot be read: {problem}")
    columns = [column.strip().lower() for column in header]
    for line, cells, problem in records:
        if cells is None:
            yield Raw(name, line, {}, is_row=True, problem=problem)
        elif len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            there = f"There are {len(cells)} values for {len(columns)} columns"
            yield Raw(name, line, {}, is_row=True, problem=f"{there}; put text with commas in quotation marks.")
        else:
            yield Raw(name, line, _cells(columns, cells), is_row=True)


def _cells(columns: list[str], cells: list[str]) -> Row:
    values: Row = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell.strip() and column:
            values.setdefault(column, []).append(cell.translate(_ESCAPED))
    return values
