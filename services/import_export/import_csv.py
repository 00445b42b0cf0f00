"""Reading CSV files of tickets record by record, whatever their encoding. Memory and work for one record are bounded."""

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Collection, Iterator
from contextlib import suppress
from difflib import get_close_matches
from itertools import chain
from typing import IO, Any

from core.charsets import codec_of
from core.errors import FieldError, bad_request, invalid
from core.models import TICKET_FIELDS
from services.import_export import spreadsheets
from services.import_export.csv_cells import FORMULA_STARTS
from services.import_export.import_values import MAX_COLUMNS, Columns, RawRow, fitting

DELIMITERS = ",;\t|"
MAX_RECORD = 64 * 1024  # characters; all fields at their longest are half of it
MAX_ERRORS = 50  # columns that are named
OWN_EXPORT = [*TICKET_FIELDS, "thread"]
_CHUNK = 64 * 1024
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
_SEPARATOR = re.compile('"?sep=(.)"?', re.IGNORECASE)  # Excel's own hint
GUESSED = "cp1252"  # what Excel writes in Western Europe and America
_NO_CAPITAL = re.compile("[\udca1-\udcbf\udce0-\udcff]")
_FOREIGN_WORD = re.compile("[^\x00-\x7f]{5,}")
_NAME_CHARSET = (
    "The file is not UTF-8, and its letters are not those of Western Europe. Save it as UTF-8, or name its charset, like "
    "Content-Type: text/csv; charset=windows-1251 (or iso-8859-7, gb18030, shift_jis …)."
)

Record = tuple[int, list[str] | None, str]  # its first line, its cells or None, why it has none
_OPEN_QUOTE = "A quotation mark here is not closed within {:,} characters, or not followed by the next column."
_TOO_LONG = "A row has at most {:,} characters."


def rows(file: IO[bytes], columns: Columns, charset: str = "") -> Iterator[RawRow]:
    """The rows of a CSV file whose first line names the columns. Raises AppError 400 when it cannot be used.

    `charset` is what the sender says; it counts when it is not UTF-8, which is tried first.
    """
    encoding, errors = _encoding(file, charset)
    if encoding == GUESSED and not charset:
        columns.guessed_encoding = "Windows-1252"
    yield from _from_records(_read(file, encoding, errors, MAX_RECORD), columns, unescape=True)


def records(file: IO[bytes], charset: str = "", *, most: int = MAX_RECORD) -> Iterator[Record]:
    """The records of a CSV file, the header first, each with its line; a record has at most `most` characters.

    Bytes that are no text in the charset are left in the cells as surrogates. Raises AppError 400 when it cannot be used.
    """
    yield from _read(file, *_encoding(file, charset), most)


def _read(file: IO[bytes], encoding: str, errors: str, most: int) -> Iterator[Record]:
    text = io.TextIOWrapper(file, encoding, errors, newline="")
    try:
        lines = _Lines(text, most)
        if not lines.begin():
            raise bad_request("empty_file", "The file is empty.")
        yield from _records(lines, _delimiter(lines))
    finally:
        with suppress(ValueError):  # the caller, whose the file is, may have closed it
            text.detach()


def sheet_rows(file: IO[bytes], columns: Columns) -> Iterator[RawRow]:
    """The rows of an Excel file whose first row names the columns. Raises AppError 400 when it cannot be used."""
    sheet = spreadsheets.rows(file)
    first = next(sheet, None)
    if first is None:
        raise bad_request("empty_file", "The file is empty.")
    yield from _from_records(map(_as_record, chain([first], sheet)), columns, unescape=False)


def _as_record(row: tuple[int, list[str]]) -> Record:
    number, cells = row
    is_long = sum(map(len, cells)) > MAX_RECORD
    while cells and not cells[-1]:
        cells.pop()  # a sheet is as wide as its widest row
    return (number, None, _TOO_LONG.format(MAX_RECORD)) if is_long else (number, cells, "")


def _from_records(records: Iterator[Record], columns: Columns, *, unescape: bool) -> Iterator[RawRow]:
    _, header, problem = next(records)
    if header is None:
        raise bad_request("bad_header", f"The first line cannot be read: {problem}")
    fields = _fields(header, columns)
    is_ours = unescape and header == OWN_EXPORT
    for line, cells, problem in records:
        if cells is None:
            yield RawRow(line, problem=FieldError("", problem))
        else:
            yield _row(line, fields, [_unescape_formula(cell) for cell in cells] if is_ours else cells, columns)


def _delimiter(lines: "_Lines") -> str:
    """What parts the columns: as a first line `sep=;` says, else the sign that the header has most of."""
    if hint := _SEPARATOR.fullmatch(lines.next_line.strip("\r\n")):
        next(lines)
        lines.begin()
        return hint[1]
    return max(DELIMITERS, key=lines.next_line.count)


def _unescape_formula(cell: str) -> str:
    """Takes off the ' that our export puts before a text that a spreadsheet would take for a formula."""
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(FORMULA_STARTS) else cell


def _encoding(file: IO[bytes], charset: str) -> tuple[str, str]:
    """UTF-8, UTF-16 with its mark, what the sender says, or Windows-1252; and what to do with bytes that are no text."""
    declared = _declared(charset)
    marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    file.seek(0)
    if marked:
        return "utf-16", "replace"
    if declared.startswith(("utf-16", "iso2022")):  # their bytes are valid UTF-8, with another meaning
        return declared, "replace"
    try:
        for _ in _decoded(file, "strict"):
            pass
    except UnicodeDecodeError:
        if declared not in ("", "utf-8"):
            return declared, "surrogateescape"
        # Something beyond ASCII reads as UTF-8 and some bytes do not: UTF-8 with damage. Nothing does: never was UTF-8.
        is_foreign = any(map(_is_foreign, _decoded(file, "surrogateescape")))
        damaged = any(map(_BEYOND_ASCII.search, _decoded(file, "surrogateescape")))
    else:
        return "utf-8-sig", "strict"
    finally:
        file.seek(0)
    if is_foreign:
        raise bad_request("unknown_charset", _NAME_CHARSET)
    return ("utf-8-sig" if damaged else GUESSED), "surrogateescape"


def _is_foreign(text: str) -> bool:
    """Whether a word is in another encoding: no ASCII letter, mostly no UTF-8, and no capitals of Windows-1252."""
    words = (word for word in _FOREIGN_WORD.findall(text) if len(_ESCAPED_BYTE.findall(word)) > len(word) / 2)
    return any(len(_NO_CAPITAL.findall(word)) >= 2 for word in words)


def _declared(charset: str) -> str:
    """The codec of a charset, "" when none is named. Raises AppError 400 for one that is not known."""
    if not charset:
        return ""
    try:
        return codec_of(charset)
    except LookupError:
        pass
    raise bad_request("bad_charset", f"charset {charset[:40]!a} is not known. Use UTF-8, or a name like windows-1252.")


def _decoded(file: IO[bytes], errors: str) -> Iterator[str]:
    """The file as UTF-8, in parts."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors)
    while chunk := file.read(_CHUNK):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


class _TooLongError(Exception):
    """A record is longer than it may be."""


class _Lines:
    """The lines of a file, counted, for csv.reader; those of the record at hand can be read again."""

    def __init__(self, text: io.TextIOWrapper, most: int) -> None:
        self._text = text
        self.most = most  # characters of a record
        self._waiting: deque[str] = deque()
        self._of_record: list[str] = []
        self._size = 0
        self._count = 0
        self.next_line = ""
        self.start = 0  # the line at which the record at hand begins

    def begin(self, delimiter: str = "") -> bool:
        """Begins a record at the next line that holds anything; tells whether there is one."""
        self._of_record.clear()
        self._size = 0
        blank, readline, passed = f" \r\n{delimiter}", self._text.readline, 0
        line = self._read()
        while line and not line.strip(blank):  # of a long line in several parts the last one counts
            passed += line[-1] in "\r\n"
            line = readline(self.most + 1) if not self._waiting else self._read()
        self._count += passed
        self._waiting.appendleft(line)
        self.start, self.next_line = self._count + 1, line
        return bool(line)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        self._of_record.append(line)
        self._count += 1
        self._size += len(line)
        if self._size > self.most:
            raise _TooLongError
        return line

    def _read(self) -> str:
        return self._waiting.popleft() if self._waiting else self._text.readline(self.most + 1)

    def give_up(self) -> bool:
        """Passes over the first line of the record; the others are read again. Tells whether that line alone is too long."""
        self._waiting.extendleft(reversed(self._of_record[1:]))
        self._count -= len(self._of_record) - 1
        line = self._of_record[0]
        too_long = len(line) > self.most
        while too_long and line and not line.endswith(("\n", "\r")):
            line = self._read()
        return too_long


def _records(lines: _Lines, delimiter: str) -> Iterator[Record]:
    """Each record: its cells, or why they cannot be read. Blank lines are passed over. The first one has begun already."""
    # Strict: a quotation mark nobody closes would else take in the rows that follow, and make one ticket of them.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begun = True
    while begun:
        try:
            cells = next(reader)
        except (csv.Error, _TooLongError):
            yield lines.start, None, (_TOO_LONG if lines.give_up() else _OPEN_QUOTE).format(lines.most)
        else:
            if any(cell.strip() for cell in cells):
                yield lines.start, cells, ""
        begun = lines.begin(delimiter)


def _fields(header: list[str], columns: Columns) -> list[str]:
    """The field of each column, "" without a name. Raises AppError 400 naming every column that is unknown or stands twice."""
    if len(header) > MAX_COLUMNS:
        raise bad_request("bad_header", f"The first line names {len(header):,} columns; there can be {MAX_COLUMNS}.")
    names = [columns.field_of(column) for column in header]
    readable = ["".join(c if c.isprintable() else "?" for c in column) for column in header]
    unknown = [
        (column, name) for column, name in zip(readable, names, strict=True) if name and not columns.is_accepted(name)
    ]
    errors = [FieldError(column[:100], _unknown(column, name, columns.known)) for column, name in unknown[:MAX_ERRORS]]
    repeated = [name for name, count in Counter(names).items() if name in columns.known and count > 1]
    errors += [FieldError(name, f"There are two columns {name}.") for name in repeated]
    errors += [FieldError("map", f"The file has no column {name}.") for name in columns.unused_renames()]
    if errors:
        raise invalid(*errors)
    if not any(name in columns.known for name in names):
        raise bad_request(
            "bad_header", "The first line must name the columns with ticket fields, like title,description."
        )
    return names


def _unknown(column: str, name: str, known: Collection[str]) -> str:
    close = get_close_matches(name[:100], sorted(known), n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]}?" if close else "Rename it to a ticket field, or send map or ignore_unknown."
    return f"{column.strip()[:60]} is not a column known here. {hint}"


def _row(line: int, fields: list[str], cells: list[str], columns: Columns) -> RawRow:
    values: dict[str, Any] = {}
    is_too_long = len(cells) > max(MAX_COLUMNS, len(fields))
    if is_too_long or any(cell.strip() for cell in cells[len(fields) :]):
        there = f"There are {len(cells)} values for {len(fields)} columns"
        return RawRow(line, problem=FieldError("", f"{there}; put text with commas in quotation marks."))
    for position, (name, cell) in enumerate(zip(fields, cells, strict=False), 1):
        if _ESCAPED_BYTE.search(cell):
            reason = "This holds bytes that are no text in the charset of the file."
            return RawRow(line, problem=FieldError(name, reason))
        if name:
            values[name] = cell
        else:
            columns.note(f"column {position} (without a name)", cell.strip())
    return RawRow(line, {name: fitting(name, value) for name, value in columns.used(values).items()})
