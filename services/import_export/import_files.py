"""Read import files: CSV and JSON into rows with line numbers.

A row that cannot be read becomes a row with a problem. Field values are not validated here.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import orjson

from core.errors import FieldError, bad_request, invalid

DELIMITERS = ",;\t"
MAX_WRONG_COLUMNS = 50  # reported by name; a header may have a million columns
csv.field_size_limit(32 * 1024 * 1024)  # the length of texts is validated by the fields
# Column names of message exports -> ticket fields.
COLUMN_ALIASES = {
    "user_id": "customer_id",
    "message_body": "description",
    "message_text": "description",
    "timestamp": "created_at",
    "timestamp_utc": "created_at",
}
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_IN_LISTS = re.compile(r"[,;|]")
_TIMES = frozenset("created_at timestamp timestamp_utc resolved_at closed_at".split())
_SHORT_HOUR = re.compile(r"(?<=\d[ Tt])(?=\d:\d\d)")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a file: its line (in JSON: its position from 1) and its values, or a problem."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    problem: FieldError | None = None


def read(raw: bytes, kind: str, *, column_names: Collection[str]) -> list[RawRow]:
    """The rows of a file of `kind` csv or json; `column_names` are the accepted columns.

    Raises AppError 400 if the whole file is unusable.
    """
    return list(from_json(raw) if kind == "json" else from_csv(raw, column_names))


def from_json(raw: bytes) -> Iterator[RawRow]:
    """The objects of a JSON list, or of the list `tickets` of an object."""
    try:
        body = orjson.loads(raw.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise bad_request("bad_json", f"The file is not valid JSON ({place}).") from error
    items = body.get("tickets") if isinstance(body, dict) else body
    if not isinstance(items, list):
        raise bad_request("not_a_list", 'Send a list of tickets, or an object like {"tickets": [ … ]}.')
    for position, item in enumerate(items, 1):
        if isinstance(item, dict):
            yield RawRow(position, {name: _convert(name, value) for name, value in _with_field_names(item).items()})
        else:
            yield RawRow(position, problem=FieldError("", "Each ticket must be an object."))


def from_csv(raw: bytes, column_names: Collection[str]) -> Iterator[RawRow]:
    """The rows of a CSV file whose first line names the columns."""
    encoding, errors = _encoding(raw)
    lines = _Lines(io.TextIOWrapper(io.BytesIO(raw), encoding, errors, newline=""))
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise bad_request("empty_file", "The file is empty.")
    lines.give_back(1)
    records = _records(lines, max(DELIMITERS, key=first.count))
    _, header, problem = next(records, (1, None, "it holds no names."))
    if header is None:
        raise bad_request("bad_header", f"The first line cannot be read: {problem}")
    columns = _columns(header, column_names)
    for line, cells, problem in records:
        yield _row(line, columns, cells) if cells is not None else RawRow(line, problem=FieldError("", problem))


def _encoding(raw: bytes) -> tuple[str, str]:
    """The encoding (UTF-8, UTF-16 with BOM or Windows-1252) and the error handler for invalid bytes."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        beyond_ascii = {c for c in raw.decode("utf-8-sig", "surrogateescape") if c > "\x7f"}
        # If some non-ASCII characters decode as UTF-8, it is damaged UTF-8. If none do, it is Windows-1252.
        damaged = any(not _is_escaped_byte(c) for c in beyond_ascii)
        return ("utf-8-sig" if damaged else "cp1252"), "surrogateescape"
    return "utf-8-sig", "strict"


def _is_escaped_byte(character: str) -> bool:
    return "\udc80" <= character <= "\udcff"


class _Lines:
    """Iterator over the lines of a file that counts them and can step back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._waiting: list[str] = []
        self.of_record: list[str] = []
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else next(self._source)
        self.of_record.append(line)
        self.count += 1
        return line

    def give_back(self, number: int) -> None:
        """Steps back by `number` lines of the current record."""
        self.count -= number
        for _ in range(number):
            self._waiting.append(self.of_record.pop())


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Yields (first line, cells, "") for each record, or (first line, None, reason). Skips blank lines."""
    # Strict: otherwise an unclosed quotation mark would merge the following rows into one ticket.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.of_record.clear()
        start = lines.count + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.give_back(len(lines.of_record) - 1)
            yield start, None, "A quotation mark is not closed, or is not followed by a delimiter."
            continue
        if any(cell.strip() for cell in cells):
            yield start, cells, ""


def _columns(header: list[str], column_names: Collection[str]) -> list[str]:
    """The field names of a header. Raises AppError 400 that names unknown and duplicate columns."""
    columns = [_field_name(name) for name in header]
    readable = ["".join(c if c.isprintable() else "?" for c in heading) for heading in header]
    unknown = [
        (heading, name)
        for heading, name in zip(readable, columns, strict=True)
        if heading.strip() and name not in column_names
    ]
    wrong = [
        FieldError(heading[:100], _unknown(heading, name, column_names))
        for heading, name in unknown[:MAX_WRONG_COLUMNS]
    ]
    twice = [name for name, count in Counter(columns).items() if name in column_names and count > 1]
    wrong += [FieldError(name, f"There are two columns {name}.") for name in twice]
    if wrong:
        raise invalid(*wrong)
    return columns


def _unknown(heading: str, name: str, column_names: Collection[str]) -> str:
    close = get_close_matches(name[:100], sorted(column_names), n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]}?" if close else "The first line must name the columns with ticket fields."
    return f"{heading.strip()[:60]} is not a known column. {hint}"


def _row(line: int, columns: list[str], cells: list[str]) -> RawRow:
    values: dict[str, Any] = {}
    for position, cell in enumerate(cells):
        name = columns[position] if position < len(columns) else ""
        if any(map(_is_escaped_byte, cell)):
            reason = "This text is not valid UTF-8 or Windows-1252."
            return RawRow(line, problem=FieldError(name, reason))
        if name:
            values[name] = _convert(name, cell)
        elif cell.strip():
            reason = (
                f"There are {len(cells)} values for {len(columns)} columns; put text with commas in quotation marks."
            )
            return RawRow(line, problem=FieldError("", reason))
    return RawRow(line, values)


def _with_field_names(item: dict[str, Any]) -> dict[str, Any]:
    """The item with normalised field names; an empty result keeps the original name for the error message."""
    return {_field_name(name) or name: value for name, value in item.items()}


def _field_name(name: str) -> str:
    """Normalises a column name: `Message Body` and `message-body` become `message_body`."""
    return _NOT_IN_NAMES.sub("_", name.strip().lower()).strip("_")


def _convert(name: str, value: Any) -> Any:
    """Converts a value to the type of its field: numbers to text ids, text to lists and numbers."""
    if isinstance(value, str) and name == "tags":
        return [word.strip() for word in _IN_LISTS.split(value)]
    if isinstance(value, str) and name in _TIMES:
        return _SHORT_HOUR.sub("0", value.strip())  # spreadsheets write 6:07:30
    if isinstance(value, str) and name == "urgency":
        try:
            return float(value)
        except ValueError:
            return value
    if isinstance(value, int) and not isinstance(value, bool) and name != "urgency":
        return str(value)
    return value


def batches(rows: Iterable[RawRow], size: int) -> Iterator[list[RawRow]]:
    """The rows in batches of `size`."""
    portion: list[RawRow] = []
    for row in rows:
        portion.append(row)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion
