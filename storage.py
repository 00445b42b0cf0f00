"""The data store: `open_storage(url)`, units of work and their queries.

Every query is limited to the rows its actor may see, see database/tenant_scope.py. There are no business rules here.
"""

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import CompoundSelect, Connection, Select, Table, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement
from uuid_utils import uuid7

from core import timestamps
from core.errors import StorageError, unavailable
from core.models import Actor
from core.timestamps import Clock
from database import column_types, day_counts, index_hints, tables, tenant_scope
from database.insert_statements import insert_or_ignore
from database.json_store.engine import JsonFile
from database.outages import Outages
from database.read_cache import ReadCache
from database.search import statements
from database.search.words import SEARCHED
from database.sqlite_engine import SqliteFile
from database.transaction import DirectJobs, Transaction
from database.url import parse_url

if TYPE_CHECKING:
    from database.postgres_engine import Postgres

log = logging.getLogger("foyer.storage")

Row = dict[str, Any]
T = TypeVar("T")
OpenUnitOfWork = Callable[..., AbstractContextManager["UnitOfWork"]]  # of one actor, or of a company that is named


class UnitOfWork:
    """One transaction of one actor. Its methods read and change only the rows visible to that actor."""

    def __init__(self, transaction: Transaction, actor: Actor | None, now: str) -> None:
        self._transaction = transaction
        self._connection, self._index = transaction.connection, transaction.index
        self._runner = transaction.runner
        self._cache, self._begin_write = transaction.read_cache, transaction.begin_write
        self.touched, self.after_commit = transaction.touched, transaction.after_commit
        self.direct_jobs = transaction.direct_jobs
        self._actor = actor
        self.now = now  # the order stamp, later than that of every earlier write
        self.real_now = transaction.real_now  # the real clock, for expiry and due times
        self._scope = {} if actor is None else tenant_scope.scope_params(actor)
        self._visibility = tenant_scope.visibility_of(actor)

    def as_actor(self, actor: Actor) -> "UnitOfWork":
        """The same transaction for one actor. Raises RuntimeError when it already has an actor."""
        if self._actor is not None:
            raise RuntimeError("this unit of work already has an actor")
        now = self._begin_write(actor.company_id) if self._begin_write else self.now
        uow = UnitOfWork(self._transaction, actor, now)
        self._transaction.members.append(uow)
        return uow

    def as_system(self) -> "UnitOfWork":
        """The same transaction and order stamp for the server itself, at work for the actor's company."""
        return UnitOfWork(self._transaction, Actor.system(self.actor.company_id), self.now)

    @property
    def has_actor(self) -> bool:
        """Whether this is not a system unit of work."""
        return self._actor is not None

    @property
    def actor(self) -> Actor:
        """The actor. Raises RuntimeError in a system unit of work."""
        if self._actor is None:
            raise RuntimeError("a system unit of work has no actor")
        return self._actor

    def query(self, table: Table, *columns: Any) -> Select[Any]:
        """A SELECT of the visible rows of `table`, to be filtered and ordered further."""
        base = tenant_scope.visible_rows(table, self._visibility)
        return base.with_only_columns(*columns) if columns else base

    def select_fields(self, table: Table, fields: tuple[str, ...]) -> Select[Any]:
        """As `query`, with the named columns only."""
        return tenant_scope.visible_rows(table, self._visibility, fields)

    def get(self, table: Table, row_id: str, *, lock: bool = False) -> Row | None:
        """The visible row with that ID, or None. `lock` locks the row until the transaction ends."""
        statement = tenant_scope.row_by_id(table, self._visibility, lock)
        return self._runner.first(statement, {**self._scope, "id_": row_id})

    def find(self, statement: Select[Any], **params: Any) -> list[Row]:
        """The rows of a SELECT made by `query`."""
        return self._runner.rows(statement, {**self._scope, **params})

    def fetch_public(self, statement: Select[Any], table: Table, fields: tuple[str, ...]) -> list[Row]:
        """The rows of a SELECT made by `select_fields`, in the form of a response. Fast; unset fields (None) are left out."""
        result: Any = self._connection.execute(statement, self._scope)
        rows = [
            {name: value for name, value in zip(fields, row, strict=True) if value is not None}
            for row in result.cursor.fetchall()
        ]
        result.close()
        for name, convert in column_types.output_converters(table, fields):
            for row in rows:
                if name in row:
                    row[name] = convert(row[name])
        return rows

    def ids_by(self, table: Table, column: str, value: Any) -> list[str]:
        """The IDs of the visible rows whose text column has that value, not "". Faster than `query`, for what each write asks."""
        statement = tenant_scope.ids_by(table, column, self._visibility)
        return [row["id"] for row in self._runner.rows(statement, {**self._scope, "value_": value}, keep=True)]

    def first(self, statement: Select[Any], **params: Any) -> Row | None:
        """The first row of a SELECT made by `query`, or None."""
        return next(iter(self.find(statement.limit(1), **params)), None)

    def count(self, statement: Select[Any]) -> int:
        """The number of rows of a SELECT, counted by the database."""
        counting = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        return int(self._connection.execute(counting, self._scope).scalar_one())

    def cached(self, sources: tuple[Table, ...], key: Hashable, load: Callable[[], T]) -> T:
        """The cached result of `load`, which reads from `sources`. Actors with the same visibility share it by `key`."""
        if self._cache is None:
            return load()
        return self._cache.get_or_load(sources, (tenant_scope.cache_scope(self._actor), key), load)

    def aggregate(self, statement: Select[Any] | CompoundSelect[Any], **params: Any) -> list[tuple[Any, ...]]:
        """The rows of an aggregate SELECT as tuples."""
        return self._runner.tuples(statement, {**self._scope, **params})

    def search(self, statement: Select[Any], words: str, *, best_first: bool = False) -> Select[Any]:
        """`statement`, of tickets, limited to those with every word or a form of it; `best_first` orders by relevance.

        Text without a word (an emoji, a symbol) is searched literally, newest tickets first.
        """
        return statements.matching(
            statement,
            words,
            index=self._index,
            connection=self._connection,
            visible_ids=self.query(tables.tickets, tables.tickets.c.id),
            company=self.actor.company_id,
            customer=self.actor.customer_row if self.actor.is_customer else "",
            best_first=best_first,
        )

    @property
    def visibility(self) -> tenant_scope.Visibility:
        """Which rows the actor sees: part of every statement."""
        return self._visibility

    @property
    def dialect_name(self) -> str:
        """The name of the database's dialect of SQL: hints for SQLite are part of a statement."""
        return self._connection.dialect.name

    def no_index(self, term: ColumnElement[Any]) -> ColumnElement[Any]:
        """The term written so that SQLite uses no index for it. PostgreSQL needs no such hint."""
        return index_hints.without_index(term, self.dialect_name)

    def insert(self, table: Table, values: Mapping[str, Any]) -> Row:
        """Inserts a row and returns it whole. Sets a new ID, and the company of the actor."""
        self.touched.add(table.name)
        row = {**column_types.default_values(table), **self._complete(table, values)}
        self._runner.insert(table, [row])
        self._update_index(table, values, [row])
        return row

    def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Inserts rows that have the same columns."""
        if rows:
            self.touched.add(table.name)
            complete_rows = [self._complete(table, values) for values in rows]
            self._runner.insert(table, complete_rows)
            self._update_index(table, rows[0], [{**column_types.default_values(table), **row} for row in complete_rows])

    def insert_new(self, table: Table, values: Mapping[str, Any]) -> bool:
        """Inserts a row unless that breaks a unique constraint. Returns whether it was inserted."""
        self.touched.add(table.name)
        statement = insert_or_ignore(table, self._connection.dialect.name)
        return self._connection.execute(statement, self._complete(table, values)).first() is not None

    def update(self, table: Table, row_id: str, values: Mapping[str, Any]) -> Row | None:
        """Updates one row and returns it whole; None when no such row is visible to this actor."""
        if not values:
            return self.get(table, row_id)
        self.touched.add(table.name)
        changes = {f"set_{name}": value for name, value in self._updatable(values).items()}
        columns = tuple(name.removeprefix("set_") for name in changes)
        statement = tenant_scope.update_by_id(table, columns, self._visibility)
        row = self._runner.first(statement, {**self._scope, "id_": row_id, **changes})
        self._update_index(table, values, [row] if row else [])
        return row

    def count_up(self, table: Table, row_id: str, column: str) -> Row | None:
        """Adds 1 to a column of one row and returns the row, which stays locked until the transaction ends."""
        self.touched.add(table.name)
        statement = tenant_scope.increment(table, column, self._visibility)
        return self._runner.first(statement, {**self._scope, "id_": row_id})

    def update_where(self, table: Table, *conditions: ColumnElement[bool], **values: Any) -> int:
        """Updates every visible row that meets the conditions. Returns their number."""
        self.touched.add(table.name)
        statement = update(table).where(*conditions, *self._conditions(table)).values(self._updatable(values))
        if not self._is_indexed(table, values):
            return self._connection.execute(statement, self._scope).rowcount
        rows = [row._asdict() for row in self._connection.execute(statement.returning(table), self._scope)]
        self._update_index(table, values, rows)
        return len(rows)

    def delete(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """Deletes every visible row that meets the conditions. Returns their number."""
        self.touched.add(table.name)
        statement = delete(table).where(*conditions, *self._conditions(table))
        return self._connection.execute(statement, self._scope).rowcount

    def count_day(self, day: str) -> None:
        """Counts the tickets of a stale day for statistics."""
        day_counts.count_day(self._connection, self.actor.company_id, day)

    def claim(self, queue: str, *, limit: int) -> list[Row]:
        """Marks due jobs of a queue as running and returns them. Skips jobs that another process is claiming."""
        jobs = tables.jobs
        query = (
            self.query(jobs, jobs.c.id)
            .where(jobs.c.state == "waiting", jobs.c.lane == queue, jobs.c.run_at <= self.real_now)
            .order_by(jobs.c.run_at, jobs.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        job_ids = [row[0] for row in self._connection.execute(query, self._scope)]
        if not job_ids:
            return []
        self.touched.add(jobs.name)
        are_claimed = jobs.c.id.in_(job_ids)
        values = {"state": "running", "run_at": self.real_now, "attempts": jobs.c.attempts + 1}
        self._connection.execute(update(jobs).where(are_claimed).values(values))
        return self.find(select(jobs).where(are_claimed).order_by(jobs.c.created_at, jobs.c.id))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint: when the block raises, only its own changes are rolled back."""
        with self._connection.begin_nested():
            yield

    def _is_indexed(self, table: Table, values: Mapping[str, Any]) -> bool:
        return table is tables.tickets and self._index.is_written and not values.keys().isdisjoint(SEARCHED)

    def _update_index(self, table: Table, values: Mapping[str, Any], rows: Sequence[Row]) -> None:
        if rows and self._is_indexed(table, values):
            self._index.write(self._connection, rows)

    def _conditions(self, table: Table) -> list[ColumnElement[bool]]:
        return tenant_scope.scope_conditions(table, self._visibility)

    def _complete(self, table: Table, values: Mapping[str, Any]) -> Row:
        row = {"id": str(uuid7()), **values}
        if self._actor is None:
            return row
        if table is tables.companies:
            raise RuntimeError("only a system unit of work creates companies")
        return {**row, "company_id": self._actor.company_id}

    def _updatable(self, values: Mapping[str, Any]) -> Row:
        """The values of an update without `company_id`: a row never changes its company."""
        return {name: value for name, value in values.items() if self._actor is None or name != "company_id"}


class Storage:
    """The open data store of one process."""

    def __init__(self, engine: "SqliteFile | Postgres", clock: Clock) -> None:
        self._engine = engine
        self.clocks = timestamps.Clocks(clock, _latest(engine))
        self._outages = Outages(engine)
        self._closed = False
        self._cache = ReadCache(exclusive=engine.exclusive)
        self.direct_jobs: DirectJobs = {}
        self.before_commit: Callable[[UnitOfWork], None] | None = None  # called after history was written
        if isinstance(engine, SqliteFile):
            engine.writers.on_commit = self._cache.invalidate  # before anybody is answered
        self.name = engine.name
        self.exclusive = engine.exclusive
        self.durable = engine.durable
        self.location_hint = engine.location_hint
        self.path = engine.data_path
        self.place = engine.place
        self.announce = engine.announce

    @contextmanager
    def unit_of_work(self, actor: Actor | None, *, write: bool = False, snapshot: bool = False) -> Iterator[UnitOfWork]:
        """A transaction for `actor`: committed when the block ends, rolled back when it raises.

        `actor` None has access to every company; only sign-in, jobs and commands use it. With `snapshot` all reads see the
        data of one moment. Raises AppError 503 when the disk or the database fails.
        """
        company = actor.company_id if actor else ""
        with self._outages.watched():
            if write:
                touched: set[str] = set()
                with self._open_engine().write(company, touched) as connection:
                    begin_write = partial(self._begin_write, connection)
                    now = begin_write(company)
                    transaction = Transaction(
                        connection=connection,
                        index=self._engine.index,
                        real_now=self.real_now(),
                        begin_write=begin_write,
                        touched=touched,
                        direct_jobs=self.direct_jobs,
                    )
                    uow = UnitOfWork(transaction, actor, now)
                    transaction.members.append(uow)
                    yield uow
                    self._before_commit(transaction)
                for action in uow.after_commit:
                    action()
            else:
                engine = self._open_engine()
                with engine.snapshot() if snapshot else engine.read() as connection:
                    real_now, index = self.real_now(), self._engine.index
                    cache = None if snapshot else self._cache  # which holds the last commit
                    reading = Transaction(connection=connection, index=index, real_now=real_now, read_cache=cache)
                    yield UnitOfWork(reading, actor, self.clocks.order_now(real_now))

    def cached(self, sources: tuple[Table, ...], key: Hashable, load: Callable[[], T]) -> T:
        """The cached result of `load`, which reads without an actor, for authentication."""
        return self._cache.get_or_load(sources, ("authentication", key), load)

    def real_now(self) -> str:
        """The time of the real clock, for expiry and due times."""
        return self.clocks.real_now()

    def _before_commit(self, transaction: Transaction) -> None:
        """Does what belongs to the commit of changes that were recorded in the history, once for each order stamp."""
        if self.before_commit and tables.events.name in transaction.touched:
            for member in [member for member in transaction.members if member.has_actor]:
                self.before_commit(member.as_system())

    def _open_engine(self) -> "SqliteFile | Postgres":
        if self._closed:
            raise unavailable("The server is shutting down. Please try again shortly.")
        return self._engine

    def _begin_write(self, connection: Connection, company: str) -> str:
        """Locks the company for writing and returns the order stamp, so that clients polling for new rows miss none."""
        return self.clocks.next(self._engine.begin_write(connection, company))

    @contextmanager
    def exclusive_task(self, task: str) -> Iterator[bool]:
        """Yields whether this process may run a task that only one process may run; others may not until the block ends.

        Raises AppError 503.
        """
        with self._outages.watched(), self._open_engine().exclusive_task(task) as acquired:
            yield acquired

    def scrub(self) -> None:
        """Removes erased and deleted data from the store's files, copies included. Raises AppError 503."""
        with self._outages.watched(OSError), self._engine.paused():
            self._open_engine().scrub()

    def close(self) -> None:
        """Closes the store after the current write transaction."""
        with self._engine.paused():
            if not self._closed:
                self._closed = True
                self._engine.close()


def _latest(engine: "SqliteFile | Postgres") -> str:
    """The newest timestamp in the store, "" for PostgreSQL. The clock may go back between starts."""
    if not engine.exclusive:
        return ""
    columns = (tables.tickets.c.updated_at, tables.events.c.created_at)
    with engine.read() as connection:
        return max(connection.execute(select(func.max(column))).scalar() or "" for column in columns)


def open_storage(url: str, data_dir: Path, *, clock: Clock = timestamps.now) -> Storage:
    """Opens the store that `url` names. Raises StorageError with a message for the operator."""
    engine, path = parse_url(url, data_dir)
    if engine == "json":
        return Storage(JsonFile(path.parent).open(), clock)
    if engine == "postgresql":
        from database.postgres_engine import Postgres  # imported here: file engines need no database driver

        return Storage(Postgres(url).open(), clock)
    return Storage(SqliteFile(path).open(), clock)


__all__ = ["Clock", "DirectJobs", "OpenUnitOfWork", "Row", "Storage", "StorageError", "UnitOfWork", "open_storage"]
