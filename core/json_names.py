"""Finds what parsers of JSON let through: a name that stands twice in one object, and nesting without end."""

import json
from collections.abc import Iterable
from typing import Any

MOST_LEVELS = 32  # of lists and objects within one another; writing JSON ends at 254, and recursion soon after


class _RepeatedName(Exception):
    """Its text is the name."""


def repeated_name(text: bytes) -> str:
    """The first name that an object of this valid JSON text holds twice; "" when there is none.

    "" too for more levels than Python reads, several hundred: no field takes such a value.
    """
    try:
        json.loads(text, object_pairs_hook=_check_names)
    except _RepeatedName as error:
        return str(error)
    except RecursionError:
        pass
    return ""


def _check_names(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len({*names}) < len(names):
        raise _RepeatedName(next(name for name in names if names.count(name) > 1))


def is_too_deep(value: Any) -> bool:
    """Whether a value of JSON has more than MOST_LEVELS lists and objects within one another."""
    inner = [value]
    for _ in range(MOST_LEVELS + 1):
        inner = [part for outer in inner if isinstance(outer, list | dict) for part in _parts(outer)]
        if not inner:
            return False
    return True


def _parts(outer: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer
