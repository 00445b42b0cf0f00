"""The journal beside the JSON document: one checked line per committed transaction, fsynced before anybody is answered.

What the changes mean is json_file.py's business; this file only keeps lines, and notices when they were harmed.
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
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would else write \r\n


class Damaged(Exception):
    """A line that was acknowledged is not what it was; the text names file and line."""


class NotWritten(Exception):
    """The line is not in the journal: everything is as before."""


class Unknown(Exception):
    """Whether the line is on disk cannot be known; nothing more may be written to this journal."""


class Gone(Exception):
    """The journal's file was removed, replaced or changed by somebody else: its lines are not where a start looks for them."""


def state_of(path: Path) -> tuple[int, int, int] | None:
    """Which file is at `path` (device and number) and its length in bytes; None without one."""
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino, there.st_size


def sync_folder(folder: Path) -> None:
    """Makes new names in `folder` survive a loss of power (Windows has no such call and needs none)."""
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
        """Adds one transaction, its changes as JSON with commas between, and waits for the disk.

        Raises NotWritten, Unknown or Gone.
        """
        line = _line(seq, changes)
        self._before = self.size
        try:
            self._write(line)
        except OSError as error:
            self.take_back()
            raise NotWritten(str(error)) from error
        try:
            os.fsync(self._handle)
        except OSError as error:
            # A second fsync may report success although the data is gone (fsyncgate, LWN 752063): never retried.
            raise Unknown(str(error)) from error
        self.size += len(line)
        if not self.is_in_place():
            raise Gone(f"{self.path} was removed, replaced or changed by somebody else")

    def is_in_place(self) -> bool:
        """Whether the file is still at its path and holds what was added here, no more and no less."""
        return state_of(self.path) == (*self._file, self.size)

    def take_back(self) -> None:
        """Removes the transaction that was added last. Raises Unknown."""
        try:
            os.ftruncate(self._handle, self._before)
            os.fsync(self._handle)
        except OSError as error:
            raise Unknown(str(error)) from error
        self.size = self._before

    def close(self) -> None:
        """Lets go of the file. May be called again: the number of a closed file may by then be somebody else's."""
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
    """The transactions of a journal with a number above `after`, the last one known, in order and without a gap.

    A last line that lacks only its end of line is whole: its checksum says so. `may_be_torn`: this is the journal that was
    being written, so its last line may be unfinished; a warning says that it is left out. `content` is what the journal
    held, where it was read before. Changes no file. Raises Damaged for anything else.
    """
    expected = None
    with content or path.open("rb") as file:
        for number, line in enumerate(file, 1):
            found = _parse(line)
            if found is None:
                if may_be_torn and _is_torn(line) and not file.read(1):
                    log.warning("%s: line %d was not finished when it was written and is left out", path, number)
                    return
                raise Damaged(f"{path}, line {number}: this line is damaged")
            seq, changes = found
            if expected is None:
                expected = min(seq, after + 1)
            if seq != expected:
                raise Damaged(f"{path}, line {number}: transaction {expected} is missing before {seq}")
            expected = seq + 1
            if seq > after:
                yield seq, changes


def _is_torn(line: bytes) -> bool:
    """Whether a loss of power may have left this: cut short, or with pages that never reached the disk."""
    return not line.endswith(b"\n") or b"\0" in line


def _parse(line: bytes) -> tuple[int, list[Any]] | None:
    _head, found, body = line.rstrip(b"\n").partition(b'"changes":')
    if not found:
        return None
    try:
        entry = orjson.loads(line)
        intact = int(entry["crc"], 16) == _checksum(entry["seq"], body[:-1])
    except (ValueError, KeyError, TypeError):
        return None
    return (entry["seq"], entry["changes"]) if intact else None
