"""The SQLite engine: connections, transactions and settings of one database file.

Used for `sqlite:///` as it is, and by json_file.py for the private file its queries run in.
"""

import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

import migrations
import search_sqlite
from derived import kept_out
from errors import StorageError
from folder_lock import FolderLock
from planner import teach_planner

BUSY_TIMEOUT_MS = 10_000


class SqliteFile:
    """A database file with its engine. `synchronous` FULL makes each commit survive a loss of power."""

    name = "sqlite"
    synchronous = "FULL"
    journal_mode = "WAL"
    exclusive = True  # no other process writes here while this one has the lock
    data_path: Path | None
    failures: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error)  # what says that it cannot do its part

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FolderLock(path)
        self.durable = True
        self.location_hint = path.name
        self.data_path = path
        self.place = str(path)
        self.index = search_sqlite.Index()
        self._engine = self._make_engine()
        self._idle_readers: deque[Connection] = deque()
        self._idle_writers: deque[Connection] = deque()
        self._closed = False

    def open(self) -> "SqliteFile":
        """Locks the file and makes it or brings it to the newest shape. Raises StorageError."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.take()
        except OSError as error:
            raise StorageError(f"{self.path} cannot be opened: {plain(error)}") from error
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._bring_forward()
            undo.pop_all()
        return self

    def _bring_forward(self) -> None:
        try:
            self._make_file()
            with self._unchecked() as connection:
                revision = migrations.current(connection)
                if revision and not migrations.known(revision):
                    raise StorageError(f"{self.path} was written by a newer Foyer (revision {revision}).")
                if revision != migrations.head():
                    with kept_out(connection):
                        migrations.upgrade(connection)
                broken = broken_reference(connection)
                if broken:
                    table, row_id, fault = broken
                    raise StorageError(f"{self.path}: table {table}, row {row_id}: {fault}. Nothing was changed.")
                search_sqlite.prepare(connection, anew=revision != migrations.head())
                teach_planner(connection)
                connection.commit()
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            raise StorageError(f"{self.path} cannot be opened: {plain(error)}") from error
        finally:
            self._engine.dispose()  # connections made from here on hold to foreign keys

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose every statement sees what was last committed."""
        with self._borrowed(self._idle_readers) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees one moment of the data, however long it is used."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def write(self, company: str = "") -> Iterator[Connection]:
        """A connection in a write transaction, committed when the block ends, undone when it raises."""
        with self._borrowed(self._idle_writers) as connection:
            begin_writing(connection)
            yield connection
            self._commit(connection)

    def is_away(self, error: Exception) -> bool:
        """Whether the store cannot be reached: never of a file, which fails in its own way each time."""
        return False

    def turn(self, connection: Connection, company: str) -> str:
        """Nothing to wait for: a transaction that writes is the only one."""
        return ""

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        """Whether this process may do a task that one at a time does."""
        yield True  # the lock keeps others away

    def scrub(self) -> None:
        """Writes the file anew, so that nothing of what was deleted or overwritten is left in it or in its log.

        The caller keeps writers away. Raises sqlite3.Error, also when somebody reads for too long.
        """
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            # A connection of its own: the copy VACUUM makes goes to a file, not into memory as for the others.
            for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", f"synchronous={self.synchronous}", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            search_sqlite.teach(connection)
            search_sqlite.vacuum(connection)
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("the log is still being read")

    def close(self) -> None:
        """Closes every connection and lets the next process in."""
        self._close_connections()
        self._lock.release()

    def announce(self, url: str, secret: str) -> None:
        """Says in the note of the lock where this process serves, and by what secret it can be known."""
        self._lock.sign(url, secret)

    def _close_connections(self) -> None:
        """Closes every connection; one in use when it is handed back."""
        self._closed = True
        for connection in (*self._idle_readers, *self._idle_writers):
            connection.close()
        self._engine.dispose()

    @contextmanager
    def _borrowed(self, idle: deque[Connection]) -> Iterator[Connection]:
        """A connection that is kept for the next caller: checking one out of the pool costs as much as a query."""
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
        except BaseException:
            _undo(connection)
            raise
        if self._closed:
            connection.close()
        else:
            idle.append(connection)

    @contextmanager
    def _unchecked(self) -> Iterator[Connection]:
        """A write transaction without foreign keys: a migration that rebuilds a table would else empty those below it."""
        with self._engine.connect() as connection:
            # On the driver's own connection, since inside a transaction this pragma does nothing, and without a word.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
            begin_writing(connection)
            yield connection

    def _commit(self, connection: Connection) -> None:
        connection.commit()

    def _make_file(self) -> None:
        # Made here and not by SQLite, whose files anybody on the machine may read.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _make_engine(self) -> Engine:
        # pool_size 0: as many connections as threads ask for; the number of threads is bounded elsewhere.
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            poolclass=QueuePool,
            pool_size=0,
            connect_args={"check_same_thread": False},
            hide_parameters=True,  # what customers wrote is not for the log
        )
        event.listen(engine, "do_connect", self._before_connect)
        event.listen(engine, "connect", self._on_connect)
        return engine

    def _before_connect(self, *_: Any) -> None:
        if self._closed:  # SQLite would make a new file in the place of the one that is gone
            raise sqlite3.OperationalError("the store is closed")

    def _on_connect(self, connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
        search_sqlite.teach(connection)
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            f"journal_mode={self.journal_mode}",
            f"synchronous={self.synchronous}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")


def broken_reference(connection: Connection) -> tuple[str, str, str] | None:
    """A row that points to a row that is not there: its table, its id and what is wrong. None when there is none."""
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if not found:
        return None
    table, rowid, parent, key = found
    keys = connection.exec_driver_sql(f'PRAGMA foreign_key_list("{table}")').all()
    field = next(row[3] for row in keys if row[0] == key)
    query = f'SELECT id, "{field}" FROM "{table}" WHERE rowid = ?'
    row_id, value = connection.exec_driver_sql(query, (rowid,)).one()
    return table, row_id, f"field {field} names {value}, which is not in {parent}"


def plain(error: Exception) -> str:
    """What went wrong, in words, without the statement it went wrong in."""
    # After some faults SQLite undoes everything, so what was to be undone alone is no longer known to it.
    while _is_unspecific(error) and isinstance(error.__context__, DBAPIError | sqlite3.Error):
        error = error.__context__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(getattr(error, "orig", None) or error)


def _is_unspecific(error: Exception) -> bool:
    return getattr(getattr(error, "orig", error), "sqlite_errorname", "") == "SQLITE_ERROR"


def _undo(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        driver.rollback()  # SQLAlchemy takes a commit that failed for an end; for SQLite the transaction goes on
    except sqlite3.Error:
        connection.invalidate()
    connection.close()


def begin_writing(connection: Connection) -> None:
    """Begins a transaction that may write. Not by an event: a listener on the engine would slow every statement."""
    # IMMEDIATE: a writer that first only read could otherwise be refused half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
