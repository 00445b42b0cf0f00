"""Notes every statement that reaches a database: by SQLAlchemy, and on SQLite's own connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from database.driver_statements import DriverStatement


@contextmanager
def noted() -> Iterator[list[tuple[str, Any]]]:
    """The statements of the block with their parameters, in order."""
    statements: list[tuple[str, Any]] = []
    parameters_of = DriverStatement._parameters

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    def note_of_driver(self: DriverStatement, values: Any) -> Any:
        parameters = parameters_of(self, values)
        statements.append((self._sql, tuple(parameters) if isinstance(parameters, list) else parameters))
        return parameters

    event.listen(Engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DriverStatement, "_parameters", note_of_driver)
        try:
            yield statements
        finally:
            event.remove(Engine, "before_cursor_execute", note)
