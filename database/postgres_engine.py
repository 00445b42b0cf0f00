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
from contextlib import contextmanager
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
from database.search import postgres_index
from database.sqlite_engine import plain
from database.writer_shares import WAIT_SECONDS, Exhausted, Shares

log = logging.getLogger("foyer.storage")

CONNECTIONS = 10  # of one process at once; whoever comes then waits for one that is handed back
WRITERS = 7  # of these at most: writers may all wait for one company's turn, and nobody else is to wait for them
WRITERS_OF_ONE = 3  # for one company: they take turns, so more of them would only wait
STATEMENT_SECONDS = 30  # no statement takes longer, also one that waits for a lock somebody else has on a whole table
START_WAIT_SECONDS = 10.0  # a database that starts beside the desk may take this long
# How long a connection is waited for, and how soon a server that went away without a word is noticed.
REACH = {"connect_timeout": 5, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

NAME = "foyer"  # of our connections, by which a copy sees that a desk is running; a pooler passes it on
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = %s AND pid <> pg_backend_pid()"
)
LEAVING_SECONDS = 2.0  # the server notices a closed connection a little later

# Numbers of our locks in the database: (one of these, which of that kind).
MIGRATION_LOCK, WRITERS_LOCK, TASKS_LOCK = 70_101, 70_102, 70_103

# A writer that stalls, or whose machine is gone, must not keep the others away for long. SET LOCAL, because a pooler in
# between may give the session to somebody else.
BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '10s'; "
    f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '60s';"
)
# One statement after the other, each with a view of its own: the second sees what the turn before has committed.
BEGIN_WRITE = sql.SQL(
    "SELECT pg_advisory_xact_lock({kind}, {key}); SELECT greatest("
    "(SELECT max(updated_at) FROM tickets WHERE company_id = {company}), "
    "(SELECT max(created_at) FROM events WHERE company_id = {company}))"
)
# Shut down by its owner, crashed, cannot connect now, too many connections; all of class 08 besides.
AWAY = {"57P01", "57P02", "57P03", "53300"}
# Strict, so that a password with a character that must be escaped is never taken for a host and told in an error.
ADDRESS = re.compile(
    r"postgres(ql)?://([^:@/?#\s]*(:[^:@/?#\s]*)?@)?[^@/?#\s]*(/[^@/?#\s]*)?(\?([\w.]+=[^&#@?\s]*&?)*)?"
)
UNREADABLE = (
    "DATABASE_URL cannot be read. Write it as postgresql://name:password@host:5432/database, with special characters of "
    "the password percent-encoded (@ is %40, / is %2F)."
)


class _Text(StrDumperUnknown):
    """Text without NUL, which PostgreSQL has none of: a name with one in it is nobody's, and what is kept was checked before."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\x00", "\ufffd"))


class _Cursor(psycopg.Cursor[Any]):
    """A cursor whose errors name the rule that was broken and quote nothing of what people wrote.

    The server's detail holds the values of the row, and errors are logged and kept with whatever is chained to them.
    """

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """As the driver does it."""
        with _without_values():
            return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        """As the driver does it."""
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
        # Every statement by itself unless a transaction is begun: a read costs one round trip. The driver reads the address,
        # so that no message of SQLAlchemy can hold it; parameters are people's words and stay out of messages too, of
        # which _Cursor takes care where it is the server that quotes them.
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
        event.listen(self._engine, "checkout", _look_at)
        self.index = postgres_index.Index()
        self._shares = Shares(each=WRITERS_OF_ONE, together=WRITERS)
        self._closed = False

    def open(self) -> "Postgres":
        """Brings the database to the newest shape; of several that start at once, one does it. Raises StorageError."""
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
            _driver(connection).execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection
            _driver(connection).rollback()

    @contextmanager
    def write(self, company: str = "") -> Iterator[Connection]:
        """A connection for a write transaction, begun by `begin_write`: committed when the block ends, else rolled back.

        `company` owns the rows to write, "" when it is not known yet. Each company may use a share of the connections.
        """
        with self._shares.place(company) as place, self._borrowed() as connection:
            connection.info["place"] = place
            # This one and no other: SQLAlchemy would put a new one in the place of a lost one.
            driver = _driver(connection)
            yield connection
            driver.commit()

    def is_away(self, error: Exception) -> bool:
        """Whether the server cannot be reached, broke the connection off or takes no more, told by SQLSTATE."""
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
        driver = _driver(connection)
        begun = driver.info.transaction_status is not TransactionStatus.IDLE
        said = ("" if begun else BEGIN) + (_begin_write_sql(company) if company else "")
        if not said:
            return ""
        cursor = driver.execute(said, prepare=False)
        while cursor.nextset():
            pass
        return str((cursor.fetchone() or ("",))[0] or "") if company else ""

    @contextmanager
    def exclusive_task(self, task: str) -> Iterator[bool]:
        """Yields whether this process may run a task that only one process may run, until the block ends."""
        with contextlib.closing(self._connect()) as driver:  # one of its own: it is kept for as long as the task takes
            driver.execute("BEGIN")
            lock = driver.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (TASKS_LOCK, _number(task))).fetchone()
            yield bool(lock and lock[0])

    def scrub(self) -> None:
        """Nothing: the server gives room free for new rows by itself, and its log and its backups are its owner's matter."""

    def announce(self, url: str, secret: str) -> None:
        """Nothing: no process has the database alone, and commands open it themselves."""

    def is_used_elsewhere(self) -> bool:
        """Whether another process of Foyer is connected; one that just left is waited for a moment."""
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
        # Not as an option of the connection, which a pooler refuses.
        connection.execute(f"SET statement_timeout = {int(STATEMENT_SECONDS * 1000)}")
        connection.adapters.register_dumper(str, _Text)
        # A plan kept for values that many tickets have would go through all of them for those that few have.
        connection.prepare_threshold = None
        return connection

    def _bring_forward(self, connection: Connection) -> None:
        driver = _driver(connection)
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
            # After a fault of the database, also one of a plan it remembers, a new connection is the cure.
            if isinstance(error, self.failures) and not isinstance(error, IntegrityError):
                connection.invalidate()
            raise
        finally:
            if self._closed:
                connection.invalidate()
            connection.close()

    def error_text(self, error: Exception) -> str:
        """The message of an error, without the password."""
        text = plain(error).strip()
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


def _facts(url: str) -> tuple[list[str], str, str]:
    """What must not be told, the name of the database, and where it is, in words. Raises StorageError."""
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
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    foreign = [name for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True) if name not in known]
    if not foreign:
        return ""
    names = ", ".join(name[:40] for name in foreign)
    return (
        f"DATABASE_URL has parameters that PostgreSQL does not know: {names}. Leave them out; TLS is sslmode=require."
    )


@contextmanager
def _without_values() -> Iterator[None]:
    """Leaves of a server's error what went wrong and which rule it was; of data it cannot read only the kind of fault."""
    try:
        yield
    except psycopg.DataError as error:
        error.args = (f"{type(error).__name__} (SQLSTATE {error.sqlstate})",)
        raise
    except psycopg.Error as error:
        if said := error.diag.message_primary:
            error.args = (said,)
        raise


def _driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection


def _look_at(driver: Any, *_: Any) -> None:
    """Replaces a connection to which the server said something while nobody used it: its farewell. No round trip."""
    if driver.closed or _has_spoken(driver.fileno()):
        raise DisconnectionError


def _has_spoken(socket: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def _is_refused(error: Exception) -> bool:
    """Whether the server asked for a password and then let nobody in. Of a connection that failed there is no SQLSTATE."""
    attempt = getattr(getattr(error, "orig", error), "pgconn", None)
    return attempt is not None and bool(attempt.needs_password or attempt.used_password)


def _undo(connection: Connection) -> None:
    try:
        connection.rollback()
        if not connection.invalidated:
            _driver(connection).rollback()
    except (psycopg.Error, SQLAlchemyError):
        connection.invalidate()


def _number(name: str) -> int:
    """A name as the second number of a lock; two that share one wait for each other without need, and that is all."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big", signed=True)


@lru_cache(1024)
def _begin_write_sql(company: str) -> str:
    return BEGIN_WRITE.format(kind=WRITERS_LOCK, key=_number(company), company=company).as_string(None)
