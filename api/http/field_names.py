"""Checks the field names of a JSON object or query string: drops empty values, resolves aliases, reports unknown names.

The same rules hold for nested objects. The values themselves are checked by the fields of the schema.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from difflib import get_close_matches
from functools import cache
from typing import Any

from marshmallow import Schema, missing
from marshmallow.fields import Field

from core.errors import FieldError
from core.normal_form import is_blank
from core.plain_text import clean

MAX_FIELDS = 100


def check_field_names(values: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields the schema accepts, by their real names, and an error for each unknown or contradictory name.

    Fields in the schema's `READ_ONLY` are accepted too; the caller sets them aside. At most MAX_FIELDS unknown names
    are reported.
    """
    fields = {name: value for name, value in values.items() if not is_empty(value)}
    errors = _resolve_aliases(fields, getattr(schema, "ALIASES", {}))
    writable = fields_by_key(schema).keys()
    accepted = writable | getattr(schema, "READ_ONLY", frozenset())
    unknown = [name for name in fields if name not in accepted]
    errors += [FieldError(_printable(name, 100), _unknown_name(name, writable)) for name in unknown[:MAX_FIELDS]]
    return {name: value for name, value in fields.items() if name in accepted}, errors


@cache
def fields_by_key(schema: Schema) -> dict[str, Field[Any]]:
    """The fields of a schema by the names that requests use."""
    return {field.data_key or name: field for name, field in schema.load_fields.items()}


def load_fields(schema: Schema, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema loads from fields with the right names. Raises ValidationError.

    marshmallow takes most of its time for fields that are not set, so it does not see them here.
    """
    seen = copy(schema)
    seen.load_fields = {name: field for key, name, field, is_always in _fields(schema) if is_always or key in fields}
    loaded: dict[str, Any] = seen.load(fields)
    return loaded


@cache
def _fields(schema: Schema) -> list[tuple[str, str, Field[Any], bool]]:
    """The fields in their order: key, name, field, and whether it matters when a request does not have it.

    That is so for required fields, those with a default, and those that the schema fills in itself, in its `FILLED_IN`.
    """
    filled_in = getattr(schema, "FILLED_IN", ())
    return [
        (field.data_key or name, name, field, field.required or field.load_default is not missing or name in filled_in)
        for name, field in schema.load_fields.items()
    ]


def is_empty(value: Any) -> bool:
    """Whether a value counts as not sent: null, or text without a visible character."""
    return value is None or (isinstance(value, str) and (is_blank(value) or _is_control_only(value)))


def _is_control_only(text: str) -> bool:
    try:
        return not text.isprintable() and not clean(text)
    except ValueError:
        return False


def _resolve_aliases(fields: dict[str, Any], aliases: Mapping[str, str]) -> list[FieldError]:
    """Renames aliases in place. An alias and its field with different values are an error."""
    errors = []
    for alias in [name for name in fields if name in aliases]:
        name, value = aliases[alias], fields.pop(alias)
        if _differ(fields.setdefault(name, value), value):
            errors.append(FieldError(alias, f"{alias} and {name} mean the same and must not differ."))
    return errors


def _printable(name: str, max_length: int) -> str:
    """A name from the request, safe to repeat in a message."""
    return "".join(character if character.isprintable() else "?" for character in name[:max_length])


def _differ(one: Any, other: Any) -> bool:
    try:
        return bool(one != other)
    except RecursionError:  # nested a thousand levels deep: no field accepts that, the schema reports it
        return True


def _unknown_name(name: str, accepted: Iterable[str]) -> str:
    close = get_close_matches(name[:100].lower(), sorted(accepted), n=1, cutoff=0.6)
    if close:
        return f"{_printable(name, 60)} is unknown. Did you mean {close[0]}?"
    return f"{_printable(name, 60)} is unknown. Accepted: {', '.join(sorted(accepted)) or 'nothing'}."
