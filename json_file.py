"""The JSON-file engine: the truth is a JSON document with a journal; queries run in a private SQLite file made at start.

Locking, committing and folding live here; json_document.py reads and writes the document, journal.py keeps the lines.
"""

import logging
import os
import shutil
import socket
import sqlite3
import threading
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection

import json_document
import migrations
from errors import unavailable
from journal import Damaged, Journal, NotWritten, Unknown, sync_folder, transactions
from sqlite_file import SqliteFile, StorageError, teach_planner

log = logging.getLogger("foyer.storage")

LOCK_WAIT_SECONDS = 10
FOLD_AT_BYTES = 8 * 1024 * 1024


class JsonFile(SqliteFile):
    """`foyer.json` in a folder. Each write transaction is in the journal, on disk, before it is committed."""

    name = "json"
    exclusive = True  # nobody else writes here while this process has the lock
    synchronous = "OFF"  # the private file is rebuilt at every start; the journal is what must survive

    def __init__(self, folder: Path, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        super().__init__(folder / "foyer.json.sqlite")
        self.document = folder / "foyer.json"
        self.location_hint = self.document.name
        self._folder = folder
        self._lock = FileLock(folder / "foyer.json.lock", mode=0o600)
        self._lock_wait_seconds = lock_wait_seconds
        self._seq = 0
        self._broken = False
        self._folding: threading.Thread | None = None
        self._capture: list[str] = []

    def open(self) -> "JsonFile":
        """Locks the folder and rebuilds the private file. Raises StorageError; nothing is overwritten in that case."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_lock()
        except OSError as error:
            raise StorageError(f"The data folder {self._folder} cannot be used: {error}") from error
        try:
            self._rebuild()
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise StorageError(f"The data in {self._folder} cannot be opened: {error}") from error
        except (Damaged, json_document.Invalid) as error:
            self._lock.release()
            hint = "Nothing was changed. Put back a good copy of the file, or correct what is named here."
            raise StorageError(f"{error}. {hint}") from error
        except StorageError:
            self._lock.release()
            raise
        return self

    def close(self) -> None:
        """Folds the journal into the document and lets go of the folder."""
        if self._folding:
            self._folding.join()
        try:
            if self._journals() and not self._broken:
                self._fold(self._seq)
        except OSError as error:
            log.warning("The journal was left as it is for the next start: %s", error)
        self._journal.close()
        super().close()
        self._remove_private_files()
        self._lock.release()

    def _take_lock(self) -> None:
        owner = self._folder / "foyer.json.owner"
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            who = owner.read_text().strip() if owner.exists() else "another process"
            log.warning("%s is in use by %s; waiting up to %d s", self.document, who, self._lock_wait_seconds)
            try:
                self._lock.acquire(timeout=self._lock_wait_seconds)
            except Timeout:
                raise StorageError(
                    f"{self.document} is in use by {who}, and one JSON file serves one process. "
                    "Stop that process, or give each its own DATA_DIR, or share a database with DATABASE_URL."
                ) from None
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}\n")

    def _rebuild(self) -> None:
        head = migrations.head()
        document = json_document.read(self.document)
        if document is None and self._journals():
            raise StorageError(f"{self.document} is missing although its journal is there. Put the document back.")
        revision = document.revision if document else head
        if not migrations.known(revision):
            raise StorageError(
                f"{self.document} was written by a newer Foyer (revision {revision}). Nothing was changed."
            )
        self._remove_private_files()
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._writing.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
            connection.begin()
            migrations.upgrade(connection, revision)
            if document:
                self._seq = json_document.load(connection, document)
                self._replay(connection)
                json_document.check(connection, self.document)
            migrations.upgrade(connection)
            json_document.check_references(connection, self.document)
            teach_planner(connection)
            connection.commit()
        self._engine.dispose()  # connections made from here on record their changes
        self._capture = json_document.capture_statements(self._engine)
        if revision != head:
            shutil.copy2(self.document, self.document.with_name(f"foyer.json.bak-{revision}"))
        if document is None or revision != head or self._journals():
            self._fold(self._seq)
        self._journal = Journal(self._active_journal)

    def _replay(self, connection: Connection) -> None:
        journals = self._journals()
        for path in journals:
            for seq, changes in transactions(path, after=self._seq, last=path == journals[-1]):
                if seq != self._seq + 1:
                    raise Damaged(f"{path}: transaction {self._seq + 1} is missing before {seq}")
                json_document.apply(connection, changes, f"{path}, transaction {seq}")
                self._seq = seq

    def _on_connect(self, connection: sqlite3.Connection, record: Any) -> None:
        super()._on_connect(connection, record)
        for statement in self._capture:
            connection.execute(statement)

    def _commit(self, connection: Connection) -> None:
        changes = [row[0] for row in connection.exec_driver_sql("SELECT line FROM temp.changes ORDER BY n")]
        if not changes:
            connection.commit()
            return
        connection.exec_driver_sql("DELETE FROM temp.changes")
        before = self._journal.size
        self._append(changes)
        try:
            connection.commit()
        except Exception:
            self._take_back(before)
            raise
        if self._journal.size > max(FOLD_AT_BYTES, self.document.stat().st_size):
            self._fold_in_background()

    def _append(self, changes: list[str]) -> None:
        try:
            if self._broken:
                self._recover()
            self._journal.append(self._seq + 1, changes)
        except (OSError, NotWritten) as error:
            log.error("The journal cannot be written: %s", error)
            raise unavailable("The disk is full or cannot be written. Nothing was changed.", retry_after=10) from error
        except Unknown as error:
            self._broken = True
            log.error("The disk did not confirm a write; writing stops until the data is safe again: %s", error)
            raise unavailable("The disk did not confirm the change. Please try again.", retry_after=10) from error
        self._seq += 1

    def _take_back(self, size: int) -> None:
        try:
            self._journal.cut(size)
            self._seq -= 1
        except Unknown:
            self._broken = True

    def _recover(self) -> None:
        """Writes what is committed as a new document that skips the number of the doubtful line, on a new journal."""
        self._seq += 1
        self._fold(self._seq)
        self._journal.close()
        self._journal = Journal(self._active_journal)
        self._broken = False
        log.warning("The data is safe again; writing goes on")

    @property
    def _active_journal(self) -> Path:
        return self._folder / "foyer.json.journal"

    def _journals(self) -> list[Path]:
        """Journals with content, oldest first; the one being written is the last."""
        rotated = sorted(self._folder.glob("foyer.json.journal.*"), key=lambda path: int(path.suffix[1:]))
        return [path for path in (*rotated, self._active_journal) if path.exists() and path.stat().st_size]

    def _fold(self, seq: int) -> None:
        """Writes the document as of `seq` from what is committed, then drops every journal."""
        journals = self._journals()
        with self.snapshot() as connection:
            json_document.write(connection, self.document, seq, migrations.head())
        for path in journals:
            path.unlink()
        sync_folder(self._folder)

    def _fold_in_background(self) -> None:
        """Turns to a new journal at once; the document is written beside the running desk. The caller may write."""
        if self._folding and self._folding.is_alive():
            return
        self._journal.close()
        self._active_journal.rename(self._folder / f"foyer.json.journal.{self._seq}")
        self._journal = Journal(self._active_journal)
        old, seq = self._journals(), self._seq
        snapshot = self._engine.connect()
        snapshot.exec_driver_sql("SELECT count(*) FROM companies").scalar()  # the read that fixes the snapshot's moment
        self._folding = threading.Thread(target=self._write_snapshot, args=(snapshot, seq, old), name="foyer-fold")
        self._folding.start()

    def _write_snapshot(self, snapshot: Connection, seq: int, journals: list[Path]) -> None:
        try:
            with snapshot:
                json_document.write(snapshot, self.document, seq, migrations.head())
            for path in journals:
                path.unlink()
            sync_folder(self._folder)
        except OSError as error:
            log.warning("Folding the journal failed and will be tried again: %s", error)

    def _remove_private_files(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
