"""The PostgreSQL engine: connections, transactions and write locks, for any number of processes on one database.

It has the interface of database/sqlite_engine.py. Writers of one company wait for each other; other companies do not.
"""

import contextlib
import hashlib
import logging
import re
import select
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo, TransactionStatus
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, SQLAlchemyError, TimeoutError

from core.errors import StorageError
from database import migrations, postgres_tables
from database.driver_statements import driver_of
from database.search import postgres_index
from database.sqlite_engine import error_message
from database.writer_shares import WAIT_SECONDS, Exhausted, Shares

log = logging.getLogger("foyer.storage")

CONNECTIONS = 10  # per process; a further caller waits until one is returned
WRITERS = 7  # of these connections; the rest stay free for readers while writers wait for a lock
WRITERS_OF_ONE = 3  # per company; writers of one company run one after another
STATEMENT_SECONDS = 30  # statement timeout, waiting for table locks included
START_WAIT_SECONDS = 10.0  # the time that a database may take to start beside the server
# The connect timeout, and how soon a server that vanished is noticed.
REACH = {"connect_timeout": 5, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

NAME = "foyer"  # application name of our connections: a copy detects a running server by it; a pooler passes it on
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = %s AND pid <> pg_backend_pid()"
)
LEAVING_SECONDS = 2.0  # the server notices a closed connection a little later

# First numbers of our advisory locks; the second number tells companies and tasks apart.
MIGRATION_LOCK, WRITERS_LOCK, TASKS_LOCK = 70_101, 70_102, 70_103

# A stalled or vanished writer must not block the others for long. SET LOCAL, because a pooler may give the session to
# another client.
BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '10s'; "
    f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '60s';"
)
BEGIN_WRITE = sql.SQL(f"SELECT {postgres_tables.BEGIN_WRITE}({{kind}}, {{key}}, {{company}})")
# SQLSTATEs: admin shutdown, crash shutdown, cannot connect now, too many connections. Class 08 counts as well.
AWAY = {"57P01", "57P02", "57P03", "53300"}
# Strict, so that part of an unescaped password never passes for a host, which errors name.
ADDRESS = re.compile(
    r"postgres(ql)?://([^:@/?#\s]*(:[^:@/?#\s]*)?@)?[^@/?#\s]*(/[^@/?#\s]*)?(\?([\w.]+=[^&#@?\s]*&?)*)?"
)
UNREADABLE = (
    "DATABASE_URL cannot be read. Write it as postgresql://name:password@host:5432/database, with special characters of "
    "the password percent-encoded (@ is %40, / is %2F)."
)


class _Text(StrDumperUnknown):
    """Text without NUL, which PostgreSQL cannot store. Stored values are checked earlier; a search with NUL finds nothing."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\x00", "\ufffd"))


class _Cursor(psycopg.Cursor[Any]):
    """A cursor whose errors name the broken rule but quote no data.

    The server's detail contains the values of the row, and errors are logged with their whole chain.
    """

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """As in the driver."""
        with _without_values():
            return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        """As in the driver."""
        with _without_values():
            super().executemany(*args, **kwargs)


class Postgres:
    """A PostgreSQL database. Nothing is cached in the process, because other processes write to it too."""

    name = "postgresql"
    durable = True
    exclusive = False
    data_path: Path | None = None
    failures: tuple[type[Exception], ...] = (DBAPIError, psycopg.Error, Exhausted, TimeoutError)

    def __init__(self, url: str) -> None:
        self._url = url
        self._secrets, self.location_hint, self.place = _facts(url)
        # Autocommit unless a transaction is begun, so that a read costs one round trip. The driver parses the address, so
        # that no message of SQLAlchemy contains it. Neither do messages contain parameters (hide_parameters, _Cursor).
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=WAIT_SECONDS,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # done here, or by closing the connection
            isolation_level="AUTOCOMMIT",
            use_native_hstore=False,
            hide_parameters=True,
        )
        event.listen(self._engine, "checkout", _replace_if_closed)
        self.index = postgres_index.Index()
        self._shares = Shares(each=WRITERS_OF_ONE, together=WRITERS)
        self._closed = False

    def open(self) -> "Postgres":
        """Migrates the database; of several processes that start at once, one does it. Raises StorageError."""
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._start()
            undo.pop_all()
        return self

    def _start(self) -> None:
        until, waiting = time.monotonic() + START_WAIT_SECONDS, False
        while True:
            try:
                with self._engine.connect() as connection:
                    self._bring_forward(connection)
                    return
            except (psycopg.Error, SQLAlchemyError) as error:
                if not self.is_away(error) or _is_refused(error) or time.monotonic() > until:
                    raise StorageError(f"{self.place} cannot be opened: {self.error_text(error)}") from None
                if not waiting:
                    reason = self.error_text(error)
                    log.warning("%s cannot be reached; waiting up to %g s: %s", self.place, START_WAIT_SECONDS, reason)
            waiting = True
            time.sleep(0.5)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose statements see the last commit."""
        with self._borrowed() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection with a consistent snapshot of the data."""
        with self._borrowed() as connection:
            driver_of(connection).execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection
            driver_of(connection).rollback()

    @contextmanager
    def write(self, company: str = "", touched: set[str] | None = None) -> Iterator[Connection]:
        """A connection for a write transaction, begun by `begin_write`: committed when the block ends, else rolled back.

        `company` owns the rows to write, "" when it is not known yet. Each company may use a share of the connections.
        """
        with self._shares.place(company) as place, self._borrowed() as connection:
            connection.info["place"] = place
            # Commit on this driver connection: SQLAlchemy would replace a lost one by a new one.
            driver = driver_of(connection)
            yield connection
            driver.commit()

    def paused(self) -> AbstractContextManager[None]:
        """Nothing to wait for: the database orders its writers."""
        return nullcontext()

    def is_away(self, error: Exception) -> bool:
        """Whether the server cannot be reached, closed the connection or has too many; decided by SQLSTATE."""
        fault = getattr(error, "orig", error)
        if not isinstance(fault, psycopg.OperationalError | psycopg.InterfaceError):
            return False
        return not fault.sqlstate or fault.sqlstate[:2] == "08" or fault.sqlstate in AWAY

    def begin_write(self, connection: Connection, company: str) -> str:
        """Locks the company for writing, and returns the newest timestamp of its tickets and events.

        The lock lasts until the commit, so timestamps are committed in order and clients polling for new rows miss none.
        Begins the transaction in the same round trip. A company of "" takes no lock.
        """
        if company:
            connection.info["place"].move(company)
        driver = driver_of(connection)
        is_idle = driver.info.transaction_status is TransactionStatus.IDLE
        statements = (BEGIN if is_idle else "") + (_begin_write_sql(company) if company else "")
        if not statements:
            return ""
        cursor = driver.execute(statements, prepare=False)
        while cursor.nextset():
            pass
        return str((cursor.fetchone() or ("",))[0] or "") if company else ""

    @contextmanager
    def exclusive_task(self, task: str) -> Iterator[bool]:
        """Yields whether this process may run a task that only one process may run, until the block ends."""
        with contextlib.closing(self._connect()) as driver:  # a separate connection, held as long as the task runs
            driver.execute("BEGIN")
            lock = driver.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (TASKS_LOCK, _number(task))).fetchone()
            yield bool(lock and lock[0])

    def scrub(self) -> None:
        """Does nothing: the server reuses freed space by itself, and its log and backups belong to its operator."""

    def announce(self, url: str, secret: str) -> None:
        """Does nothing: commands open the database themselves."""

    def is_used_elsewhere(self) -> bool:
        """Whether another Foyer process is connected. Waits a moment for one that just disconnected."""
        until = time.monotonic() + LEAVING_SECONDS
        with self._borrowed() as connection:
            while connection.exec_driver_sql(OTHERS, (NAME,)).scalar():
                if time.monotonic() > until:
                    return True
                time.sleep(0.1)
        return False

    def close(self) -> None:
        """Closes every connection; those in use close when they are returned."""
        self._closed = True
        self._engine.dispose()

    def _connect(self) -> "psycopg.Connection[Any]":
        parameters = conninfo_to_dict(self._url)
        connection: psycopg.Connection[Any] = psycopg.connect(
            make_conninfo(self._url, **{**REACH, **parameters, "application_name": NAME}),
            autocommit=True,
            cursor_factory=_Cursor,
        )
        # Not as a connection option, which poolers reject.
        connection.execute(f"SET statement_timeout = {int(STATEMENT_SECONDS * 1000)}")
        connection.adapters.register_dumper(str, _Text)
        # No prepared statements: a plan for frequent values would scan all tickets for rare values.
        connection.prepare_threshold = None
        return connection

    def _bring_forward(self, connection: Connection) -> None:
        driver = driver_of(connection)
        driver.execute("BEGIN; SET LOCAL statement_timeout = 0")
        driver.execute("SELECT pg_advisory_xact_lock(%s, 0)", (MIGRATION_LOCK,))
        if driver.execute("SHOW server_encoding").fetchone()[0] != "UTF8":
            raise StorageError(f"{self.place} must have the encoding UTF8 (CREATE DATABASE … ENCODING 'UTF8').")
        revision = migrations.current(connection)
        if revision and not migrations.has_revision(revision):
            raise StorageError(f"{self.place} was written by a newer Foyer (revision {revision}). Nothing was changed.")
        outdated = revision != migrations.head()
        if outdated:
            migrations.upgrade(connection)
            postgres_tables.widen(connection)
        postgres_tables.make_functions(connection)
        postgres_index.fill(connection)
        postgres_tables.analyze(connection, anew=outdated)
        connection.commit()
        driver.commit()

    @contextmanager
    def _borrowed(self) -> Iterator[Connection]:
        connection = self._engine.connect()
        try:
            yield connection
        except BaseException as error:
            _undo(connection)
            # After an error of the database, a stale plan included, the next caller gets a new connection.
            if isinstance(error, self.failures) and not isinstance(error, IntegrityError):
                connection.invalidate()
            raise
        finally:
            if self._closed:
                connection.invalidate()
            connection.close()

    def error_text(self, error: Exception) -> str:
        """The message of an error, without the password."""
        text = error_message(error).strip()
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


def _facts(url: str) -> tuple[list[str], str, str]:
    """The secrets in the address, the name of the database, and a description of where it is. Raises StorageError."""
    if not ADDRESS.fullmatch(url):  # no part of it may be quoted: it may be of the password
        raise StorageError(UNREADABLE)
    try:
        parameters: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.Error:
        parameters = {}
    if not parameters:  # raised here, so that the error has no context with the address in it
        raise StorageError(_foreign_parameters(url) or UNREADABLE)
    password = str(parameters.get("password") or "")
    raw = re.search(r"//[^:@/]*:([^@/]*)@", url)
    secrets = [secret for secret in (url, password, raw.group(1) if raw else "") if secret]
    database = str(parameters.get("dbname") or parameters.get("user") or "postgres")
    return secrets, database, f"database {database} on {parameters.get('host') or 'this machine'}"


def _foreign_parameters(url: str) -> str:
    """A sentence that names the parameters that PostgreSQL's client library does not know, "" when there is none."""
    keywords = {option.keyword.decode() for option in Conninfo.get_defaults()}
    foreign = [name for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True) if name not in keywords]
    if not foreign:
        return ""
    names = ", ".join(name[:40] for name in foreign)
    return (
        f"DATABASE_URL has parameters that PostgreSQL does not know: {names}. Leave them out; TLS is sslmode=require."
    )


@contextmanager
def _without_values() -> Iterator[None]:
    """Reduces an error of the server to its message, or for malformed data to its kind, which quotes no value."""
    try:
        yield
    except psycopg.DataError as error:
        error.args = (f"{type(error).__name__} (SQLSTATE {error.sqlstate})",)
        raise
    except psycopg.Error as error:
        if message := error.diag.message_primary:
            error.args = (message,)
        raise


def _replace_if_closed(driver: Any, *_: Any) -> None:
    """Replaces an idle connection that received data: the server closed it. Costs no round trip."""
    if driver.closed or _has_input(driver.fileno()):
        raise DisconnectionError


def _has_input(socket: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def _is_refused(error: Exception) -> bool:
    """Whether the server rejected the password. A failed connection has no SQLSTATE."""
    attempt = getattr(getattr(error, "orig", error), "pgconn", None)
    return attempt is not None and bool(attempt.needs_password or attempt.used_password)


def _undo(connection: Connection) -> None:
    try:
        connection.rollback()
        if not connection.invalidated:
            driver_of(connection).rollback()
    except (psycopg.Error, SQLAlchemyError):
        connection.invalidate()


def _number(name: str) -> int:
    """A hash of a name as the second number of a lock. Two names with the same hash only wait for each other."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big", signed=True)


@lru_cache(1024)
def _begin_write_sql(company: str) -> str:
    return BEGIN_WRITE.format(kind=WRITERS_LOCK, key=_number(company), company=company).as_string(None)
