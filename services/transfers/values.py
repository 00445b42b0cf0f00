"""Checks the values of an imported row: its fields, their types, words, ranges and times. No row is read or written here."""

import base64
import re
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, get_args

import orjson
from sqlalchemy import Boolean, Column, Integer, String

from channels.notice_words import KINDS, TO_STAFF, Words
from channels.notice_words import fault as fault_of_words
from core import timestamps
from core.json_names import repeated_name
from core.models import LIMITS, LINK_KINDS, MOST_CAPACITY, PRIORITY_RANK
from core.normal_form import EmailNotValidError, valid_email
from database.column_types import Fixed, JsonText, default_values
from database.json_store.values import LARGEST, Field
from services.history import Subject
from services.inbound.records import MAX_ORIGINAL, STATES
from services.tickets.merging import RESTORED
from services.tickets.queries import SORTS
from services.transfers.contents import TABLES, columns_of
from storage import Row

MOST_NUMBER = 1_000_000_000  # of a ticket
MOST_TEXT = 200_000  # characters; what a column takes by itself is not more
MOST_ROW = 2 * 1024 * 1024  # bytes of a line, but of an original
_LONGEST = {
    "title": LIMITS["title"],
    "external_id": LIMITS["external_id"],
    "name": 500,
    "source": 2_000,
    "subject": 2_000,
}
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
ORIGINALS = "inbound_originals"
_NUL = "{} holds a character that is no text (NUL)."


class Refused(Exception):
    """A row cannot be taken. The text says why; `field` is the name of the field, "" for the whole row."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read(name: str, line: bytes, *, latest: str) -> Row:
    """The row that a line holds, with every column. Nothing may have happened after `latest`. Raises Refused."""
    if name != ORIGINALS and len(line) > MOST_ROW:
        raise Refused("", f"The line is longer than {MOST_ROW >> 20} MiB.")
    try:
        values = orjson.loads(line)
    except ValueError:
        raise Refused("", "The line is no JSON.") from None
    if not isinstance(values, dict):
        raise Refused("", "The line must be an object.")
    if name != ORIGINALS and (repeated := repeated_name(line)):
        raise Refused(repeated[:100], f"{repeated[:100]} stands twice in the line.")
    return _checked(name, values, latest)


def _checked(name: str, values: Row, latest: str) -> Row:
    if unknown := sorted(values.keys() - set(columns_of(name))):
        raise Refused(unknown[0][:100], f"There is no field {unknown[0][:60]} in {name}.jsonl.")
    defaults = default_values(TABLES[name])
    row: Row = {}
    for column in _columns(name):
        value = values.get(column.name)
        row[column.name] = defaults[column.name] if value is None else _value(name, column, value, latest)
        if row[column.name] is None and not column.nullable:
            raise Refused(column.name, f"{column.name} is required.")
    if not _ID.fullmatch(row["id"]):
        raise Refused("id", "id must be at most 64 letters, digits and hyphens.")
    if special := _SPECIAL.get(name):
        special(row)
    return row


@cache
def _columns(name: str) -> tuple[Column[Any], ...]:
    return tuple(TABLES[name].c[column] for column in columns_of(name))


@cache
def _field(column: Column[Any]) -> Field:
    kind = "text"
    if isinstance(column.type, JsonText):
        kind = "list" if default_values(column.table)[column.name] == [] else "object"
    elif isinstance(column.type, Boolean):
        kind = "flag"
    elif isinstance(column.type, Integer | Fixed):
        kind = "number"
    elif isinstance(column.type, String) and column.type.length == len(timestamps.FIRST):
        kind = "time"
    return Field(column.table.name, column.name, kind, bool(column.nullable))


def _value(name: str, column: Column[Any], value: Any, latest: str) -> Any:
    """The value of a column in the form that a unit of work takes. Raises Refused."""
    field = _field(column)
    if field.kind == "time":
        return _time(field, value, latest)
    if field.kind == "text":
        return _text(name, column, field, value)
    is_flag = type(value) is bool
    stored: Any = value
    if isinstance(column.type, Fixed):
        is_number = type(value) in (int, float) and abs(value) <= LARGEST
        stored = round(value * column.type.scale) if is_number else None
        if stored is None or abs(stored / column.type.scale - value) > 1e-9:
            raise Refused(
                field.name, f"{field.name} must be a number with at most {len(str(column.type.scale)) - 1} decimals."
            )
    if is_flag != (field.kind == "flag") or not field.to_stored([stored]):
        raise Refused(field.name, f"{field.name} must be {_accepted(field, column)}.")
    if field.kind in ("list", "object") and _holds_nul(value):  # PostgreSQL stores none, and the import would never end
        raise Refused(field.name, _NUL.format(field.name))
    return value


def _holds_nul(value: Any) -> bool:
    """Whether a text in a list or object holds NUL, names of members included."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str) and "\0" in one:
            return True
        rest += [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, list) else []
    return False


def _accepted(field: Field, column: Column[Any]) -> str:
    if isinstance(column.type, Fixed):
        least, most = (end / column.type.scale for end in field.range)
        return f"a number from {least:g} to {most:g}"
    return field.accepted


def _time(field: Field, value: Any, latest: str) -> str:
    try:
        is_time = isinstance(value, str) and timestamps.read(value) == value >= timestamps.FIRST
    except ValueError:
        is_time = False
    if not is_time:
        raise Refused(field.name, f"{field.name} must be a time like 2026-01-31T08:00:00.000Z.")
    if not field.may_be_ahead and value >= latest:
        raise Refused(field.name, f"{field.name} is in the future.")
    return str(value)


def _text(name: str, column: Column[Any], field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(field.name, f"{field.name} must be text.")
    own = getattr(column.type, "length", None) or MOST_TEXT
    most = own if field.name not in _LONGEST else min(own, _LONGEST[field.name])
    if column.primary_key or (field.name == "body" and name == ORIGINALS):
        most = len(value)  # a new id takes its place; an original has a limit of its own
    if len(value) > most:
        raise Refused(field.name, f"{field.name} may have at most {most:,} characters.")
    if "\0" in value:
        raise Refused(field.name, _NUL.format(field.name))
    if field.choices and value not in field.choices:
        raise Refused(field.name, f"{field.name} must be {field.wrong()[1]}.")
    return value


def _user(row: Row) -> None:
    _address(row, "email")
    if not row["email"]:
        raise Refused("email", "A person needs an e-mail address.")
    if row["capacity"] is not None and row["capacity"] > MOST_CAPACITY:
        raise Refused("capacity", f"capacity may be at most {MOST_CAPACITY}.")


def _address(row: Row, name: str) -> None:
    try:
        if row[name] and valid_email(row[name]) != row[name]:
            raise EmailNotValidError
    except EmailNotValidError:
        raise Refused(name, f"{name} must be an e-mail address in small letters, like ada@example.com.") from None


def _customer(row: Row) -> None:
    _address(row, "email")
    if len(row["customer_id"]) > LIMITS["customer_id"]:
        raise Refused("customer_id", f"customer_id may have at most {LIMITS['customer_id']} characters.")


def _ticket(row: Row) -> None:
    if row["number"] > MOST_NUMBER:
        raise Refused("number", f"number must be a whole number from 1 to {MOST_NUMBER:,}.")
    if len(row["watchers"]) > LIMITS["watchers"]:
        raise Refused("watchers", f"A ticket has at most {LIMITS['watchers']} watchers.")
    for address in row["watchers"]:
        _address({"watchers": address}, "watchers")
    _address(row, "customer_email")
    if any(link["kind"] not in LINK_KINDS for link in row["links"]):
        raise Refused("links", f"The kind of a link must be one of {', '.join(LINK_KINDS)}.")
    row["priority_rank"] = PRIORITY_RANK[row["priority"]]


def _event(row: Row) -> None:
    if row["subject"] not in get_args(Subject):
        raise Refused("subject", f"subject must be one of {', '.join(get_args(Subject))}.")


def _merge(row: Row) -> None:
    if unknown := sorted(row["before"].keys() - set(RESTORED)):
        raise Refused("before", f"before holds {unknown[0][:60]}, which no merge puts back.")
    for name, value in row["before"].items():
        _value("tickets", TABLES["tickets"].c[name], value, timestamps.LAST)


def _notice_text(row: Row) -> None:
    if row["kind"] not in KINDS:
        raise Refused("kind", f"kind must be one of {', '.join(KINDS)}.")
    if row["language"] and KINDS[row["kind"]].audience == TO_STAFF:
        raise Refused("language", "Notices to your own people have one text. Leave language out.")
    for name, message in fault_of_words(row["kind"], Words(row["subject"], row["text"])).items():
        raise Refused(name, message)


def _mail(row: Row) -> None:
    if row["state"] not in STATES:
        raise Refused("state", f"state must be one of {', '.join(STATES)}.")
    if row["state"] == "received":  # no job reads it any more
        row |= {"state": "failed", "note": "It was not read before the data moved here."}


def _original(row: Row) -> None:
    """An original is unpacked when it is read, so it may not be a bomb."""
    packed = zlib.decompressobj()
    try:
        body = packed.decompress(base64.b64decode(row["body"], validate=True), MAX_ORIGINAL + 1)
    except (ValueError, zlib.error):
        raise Refused("body", "body must be an original, compressed and in base64.") from None
    if len(body) > MAX_ORIGINAL or not packed.eof:
        raise Refused("body", f"An original may have at most {MAX_ORIGINAL >> 20} MiB.")


def _view(row: Row) -> None:
    if row["sort"] and row["sort"] not in SORTS:
        raise Refused("sort", f"sort must be one of {', '.join(SORTS)}.")


_SPECIAL: dict[str, Callable[[Row], None]] = {
    "users": _user,
    "customers": _customer,
    "tickets": _ticket,
    "history": _event,
    "merges": _merge,
    "views": _view,
    "notice_texts": _notice_text,
    "inbound_mails": _mail,
    ORIGINALS: _original,
}
