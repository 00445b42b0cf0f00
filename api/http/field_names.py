"""What was given by which name, of a body as of a thing within one: null and "" are not given, aliases, unknown names.

Values are no matter here; what each may be says its field.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from marshmallow import Schema

from core.errors import FieldError
from core.normal_form import is_blank

MAX_FIELDS = 100


def by_name(values: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], list[FieldError]]:
    """What was given under the names the schema has, its read-only ones included, and every unknown or doubtful name."""
    given = {name: value for name, value in values.items() if not is_empty(value)}
    errors = _resolve_aliases(given, getattr(schema, "ALIASES", {}))
    known = _names(schema)
    taken = known | getattr(schema, "READ_ONLY", frozenset())
    unknown = [name for name in given if name not in taken]
    errors += [FieldError(_shown(name, 100), _unknown(name, known)) for name in unknown[:MAX_FIELDS]]
    return {name: value for name, value in given.items() if name in taken}, errors


@cache
def _names(schema: Schema) -> frozenset[str]:
    return frozenset(field.data_key or name for name, field in schema.load_fields.items())


def is_empty(value: Any) -> bool:
    """Whether a value means that nothing was given: null, or text in which nothing can be seen."""
    return value is None or (isinstance(value, str) and is_blank(value))


def _resolve_aliases(given: dict[str, Any], aliases: Mapping[str, str]) -> list[FieldError]:
    errors = []
    for alias in [name for name in given if name in aliases]:
        name, value = aliases[alias], given.pop(alias)
        if _differ(given.setdefault(name, value), value):
            errors.append(FieldError(alias, f"{alias} and {name} mean the same and must not differ."))
    return errors


def _shown(name: str, most: int) -> str:
    """A caller's own word as it may be said back."""
    return "".join(character if character.isprintable() else "?" for character in name[:most])


def _differ(one: Any, other: Any) -> bool:
    try:
        return bool(one != other)
    except RecursionError:  # nested a thousand levels deep; no field takes that, and the schema will say so
        return True


def _unknown(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name[:100].lower(), sorted(known), n=1, cutoff=0.6)
    shown = _shown(name, 60)
    if close:
        return f"{shown} is not known here. Did you mean {close[0]}?"
    accepted = ", ".join(sorted(known)) or "nothing"
    return f"{shown} is not known here. Accepted: {accepted}."
