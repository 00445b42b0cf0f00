"""Moves the files of attachments with the rows that a staging copy holds: into an archive, out of one, from store to store.

One piece of one file is in memory at a time. Every file is compared with the size and SHA-256 of its row.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, cast

from sqlalchemy import Connection

from core.errors import StorageError
from database.file_store.contract import PIECE, FileMissing, FileStore, FileStoreFailed
from database.json_store import document
from database.tables import attachments
from database.transfer.staging_copy import pages

ARCHIVE = ".files"  # end of the name of the archive beside a backup
MISSING = ".missing"  # end of the name of an empty member: the file was missing when the backup was made
_COLUMNS = {"id": False, "company_id": False, "size": False, "sha256": False}


@dataclass(frozen=True, slots=True)
class FileRow:
    """What the row of an attachment says about its file."""

    id: str
    company_id: str
    size: int
    sha256: str

    @property
    def path(self) -> str:
        """Its name in an archive."""
        return f"{self.company_id}/{self.id}"


@dataclass
class Moved:
    """How many files were moved, and the ids of those that the source did not have."""

    files: int = 0
    missing: list[str] = field(default_factory=list)


def file_rows(connection: Connection) -> Iterator[FileRow]:
    """What the rows of all attachments say, by id."""
    for page in pages(connection, attachments.name, _COLUMNS):
        yield from (FileRow(*row) for row in page)


def archive_of(backup: Path) -> Path:
    """The archive beside a backup."""
    return backup.with_name(backup.name + ARCHIVE)


@contextmanager
def write_archive(connection: Connection, files: FileStore, path: Path) -> Iterator[Moved]:
    """Writes the files of all rows into a tar archive, which takes its place when the block ends; no archive without rows.

    A file may be missing because it was removed meanwhile. Raises StorageError, OSError; then, and when the block raises, an
    older archive stays and no new one is left.
    """
    moved = Moved()
    if next(file_rows(connection), None) is None:
        yield moved
        path.unlink(missing_ok=True)
        return
    document.remove_unfinished(path)
    with document.replacing(path) as target:
        with tarfile.open(fileobj=cast(IO[bytes], target), mode="w|") as archive:
            for row in file_rows(connection):
                _archive(archive, files, row, moved)
        yield moved


def _archive(archive: tarfile.TarFile, files: FileStore, row: FileRow, moved: Moved) -> None:
    with _read(files, row, moved) as content:
        if content is None:
            archive.addfile(tarfile.TarInfo(row.path + MISSING))
            return
        member = tarfile.TarInfo(row.path)
        member.size, member.mode = row.size, 0o600
        archive.addfile(member, content)
        content.check()
        moved.files += 1


def restore_archive(connection: Connection, path: Path, files: FileStore) -> "Undo":
    """Puts the files of all rows from an archive into a store. Raises StorageError; then none is left."""
    expected = {row.path: row for row in file_rows(connection)}
    undo = Undo(files)
    if not expected:
        return undo
    try:
        with undo, path.open("rb") as source, tarfile.open(fileobj=source, mode="r|") as archive:
            for member in archive:
                row = expected.pop(member.name.removesuffix(MISSING), None)
                content = archive.extractfile(member)
                if row is not None and content is not None and not member.name.endswith(MISSING):
                    undo.put(row, _Content(iter(partial(content.read, PIECE), b""), row))
            if not all(files.exists(row.company_id, row.id) for row in expected.values()):
                raise StorageError(f"{path} is not whole: {len(expected)} files of the backup are not in it.")
    except (tarfile.TarError, OSError) as error:
        raise StorageError(f"{path} cannot be read: {error}. Nothing was changed.") from error
    except FileStoreFailed as error:
        raise StorageError(f"{files.place} cannot be read: {error}. Nothing was changed.") from error
    return undo


def copy_files(connection: Connection, source: FileStore, target: FileStore) -> "tuple[Moved, Undo]":
    """Copies the files of all rows that the target does not have. Raises StorageError; then none of them is left."""
    moved, undo = Moved(), Undo(target)
    with undo:
        for row in file_rows(connection):
            with _read(source, row, moved) as content:
                if content is not None:
                    undo.put(row, content)
                    moved.files += 1
    return moved, undo


class Undo:
    """The files that were put into a store. As a context manager it removes them when the block raises."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._put: list[FileRow] = []

    def __enter__(self) -> "Undo":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.remove()

    def put(self, row: FileRow, content: "_Content") -> None:
        """Puts one file, unless it is there. Raises StorageError."""
        try:
            if self._files.exists(row.company_id, row.id):
                return
            self._put.append(row)
            self._files.put(row.company_id, row.id, content)  # type: ignore[arg-type]
        except (FileStoreFailed, FileMissing) as error:
            raise StorageError(
                f"The file of attachment {row.id} cannot be kept: {error}. Nothing was changed."
            ) from error
        content.check()

    def remove(self) -> None:
        """Removes the files that were put. After the first that cannot be removed it stops; the rest stay without a row."""
        for row in self._put:
            try:
                self._files.delete(row.company_id, row.id)
            except FileStoreFailed:
                return


@contextmanager
def _read(files: FileStore, row: FileRow, moved: Moved) -> "Iterator[_Content | None]":
    """The opened file of a row. A missing file is None, and its id is added to `moved`. Raises StorageError."""
    try:
        with ExitStack() as opened:
            try:
                content = _Content(opened.enter_context(files.open(row.company_id, row.id)), row)
            except FileMissing:
                moved.missing.append(row.id)
                content = None
            yield content
    except FileStoreFailed as error:
        raise StorageError(f"{files.place} cannot be read: {error}.") from error


class _Content:
    """Pieces as a file to read, compared at its end with what the row says."""

    def __init__(self, pieces: Iterator[bytes], row: FileRow) -> None:
        self._pieces = pieces
        self._row = row
        self._rest = b""
        self._size = 0
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; all that is left when it is negative."""
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._size += len(piece)
            self._digest.update(piece)
            self._rest += piece
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return taken

    def check(self) -> None:
        """Raises StorageError unless size and SHA-256 are those of the row."""
        row = self._row
        if self._size != row.size or self._digest.hexdigest() != row.sha256:
            raise StorageError(f"The file of attachment {row.id} is damaged: it is not what was attached.")
