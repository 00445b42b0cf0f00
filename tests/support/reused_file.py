"""One private file with open connections, which the JSON stores of one test after another use.

For a new file SQLite reads 200 definitions with each connection, and 120 triggers of the journal are made: half of what a short
test takes. A store with a document, or beside another open one, has a file of its own.
"""

import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from database.json_store.document import record_changes
from database.json_store.engine import JsonFile
from database.sqlite_engine import SqliteFile

_KEPT = ("alembic_version", "sqlite_stat1", "ticket_vocabulary")  # and the tables of the search index


class PrivateFile:
    """The file, the connections to it that nobody uses, and how many are in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = Path(tempfile.mkdtemp(dir=folder)) / "foyer.json.sqlite"
        self.is_filled = self.is_lent = False
        self._idle: list[sqlite3.Connection] = []
        self._used = 0
        self._schema: tuple[int] | None = None
        self._query = ""

    def connect(self) -> sqlite3.Connection:
        """An idle connection, or a new one."""
        self._used += 1
        return self._idle.pop() if self._idle else sqlite3.connect(self.path, check_same_thread=False)

    def keep(self, connection: sqlite3.Connection) -> None:
        """Takes a connection back."""
        connection.rollback()
        self._used -= 1
        self._idle.append(connection)

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def empty(self) -> bool:
        """Deletes every row. Returns False if it cannot: a connection is in use, or the test changed a definition."""
        if self._used or not self._idle:
            return False
        try:
            return self._delete_rows(self._idle[0])
        except sqlite3.Error:
            return False

    def _delete_rows(self, connection: sqlite3.Connection) -> bool:
        schema = connection.execute("PRAGMA schema_version").fetchone()
        self._schema = self._schema or schema
        if schema != self._schema:
            return False
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN")
        for (table,) in connection.execute(self._tables_with_rows(connection)).fetchall():
            connection.execute(f'DELETE FROM "{table}"')
        # Or else what was deleted stays in the index as deleted.
        connection.execute("INSERT INTO ticket_words (ticket_words) VALUES ('delete-all')")
        if _records_changes(connection):
            connection.execute("DELETE FROM temp.changes")
        connection.execute("COMMIT")
        return True

    def _tables_with_rows(self, connection: sqlite3.Connection) -> str:
        """The query of their names; quicker than deleting from tables that are empty, each with triggers to compile."""
        if not self._query:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            names = [name for (name,) in tables if name not in _KEPT and not name.startswith("ticket_words")]
            self._query = " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names
            )
        return self._query


class ReusedJsonFile(JsonFile):
    """A JSON store whose private file is the `reused` one if that is free and the store begins without a document."""

    reused: PrivateFile
    _lent: PrivateFile | None = None

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        if not ReusedJsonFile.reused.is_lent and not any(folder.glob("foyer.json*")):
            self._lent = ReusedJsonFile.reused
            self._lent.is_lent = True
            self.path = self._lent.path
            self._counters = self.path.with_name("counters")

    def _make_engine(self) -> Engine:
        engine = super()._make_engine()
        event.listen(engine, "do_connect", lambda *_: self._lent and self._lent.connect())
        close = engine.dialect.do_close
        engine.dialect.do_close = lambda connection: (self._lent.keep if self._lent else close)(connection)  # type: ignore[method-assign]
        return engine

    def _open_writer(self) -> Connection:
        connection = SqliteFile._open_writer(self)
        connection.info["records_changes"] = _records_changes(connection.connection.driver_connection)
        return record_changes(connection)

    def _fill(self, document: Any, revision: str) -> None:
        if self._lent and self._lent.is_filled:
            self.journal_mode = "WAL"
            return
        super()._fill(document, revision)
        if self._lent:
            self._lent.is_filled = True

    def _remove_private_files(self) -> None:
        if not self._lent:
            super()._remove_private_files()

    def _release(self) -> None:
        super()._release()
        lent, self._lent = self._lent, None  # a store may be closed twice
        if lent and lent.empty():
            lent.is_lent = False
        elif lent:
            lent.close()
            ReusedJsonFile.reused = PrivateFile(lent.folder)


def _records_changes(connection: Any) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_temp_master LIMIT 1").fetchone())
