"""The SQLite engine: connections, transactions and settings of one database file.

Used for `sqlite:///` as it is, and by json_file.py for the private file its queries run in.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

import migrations

BUSY_TIMEOUT_MS = 10_000

# What the query planner is told about the indexes of tickets (sqlite.org/fileformat2.html#stat1tab): rows in all, then rows
# that share the first column, the first two, … A grown desk, always: with its own counts SQLite would plan for the size at
# the last ANALYZE, and with none it takes a company for ten rows and walks all of them to find those of one customer.
TYPICAL = {
    "ix_tickets_created": "100000 5000 1 1",
    "ix_tickets_updated": "100000 5000 1 1",
    "ix_tickets_status": "100000 5000 600 1 1",
    "ix_tickets_customer": "100000 5000 10 1 1",
    "ix_tickets_assigned": "100000 5000 100 1 1",
    "ix_tickets_urgency": "100000 5000 100 1 1",
    "ix_tickets_priority": "100000 5000 1250 50 1 1",
    "uq_tickets_company_id_number": "100000 5000 1",
}


class StorageError(Exception):
    """The store cannot be opened; the text is for the person who starts the desk."""


class SqliteFile:
    """A database file with its engine. `synchronous` FULL makes each commit survive a loss of power."""

    name = "sqlite"
    synchronous = "FULL"
    exclusive = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.durable = True
        self.location_hint = path.name
        self._engine = self._make_engine()
        self._writing = self._engine.execution_options(foyer="write")
        self._reading = self._engine.execution_options(foyer="read")
        self._idle_readers: deque[Connection] = deque()
        self._idle_writers: deque[Connection] = deque()

    def open(self) -> "SqliteFile":
        """Makes the file or brings it to the newest shape. Raises StorageError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._writing.begin() as connection:
                revision = migrations.current(connection)
                if revision and not migrations.known(revision):
                    raise StorageError(f"{self.path} was written by a newer Foyer (revision {revision}).")
                migrations.upgrade(connection)
                teach_planner(connection)
            self._engine.dispose()  # connections read what the planner knows when they are made
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{self.path} cannot be opened: {error}") from error
        return self

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose every statement sees what was last committed."""
        with _borrowed(self._idle_readers, self._reading) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees one moment of the data, however long it is used."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a write transaction, committed when the block ends, undone when it raises."""
        with _borrowed(self._idle_writers, self._writing) as connection:
            connection.begin()
            try:
                yield connection
                self._commit(connection)
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        """Closes every connection."""
        for connection in (*self._idle_readers, *self._idle_writers):
            connection.close()
        self._engine.dispose()

    def _commit(self, connection: Connection) -> None:
        connection.commit()

    def _make_engine(self) -> Engine:
        # pool_size 0: as many connections as threads ask for; the number of threads is bounded elsewhere.
        engine = create_engine(
            f"sqlite:///{self.path}", poolclass=QueuePool, pool_size=0, connect_args={"check_same_thread": False}
        )
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", _begin)
        return engine

    def _on_connect(self, connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by _begin, not guessed by the driver
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            f"synchronous={self.synchronous}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")


def teach_planner(connection: Connection) -> None:
    """Tells SQLite the typical shape of a desk instead of what it has today."""
    connection.exec_driver_sql("PRAGMA analysis_limit=100")
    connection.exec_driver_sql("ANALYZE")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    rows = [("tickets", index, shape) for index, shape in TYPICAL.items()]
    connection.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", rows)


@contextmanager
def _borrowed(idle: deque[Connection], engine: Engine) -> Iterator[Connection]:
    """A connection that is kept for the next caller: checking one out of the pool costs as much as a query."""
    try:
        connection = idle.pop()
    except IndexError:
        connection = engine.connect()
    try:
        yield connection
    finally:
        idle.append(connection)


def _begin(connection: Connection) -> None:
    purpose = connection.get_execution_options().get("foyer")
    if purpose == "write":
        # IMMEDIATE: a writer that first only read could otherwise be refused half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif purpose != "read":
        connection.exec_driver_sql("BEGIN")
