"""Drops and recreates SQLite's indexes and triggers around a bulk load, and recounts the ticket counters."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection

from database import migrations, ticket_sums
from database.ticket_counts import KEY, KINDS

COUNTERS = ("ticket_tags", "tallies", "ticket_sums", "word_sums", "stale_days")
_OBSOLETE = ("ticket_sums_", "word_sums_")  # how triggers begin that revision 0038 removed
_LATER = ("CREATE INDEX", "CREATE TRIGGER")
# Unique indexes stay: they say which row is the second of its kind.
_ASIDE = (
    "SELECT type, name, sql FROM sqlite_master WHERE type = 'trigger' "
    "OR (type = 'index' AND sql NOT LIKE 'CREATE UNIQUE%') ORDER BY type, rowid"
)


def make_tables(connection: Connection, revision: str) -> list[str]:
    """Brings a new file to `revision`, without indexes and triggers. Returns their statements for `recreate`."""
    statements = migrations.at_once() if revision == migrations.head() else []
    if not statements:
        migrations.upgrade(connection, revision)
        return drop_indexes(connection)
    for statement in statements:
        if not statement.startswith(_LATER):
            connection.exec_driver_sql(statement)
    return [statement for kind in _LATER for statement in statements if statement.startswith(kind)]


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
        if name not in there and not name.startswith(_OBSOLETE):
            connection.exec_driver_sql(statement)
    if statements:
        refill(connection)


def refill(connection: Connection) -> None:
    """Replaces the counters by a new count of all tickets."""
    for table in COUNTERS:
        connection.exec_driver_sql(f"DELETE FROM {table}")
    for statement in _fill():
        connection.exec_driver_sql(statement)


def count_aside(data: Path, aside: Path) -> None:
    """Counts all tickets of the file `data` into tables of the file `aside`. Another connection may write to `data` meanwhile."""
    with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("ATTACH ? AS data", (str(data),))
        for table in COUNTERS:
            definition = "SELECT sql FROM data.sqlite_master WHERE name = ?"
            connection.execute(connection.execute(definition, (table,)).fetchone()[0])
        for statement in _fill():  # its names stand for the counters here and for the tickets there
            connection.execute(statement)


def take_over(connection: Connection, aside: Path) -> None:
    """Replaces the counters by those of `count_aside`. No transaction may be open."""
    connection.exec_driver_sql("ATTACH ? AS aside", (str(aside),))
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    for table in COUNTERS:
        connection.exec_driver_sql(f"DELETE FROM main.{table}")
        connection.exec_driver_sql(f"INSERT INTO main.{table} SELECT * FROM aside.{table}")  # SQLite copies the records
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("DETACH aside")


def _fill() -> Iterator[str]:
    """The statements that count all tickets into empty counters."""
    yield "INSERT INTO ticket_tags SELECT company_id, tag, created_at, ticket_id FROM tag_cells"
    for kind in KINDS:  # one by one: sorting all of them together takes longer
        yield (
            f"INSERT INTO tallies SELECT {KEY}, sum(number) FROM tally_cells WHERE kind = '{kind}' "
            "GROUP BY a, b, c, d, e, f, g, company_id"
        )
    yield ticket_sums.MAKE_ALL_STALE
