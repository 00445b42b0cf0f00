"""Runs the statements of a transaction: on SQLite those that the process keeps on the driver's connection, others by SQLAlchemy."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from database.driver_statements import DriverStatement, compiled, driver_of, is_kept
from database.insert_statements import insert_into

Row = dict[str, Any]
Values = tuple[Any, ...]


class StatementRunner:
    """The two ways to run a statement on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver = driver_of(connection)

    def rows(self, statement: Any, values: Mapping[str, Any], *, keep: bool = False) -> list[Row]:
        """The rows of a statement by the names of their columns. `keep` says that the process keeps it."""
        if self._driver is not None and (ready := self._compiled(statement, keep)):
            return ready.fetch_dicts(self._driver, values)
        result = self._connection.execute(statement, values)
        names = tuple(map(str, result.keys()))
        return [dict(zip(names, row, strict=True)) for row in result.all()]

    def first(self, statement: Any, values: Mapping[str, Any]) -> Row | None:
        """The only row of a statement that the process keeps, None when there is none."""
        rows = self.rows(statement, values, keep=True)
        return rows[0] if rows else None

    def tuples(self, statement: Any, values: Mapping[str, Any]) -> list[Values]:
        """As `rows`, for columns that may have no names."""
        if self._driver is not None and (ready := self._compiled(statement, keep=False)):
            return ready.fetch(self._driver, values)
        return [tuple(row) for row in self._connection.execute(statement, values)]

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Inserts rows, which have the same columns."""
        statement = insert_into(table)
        if self._driver is not None:
            compiled(statement, tuple(rows[0])).run_many(self._driver, rows)
        else:
            self._connection.execute(statement, rows[0] if len(rows) == 1 else rows)

    def _compiled(self, statement: Any, keep: bool) -> DriverStatement | None:
        if not keep and not is_kept(statement):
            return None
        ready = compiled(statement)
        return ready if ready.is_fixed else None
