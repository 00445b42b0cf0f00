"""The file of a backup: the JSON document of the desk, one row a line, with a check of each line at its end.

Its name says whether it is zipped (`.gz`). Nothing here knows where the rows come from or go to.
"""

import gzip
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import Connection

import json_document
import migrations
from json_document import Invalid, Where
from json_rows import Rows

_CHECKS = b'},"checks":"%s"}\n'
_BEFORE, _AFTER = _CHECKS.split(b"%s")
_ZIPPED = b"\x1f\x8b"


def write(connection: Connection, path: Path, *, step: Callable[[int], None]) -> None:
    """Writes everything the connection sees, in the newest shape, in one step; `step` is told of each line.

    Raises OSError, and then no file is left that was not there.
    """
    json_document.remove_unfinished(path)  # what a backup that was killed left
    checks = bytearray()
    with json_document.replacing(path) as file, _zipped(file, path) as backup:
        for line in json_document.lines(connection, 0, migrations.head()):
            if line == json_document.END:
                break
            written = line.encode()
            checks += b"%08x" % zlib.crc32(written)
            backup.write(written)
            step(1)
        backup.write(_CHECKS % bytes(checks))


def is_one(path: Path) -> bool:
    """Whether the file begins as a backup does, or is empty. Raises OSError."""
    with _opened(path) as file:
        try:
            json_document.head(file.readline(1000))
        except (json_document.Unlined, EOFError, zlib.error, gzip.BadGzipFile):
            return path.stat().st_size == 0
    return True


def load(connection: Connection, path: Path) -> None:
    """Puts the rows of a backup into tables that are not there yet, at its own revision.

    Raises Invalid, naming the line, for a file that is not whole, before anything is read from it; OSError.
    """
    _verify(path)
    with _opened(path) as file:
        revision = json_document.head(file.readline())[0]
        if not migrations.known(revision):
            raise Invalid(f"{path} was written by a newer Foyer (revision {revision})")
        migrations.upgrade(connection, revision)
        rows = Rows(connection)
        for table, batch in json_document.batches(file, end=_BEFORE):
            rows.add(table, batch, Where(str(path)))


def _zipped(file: BinaryIO, path: Path) -> AbstractContextManager[BinaryIO]:
    """What is written to, to end up in the file."""
    if path.suffix != ".gz":
        return nullcontext(file)
    return cast(AbstractContextManager[BinaryIO], gzip.GzipFile("", "wb", fileobj=file, compresslevel=6, mtime=0))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        zipped = file.read(2) == _ZIPPED
        file.seek(0)
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file


def _verify(path: Path) -> None:
    """Holds every line against its check. Raises Invalid."""
    checks, last = array("I"), b""
    with _opened(path) as file:
        try:
            for last in file:
                checks.append(zlib.crc32(last))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Invalid(f"{path}, line {len(checks) + 1}: the file is damaged here ({error})") from error
    if not last.startswith(_BEFORE) or not last.endswith(_AFTER):
        raise Invalid(f"{path} is not a whole backup: its end is missing")
    wanted = last[len(_BEFORE) : -len(_AFTER)]
    for number, check in enumerate(checks[:-1]):
        if wanted[8 * number : 8 * number + 8] != b"%08x" % check:
            raise Invalid(f"{path}, line {number + 1}: the file is damaged here")
    if len(wanted) != 8 * (len(checks) - 1):
        raise Invalid(f"{path}, line {len(checks)}: lines are missing before this one")
