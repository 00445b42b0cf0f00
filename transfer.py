"""A whole desk into another store: put into a target that holds nothing, and compared with what was read before it counts.

Where a desk is read is staging.py's matter; a backup is the same with a file in between.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Boolean, Connection, Table, inspect
from sqlalchemy.exc import IntegrityError

import address
import json_document
import json_snapshot
import migrations
from columns import JsonText
from errors import StorageError
from folder_lock import FolderLock, make_folder
from journal import Damaged, sync_folder
from json_document import Invalid, Where
from json_rows import check
from sqlite_file import SqliteFile, plain
from staging import Columns, pages, put, staged_document
from tables import metadata

if TYPE_CHECKING:
    from postgres import Postgres

Step = Callable[[int], None]  # told how many rows more are done


@dataclass(frozen=True)
class Sum:
    """How many rows a table has, and a checksum of what they say."""

    rows: int
    checksum: str


Sums = dict[str, Sum]


def sums(connection: Connection) -> Sums:
    """Of every table, computed alike on every engine, a page of rows at a time."""
    return {table.name: _sum(connection, table) for table in metadata.sorted_tables}


def _sum(connection: Connection, table: Table) -> Sum:
    rows, digest = 0, blake2b(digest_size=8)
    lists = [place for place, column in enumerate(table.columns) if isinstance(column.type, JsonText)]
    for page in pages(connection, table.name, _columns(table)):
        for row in page:
            values = list(row)
            for place in lists:  # what they mean and not how they are spaced
                values[place] = orjson.loads(values[place])
            digest.update(orjson.dumps(values))
        rows += len(page)
    return Sum(rows, digest.hexdigest())


def deposit(desk: Connection, url: str, data_dir: Path, *, expected: Sums, step: Step) -> None:
    """Puts a staged desk into the store at that address, whole or not at all; `expected` are the sums of it.

    Raises StorageError, also when the target has a row already, and then there is nothing new in it.
    """
    engine, path = address.read(url, data_dir)
    try:
        check(desk, Where("what was read"))
        if engine == "json":
            _into_document(desk, path, expected, step)
        elif engine == "sqlite":
            _into_tables(desk, SqliteFile(path), expected, step)
        else:
            from postgres import Postgres  # here, because a desk on a file needs no driver of a database

            _into_tables(desk, Postgres(url), expected, step)
    except (Invalid, Damaged) as error:
        raise StorageError(f"{error}. Nothing was changed.") from error


def _into_document(desk: Connection, document: Path, expected: Sums, step: Step) -> None:
    make_folder(document.parent)
    lock = FolderLock(document, wait_seconds=0)
    lock.take()
    # Nobody takes what has this name for a desk, and the next start removes it.
    made = document.with_name(f"{document.name}.tmp-copy")
    try:
        _refuse(_filled_document(document), str(document))
        with json_document.replacing(made) as file:
            for line in json_document.lines(desk, 0, migrations.head()):
                file.write(line.encode())
                step(1)
        with staged_document(made) as again:
            _compare(again, expected, str(document))
        os.replace(made, document)
        sync_folder(document.parent)
    finally:
        made.unlink(missing_ok=True)
        lock.release()


def _into_tables(desk: Connection, engine: "SqliteFile | Postgres", expected: Sums, step: Step) -> None:
    """In one transaction: until it is committed, which is after the comparison, nobody sees a row of it."""
    try:
        if engine.data_path is None or engine.data_path.exists():
            with engine.snapshot() as connection:
                _refuse(_filled(connection), engine.place)
        engine.open()
        with engine.write() as connection:
            engine.turn(connection, "")
            for table in metadata.sorted_tables:
                for page in pages(desk, table.name, _columns(table)):
                    put(connection, table.name, _columns(table), page)
                    step(len(page))
            _compare(connection, expected, engine.place)
    except IntegrityError as error:
        raise StorageError(f"{engine.place} was written to meanwhile. Nothing of the copy is in it.") from error
    except engine.failures as error:
        told = plain(error) if isinstance(engine, SqliteFile) else engine.told(error)
        raise StorageError(f"{engine.place} cannot be written: {told}. Nothing of the copy is in it.") from None
    finally:
        engine.close()


def _columns(table: Table) -> Columns:
    return {column.name: isinstance(column.type, Boolean) for column in table.columns}


def _filled(connection: Connection) -> list[str]:
    """The tables of ours that have a row, at whatever revision."""
    ours = set(inspect(connection).get_table_names()) & set(metadata.tables)
    return [table for table in sorted(ours) if next(pages(connection, table, {"id": False}), None)]


def _filled_document(document: Path) -> list[str]:
    """The tables of a document that have a row; of a journal it is only known that it is there."""
    found = json_document.read_whole(document) if document.exists() else None
    tables = [table for table, rows in found.portions() if rows] if found else []
    return tables or [path.name for path in json_snapshot.journals(document) if path.stat().st_size]


def _refuse(filled: list[str], place: str) -> None:
    if filled:
        raise StorageError(
            f"{place} is not empty: there are rows in {', '.join(filled)}. Nothing was changed. "
            "Name a new folder, file or database, or move the old one away first."
        )


def _compare(target: Connection, expected: Sums, place: str) -> None:
    found = sums(target)
    differing = [table for table in found if found[table] != expected[table]]
    if differing:
        raise StorageError(
            f"{place} would not hold what was read: {', '.join(differing)} would differ. Nothing of the copy is in it."
        )
