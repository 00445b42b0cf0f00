"""The data store: `open_storage(url)`, units of work and their queries.

Every query is limited to the rows its actor may see, see database/tenant_scope.py. There are no business rules here.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import CompoundSelect, Connection, Select, Table, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert, ReturningInsert
from sqlalchemy.sql.elements import ColumnElement, Grouping, UnaryExpression
from sqlalchemy.sql.operators import custom_op
from uuid_utils import uuid7

from core import timestamps
from core.errors import StorageError, unavailable
from core.models import Actor
from core.timestamps import Clock
from database import column_types, tables
from database import url as address
from database.json_store.engine import JsonFile
from database.outages import Outages
from database.read_cache import ReadCache
from database.search import words as search
from database.search.words import Index
from database.sqlite_engine import SqliteFile
from database.tenant_scope import (
    cache_scope,
    increment,
    row_by_id,
    scope_conditions,
    scope_params,
    visibility_of,
    visible_rows,
)

if TYPE_CHECKING:
    from database.postgres_engine import Postgres

log = logging.getLogger("foyer.storage")

Row = dict[str, Any]
T = TypeVar("T")
_ASIDE: custom_op[bool] = custom_op("+")
WriteOrder = Callable[[str], str]  # waits for a company's turn to write, gives the moment of what is written then


class UnitOfWork:
    """One unit of work of one actor: its verbs see and touch only the rows that exist for that actor."""

    def __init__(
        self,
        connection: Connection,
        actor: Actor | None,
        now: str,
        real_now: str,
        *,
        index: Index,
        read_cache: ReadCache | None = None,
        begin_write: WriteOrder | None = None,
    ) -> None:
        self._connection = connection
        self._index = index
        self._begin_write = begin_write  # None while reading
        self._cache = read_cache  # None while writing: what is not committed is not to be remembered
        self.touched: set[str] = set()
        self._actor = actor
        self.now = now  # the order stamp: later than that of every earlier write
        self.real_now = real_now  # the real clock: for what ends or is due
        self._scope = {} if actor is None else scope_params(actor)
        self._visibility = visibility_of(actor)

    def as_actor(self, actor: Actor) -> "UnitOfWork":
        """The same unit of work at the desk of one actor. Raises RuntimeError at a desk that is somebody's already."""
        if self._actor is not None:
            raise RuntimeError("a desk never changes hands")
        now = self._begin_write(actor.company_id) if self._begin_write else self.now
        uow = UnitOfWork(
            self._connection,
            actor,
            now,
            self.real_now,
            index=self._index,
            read_cache=self._cache,
            begin_write=self._begin_write,
        )
        uow.touched = self.touched
        return uow

    @property
    def actor(self) -> Actor:
        """Who works at this desk. Raises RuntimeError at an unscoped desk."""
        if self._actor is None:
            raise RuntimeError("an unscoped desk has no actor")
        return self._actor

    def query(self, table: Table, *columns: Any) -> Select[Any]:
        """A selectable of the rows of `table` that exist for this actor, to be narrowed and ordered further."""
        base = visible_rows(table, self._visibility)
        return base.with_only_columns(*columns) if columns else base

    def select_fields(self, table: Table, fields: tuple[str, ...]) -> Select[Any]:
        """As `rows`, with the named columns alone."""
        return visible_rows(table, self._visibility, fields)

    def get(self, table: Table, row_id: str, *, lock: bool = False) -> Row | None:
        """The row with that id, or None. `lock` keeps other writers away until this unit of work ends."""
        statement = row_by_id(table, self._visibility, lock)
        row = self._connection.execute(statement, {**self._scope, "id_": row_id}).first()
        return _whole(row)

    def find(self, statement: Select[Any], **params: Any) -> list[Row]:
        """The rows of a selectable made by `rows`."""
        result = self._connection.execute(statement, {**self._scope, **params})
        names = tuple(map(str, result.keys()))
        return [dict(zip(names, row, strict=True)) for row in result.all()]

    def fetch_public(self, statement: Select[Any], table: Table, fields: tuple[str, ...]) -> list[Row]:
        """The rows of a selectable made by `only`, as they leave the desk: what is not set (None) is left out.

        For long lists: rows as the driver gives them, converted in the columns that need it and nowhere else.
        """
        result: Any = self._connection.execute(statement, self._scope)
        rows = [dict(zip(fields, row, strict=True)) for row in result.cursor.fetchall()]
        result.close()
        for name, leaves in column_types.leaving(table, fields):
            for row in rows:
                if row[name] is None:
                    del row[name]
                else:
                    row[name] = leaves(row[name])
        return rows

    def first(self, statement: Select[Any], **params: Any) -> Row | None:
        """The first row of a selectable made by `rows`, or None."""
        return next(iter(self.find(statement.limit(1), **params)), None)

    def count(self, statement: Select[Any]) -> int:
        """How many rows a selectable has, counted by the database."""
        counting = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        return int(self._connection.execute(counting, self._scope).scalar_one())

    def cached(self, sources: tuple[Table, ...], key: Hashable, load: Callable[[], T]) -> T:
        """What `load` reads from `sources`, cached for actors who see the same. `key` names what is read."""
        if self._cache is None:
            return load()
        return self._cache.get_or_load(sources, (cache_scope(self._actor), key), load)

    def aggregate(self, statement: Select[Any] | CompoundSelect[Any]) -> list[tuple[Any, ...]]:
        """The rows of an aggregating selectable as tuples."""
        return [tuple(row) for row in self._connection.execute(statement, self._scope)]

    def search(self, statement: Select[Any], words: str, *, best_first: bool = False) -> Select[Any]:
        """`statement`, of tickets, narrowed to those that have each word, in some form; `best_first` orders it as well.

        Where nothing said is a word (an emoji, a sign) it is looked for as it stands, and the newest come first.
        """
        words = words.replace("\x00", "\ufffd").encode(errors="replace").decode()
        wanted = search.words(words)
        if wanted:
            company = self._scope.get("company_", "")
            return self._index.narrow(self._connection, statement, wanted, company=company, best_first=best_first)
        t = tables.tickets.c
        found = self.containing(statement, words, [t[name] for name in search.AS_WRITTEN])
        return found.order_by(t.created_at.desc(), t.id.desc()) if best_first else found

    def containing(self, statement: Select[Any], words: str, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """`statement` narrowed to rows where each word is found in one of the columns, in any case."""
        for word in words.split():
            statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
        return statement

    def no_index(self, term: ColumnElement[Any]) -> ColumnElement[Any]:
        """A condition or column, put so that SQLite walks no index for it; the planner of PostgreSQL needs no such hint."""
        if self._connection.dialect.name != "sqlite":
            return term
        return UnaryExpression(Grouping(term), operator=_ASIDE, type_=term.type)

    def insert(self, table: Table, values: Mapping[str, Any]) -> Row:
        """Adds a row and gives it back whole. The id is made here; the company is the actor's."""
        self.touched.add(table.name)
        row = {**column_types.blank(table), **self._complete(table, values)}
        self._connection.execute(_insertion(table), row)
        self._index_anew(table, values, [row])
        return row

    def insert_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds rows that name the same columns, without giving them back."""
        if rows:
            self.touched.add(table.name)
            whole = [self._complete(table, values) for values in rows]
            self._connection.execute(_insertion(table), whole)
            self._index_anew(table, rows[0], [{**column_types.blank(table), **row} for row in whole])

    def insert_new(self, table: Table, values: Mapping[str, Any]) -> bool:
        """Adds a row unless a unique constraint has it already; tells whether it was added."""
        self.touched.add(table.name)
        statement = _insertion_of_new(table, self._connection.dialect.name)
        return self._connection.execute(statement, self._complete(table, values)).first() is not None

    def update(self, table: Table, row_id: str, values: Mapping[str, Any]) -> Row | None:
        """Changes one row and gives it back whole; None when there is no such row for this actor."""
        if not values:
            return self.get(table, row_id)
        self.touched.add(table.name)
        statement = update(table).where(table.c.id == row_id, *self._conditions(table)).values(self._kept(values))
        row = _whole(self._connection.execute(statement.returning(table), self._scope).first())
        self._index_anew(table, values, [row] if row else [])
        return row

    def count_up(self, table: Table, row_id: str, column: str) -> Row | None:
        """Adds one to a number of one row, which stays locked to the end of the unit of work, and gives the row back."""
        self.touched.add(table.name)
        statement = increment(table, column, self._visibility)
        row = self._connection.execute(statement, {**self._scope, "id_": row_id}).first()
        return _whole(row)

    def update_where(self, table: Table, *conditions: ColumnElement[bool], **values: Any) -> int:
        """Changes every row that meets the conditions; tells how many."""
        self.touched.add(table.name)
        statement = update(table).where(*conditions, *self._conditions(table)).values(self._kept(values))
        if not self._is_indexed(table, values):
            return self._connection.execute(statement, self._scope).rowcount
        rows = [row._asdict() for row in self._connection.execute(statement.returning(table), self._scope)]
        self._index_anew(table, values, rows)
        return len(rows)

    def delete(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """Removes every row that meets the conditions; tells how many."""
        self.touched.add(table.name)
        statement = delete(table).where(*conditions, *self._conditions(table))
        return self._connection.execute(statement, self._scope).rowcount

    def claim(self, lane: str, *, limit: int) -> list[Row]:
        """Takes due jobs of a lane for this process; nobody waits for what another one is taking."""
        jobs = tables.jobs
        due = (
            self.query(jobs, jobs.c.id)
            .where(jobs.c.state == "waiting", jobs.c.lane == lane, jobs.c.run_at <= self.real_now)
            .order_by(jobs.c.run_at, jobs.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = [row[0] for row in self._connection.execute(due, self._scope)]
        if not taken:
            return []
        self.touched.add(jobs.name)
        chosen = jobs.c.id.in_(taken)
        news = {"state": "running", "run_at": self.real_now, "attempts": jobs.c.attempts + 1}
        self._connection.execute(update(jobs).where(chosen).values(news))
        return self.find(select(jobs).where(chosen).order_by(jobs.c.created_at, jobs.c.id))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of the unit of work that is undone alone when it raises."""
        with self._connection.begin_nested():
            yield

    def _is_indexed(self, table: Table, values: Mapping[str, Any]) -> bool:
        return table is tables.tickets and self._index.is_written and not values.keys().isdisjoint(search.SEARCHED)

    def _index_anew(self, table: Table, changed: Mapping[str, Any], rows: Sequence[Row]) -> None:
        if rows and self._is_indexed(table, changed):
            self._index.write(self._connection, rows)

    def _conditions(self, table: Table) -> list[ColumnElement[bool]]:
        return scope_conditions(table, self._visibility)

    def _complete(self, table: Table, values: Mapping[str, Any]) -> Row:
        row = {"id": str(uuid7()), **values}
        if self._actor is None:
            return row
        if table is tables.companies:
            raise RuntimeError("only an unscoped desk makes companies")
        return {**row, "company_id": self._actor.company_id}

    def _kept(self, values: Mapping[str, Any]) -> Row:
        """Values for a change: a row never leaves its company."""
        return {name: value for name, value in values.items() if self._actor is None or name != "company_id"}


def _whole(row: Any) -> Row | None:
    return None if row is None else dict(zip(row._fields, row, strict=True))


@cache
def _insertion(table: Table) -> Insert:
    return insert(table)


@cache
def _insertion_of_new(table: Table, dialect: str) -> ReturningInsert[Any]:
    speaking = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return speaking(table).on_conflict_do_nothing().returning(table.c.id)


class Storage:
    """The opened store of one process."""

    def __init__(self, engine: "SqliteFile | Postgres", clock: Clock) -> None:
        self._engine = engine
        self._writer: AbstractContextManager[Any] = threading.Lock() if engine.exclusive else nullcontext()
        self.clocks = timestamps.Clocks(clock, _latest(engine))
        self._outages = Outages(engine)
        self._closed = False
        self._cache = ReadCache(exclusive=engine.exclusive)
        self.name = engine.name
        self.exclusive = engine.exclusive
        self.durable = engine.durable
        self.location_hint = engine.location_hint
        self.path = engine.data_path
        self.place = engine.place
        self.announce = engine.announce

    @contextmanager
    def unit_of_work(self, actor: Actor | None, *, write: bool = False) -> Iterator[UnitOfWork]:
        """A unit of work for `actor`: committed when the block ends, undone when it raises.

        `actor` None sees every company and is for sign-in, jobs and the command line alone.
        Raises AppError 503 when the disk or the database cannot do its part.
        """
        company = actor.company_id if actor else ""
        with self._outages.watched():
            if write:
                with self._writer:  # held until memory knows: what is remembered is never older than what is committed
                    uow = None
                    try:
                        with self._opened().write(company) as connection:
                            begin_write = partial(self._begin_write, connection)
                            now = begin_write(company)
                            uow = UnitOfWork(
                                connection,
                                actor,
                                now,
                                self.real_now(),
                                index=self._engine.index,
                                begin_write=begin_write,
                            )
                            yield uow
                    finally:
                        if uow is not None:
                            self._cache.invalidate(uow.touched)
            else:
                with self._opened().read() as connection:
                    moments = (self.clocks.order_now(), self.real_now())
                    yield UnitOfWork(connection, actor, *moments, index=self._engine.index, read_cache=self._cache)

    def cached(self, sources: tuple[Table, ...], key: Hashable, load: Callable[[], T]) -> T:
        """What `load` reads as nobody in particular, to find out who is calling. `key` names what is read."""
        return self._cache.get_or_load(sources, ("before the gate", key), load)

    def real_now(self) -> str:
        """The real clock, by which things end and are due."""
        return self.clocks.real_now()

    def _opened(self) -> "SqliteFile | Postgres":
        if self._closed:
            raise unavailable("The desk is closing. Please try again shortly.")
        return self._engine

    def _begin_write(self, connection: Connection, company: str) -> str:
        """The order stamp of this unit of work in a company: who polls for newer rows misses none."""
        return self.clocks.next(self._engine.begin_write(connection, company))

    @contextmanager
    def exclusive_task(self, task: str) -> Iterator[bool]:
        """Whether this process may do a task that one at a time does, which nobody else may until the block ends.

        Raises AppError 503.
        """
        with self._outages.watched(), self._opened().exclusive_task(task) as ours:
            yield ours

    def scrub(self) -> None:
        """Takes what was erased or deleted out of the store's files, copies included. Raises AppError 503."""
        with self._outages.watched(OSError), self._writer:
            self._opened().scrub()

    def close(self) -> None:
        """Leaves everything on disk and lets go of it, after the unit of work at hand."""
        with self._writer:
            if not self._closed:
                self._closed = True
                self._engine.close()


def _latest(engine: "SqliteFile | Postgres") -> str:
    """The latest moment a store of one process bears, "" of one that is asked at each turn: a clock may go back between starts."""
    if not engine.exclusive:
        return ""
    borne = (tables.tickets.c.updated_at, tables.events.c.created_at)
    with engine.read() as connection:
        return max(connection.execute(select(func.max(moment))).scalar() or "" for moment in borne)


def open_storage(url: str, data_dir: Path, *, clock: Clock = timestamps.now) -> Storage:
    """Opens the store that `url` names. Raises StorageError with a sentence for the person who starts the desk."""
    engine, path = address.read(url, data_dir)
    if engine == "json":
        return Storage(JsonFile(path.parent).open(), clock)
    if engine == "postgresql":
        from database.postgres_engine import Postgres  # here, because a desk on a file needs no driver of a database

        return Storage(Postgres(url).open(), clock)
    return Storage(SqliteFile(path).open(), clock)


__all__ = ["Clock", "Row", "Storage", "StorageError", "UnitOfWork", "open_storage"]
