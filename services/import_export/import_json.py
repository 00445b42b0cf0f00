"""Reading JSON files of tickets one by one: a list, or the list `tickets` of an object. Memory is bounded however long it is."""

import codecs
from collections.abc import Iterator
from typing import IO, Any, NoReturn

import numpy as np
import orjson

from core.errors import FieldError, bad_request
from core.json_names import repeated_name
from services.import_export.import_values import MAX_COLUMNS, Columns, RawRow, fitting

MAX_ITEM = 256 * 1024  # bytes of one ticket: room for every field at its longest with all letters escaped
LIST = "tickets"
LISTS = (LIST, "data")  # `data` is what our own export calls it
_CHUNK = 128 * 1024
_SPACE = b" \t\n\r"
_STEPS = np.zeros(256, np.int8)  # how much deeper what follows a sign is
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
_IS_SIGN = np.isin(np.arange(256), list(b"[]{},"))


def lines(file: IO[bytes], columns: Columns) -> Iterator[RawRow]:
    """The objects of a JSON Lines file; blank lines are passed over."""
    number = 0
    while line := file.readline(MAX_ITEM + 1):
        number += 1
        is_long = len(line) > MAX_ITEM
        while len(line) > MAX_ITEM and not line.endswith(b"\n"):
            line = file.readline(MAX_ITEM + 1)
        text = line.strip(_SPACE + codecs.BOM_UTF8)
        if is_long or text:
            yield _line_row(number, None if is_long else text, columns)


def _line_row(number: int, text: bytes | None, columns: Columns) -> RawRow:
    try:
        return _row(number, text, columns)
    except orjson.JSONDecodeError as error:
        return RawRow(number, problem=FieldError("", f"This line is not valid JSON (column {error.colno})."))


def rows(file: IO[bytes], columns: Columns) -> Iterator[RawRow]:
    """The objects of the list. The whole file is read once before the first one.

    Raises AppError 400 when it is not JSON or holds no list.
    """
    for _ in _items(_Source(file), many=True):
        pass
    file.seek(0)
    for position, item in enumerate(_items(_Source(file)), 1):
        yield _row(position, item, columns)


def _row(position: int, item: bytes | None, columns: Columns) -> RawRow:
    if item is None:
        return RawRow(position, problem=FieldError("", f"A ticket has at most {MAX_ITEM:,} bytes."))
    values = orjson.loads(item)
    if not isinstance(values, dict):
        return RawRow(position, problem=FieldError("", "Each ticket must be an object."))
    if repeated := repeated_name(item):
        return RawRow(position, problem=FieldError(repeated[:100], "This name stands twice."))
    if len(values) > MAX_COLUMNS:
        return RawRow(position, problem=FieldError("", f"A ticket has at most {MAX_COLUMNS} fields."))
    # A name that is none stays as it is, to be refused by name.
    named = {columns.field_of(name) or name: value for name, value in values.items()}
    unknown = {name: value for name, value in named.items() if not columns.is_accepted(name)}
    used = {name: fitting(name, value) for name, value in columns.used(named).items()}
    return RawRow(position, used | unknown)


def _items(source: "_Source", *, many: bool = False) -> Iterator[bytes | None]:
    """Each item of the list as JSON, `many` in runs of them; None for one that is too long. Raises AppError 400."""
    text, sign = source.part(0, b"[{")
    if sign and text:
        source.fail()
    if sign == b"[":
        yield from _elements(source, 1, many=many)
    elif sign == b"{":
        yield from _elements_of_member(source, many=many)
    else:
        source.check(text, b"", b"")
        _no_list()
    if source.part(0, b"[]{},") != (b"", b""):
        source.fail()


def _elements(source: "_Source", level: int, *, many: bool) -> Iterator[bytes | None]:
    """The elements of a list, up to its end."""
    text, sign = source.part(level, b",]}", many=many)
    if sign == b"]" and text == b"":
        return
    while True:
        source.check(text, b"[", b"]")
        yield text
        if sign == b"]":
            return
        if sign != b",":
            source.fail()
        text, sign = source.part(level, b",]}", many=many)


def _elements_of_member(source: "_Source", *, many: bool) -> Iterator[bytes | None]:
    """The elements of the list `tickets` of an object, up to the object's end; its other members are passed over."""
    lists = 0
    sign = b","
    while sign == b",":
        text, sign = source.part(1, b",]}[{", many=True)
        if sign == b"}" and text == b"" and not lists:
            break
        if sign == b"[" and source.name(text) in LISTS:
            lists += 1
            yield from _elements(source, 2, many=many)
        elif sign and sign in b"[{":
            value, end = source.part(2, b"]}")
            source.check(None if None in (text, value) else b"".join((text, sign, value, end)), b"{", b"}")  # type: ignore[arg-type]
        else:
            source.check(text, b"{", b"}")
            if text and not {*LISTS}.isdisjoint(orjson.loads(b"{" + text + b"}")):
                _no_list()
            continue
        rest, sign = source.part(1, b",]}")
        if rest:
            source.fail()
    if sign != b"}":
        source.fail()
    if lists != 1:
        _no_list()


def _no_list() -> NoReturn:
    raise bad_request("not_a_list", f'Send a list of tickets, or an object like {{"{LIST}": [ … ]}}.')


def _behind(place: tuple[int, int], text: bytes) -> tuple[int, int]:
    """The line and column behind a text that begins at a place."""
    lines = text.count(b"\n")
    return place[0] + lines, len(text) - text.rfind(b"\n") if lines else place[1] + len(text)


class _Source:
    """A JSON file, cut at the signs of one level."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._line, self._column = 1, 1
        self._start = (1, 1)  # of the part that was taken last
        self._depth, self._quoted = 0, False  # at the end of the chunk
        self._chunk, self._at = b"", 0
        self._positions: Any = np.zeros(0, np.int64)  # of the signs in the chunk that are in no text
        self._depths = self._kinds = self._positions
        self._next: list[int] = []  # where the signs asked for stand, the first one last
        self._asked: tuple[int, bytes] = (-1, b"")
        self._read(codecs.BOM_UTF8)

    def part(self, level: int, signs: bytes, *, many: bool = False) -> tuple[bytes | None, bytes]:
        """Reads up to the next of the `signs` at this level. Returns the text and the sign, b"" at the end.

        `many`: up to the last comma of those that were read together and have no other sign before them. Space around the text
        is left out. A text that is too long is None.
        """
        self._start = (self._line, self._column)
        parts: list[bytes] = []
        size, blank = 0, True
        while True:
            position = self._position(level, signs, last=many and not parts)
            text = self._take(position if position >= 0 else len(self._chunk))
            size += len(text)
            blank = blank and not text.strip(_SPACE)
            parts = [*parts, text] if size <= MAX_ITEM and not blank else []
            if blank:
                self._start = (self._line, self._column)
            if position >= 0:
                sign = self._take(position + 1)
                break
            if not self._read():
                sign = b""
                break
        if size > MAX_ITEM and not blank:
            return None, sign
        whole = b"".join(parts)
        text = whole.lstrip(_SPACE)
        self._start = _behind(self._start, whole[: len(whole) - len(text)])
        return text.rstrip(_SPACE), sign

    def check(self, text: bytes | None, before: bytes, behind: bytes) -> None:
        """Raises AppError 400 if the text that was read last is no JSON between these signs. None is not checked."""
        if text is None:
            return
        if not text:
            self.fail()
        try:
            orjson.loads(before + text + behind)
        except orjson.JSONDecodeError as error:
            line, column = self._start
            line, column = line + error.lineno - 1, error.colno + (column - 1 - len(before)) * (error.lineno == 1)
            self._start = (line, column)
            self.fail()

    def name(self, text: bytes | None) -> str:
        """The name of a member, of which this is all before its value. Raises AppError 400."""
        if not text or not text.endswith(b":"):  # of `"tickets":1 [` the 0 would only make another number
            self.fail()
        self.check(text + b"0", b"{", b"}")
        return str(next(iter(orjson.loads(b"{" + text + b"0}"))))

    def fail(self) -> NoReturn:
        """Raises AppError 400 that names the place, or where the part begins that is wrong."""
        line, column = self._start
        raise bad_request("bad_json", f"The file is not valid JSON (line {line}, column {column}).")

    def _take(self, end: int) -> bytes:
        part = self._chunk[self._at : end]
        self._at = end
        self._line, self._column = _behind((self._line, self._column), part)
        return part

    def _position(self, level: int, signs: bytes, *, last: bool) -> int:
        """Where in the chunk the next of the signs stands, -1 when there is none; `last`: the last comma before an end."""
        if self._asked != (level, signs):
            self._asked = (level, signs)
            chosen = (self._depths == level) & (self._positions >= self._at) & np.isin(self._kinds, list(signs))
            self._next = self._positions[chosen][::-1].tolist()
        if not self._next:
            return -1
        if last and self._chunk[self._next[-1]] == ord(","):
            ends = (place for place, at in enumerate(reversed(self._next)) if self._chunk[at] != ord(","))
            commas = next(ends, len(self._next))
            position = self._next[-commas]
            del self._next[-commas:]
            return position
        return self._next.pop()

    def _read(self, mark: bytes = b"") -> bool:
        """Reads the next chunk and finds its signs; tells whether there is one."""
        chunk = self._file.read(_CHUNK)
        if (len(chunk) - len(chunk.rstrip(b"\\"))) % 2:  # an escaped character belongs to its backslash
            chunk += self._file.read(1)
        if not chunk:
            return False
        self._chunk, self._at, self._asked = chunk.removeprefix(mark), 0, (-1, b"")
        characters = np.frombuffer(self._chunk.replace(b"\\\\", b"__").replace(b'\\"', b"__"), np.uint8)
        quotes = np.cumsum(characters == ord('"')) + self._quoted
        outside = quotes % 2 == 0
        steps = _STEPS[characters] * outside
        depths = np.cumsum(steps, dtype=np.int64) + self._depth
        self._positions = np.flatnonzero(_IS_SIGN[characters] & outside)
        self._depths = (depths - steps)[self._positions]
        self._kinds = characters[self._positions]
        if len(depths):
            self._depth, self._quoted = int(depths[-1]), not outside[-1]
        return True
