"""The rules of the API for parts of imported rows. Jobs get them from the server's runtime, since they know no API."""

from collections.abc import Callable, Mapping

from api.bulk import BulkChanges
from api.http.parsing import load_values
from api.settings import SettingsChanges
from storage import Row


def check_settings(values: Row) -> Row:
    """Settings in the server's own form. Raises AppError 400."""
    return load_values(SettingsChanges(), values)


def check_changes(values: Row) -> Row:
    """What a macro sets, in the server's own form. Raises AppError 400."""
    return load_values(BulkChanges(), values)


CHECKS: Mapping[str, Callable[[Row], Row]] = {
    "settings": check_settings,
    "macros": check_changes,
}
