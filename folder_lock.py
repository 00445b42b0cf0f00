"""The data folder as a place: making it, and the lock that keeps it to one process, with a note of who holds it."""

import contextlib
import logging
import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from journal import sync_folder
from sqlite_file import StorageError

log = logging.getLogger("foyer.storage")


class FolderLock:
    """A lock on the folder of one document. The system drops it when its process ends, however that happens."""

    def __init__(self, document: Path, *, wait_seconds: float) -> None:
        self._document = document
        # Not per thread: a desk may be opened by one thread and closed by another.
        self._lock = FileLock(_lock_path(document), mode=0o600, thread_local=False)
        self._note = document.with_name(f"{document.name}.owner")
        self._wait_seconds = wait_seconds

    def take(self) -> None:
        """Takes the lock, waiting for a process that is about to leave. Raises StorageError, OSError."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            log.warning("%s is in use by %s; waiting up to %g s", self._document, self._owner(), self._wait_seconds)
            self._wait()
        self._sign()

    def release(self) -> None:
        """Lets the next process in."""
        self._lock.release()

    def _wait(self) -> None:
        try:
            self._lock.acquire(timeout=self._wait_seconds)
        except Timeout:
            raise StorageError(
                f"{self._document} is in use by {self._owner()}, and one JSON file serves one process. "
                "Stop that process, or give each its own DATA_DIR, or share a database with DATABASE_URL."
            ) from None

    def _owner(self) -> str:
        try:
            return self._note.read_text().strip() or "another process"
        except OSError:
            return "another process"

    def _sign(self) -> None:
        # Beside the lock file, which Windows lets nobody else read; a courtesy, so a full disk does not stop it.
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
            handle = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(f"process {os.getpid()} on {socket.gethostname()}\n")


def is_held(document: Path) -> bool:
    """Whether a process holds the lock of this document's folder."""
    lock = FileLock(_lock_path(document), mode=0o600)
    try:
        if document.parent.is_dir():
            lock.acquire(timeout=0)
            lock.release()
    except Timeout:
        return True
    return False


def _lock_path(document: Path) -> Path:
    return document.with_name(f"{document.name}.lock")


def make_folder(folder: Path) -> None:
    """Makes the folder, private, so that it survives a loss of power like what is written into it. Raises OSError."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in missing:
        sync_folder(place.parent)
