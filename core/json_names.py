"""Finds duplicate keys in JSON: a name that stands twice in one object. Parsers keep the last value and say nothing."""

import json
from typing import Any


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
