"""The journal of the JSON document: one line with a checksum per committed transaction, fsynced before the response.

It detects damaged, missing and unfinished lines. database/json_store/row_loader.py applies the changes.
"""

import logging
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

log = logging.getLogger("foyer.storage")

_CLOSED = -1
_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows writes \r\n


class DamagedJournal(Exception):
    """An acknowledged line is damaged or missing; the text names file and line."""


class LineNotWritten(Exception):
    """The line is not in the journal; nothing changed."""


class WriteUnconfirmed(Exception):
    """It is unknown whether the line is on disk; nothing more may be written to this journal."""


class JournalReplaced(Exception):
    """Another process removed, replaced or changed the journal's file, so a start would not find its lines."""


def state_of(path: Path) -> tuple[int, int, int] | None:
    """Device, inode and size in bytes of the file at `path`; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size


def sync_folder(folder: Path) -> None:
    """Makes new file names in `folder` survive a loss of power. Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Journal:
    """An append-only file of transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)
        try:
            sync_folder(path.parent)
            self.size = self._before = os.fstat(self._handle).st_size
            self._file = (state_of(path) or ())[:2]
        except OSError:
            self.close()
            raise

    def append(self, seq: int, changes: str) -> None:
        """Appends one transaction, its changes as comma-separated JSON, and waits for the disk.

        Raises LineNotWritten, WriteUnconfirmed or JournalReplaced.
        """
        line = _line(seq, changes)
        self._before = self.size
        try:
            self._write(line)
        except OSError as error:
            self.take_back()
            raise LineNotWritten(str(error)) from error
        try:
            os.fsync(self._handle)
        except OSError as error:
            # A second fsync may report success although the data is gone (fsyncgate, LWN 752063): never retried.
            raise WriteUnconfirmed(str(error)) from error
        self.size += len(line)
        if not self.is_in_place():
            raise JournalReplaced(f"{self.path} was removed, replaced or changed by another process")

    def is_in_place(self) -> bool:
        """Whether the file is still at its path and has exactly the length written here."""
        return state_of(self.path) == (*self._file, self.size)

    def take_back(self) -> None:
        """Removes the transaction that was added last. Raises WriteUnconfirmed."""
        try:
            os.ftruncate(self._handle, self._before)
            os.fsync(self._handle)
        except OSError as error:
            raise WriteUnconfirmed(str(error)) from error
        self.size = self._before

    def close(self) -> None:
        """Closes the file. A second call does nothing: the system may have given the handle to another file."""
        handle, self._handle = self._handle, _CLOSED
        if handle != _CLOSED:
            os.close(handle)

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self._handle, view) :]


def _line(seq: int, changes: str) -> bytes:
    body = f"[{changes}]".encode()
    return b'{"seq":%d,"crc":"%08x","changes":%b}\n' % (seq, _checksum(seq, body), body)


def _checksum(seq: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(b"%d" % seq))


def transactions(
    path: Path, *, after: int, may_be_torn: bool, content: BinaryIO | None = None
) -> Iterator[tuple[int, list[Any]]]:
    """The transactions of a journal with a number above `after`, in order and without a gap.

    With `may_be_torn` the last line may be unfinished; it is left out with a warning. A last line that only lacks its
    newline is complete, as its checksum shows. `content` is the journal's content when it was read before. Changes no
    file. Raises DamagedJournal for any other fault.
    """
    expected = None
    with content or path.open("rb") as file:
        for number, line in enumerate(file, 1):
            entry = _parse(line)
            if entry is None:
                if may_be_torn and _is_torn(line) and not file.read(1):
                    log.warning("%s: line %d was not finished when it was written and is left out", path, number)
                    return
                raise DamagedJournal(f"{path}, line {number}: this line is damaged")
            seq, changes = entry
            if expected is None:
                expected = min(seq, after + 1)
            if seq != expected:
                raise DamagedJournal(f"{path}, line {number}: transaction {expected} is missing before {seq}")
            expected = seq + 1
            if seq > after:
                yield seq, changes


def _is_torn(line: bytes) -> bool:
    """Whether a loss of power can leave such a line: cut short, or with pages that never reached the disk."""
    return not line.endswith(b"\n") or b"\0" in line


def _parse(line: bytes) -> tuple[int, list[Any]] | None:
    _head, separator, body = line.rstrip(b"\n").partition(b'"changes":')
    if not separator:
        return None
    try:
        entry = orjson.loads(line)
        intact = int(entry["crc"], 16) == _checksum(entry["seq"], body[:-1])
    except (ValueError, KeyError, TypeError):
        return None
    return (entry["seq"], entry["changes"]) if intact else None
