"""The SQLite engine: connections, transactions and settings of one database file.

Used for `sqlite:///` as it is, and by json_file.py for the private file its queries run in.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

import migrations

BUSY_TIMEOUT_MS = 10_000


class StorageError(Exception):
    """The store cannot be opened; the text is for the person who starts the desk."""


class SqliteFile:
    """A database file with its engine. `synchronous` FULL makes each commit survive a loss of power."""

    name = "sqlite"
    synchronous = "FULL"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.durable = True
        self.location_hint = path.name
        self._engine = self._make_engine()
        self._writing = self._engine.execution_options(write=True)

    def open(self) -> "SqliteFile":
        """Makes the file or brings it to the newest shape. Raises StorageError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._writing.begin() as connection:
                revision = migrations.current(connection)
                if revision and not migrations.known(revision):
                    raise StorageError(f"{self.path} was written by a newer Foyer (revision {revision}).")
                migrations.upgrade(connection)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{self.path} cannot be opened: {error}") from error
        return self

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the data."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a write transaction, committed when the block ends, undone when it raises."""
        with self._writing.connect() as connection:
            connection.begin()
            yield connection
            self._commit(connection)

    def close(self) -> None:
        """Closes every connection."""
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


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a writer that first only read could otherwise be refused half-way.
    writing = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
