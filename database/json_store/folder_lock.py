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
    """The process that holds a lock: the URL where it serves, "" when it does not, and the secret that identifies it."""

    process: int
    host: str
    url: str = ""
    secret: str = field(default="", repr=False)


class FolderLock:
    """A lock on one document or database file. The operating system releases it when the process ends."""

    def __init__(self, document: Path, *, wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        self._document = document
        # Not per thread: one thread may open the store and another close it.
        self._lock = FileLock(_lock_path(document), mode=0o600, thread_local=False)
        self._wait_seconds = wait_seconds
        self._path = _lock_path(document)
        self._file: tuple[int, ...] = ()
        self._served = ("", "")

    def take(self) -> None:
        """Takes the lock and waits for a process that is stopping. Raises StorageError, OSError."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            log.warning("%s is in use by %s; waiting up to %g s", self._document, self._owner(), self._wait_seconds)
            self._wait()
        self._file = (state_of(self._path) or ())[:2]
        self.sign(*self._served)

    def is_in_place(self) -> bool:
        """Whether the lock file is still the one that was taken; otherwise another process can lock a new file."""
        return bool(self._file) and (state_of(self._path) or ())[:2] == self._file

    def hold(self) -> None:
        """Takes the lock again when its file was removed. Raises OSError, and StorageError when another process has taken it."""
        if not self.is_in_place():
            self._file, self._wait_seconds = (), 0
            self._lock.release()
            self.take()

    def sign(self, url: str = "", secret: str = "") -> None:
        """Writes the note that says who holds the lock; `url` is where this process serves, `secret` proves it."""
        self._served = (url, secret)
        # A file of its own, because Windows lets no other process read a locked file. Optional: a full disk is no error.
        note = _note_path(self._document)
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
            handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(orjson.dumps(asdict(Owner(os.getpid(), socket.gethostname(), url, secret))) + b"\n")

    def release(self) -> None:
        """Releases the lock."""
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
    """The process that took the lock last, None when the note cannot be read. `is_held` says whether it still has it."""
    try:
        return Owner(**orjson.loads(_note_path(document).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _lock_path(document: Path) -> Path:
    real = document.resolve()  # a symbolic link locks the file it points to
    return real.with_name(f"{real.name}.lock")


def _note_path(document: Path) -> Path:
    return _lock_path(document).with_suffix(".owner")


def make_folder(folder: Path) -> None:
    """Creates the folder, readable by its owner only, and makes it survive a loss of power. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)
