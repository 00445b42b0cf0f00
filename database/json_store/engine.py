"""The JSON file engine: a JSON document with a journal, and a private SQLite file that answers queries.

Opens, commits and compacts the data. The private file is rebuilt at every start.
"""

import contextlib
import gc
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StorageError, unavailable
from database import bulk_load, migrations
from database.json_store import document as json_document
from database.json_store.document import Document, Invalid, MalformedLine, Where
from database.json_store.folder_lock import LOCK_WAIT_SECONDS, FolderLock, make_folder
from database.json_store.journal import (
    DamagedJournal,
    Journal,
    JournalReplaced,
    LineNotWritten,
    WriteUnconfirmed,
    state_of,
    sync_folder,
    transactions,
)
from database.json_store.row_loader import Rows, check
from database.json_store.snapshot import journals
from database.search import sqlite_index
from database.sqlite_engine import SqliteFile, begin_writing, commit, error_message, make_private
from database.sqlite_statistics import set_planner_statistics
from database.url import DOCUMENT

log = logging.getLogger("foyer.storage")

FOLD_AT_BYTES = 8 * 1024 * 1024
_COUNTERS = "-counters"  # end of the name of the file in which tickets are counted during a start


class JsonFile(SqliteFile):
    """`foyer.json` in a folder. Each write transaction is in the journal, on disk, before it is committed.

    database/group_commit.py admits one writer at a time.
    """

    name = "json"
    synchronous = "OFF"  # the private file is rebuilt at every start; the journal is what must survive

    def __init__(self, folder: Path, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
        super().__init__(folder / f"{DOCUMENT}.sqlite")
        self.document = folder / DOCUMENT
        self.location_hint = self.document.name
        self.data_path = self.document
        self.place = str(self.document)
        self._folder = folder
        self._counters = self.path.with_name(self.path.name + _COUNTERS)
        self._active_journal = folder / f"{DOCUMENT}.journal"
        self._lock = FolderLock(self.document, wait_seconds=lock_wait_seconds)
        self._seq = 0
        self._doubtful = False  # whether the journal may end with a line that was never committed
        self._folding: threading.Thread | None = None
        self._document_seq = -1  # the last transaction in the document
        self._document_file: tuple[int, int, int] | None = None  # its state when this process read or wrote it

    def open(self) -> "JsonFile":
        """Locks the folder and rebuilds the private file. Raises StorageError; nothing is overwritten in that case."""
        try:
            make_folder(self._folder)
            self._lock.take()
        except OSError as error:
            raise StorageError(f"The data folder {self._folder} cannot be used: {error_message(error)}") from error
        with contextlib.ExitStack() as undo:
            undo.callback(self._release)
            try:
                self._rebuild()
            except (OSError, sqlite3.Error, SQLAlchemyError) as error:
                raise StorageError(f"The data in {self._folder} cannot be opened: {error_message(error)}") from error
            except (DamagedJournal, Invalid) as error:
                hint = "Nothing was changed. Put back a good copy of the file, or correct what is named here."
                raise StorageError(f"{error}. {hint}") from error
            undo.pop_all()
        return self

    def close(self) -> None:
        """Folds the journal into the document and releases the folder."""
        if self._folding:
            self._folding.join()
        self._journal.close()
        try:
            if (
                self._doubtful
                or self._seq != self._document_seq
                or self._journals()
                or not self._document_is_in_place()
            ):
                self._fold()
        except (OSError, SQLAlchemyError, StorageError) as error:
            if self._journal.is_in_place() and self._document_is_in_place():
                log.warning("The journal was left as it is for the next start: %s", error_message(error))
            else:
                log.critical(
                    "Changes are LOST: a file was removed and no new document can be written: %s", error_message(error)
                )
        self._release()

    def scrub(self) -> None:
        """Removes deleted and overwritten data from every file: renews document and private file, deletes journals and copies."""
        self._fold_now()
        json_document.remove_unfinished(self.document)
        for copy in self._folder.glob(f"{DOCUMENT}.bak-*"):
            log.warning("%s is removed: it may hold what was erased", copy)
            copy.unlink()
        sync_folder(self._folder)
        super().scrub()

    def _release(self) -> None:
        self._close_connections()
        if self._lock.is_in_place():  # another process may have the folder by now
            self._remove_private_files()
        self._lock.release()

    def _rebuild(self) -> None:
        document = self._read_document()
        head = migrations.head()
        revision = document.revision if document else head
        self._remove_private_files()
        make_private(self.path)
        self._fill(document, revision)
        self._engine.dispose()  # new connections enforce foreign keys
        # Opened at the start and kept by the readers: the private file may be removed later.
        self._return_snapshot(self._read_snapshot())
        json_document.remove_unfinished(self.document)
        if revision != head:
            self._back_up(revision)
        if document is None or revision != head or self._journals():
            self._fold()
        else:
            self._note_document(self._seq)
        self._journal = Journal(self._active_journal)

    def _fill(self, document: Document | None, revision: str) -> None:
        """Fills the private file with all rows, migrates them to the newest revision and checks them."""
        # No other process reads the file, and an unfinished one is discarded: a write-ahead log would only cost time.
        self.journal_mode = "MEMORY"
        with self._unchecked() as connection, self._engine.connect() as reader:
            connection.exec_driver_sql("PRAGMA mmap_size=1000000000")
            indexes = bulk_load.make_tables(connection, revision)
            if document:
                self._load(document, connection)
            if revision != migrations.head():
                bulk_load.recreate(connection, indexes)
                indexes = []
                with bulk_load.without_triggers(connection):
                    migrations.upgrade(connection)
            connection.commit()
            with ThreadPoolExecutor(1) as background:
                # The rows are checked and counted while their indexes are built. The indexes stay in memory until then,
                # because SQLite cannot spill to a file that is being read.
                counted = background.submit(self._check_and_count, reader)
                connection.exec_driver_sql("PRAGMA cache_spill=OFF")
                begin_writing(connection)
                bulk_load.recreate(connection, indexes)
                sqlite_index.prepare(connection)  # filling the index at once takes half the time
                set_planner_statistics(connection)
                counted.result()  # before the commit, which waits for readers
            connection.commit()
            bulk_load.take_over(connection, self._counters)
        self._counters.unlink()
        self.journal_mode = "WAL"

    def _check_and_count(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        check(connection, Where(str(self.document), self.document))
        connection.rollback()
        make_private(self._counters)
        bulk_load.count_aside(self.path, self._counters)

    def _read_document(self) -> Document | None:
        document = json_document.read(self.document)
        if document is None and self._journals():
            raise StorageError(
                f"{self.document} is missing although its journal {self._journals()[0].name} is there. "
                "Put the document back; nothing was changed."
            )
        if document and not migrations.has_revision(document.revision):
            raise StorageError(
                f"{self.document} was written by a newer Foyer (revision {document.revision}). Nothing was changed."
            )
        return document

    def _load(self, document: Document, connection: Connection) -> None:
        rows = Rows(connection)
        with _without_collector():
            try:
                rows.load(document)
            except MalformedLine:
                rows.clear()
                rows.load(json_document.read_whole(self.document))
            self._seq = document.seq
            for path in self._journals():
                for seq, changes in transactions(path, after=self._seq, may_be_torn=path == self._active_journal):
                    rows.apply(changes, f"{path}, transaction {seq}")
                    self._seq = seq

    def _on_connect(self, connection: sqlite3.Connection, record: Any) -> None:
        connection.execute("PRAGMA page_size=8192")  # large pages fill faster; a file with pages keeps their size
        super()._on_connect(connection, record)

    def _open_writer(self) -> Connection:
        return json_document.record_changes(super()._open_writer())

    def _commit(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection  # no SQLAlchemy layer: every write passes here
        # One row instead of many: the driver releases the interpreter lock for each row, and other threads take it.
        changes = driver.execute(
            "SELECT group_concat(line) FROM (SELECT line FROM temp.changes ORDER BY n)"
        ).fetchone()[0]
        if not changes:
            commit(connection)
            return
        driver.execute("DELETE FROM temp.changes")
        self._append(changes)
        try:
            commit(connection)
        except Exception:
            with contextlib.suppress(WriteUnconfirmed):
                self._journal.take_back()
                self._doubtful = False
            raise
        self._seq += 1
        self._doubtful = False
        self._fold_if_large()

    def _append(self, changes: str) -> None:
        try:
            if not self._document_is_in_place():
                log.warning(
                    "%s was removed, replaced or changed by another process; it is written again", self.document
                )
                self._recover()
            elif self._doubtful:
                self._recover()
            self._doubtful = True  # until both the line and the commit are complete
            try:
                self._journal.append(self._seq + 1, changes)
            except JournalReplaced as error:
                log.warning("%s; everything is written as a new document", error)
                self._recover()
                self._doubtful = True
                self._journal.append(self._seq + 1, changes)
        except (OSError, LineNotWritten, StorageError) as error:
            self._doubtful = not isinstance(error, LineNotWritten)
            log.error("The journal cannot be written: %s", error)
            raise unavailable("The disk is full or cannot be written. Nothing was changed.", retry_after=10) from error
        except (WriteUnconfirmed, JournalReplaced) as error:
            log.error("The disk did not confirm a write; writing stops until the data is safe again: %s", error)
            raise unavailable("The disk did not confirm the change. Please try again.", retry_after=10) from error

    def _recover(self) -> None:
        """Writes all committed data as a new document, without the line in doubt, and begins a new journal."""
        self._fold_now()
        log.warning("The data is safe again; writing goes on")

    def _fold_now(self) -> None:
        """Writes all committed data as the document and begins a new journal; on failure the old journal stays in use."""
        if self._folding:
            self._folding.join()  # it would replace the new document by an older one
        self._journal.close()
        try:
            self._fold()
            self._doubtful = False
        finally:
            self._journal = Journal(self._active_journal)

    def _journals(self) -> list[Path]:
        """Journals with content, oldest first; the active journal is the last."""
        return [path for path in journals(self.document) if path.stat().st_size]

    def _fold(self) -> None:
        """Writes all committed data as the document, then deletes every journal. No journal may be open.

        Raises OSError, SQLAlchemyError, and StorageError when another process has locked the folder.
        """
        make_folder(self._folder)
        self._lock.hold()
        self._keep_replaced_document()
        folded = self._journals()
        if self._doubtful:
            self._seq += 1  # the number of the line in doubt, so that a replay skips that line
        snapshot = self._read_snapshot()
        try:
            json_document.write(snapshot, self.document, self._seq, migrations.head())
        finally:
            self._return_snapshot(snapshot)
        self._note_document(self._seq)
        self._delete([*folded, self._active_journal])

    def _note_document(self, seq: int) -> None:
        self._document_seq, self._document_file = seq, state_of(self.document)

    def _document_is_in_place(self) -> bool:
        """Whether the document is the file this process read or wrote, or a background fold is about to replace it."""
        writing = self._folding and self._folding.is_alive()
        return bool(writing) or (self._document_file is not None and state_of(self.document) == self._document_file)

    def _keep_replaced_document(self) -> None:
        """Keeps a copy of a document that another process put in the place of ours."""
        state = state_of(self.document)
        if self._document_file and state and state[2] and state != self._document_file:
            shutil.copy2(self.document, self._folder / f"{DOCUMENT}.bak-replaced")

    def _fold_if_large(self) -> None:
        """Folds in the background when the journal is larger than the document. Never fails a committed write."""
        try:
            folding = self._folding and self._folding.is_alive()
            if not folding and self._journal.size > max(FOLD_AT_BYTES, (self._document_file or (0,))[-1]):
                self._fold_in_background()
        except (OSError, SQLAlchemyError, RuntimeError) as error:  # RuntimeError: the system has no thread to spare
            log.warning("The journal cannot be folded now: %s", error_message(error))

    def _fold_in_background(self) -> None:
        snapshot = self._read_snapshot()
        try:
            self._rotate_journal()
            work = (snapshot, self._seq, self._journals())
            folding = threading.Thread(target=self._write_snapshot, args=work, name="foyer-fold")
            folding.start()
        except BaseException:
            self._return_snapshot(snapshot)
            raise
        self._folding = folding

    def _rotate_journal(self) -> None:
        """Renames the journal and begins a new one."""
        self._doubtful = True
        self._journal.close()
        self._active_journal.rename(self._folder / f"{self._active_journal.name}.{self._seq}")
        self._journal = Journal(self._active_journal)
        self._doubtful = False

    def _write_snapshot(self, snapshot: Connection, seq: int, journals: list[Path]) -> None:
        try:
            try:
                json_document.write(snapshot, self.document, seq, migrations.head())
            finally:
                self._return_snapshot(snapshot)
            self._note_document(seq)
            self._delete(journals)
        except (OSError, SQLAlchemyError) as error:
            log.warning("Folding the journal failed and will be tried again: %s", error_message(error))

    def _delete(self, journals: list[Path]) -> None:
        for path in journals:
            path.unlink(missing_ok=True)
        sync_folder(self._folder)

    def _back_up(self, revision: str) -> None:
        """Copies document and journals before a migration; restored, they open in the older Foyer."""
        for path in (self.document, *self._journals()):
            copy = self._folder / path.name.replace(DOCUMENT, f"{DOCUMENT}.bak-{revision}", 1)
            shutil.copy2(path, copy)
            with copy.open("rb+") as file:
                os.fsync(file.fileno())

    def _remove_private_files(self) -> None:
        for suffix in ("", "-wal", "-shm", _COUNTERS):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Turns garbage collection off while rows are loaded: it takes a quarter of the time and finds no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
