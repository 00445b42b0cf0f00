"""What a store of files can do, and how it fails.

A file is named by its company and by an id of ours. It never changes after it was kept.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Protocol

PIECE = 256 * 1024  # bytes that are in memory at a time
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class FileStore(Protocol):
    """Keeps files. Each method raises FileStoreFailed when the disk or the bucket fails."""

    place: str  # where it is, for people
    is_local: bool  # whether other hosts cannot read it

    def put(self, company_id: str, file_id: str, content: IO[bytes]) -> None:
        """Keeps the rest of `content`. It is durable when this returns; a failure leaves nothing."""

    def open(self, company_id: str, file_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The file in pieces. Raises FileMissing when the block begins; a piece may raise FileStoreFailed."""

    def exists(self, company_id: str, file_id: str) -> bool:
        """Whether the file is there, whole."""

    def delete(self, company_id: str, file_id: str) -> None:
        """Removes the file and what an interrupted `put` left of it. A file that is not there is no error."""


class FileStoreFailed(Exception):
    """The disk or the bucket failed. The text says how, without a name of a customer."""


class FileMissing(Exception):
    """The file is not in the store."""


def checked(name: str) -> str:
    """A name as part of a path or key. Raises FileMissing for anything but our own ids, which a hand may have written."""
    if not _NAME.fullmatch(name):
        raise FileMissing
    return name
