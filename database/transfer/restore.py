"""Restores a staging copy into an empty store, and compares table checksums before the commit."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Boolean, Connection, Table, inspect
from sqlalchemy.exc import IntegrityError

from core.errors import StorageError
from database import migrations
from database.column_types import JsonText
from database.json_store import document as json_document
from database.json_store import snapshot
from database.json_store.document import Invalid, Where
from database.json_store.folder_lock import FolderLock, make_folder
from database.json_store.journal import DamagedJournal, sync_folder
from database.json_store.row_loader import check
from database.sqlite_engine import SqliteFile, error_message
from database.tables import metadata
from database.transfer.staging_copy import Columns, insert_page, pages, staging_copy_of_document
from database.url import parse_url

if TYPE_CHECKING:
    from database.postgres_engine import Postgres

Step = Callable[[int], None]  # called with the number of rows that were just copied


@dataclass(frozen=True)
class TableChecksum:
    """The number of rows of a table and a checksum of their values."""

    rows: int
    checksum: str


TableChecksums = dict[str, TableChecksum]


def table_checksums(connection: Connection) -> TableChecksums:
    """The checksum of every table; the same on every engine. Reads one page of rows at a time."""
    return {table.name: _checksum(connection, table) for table in metadata.sorted_tables}


def _checksum(connection: Connection, table: Table) -> TableChecksum:
    rows, digest = 0, blake2b(digest_size=8)
    lists = [index for index, column in enumerate(table.columns) if isinstance(column.type, JsonText)]
    for page in pages(connection, table.name, _columns(table)):
        for row in page:
            values = list(row)
            for index in lists:  # compare the JSON values, not their spacing
                values[index] = orjson.loads(values[index])
            digest.update(orjson.dumps(values))
        rows += len(page)
    return TableChecksum(rows, digest.hexdigest())


def restore_into(staging: Connection, url: str, data_dir: Path, *, expected: TableChecksums, step: Step) -> None:
    """Restores a staging copy into the store at that address, all of it or nothing. `expected` are its checksums.

    Raises StorageError, also when the target already has rows; then the target is unchanged.
    """
    engine, path = parse_url(url, data_dir)
    try:
        check(staging, Where("the source"))
        if engine == "json":
            _into_document(staging, path, expected, step)
        elif engine == "sqlite":
            _into_tables(staging, SqliteFile(path), expected, step)
        else:
            from database.postgres_engine import Postgres  # imported here: file engines need no database driver

            _into_tables(staging, Postgres(url), expected, step)
    except (Invalid, DamagedJournal) as error:
        raise StorageError(f"{error}. Nothing was changed.") from error


def _into_document(staging: Connection, document: Path, expected: TableChecksums, step: Step) -> None:
    make_folder(document.parent)
    lock = FolderLock(document, wait_seconds=0)
    lock.take()
    # A temporary name: no process opens it, and the next start removes it.
    new_document = document.with_name(f"{document.name}.tmp-copy")
    try:
        _refuse(_filled_document(document), str(document))
        with json_document.replacing(new_document) as file:
            for line in json_document.lines(staging, 0, migrations.head()):
                file.write(line.encode())
                step(1)
        with staging_copy_of_document(new_document) as result:
            _compare(result, expected, str(document))
        os.replace(new_document, document)
        sync_folder(document.parent)
    finally:
        new_document.unlink(missing_ok=True)
        lock.release()


def _into_tables(staging: Connection, engine: "SqliteFile | Postgres", expected: TableChecksums, step: Step) -> None:
    """Copies in one transaction and commits it only when the checksums agree."""
    try:
        if engine.data_path is None or engine.data_path.exists():
            with engine.snapshot() as connection:
                _refuse(_filled(connection), engine.place)
        engine.open()
        with engine.write() as connection:
            engine.begin_write(connection, "")
            for table in metadata.sorted_tables:
                for page in pages(staging, table.name, _columns(table)):
                    insert_page(connection, table.name, _columns(table), page)
                    step(len(page))
            _compare(connection, expected, engine.place)
    except IntegrityError as error:
        raise StorageError(f"{engine.place} was written to meanwhile. Nothing of the copy is in it.") from error
    except engine.failures as error:
        reason = error_message(error) if isinstance(engine, SqliteFile) else engine.error_text(error)
        raise StorageError(f"{engine.place} cannot be written: {reason}. Nothing of the copy is in it.") from None
    finally:
        engine.close()


def _columns(table: Table) -> Columns:
    return {column.name: isinstance(column.type, Boolean) for column in table.columns}


def _filled(connection: Connection) -> list[str]:
    """The names of our tables that have rows, at any revision."""
    tables = set(inspect(connection).get_table_names()) & set(metadata.tables)
    return [table for table in sorted(tables) if next(pages(connection, table, {"id": False}), None)]


def _filled_document(document: Path) -> list[str]:
    """The tables of the document that have rows, or else the names of its journals that are not empty."""
    content = json_document.read_whole(document) if document.exists() else None
    tables = [table for table, rows in content.portions() if rows] if content else []
    return tables or [path.name for path in snapshot.journals(document) if path.stat().st_size]


def _refuse(filled: list[str], place: str) -> None:
    if filled:
        raise StorageError(
            f"{place} is not empty: there are rows in {', '.join(filled)}. Nothing was changed. "
            "Name a new folder, file or database, or move the old one away first."
        )


def _compare(target: Connection, expected: TableChecksums, place: str) -> None:
    checksums = table_checksums(target)
    differing = [table for table in checksums if checksums[table] != expected[table]]
    if differing:
        raise StorageError(
            f"{place} would not hold what was read: {', '.join(differing)} would differ. Nothing of the copy is in it."
        )
