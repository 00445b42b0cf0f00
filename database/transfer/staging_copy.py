"""Copies a whole store into a private SQLite file, migrated to the newest revision. The source is not changed.

The file has no name, so it disappears when the process ends.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from errno import ENOENT
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, StaticPool, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StorageError
from database import migrations
from database.json_store import snapshot
from database.json_store.document import Invalid, MalformedLine
from database.json_store.journal import DamagedJournal
from database.sqlite_engine import BUSY_TIMEOUT_MS, begin_writing, error_message
from database.tables import derived
from database.transfer import backup_file
from database.url import lock_owner, parse_url

PAGE = 1000
RUNNING = (
    "The server of the data to copy is running. Stop it first: data that it writes from now on would not be copied."
)
Columns = Mapping[str, bool]  # the columns of a table by name: whether the column is boolean
Load = Callable[[Connection], None]


@contextmanager
def staging_copy(url: str, data_dir: Path, *, stopped: bool = False) -> Iterator[Connection]:
    """A copy of all rows of the store at that address, which is not changed. Raises StorageError.

    The store may be in use, unless `stopped` is set.
    """
    engine, path = parse_url(url, data_dir)
    if stopped and lock_owner(url, data_dir):
        raise StorageError(RUNNING)
    if engine == "json":
        copy = staging_copy_of_document(path)
    elif engine == "sqlite":
        copy = _private(partial(_from_sqlite, path=path), begin=False)
    else:
        copy = _private(partial(_from_postgres, url=url, stopped=stopped))
    with copy as connection:
        yield connection


def staging_copy_of_document(path: Path) -> AbstractContextManager[Connection]:
    """A copy of all rows of a JSON document and its journals. Raises StorageError."""
    return _private(partial(snapshot.load, document=path))


def staging_copy_of_backup(path: Path) -> AbstractContextManager[Connection]:
    """A copy of all rows of a backup. Raises StorageError."""
    if not path.exists():
        raise StorageError(f"There is no file {path}.")
    return _private(partial(backup_file.load, path=path))


@contextmanager
def _private(load: Load, *, begin: bool = True) -> Iterator[Connection]:
    """A nameless file that `load` fills, migrated to the newest revision. Begins a transaction first when `begin` is set."""
    engine = create_engine("sqlite://", creator=_nameless, poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            try:
                if begin:
                    begin_writing(connection)
                load(connection)
                migrations.upgrade(connection)
            except FileNotFoundError as error:
                raise StorageError(f"There is no data at {error.filename}.") from error
            except MalformedLine as error:
                raise StorageError("This is a backup of another Foyer. Nothing was changed.") from error
            except (Invalid, DamagedJournal) as error:
                raise StorageError(f"{error}. Nothing was changed.") from error
            except OSError as error:
                raise StorageError(f"The data cannot be read: {error_message(error)}.") from error
            except (sqlite3.Error, SQLAlchemyError) as error:
                hint = "The folder for temporary files (TMPDIR) must have room for a copy."
                raise StorageError(f"The data cannot be read: {error_message(error)}. {hint}") from error
            yield connection
    finally:
        engine.dispose()


def _nameless() -> sqlite3.Connection:
    # check_same_thread: database/json_store/row_loader.py inserts in another thread.
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=MEMORY")  # no rollback journal with a name either
    return connection


def pages(connection: Connection, table: str, columns: Columns) -> Iterator[Sequence[Any]]:
    """Yields the rows of a table by id, in pages of PAGE rows, as tuples of text and whole numbers."""
    expressions = ", ".join(f'CAST("{name}" AS INTEGER)' if flag else f'"{name}"' for name, flag in columns.items())
    statement = text(f'SELECT {expressions} FROM "{table}" WHERE id > :after ORDER BY id LIMIT {PAGE}')
    id_index, after = list(columns).index("id"), ""
    while page := connection.execute(statement, {"after": after}).all():
        yield page
        after = page[-1][id_index]


def insert_page(connection: Connection, table: str, columns: Columns, page: Sequence[Any]) -> None:
    """Inserts a page of rows, as `pages` yields them, into a table."""
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(
        f"CAST(CAST(:{name} AS INTEGER) AS BOOLEAN)" if flag else f":{name}" for name, flag in columns.items()
    )
    statement = text(f'INSERT INTO "{table}" ({names}) VALUES ({values})')
    connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in page])


def _from_sqlite(connection: Connection, path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(ENOENT, "", str(path))
    driver: Any = connection.connection.driver_connection
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source:
        source.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        source.backup(driver)  # one step: a consistent copy while others write
    begin_writing(connection)
    _check_revision(migrations.current(connection), str(path))


def _from_postgres(connection: Connection, url: str, *, stopped: bool) -> None:
    from database.postgres_engine import Postgres  # imported here: file engines need no database driver

    engine = Postgres(url)
    try:
        if stopped and engine.is_used_elsewhere():
            raise StorageError(RUNNING)
        with engine.snapshot() as source:
            revision = migrations.current(source)
            _check_revision(revision, engine.place)
            migrations.upgrade(connection, revision)
            for table in inspect(connection).get_table_names():
                if table != "alembic_version" and table not in derived.tables:
                    _fetch(source, connection, table)
    except engine.failures as error:
        raise StorageError(f"{engine.place} cannot be read: {engine.error_text(error)}") from None
    finally:
        engine.close()


def _fetch(source: Connection, connection: Connection, table: str) -> None:
    columns = {column["name"]: isinstance(column["type"], Boolean) for column in inspect(connection).get_columns(table)}
    for page in pages(source, table, columns):
        insert_page(connection, table, columns, page)


def _check_revision(revision: str, place: str) -> None:
    if not revision:
        raise StorageError(f"There is no data at {place}.")
    if not migrations.has_revision(revision):
        raise StorageError(f"{place} was written by a newer Foyer (revision {revision}).")
