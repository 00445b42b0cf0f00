"""Runs the statements of a transaction: those that the process keeps on the driver's connection, others by SQLAlchemy."""

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
        self._driver, self._dialect = driver_of(connection), connection.dialect.name

    def rows(self, statement: Any, values: Mapping[str, Any], *, keep: bool = False) -> list[Row]:
        """The rows of a statement by the names of their columns. `keep` says that the process keeps it."""
        if ready := self._compiled(statement, keep):
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
        if ready := self._compiled(statement, keep=False):
            return ready.fetch(self._driver, values)
        return [tuple(row) for row in self._connection.execute(statement, values)]

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Inserts rows, which have the same columns."""
        compiled(insert_into(table), tuple(rows[0]), dialect=self._dialect).run_many(self._driver, rows)

    def _compiled(self, statement: Any, keep: bool) -> DriverStatement | None:
        if not keep and not is_kept(statement):
            return None
        ready = compiled(statement, dialect=self._dialect)
        return ready if ready.is_fixed else None
