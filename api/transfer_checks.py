"""The rules of the API for parts of imported rows. Jobs get them from the server's runtime, since they know no API."""

from collections.abc import Callable, Mapping
from typing import Any

from api.bulk import BulkChanges, BulkFilter
from api.http.parsing import load_values
from api.settings import SettingsChanges
from storage import Row


def check_settings(values: Row) -> Row:
    """Settings in the server's own form. Raises AppError 400."""
    return load_values(SettingsChanges(), values)


def check_changes(values: Row) -> Row:
    """What a macro sets, in the server's own form. Raises AppError 400."""
    return load_values(BulkChanges(), values)


class StoredFilter(BulkFilter):
    """The filter of a view. Customers have no views, so no field is hidden from whoever uses it."""

    def _nothing_hidden(self, *_: Any, **__: Any) -> None:  # a job has no caller to ask
        pass


def check_filter(values: Row) -> Row:
    """The filter of a view, in the server's own form. Raises AppError 400."""
    return load_values(StoredFilter(), values)


CHECKS: Mapping[str, Callable[[Row], Row]] = {
    "settings": check_settings,
    "macros": check_changes,
    "views": check_filter,
}
