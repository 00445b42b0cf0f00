"""Reads and writes backup files: the JSON document, one row a line, with a checksum of each line at the end.

A file named `.gz` is compressed.
"""

import gzip
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import Connection

from database import migrations
from database.json_store import document
from database.json_store.document import Invalid, Where
from database.json_store.row_loader import Rows

_CHECKS = b'},"checks":"%s"}\n'
_BEFORE, _AFTER = _CHECKS.split(b"%s")
_ZIPPED = b"\x1f\x8b"


def write(connection: Connection, path: Path, *, step: Callable[[int], None]) -> None:
    """Writes all rows the connection sees at the newest revision, atomically; calls `step(1)` for each line.

    Raises OSError; then no new file is left.
    """
    document.remove_unfinished(path)  # left by a backup that was killed
    checks = bytearray()
    with document.replacing(path) as file, _zipped(file, path) as backup:
        for line in document.lines(connection, 0, migrations.head()):
            if line == document.END:
                break
            encoded = line.encode()
            checks += b"%08x" % zlib.crc32(encoded)
            backup.write(encoded)
            step(1)
        backup.write(_CHECKS % bytes(checks))


def is_one(path: Path) -> bool:
    """Whether the file begins as a backup does, or is empty. Raises OSError."""
    with _open_archive(path) as file:
        try:
            document.head(file.readline(1000))
        except (document.MalformedLine, EOFError, zlib.error, gzip.BadGzipFile):
            return path.stat().st_size == 0
    return True


def load(connection: Connection, path: Path) -> None:
    """Creates the tables at the revision of the backup and loads its rows.

    Checks the whole file first. Raises Invalid, with the line, for a damaged or incomplete file; OSError.
    """
    _verify(path)
    with _open_archive(path) as file:
        revision = document.head(file.readline())[0]
        if not migrations.has_revision(revision):
            raise Invalid(f"{path} was written by a newer Foyer (revision {revision})")
        migrations.upgrade(connection, revision)
        rows = Rows(connection)
        for table, batch in document.batches(file, end=_BEFORE):
            rows.add(table, batch, Where(str(path)))


def _zipped(file: BinaryIO, path: Path) -> AbstractContextManager[BinaryIO]:
    """The file to write into: compressed when the name ends in `.gz`."""
    if path.suffix != ".gz":
        return nullcontext(file)
    return cast(AbstractContextManager[BinaryIO], gzip.GzipFile("", "wb", fileobj=file, compresslevel=6, mtime=0))


@contextmanager
def _open_archive(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        zipped = file.read(2) == _ZIPPED
        file.seek(0)
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file


def _verify(path: Path) -> None:
    """Compares every line with its checksum. Raises Invalid."""
    checks, last = array("I"), b""
    with _open_archive(path) as file:
        try:
            for last in file:
                checks.append(zlib.crc32(last))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Invalid(f"{path}, line {len(checks) + 1}: the file is damaged here ({error})") from error
    if not last.startswith(_BEFORE) or not last.endswith(_AFTER):
        raise Invalid(f"{path} is not a complete backup: its end is missing")
    checksums = last[len(_BEFORE) : -len(_AFTER)]
    for number, check in enumerate(checks[:-1]):
        if checksums[8 * number : 8 * number + 8] != b"%08x" % check:
            raise Invalid(f"{path}, line {number + 1}: the file is damaged here")
    if len(checksums) != 8 * (len(checks) - 1):
        raise Invalid(f"{path}, line {len(checks)}: lines are missing before this one")
