"""Drops and recreates SQLite's indexes and triggers around a bulk load, and recounts the ticket counters."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from database import ticket_sums
from database.ticket_counts import KEY, KINDS

Row = tuple[Any, ...]
# Unique indexes stay: they say which row is the second of its kind.
_ASIDE = (
    "SELECT type, name, sql FROM sqlite_master WHERE type = 'trigger' "
    "OR (type = 'index' AND sql NOT LIKE 'CREATE UNIQUE%') ORDER BY type, rowid"
)


def drop_indexes(connection: Connection) -> list[str]:
    """Drops indexes and triggers. Returns the statements for `recreate`."""
    statements = connection.exec_driver_sql(_ASIDE).all()
    for kind, name, _ in statements:
        connection.exec_driver_sql(f'DROP {kind} "{name}"')
    return [statement for *_, statement in statements]


def recreate(connection: Connection, statements: list[str]) -> None:
    """Creates indexes and triggers again. Call `refill` afterwards: triggers did not count meanwhile."""
    for statement in statements:
        connection.exec_driver_sql(statement)


@contextmanager
def without_triggers(connection: Connection) -> Iterator[None]:
    """Drops triggers and views for the block, which may rebuild tables, and creates them again afterwards."""
    statements = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
    ).all()
    for kind, name, _ in statements:
        connection.exec_driver_sql(f'DROP {kind} "{name}"')
    yield
    there = set(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars())
    for _, name, statement in statements:
        if name not in there:
            connection.exec_driver_sql(statement)
    if statements:
        refill(connection)


def refill(connection: Connection, counts: list[Row] | None = None) -> None:
    """Replaces the counters by `counts`, or by a new count of all tickets."""
    connection.exec_driver_sql("DELETE FROM ticket_tags")
    connection.exec_driver_sql("INSERT INTO ticket_tags SELECT company_id, tag, created_at, ticket_id FROM tag_cells")
    connection.exec_driver_sql("DELETE FROM tallies")
    rows = count_tickets(connection) if counts is None else counts
    if rows:
        connection.exec_driver_sql(f"INSERT INTO tallies VALUES ({', '.join('?' * len(rows[0]))})", rows)
    for table in ("ticket_sums", "word_sums"):
        connection.exec_driver_sql(f"DELETE FROM {table}")
    for statement in ticket_sums.fill(on_sqlite=True):
        connection.exec_driver_sql(statement)


def count_tickets(connection: Connection) -> list[Row]:
    """Counts all tickets and returns the rows of the counters' table. Writes nothing."""
    return [
        tuple(row)
        for kind in KINDS  # one by one: sorting all of them together takes longer
        for row in connection.exec_driver_sql(
            f"SELECT {KEY}, sum(number) FROM tally_cells WHERE kind = '{kind}' GROUP BY a, b, c, d, e, f, g, company_id"
        )
    ]
