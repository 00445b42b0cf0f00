"""One row of an import file: what columns are called, and values in the type their field takes.

A row that cannot be read becomes a row with a problem; what the fields of a ticket may hold is not judged here.
"""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from core.errors import FieldError, invalid_field

csv.field_size_limit(200_000)  # characters of a cell: an article is longer than a whole row of a ticket
MAX_COLUMNS = 100  # more than there are fields and aliases
ID = "id"  # of a ticket in the system the file comes from
# Columns of message exports, beside the ticket's own field names and their aliases.
COLUMN_ALIASES = {
    "user_id": "customer_id",
    "message_body": "description",
    "message_text": "description",
    "timestamp": "created_at",
    "timestamp_utc": "created_at",
}
_NOT_IN_NAMES = re.compile(r"[\W_]+")
_IN_LISTS = re.compile(r"[,;|]")
_IN_BRACKETS = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^,;|]+))""")
_TIMES = frozenset("created_at timestamp timestamp_utc resolved_at closed_at".split())
_SHORT_HOUR = re.compile(r"(?<=\d[ Tt])(?=\d:\d\d)")
MAX_IGNORED = 50  # names of columns that are listed as left out


@dataclass(slots=True)
class Columns:
    """What the columns of a file mean: `known` and `read_only` field names, and the caller's own `renames`.

    Columns that are left out are collected in `ignored`: unknown ones with `ignore_unknown`, those of our own export that an
    import cannot set, and those without a name.
    """

    known: Collection[str]
    read_only: Collection[str] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    ignore_unknown: bool = False
    ignored: dict[str, None] = field(default_factory=dict)
    as_written: dict[str, str] = field(default_factory=dict)  # field -> column
    present_renames: set[str] = field(default_factory=set)
    guessed_encoding: str = ""

    def field_of(self, column: str) -> str:
        """The field that a column is for: the caller's choice, else the column's name as a field name."""
        column_name = field_name(column)
        name = self.renames.get(column_name, column_name)
        if column_name in self.renames:
            self.present_renames.add(column_name)
        if len(self.as_written) < MAX_COLUMNS:
            self.as_written.setdefault(name, column.strip())
        return name

    def unused_renames(self) -> list[str]:
        """The columns of `renames` that the file, as far as it was read, does not have."""
        return sorted(self.renames.keys() - self.present_renames)

    def is_accepted(self, name: str) -> bool:
        """Whether a value under this name is used or may be left out."""
        return name in self.known or name in self.read_only or name == ID or self.ignore_unknown

    def used(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values that an import uses; names of other values are noted. The `id` of another system is the external_id."""
        used = {name: value for name, value in values.items() if name in self.known}
        for name, value in values.items():
            if name == ID and not used.get("external_id"):
                used["external_id"] = value
            elif name not in used:
                self.note(name, value)
        return used

    def note(self, name: str, value: Any) -> None:
        """Notes that a value was left out, unless it is empty."""
        if value not in (None, "", [], {}) and len(self.ignored) < MAX_IGNORED:
            self.ignored[self.as_written.get(name, name)[:100]] = None


def parse_renames(text: str, known: Collection[str]) -> dict[str, str]:
    """`Subject:title,Body:description` as column -> field. Raises AppError 400."""
    renames = {}
    for pair in filter(str.strip, text.split(",")):
        column, _, name = pair.rpartition(":")
        if not column.strip() or name.strip() not in known:
            fields = ", ".join(sorted(known))
            raise invalid_field("map", f"map takes pairs like Subject:title. Fields: {fields}.")
        renames[field_name(column)] = name.strip()
    return renames


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file: its line (of a JSON list: its position, from 1) and what it says."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    problem: FieldError | None = None


def field_name(name: str) -> str:
    """`Message Body` and `message-body` are `message_body`."""
    return _NOT_IN_NAMES.sub("_", name.strip().lower()).strip("_")


def fitting(name: str, value: Any) -> Any:
    """The value in the type its field takes: files hold numbers where ids are meant, and text where lists are."""
    if isinstance(value, str) and name == "tags":
        return _split_list(value.strip())
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


def _split_list(text: str) -> list[Any]:
    """The items of `a, b`, `["a", "b"]`, `['a', 'b']` or `{a,b}`."""
    if text[:1] + text[-1:] not in ("[]", "{}"):
        return [word.strip() for word in _IN_LISTS.split(text)]
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError:
        items = ["".join(parts) for parts in _IN_BRACKETS.findall(text[1:-1])]
    return [item.strip() if isinstance(item, str) else item for item in items] if isinstance(items, list) else [text]
