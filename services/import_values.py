"""One row of an import file: what columns are called, and values in the type their field takes.

A row that cannot be read becomes a row with a problem; what the fields of a ticket may hold is not judged here.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from errors import FieldError

MAX_COLUMNS = 100  # more than there are fields and aliases
# Columns of message exports, beside the ticket's own field names and their aliases.
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
