"""Vectors of texts in a small SQLite file of their own, so that they are not bought twice. Losing the file loses nothing else."""

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger("foyer.vectors")

AT_ONCE = 500  # keys in one question


class VectorFile:
    """Vectors by the key of their text. A file that cannot be read or written is logged and does without."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The vectors of those keys that are kept."""
        found: dict[bytes, bytes] = {}
        with self._lock:
            for start in range(0, len(keys), AT_ONCE):
                portion = keys[start : start + AT_ONCE]
                places = ", ".join("?" * len(portion))
                try:
                    if self._connection is not None:
                        statement = f"SELECT key, vector FROM vectors WHERE key IN ({places})"
                        found |= dict(self._connection.execute(statement, portion))
                except sqlite3.Error as error:
                    self._give_up(error)
        return found

    def put(self, vectors: Mapping[bytes, bytes]) -> None:
        """Keeps vectors."""
        with self._lock:
            try:
                if self._connection is not None:
                    self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", list(vectors.items()))
            except sqlite3.Error as error:
                self._give_up(error)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _give_up(self, error: Exception) -> None:
        log.warning("Vectors are not kept on disk: %s", type(error).__name__)
        self._connection = None
