"""The field `clear` of a change: names of fields to empty, which a low-code client cannot send as empty values."""

from collections.abc import Mapping
from typing import Any

from core.errors import FieldError, invalid
from storage import Row


def pop_cleared(fields: Row, empty_values: Mapping[str, Any]) -> Row:
    """Removes `clear` from the fields and returns the empty value of each field it names.

    Raises AppError 400 for a field that is set and cleared in the same call.
    """
    cleared = {name: empty_values[name] for name in fields.pop("clear", [])}
    if both := sorted(cleared.keys() & fields.keys()):
        raise invalid(*(FieldError(name, f"{name} cannot be set and cleared in the same call.") for name in both))
    return cleared
