"""The SQLite engine: connections, transactions and settings of one database file.

It serves `sqlite:///` URLs. database/json_store/engine.py also uses it for its private file.
"""

import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.errors import StorageError
from database import migrations
from database.bulk_load import without_triggers
from database.driver_statements import driver_of
from database.group_commit import GroupCommit
from database.json_store.folder_lock import FolderLock
from database.search import sqlite_index
from database.sqlite_statistics import set_planner_statistics

BUSY_TIMEOUT_MS = 10_000


class SqliteFile:
    """A database file with its engine. `synchronous` FULL makes each commit survive a loss of power."""

    name = "sqlite"
    synchronous = "FULL"
    journal_mode = "WAL"
    exclusive = True  # no other process writes here while this one has the lock
    data_path: Path | None
    failures: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error)  # errors of the database or its file

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FolderLock(path)
        self.durable = True
        self.location_hint = path.name
        self.data_path = path
        self.place = str(path)
        self.index = sqlite_index.Index()
        self._engine = self._make_engine()
        self._idle_readers: deque[Connection] = deque()
        self._writer: Connection | None = None  # kept for the next group
        self.writers = GroupCommit(
            connect=self._connect_writer,
            commit=lambda connection: self._commit(connection),
            discard=self._discard_writer,
        )
        self._closed = False

    def open(self) -> "SqliteFile":
        """Locks the file, and creates or migrates it. Raises StorageError."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.take()
        except OSError as error:
            raise StorageError(f"{self.path} cannot be opened: {error_message(error)}") from error
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._bring_forward()
            undo.pop_all()
        return self

    def _bring_forward(self) -> None:
        try:
            make_private(self.path)
            with self._unchecked() as connection:
                revision = migrations.current(connection)
                if revision and not migrations.has_revision(revision):
                    raise StorageError(f"{self.path} was written by a newer Foyer (revision {revision}).")
                if revision != migrations.head():
                    with without_triggers(connection):
                        migrations.upgrade(connection)
                reference = broken_reference(connection)
                if reference:
                    table, row_id, fault = reference
                    raise StorageError(f"{self.path}: table {table}, row {row_id}: {fault}. Nothing was changed.")
                sqlite_index.prepare(connection, anew=revision != migrations.head())
                set_planner_statistics(connection)
                connection.commit()
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            raise StorageError(f"{self.path} cannot be opened: {error_message(error)}") from error
        finally:
            self._engine.dispose()  # new connections enforce foreign keys

    def read(self) -> AbstractContextManager[Connection]:
        """A connection whose statements see the last commit."""
        return self._borrowed(self._idle_readers)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection with a consistent snapshot of the data."""
        connection = self._read_snapshot()
        try:
            yield connection
        except BaseException:
            _undo(connection)
            raise
        self._return_snapshot(connection)

    @contextmanager
    def write(self, company: str = "", touched: set[str] | None = None) -> Iterator[Connection]:
        """A connection in a write transaction: committed when the block ends, rolled back when it raises.

        Writers that wait for one another are committed together. `touched` is filled with the names of written tables.
        """
        with self.writers.member(set() if touched is None else touched) as connection:
            yield connection

    def paused(self) -> AbstractContextManager[None]:
        """Within the block no writer has its turn."""
        return self.writers.paused()

    def is_away(self, error: Exception) -> bool:
        """Whether the store cannot be reached: always False for a file."""
        return False

    def begin_write(self, connection: Connection, company: str) -> str:
        """Does nothing: database/group_commit.py admits one writer at a time."""
        return ""

    @contextmanager
    def exclusive_task(self, task: str) -> Iterator[bool]:
        """Yields whether this process may run a task that only one process may run."""
        yield True  # no other process has the file

    def scrub(self) -> None:
        """Rewrites the file, so that neither it nor its write-ahead log contains deleted or overwritten data.

        The caller excludes writers. Raises sqlite3.Error, also when a reader takes too long.
        """
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            # A separate connection, because VACUUM must put its copy into a file and the others keep such in memory.
            for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", f"synchronous={self.synchronous}", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            sqlite_index.teach(connection)
            sqlite_index.vacuum(connection)
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("the log is still being read")

    def close(self) -> None:
        """Closes every connection and releases the lock."""
        self._close_connections()
        self._lock.release()

    def announce(self, url: str, secret: str) -> None:
        """Writes the server's address and its secret into the lock file, so that commands find it and can check that it is ours."""
        self._lock.sign(url, secret)

    def _close_connections(self) -> None:
        """Closes every connection; those in use close when they are returned."""
        self._closed = True
        while self._idle_readers:
            self._idle_readers.pop().close()
        if self._writer:
            self._writer.close()
        self._writer = None
        self._engine.dispose()

    @contextmanager
    def _borrowed(self, idle: deque[Connection]) -> Iterator[Connection]:
        """A connection, kept for the next caller: a checkout from the pool costs as much as a query."""
        connection = self._take_connection(idle)
        try:
            yield connection
        except BaseException:
            _undo(connection)
            raise
        if self._closed:
            connection.close()
        else:
            idle.append(connection)

    def _take_connection(self, idle: deque[Connection]) -> Connection:
        try:
            return idle.pop()
        except IndexError:
            return self._engine.connect()

    def _read_snapshot(self) -> Connection:
        """A reader's connection with a snapshot of the data as of now, until `_return_snapshot`."""
        connection = self._take_connection(self._idle_readers)
        try:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT 1 FROM companies").first()  # SQLite takes the snapshot at the first read
        except BaseException:
            _undo(connection)
            raise
        return connection

    def _return_snapshot(self, connection: Connection) -> None:
        connection.rollback()
        if self._closed:
            connection.close()
        else:
            self._idle_readers.append(connection)

    def _connect_writer(self) -> Connection:
        connection = self._writer or self._open_writer()
        try:
            begin_on_driver(connection)
        except BaseException:
            self._discard_writer(connection)
            raise
        self._writer = connection
        return connection

    def _open_writer(self) -> Connection:
        return self._engine.connect()

    def _discard_writer(self, connection: Connection) -> None:
        self._writer = None
        _undo(connection)

    @contextmanager
    def _unchecked(self) -> Iterator[Connection]:
        """A write transaction without foreign keys, which would delete referring rows when a migration rebuilds a table."""
        with self._engine.connect() as connection:
            # On the driver's connection: inside a transaction SQLite ignores this pragma without an error.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
            begin_writing(connection)
            yield connection

    def _commit(self, connection: Connection) -> None:
        commit(connection)

    def _make_engine(self) -> Engine:
        # pool_size 0: as many connections as threads ask for; the number of threads is bounded elsewhere.
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            poolclass=QueuePool,
            pool_size=0,
            connect_args={"check_same_thread": False},
            hide_parameters=True,  # customer data must not reach the log
        )
        event.listen(engine, "do_connect", self._before_connect)
        event.listen(engine, "connect", self._on_connect)
        return engine

    def _before_connect(self, *_: Any) -> None:
        if self._closed:  # SQLite would create a new, empty file
            raise sqlite3.OperationalError("the store is closed")

    def _on_connect(self, connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun explicitly
        sqlite_index.teach(connection)
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            f"journal_mode={self.journal_mode}",
            f"synchronous={self.synchronous}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")


def make_private(path: Path) -> None:
    """Creates the file if it is missing: SQLite would make it readable for every user of the machine."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def broken_reference(connection: Connection) -> tuple[str, str, str] | None:
    """The first row that refers to a missing row: its table, its id and the fault. None when there is none."""
    violation = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if not violation:
        return None
    table, rowid, parent, key = violation
    keys = connection.exec_driver_sql(f'PRAGMA foreign_key_list("{table}")').all()
    field = next(row[3] for row in keys if row[0] == key)
    query = f'SELECT id, "{field}" FROM "{table}" WHERE rowid = ?'
    row_id, value = connection.exec_driver_sql(query, (rowid,)).one()
    return table, row_id, f"field {field} names {value}, which is not in {parent}"


def error_message(error: Exception) -> str:
    """The message of an error, without the SQL statement."""
    # After some errors SQLite rolls everything back; undoing a savepoint then fails too and hides the first error.
    while _is_unspecific(error) and isinstance(error.__context__, DBAPIError | sqlite3.Error):
        error = error.__context__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(getattr(error, "orig", None) or error)


def _is_unspecific(error: Exception) -> bool:
    return getattr(getattr(error, "orig", error), "sqlite_errorname", "") == "SQLITE_ERROR"


def _undo(connection: Connection) -> None:
    try:
        # After a failed commit SQLite is still in the transaction, which SQLAlchemy does not know.
        driver_of(connection).rollback()
    except sqlite3.Error:
        connection.invalidate()
    connection.close()


def commit(connection: Connection) -> None:
    """Commits. If only the driver's connection was used, SQLAlchemy has no transaction, so the driver commits."""
    if connection.in_transaction():
        connection.commit()
    else:
        driver_of(connection).commit()


def begin_on_driver(connection: Connection) -> None:
    """As `begin_writing`, in a seventh of the time. SQLAlchemy begins its own part with the first statement that it runs."""
    driver_of(connection).execute("BEGIN IMMEDIATE")


def begin_writing(connection: Connection) -> None:
    """Begins a transaction that may write. Not by an event: a listener on the engine would slow every statement."""
    # IMMEDIATE: a transaction that reads before it writes could otherwise fail at the write.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
