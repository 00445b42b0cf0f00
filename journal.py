"""The journal beside the JSON document: one checked line per committed transaction, fsynced before anybody is answered.

What the changes mean is json_file.py's business; this file only keeps lines, and notices when they were harmed.
"""

import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

log = logging.getLogger("foyer.storage")


class Damaged(Exception):
    """A line that was acknowledged is not what it was; the text names file and line."""


class NotWritten(Exception):
    """The line is not in the journal: everything is as before."""


class Unknown(Exception):
    """Whether the line is on disk cannot be known; nothing more may be written to this journal."""


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
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        sync_folder(path.parent)
        self.size = os.fstat(self._handle).st_size

    def append(self, seq: int, changes: Sequence[str]) -> None:
        """Adds one transaction and waits for the disk. Raises NotWritten or Unknown."""
        line = _line(seq, changes)
        try:
            self._write(line)
        except OSError as error:
            self.cut(self.size)
            raise NotWritten(str(error)) from error
        try:
            os.fsync(self._handle)
        except OSError as error:
            # A second fsync may report success although the data is gone (fsyncgate, LWN 752063): never retried.
            raise Unknown(str(error)) from error
        self.size += len(line)

    def cut(self, size: int) -> None:
        """Shortens the journal to `size` bytes. Raises Unknown."""
        try:
            os.ftruncate(self._handle, size)
            os.fsync(self._handle)
        except OSError as error:
            raise Unknown(str(error)) from error
        self.size = size

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._handle)

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self._handle, view) :]


def _line(seq: int, changes: Sequence[str]) -> bytes:
    body = f"[{','.join(changes)}]".encode()
    return b'{"seq":%d,"crc":"%08x","changes":%b}\n' % (seq, _checksum(seq, body), body)


def _checksum(seq: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(b"%d" % seq))


def transactions(path: Path, *, after: int, last: bool) -> Iterator[tuple[int, list[Any]]]:
    """The transactions of the journal with a number above `after`, in order.

    `last`: this is the journal that was being written, so its last line may be torn; it is cut off with a warning.
    Raises Damaged for anything else.
    """
    position, expected = 0, None
    with path.open("r+b") as file:
        for number, line in enumerate(file, 1):
            found = _parse(line)
            if found is None:
                if last and (not line.endswith(b"\n") or b"\0" in line) and not file.read(1):
                    log.warning("%s: line %d was not finished when the desk stopped and is cut off", path, number)
                    file.truncate(position)
                    os.fsync(file.fileno())
                    return
                raise Damaged(f"{path}, line {number}: this line is damaged")
            seq, changes = found
            if expected is not None and seq != expected:
                raise Damaged(f"{path}, line {number}: transaction {expected} is missing before {seq}")
            expected = seq + 1
            position += len(line)
            if seq > after:
                yield seq, changes


def _parse(line: bytes) -> tuple[int, list[Any]] | None:
    _head, found, body = line.rstrip(b"\n").partition(b'"changes":')
    if not found or not line.endswith(b"\n"):
        return None
    try:
        entry = orjson.loads(line)
        intact = int(entry["crc"], 16) == _checksum(entry["seq"], body[:-1])
    except (ValueError, KeyError, TypeError):
        return None
    return (entry["seq"], entry["changes"]) if intact else None
