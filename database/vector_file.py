"""Vectors of texts in a small SQLite file, so that no text is sent to the provider twice. The file may be deleted at any time."""

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger("foyer.vectors")

AT_ONCE = 500  # keys in one statement


class VectorFile:
    """Vectors by the key of their text. If the file cannot be read or written, that is logged and no vector is kept."""

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
        vectors: dict[bytes, bytes] = {}
        with self._lock:
            for start in range(0, len(keys), AT_ONCE):
                portion = keys[start : start + AT_ONCE]
                marks = ", ".join("?" * len(portion))
                try:
                    if self._connection is not None:
                        statement = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"
                        vectors |= dict(self._connection.execute(statement, portion))
                except sqlite3.Error as error:
                    self._give_up(error)
        return vectors

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
