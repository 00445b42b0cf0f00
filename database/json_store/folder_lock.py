"""Creates the data folder, and locks a data file for one process, with a note that says who holds the lock."""

import contextlib
import logging
import os
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from core.errors import StorageError
from database.json_store.journal import state_of, sync_folder

log = logging.getLogger("foyer.storage")


LOCK_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Owner:
    """The process that holds a lock: where it serves, "" of one that does not, and the secret it can be known by."""

    process: int
    host: str
    url: str = ""
    secret: str = field(default="", repr=False)


class FolderLock:
    """A lock on one document or database file. The system drops it when its process ends, however that happens."""

    def __init__(self, document: Path, *, wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._document = document
        # Not per thread: a desk may be opened by one thread and closed by another.
        self._lock = FileLock(_lock_path(document), mode=0o600, thread_local=False)
        self._wait_seconds = wait_seconds
        self._path = _lock_path(document)
        self._file: tuple[int, ...] = ()
        self._served = ("", "")

    def take(self) -> None:
        """Takes the lock, waiting for a process that is about to leave. Raises StorageError, OSError."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            log.warning("%s is in use by %s; waiting up to %g s", self._document, self._owner(), self._wait_seconds)
            self._wait()
        self._file = (state_of(self._path) or ())[:2]
        self.sign(*self._served)

    def is_in_place(self) -> bool:
        """Whether the file of the lock is still the one that was taken: without it another process may take another."""
        return bool(self._file) and (state_of(self._path) or ())[:2] == self._file

    def hold(self) -> None:
        """Takes the lock again where its file was removed. Raises StorageError when another process has it by now, OSError."""
        if not self.is_in_place():
            self._file, self._wait_seconds = (), 0
            self._lock.release()
            self.take()

    def sign(self, url: str = "", secret: str = "") -> None:
        """Writes the note of who holds the lock; `url` is where this process serves, `secret` what proves that it does."""
        self._served = (url, secret)
        # Beside the lock file, which Windows lets nobody else read; a courtesy, so a full disk does not stop it.
        note = _note_path(self._document)
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
            handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps(asdict(Owner(os.getpid(), socket.gethostname(), url, secret))) + b"\n")

    def release(self) -> None:
        """Lets the next process in."""
        self._lock.release()

    def _wait(self) -> None:
        try:
            self._lock.acquire(timeout=self._wait_seconds)
        except Timeout:
            raise StorageError(
                f"{self._document} is in use by {self._owner()}, and one file serves one process. "
                "Stop that process, or give each its own DATA_DIR, or share a PostgreSQL database with DATABASE_URL."
            ) from None

    def _owner(self) -> str:
        owner = owner_of(self._document)
        return f"process {owner.process} on {owner.host}" if owner else "another process"


def is_held(document: Path) -> bool:
    """Whether a process holds the lock of this document or database file."""
    lock = FileLock(_lock_path(document), mode=0o600)
    try:
        if _lock_path(document).exists():
            lock.acquire(timeout=0)
            lock.release()
    except Timeout:
        return True
    return False


def owner_of(document: Path) -> Owner | None:
    """Who took the lock last, None when that cannot be read; whether it is held, only `is_held` knows."""
    try:
        return Owner(**orjson.loads(_note_path(document).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _lock_path(document: Path) -> Path:
    real = document.resolve()  # a link to a file is the same file
    return real.with_name(f"{real.name}.lock")


def _note_path(document: Path) -> Path:
    return _lock_path(document).with_suffix(".owner")


def make_folder(folder: Path) -> None:
    """Makes the folder, private, so that it survives a loss of power like what is written into it. Raises OSError."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in missing:
        sync_folder(place.parent)
