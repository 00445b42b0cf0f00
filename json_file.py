"""The JSON-file engine: the truth is a JSON document with a journal; queries run in a private SQLite file made at start.

Opening, committing and folding live here; json_document.py writes, json_rows.py loads, journal.py keeps the lines.
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

import derived
import json_document
import migrations
import search_sqlite
from address import DOCUMENT
from errors import StorageError, unavailable
from folder_lock import LOCK_WAIT_SECONDS, FolderLock, make_folder
from journal import Damaged, Gone, Journal, NotWritten, Unknown, state_of, sync_folder, transactions
from json_document import Document, Invalid, Unlined, Where
from json_rows import Rows, check
from planner import teach_planner
from sqlite_file import SqliteFile, begin_writing, plain

log = logging.getLogger("foyer.storage")

FOLD_AT_BYTES = 8 * 1024 * 1024


class JsonFile(SqliteFile):
    """`foyer.json` in a folder. Each write transaction is in the journal, on disk, before it is committed.

    Writers come one at a time; storage.py sees to that.
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
        self._active_journal = folder / f"{DOCUMENT}.journal"
        self._lock = FolderLock(self.document, wait_seconds=lock_wait_seconds)
        self._seq = 0
        self._doubtful = False  # whether the journal may hold, or may not take, a line that was never committed
        self._folding: threading.Thread | None = None
        self._capture: list[str] = []
        self._keeper: Connection | None = (
            None  # what folding reads with: open from the start, since the file may be removed
        )
        self._document_seq = -1  # the last transaction the document holds
        self._document_file: tuple[int, int, int] | None = None  # as it was when it was read or written here

    def open(self) -> "JsonFile":
        """Locks the folder and rebuilds the private file. Raises StorageError; nothing is overwritten in that case."""
        try:
            make_folder(self._folder)
            self._lock.take()
        except OSError as error:
            raise StorageError(f"The data folder {self._folder} cannot be used: {plain(error)}") from error
        with contextlib.ExitStack() as undo:
            undo.callback(self._let_go)
            try:
                self._rebuild()
            except (OSError, sqlite3.Error, SQLAlchemyError) as error:
                raise StorageError(f"The data in {self._folder} cannot be opened: {plain(error)}") from error
            except (Damaged, Invalid) as error:
                hint = "Nothing was changed. Put back a good copy of the file, or correct what is named here."
                raise StorageError(f"{error}. {hint}") from error
            undo.pop_all()
        return self

    def close(self) -> None:
        """Folds the journal into the document and lets go of the folder."""
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
                log.warning("The journal was left as it is for the next start: %s", plain(error))
            else:
                log.critical(
                    "Changes are LOST: a file was removed and no new document can be written: %s", plain(error)
                )
        self._let_go()

    def scrub(self) -> None:
        """Leaves what was deleted or overwritten in no file: a new document, no old journal, no copies, a new private file."""
        self._fold_now()
        json_document.remove_unfinished(self.document)
        for copy in self._folder.glob(f"{DOCUMENT}.bak-*"):
            log.warning("%s is removed: it may hold what was erased", copy)
            copy.unlink()
        sync_folder(self._folder)
        super().scrub()

    def _let_go(self) -> None:
        if self._keeper:
            self._keeper.close()
        self._close_connections()
        if self._lock.is_in_place():  # another process may have the folder by now
            self._remove_private_files()
        self._lock.release()

    def _rebuild(self) -> None:
        document = self._read_document()
        head = migrations.head()
        revision = document.revision if document else head
        self._remove_private_files()
        self._make_file()
        self._fill(document, revision)
        self._engine.dispose()  # connections made from here on record their changes and hold to foreign keys
        self._capture = json_document.capture_statements()
        self._moment().rollback()
        json_document.remove_unfinished(self.document)
        if revision != head:
            self._back_up(revision)
        if document is None or revision != head or self._journals():
            self._fold()
        else:
            self._note_document(self._seq)
        self._journal = Journal(self._active_journal)

    def _fill(self, document: Document | None, revision: str) -> None:
        """The private file with everything in it, at the newest revision, checked."""
        # Nobody else reads it, and one that was not finished is thrown away: no log to write twice.
        self.journal_mode = "MEMORY"
        with self._unchecked() as connection, self._engine.connect() as reader:
            connection.exec_driver_sql("PRAGMA mmap_size=1000000000")
            migrations.upgrade(connection, revision)
            aside = derived.take_aside(connection)
            if document:
                self._load(document, connection)
            if revision != migrations.head():
                derived.put_back(connection, aside)
                aside = []
                with derived.kept_out(connection):
                    migrations.upgrade(connection)
            connection.commit()
            with ThreadPoolExecutor(1) as beside:
                # The rows are read for what is wrong, and counted, while indexes are made of them. What is made stays in
                # memory meanwhile: it cannot go to the file under somebody who reads.
                counted = beside.submit(self._look_through, reader)
                connection.exec_driver_sql("PRAGMA cache_spill=OFF")
                begin_writing(connection)
                derived.put_back(connection, aside)
                search_sqlite.prepare(connection)  # an index that is filled at once takes half the time
                teach_planner(connection)
                derived.refill(connection, counted.result())
            connection.commit()
        self.journal_mode = "WAL"

    def _look_through(self, connection: Connection) -> list[derived.Row]:
        connection.exec_driver_sql("BEGIN")
        check(connection, Where(str(self.document), self.document))
        counted = derived.count(connection)
        connection.rollback()
        return counted

    def _read_document(self) -> Document | None:
        document = json_document.read(self.document)
        if document is None and self._journals():
            raise StorageError(
                f"{self.document} is missing although its journal {self._journals()[0].name} is there. "
                "Put the document back; nothing was changed."
            )
        if document and not migrations.known(document.revision):
            raise StorageError(
                f"{self.document} was written by a newer Foyer (revision {document.revision}). Nothing was changed."
            )
        return document

    def _load(self, document: Document, connection: Connection) -> None:
        rows = Rows(connection)
        with _without_collector():
            try:
                rows.load(document)
            except Unlined:
                rows.clear()
                rows.load(json_document.read_whole(self.document))
            self._seq = document.seq
            for path in self._journals():
                for seq, changes in transactions(path, after=self._seq, may_be_torn=path == self._active_journal):
                    rows.apply(changes, f"{path}, transaction {seq}")
                    self._seq = seq

    def _on_connect(self, connection: sqlite3.Connection, record: Any) -> None:
        if not self._capture:
            connection.execute("PRAGMA page_size=8192")  # large pages are quicker to fill
        super()._on_connect(connection, record)
        for statement in self._capture:
            connection.execute(statement)

    def _commit(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection  # every write comes by here: without ceremony
        # One row and not many: the driver lets go of the interpreter for each, and the other threads take it.
        changes = driver.execute(
            "SELECT group_concat(line) FROM (SELECT line FROM temp.changes ORDER BY n)"
        ).fetchone()[0]
        if not changes:
            connection.commit()
            return
        driver.execute("DELETE FROM temp.changes")
        self._append(changes)
        try:
            connection.commit()
        except Exception:
            with contextlib.suppress(Unknown):
                self._journal.take_back()
                self._doubtful = False
            raise
        self._seq += 1
        self._doubtful = False
        self._fold_if_large()

    def _append(self, changes: str) -> None:
        try:
            if not self._document_is_in_place():
                log.warning("%s was removed, replaced or changed by somebody else; it is written anew", self.document)
                self._recover()
            elif self._doubtful:
                self._recover()
            self._doubtful = True  # until the line and the commit are both there, whatever comes between
            try:
                self._journal.append(self._seq + 1, changes)
            except Gone as error:
                log.warning("%s; everything is written as a new document", error)
                self._recover()
                self._doubtful = True
                self._journal.append(self._seq + 1, changes)
        except (OSError, NotWritten, StorageError) as error:
            self._doubtful = not isinstance(error, NotWritten)
            log.error("The journal cannot be written: %s", error)
            raise unavailable("The disk is full or cannot be written. Nothing was changed.", retry_after=10) from error
        except (Unknown, Gone) as error:
            log.error("The disk did not confirm a write; writing stops until the data is safe again: %s", error)
            raise unavailable("The disk did not confirm the change. Please try again.", retry_after=10) from error

    def _recover(self) -> None:
        """Writes what is committed as a new document, without the line in doubt, and begins a new journal."""
        self._fold_now()
        log.warning("The data is safe again; writing goes on")

    def _fold_now(self) -> None:
        """Writes what is committed as the document and begins a new journal; when that fails, the old one goes on."""
        if self._folding:
            self._folding.join()  # it would put an older document in the place of the new one
        self._journal.close()
        try:
            self._fold()
            self._doubtful = False
        finally:
            self._journal = Journal(self._active_journal)

    def _journals(self) -> list[Path]:
        """Journals with content, oldest first; the one being written is the last."""
        turned = [path for path in self._folder.glob(f"{DOCUMENT}.journal.*") if path.suffix[1:].isdecimal()]
        turned.sort(key=lambda path: int(path.suffix[1:]))
        return [path for path in (*turned, self._active_journal) if path.exists() and path.stat().st_size]

    def _fold(self) -> None:
        """Writes what is committed as the document, then drops every journal. None may be open.

        Raises OSError, SQLAlchemyError, and StorageError when another process has the folder by now.
        """
        make_folder(self._folder)
        self._lock.hold()
        self._keep_aside()
        journals = self._journals()
        if self._doubtful:
            self._seq += 1  # the number of the line in doubt: a replay that still finds the line skips it
        moment = self._moment()
        try:
            json_document.write(moment, self.document, self._seq, migrations.head())
        finally:
            moment.rollback()
        self._note_document(self._seq)
        self._drop([*journals, self._active_journal])

    def _note_document(self, seq: int) -> None:
        self._document_seq, self._document_file = seq, state_of(self.document)

    def _document_is_in_place(self) -> bool:
        """Whether the document is the file that was read or written here; while it is written beside, it is about to be."""
        writing = self._folding and self._folding.is_alive()
        return bool(writing) or (self._document_file is not None and state_of(self.document) == self._document_file)

    def _keep_aside(self) -> None:
        """Keeps a copy of what somebody put in the place of the document."""
        there = state_of(self.document)
        if self._document_file and there and there[2] and there != self._document_file:
            shutil.copy2(self.document, self._folder / f"{DOCUMENT}.bak-replaced")

    def _moment(self) -> Connection:
        """The connection that folding reads with, seeing this moment of the data until it is rolled back."""
        self._keeper = self._keeper or self._engine.connect()
        self._keeper.exec_driver_sql("BEGIN")
        self._keeper.exec_driver_sql("SELECT count(*) FROM companies").scalar()  # this read fixes the moment
        return self._keeper

    def _fold_if_large(self) -> None:
        """Folds beside the running desk when the journal has outgrown the document. Never fails a committed write."""
        try:
            folding = self._folding and self._folding.is_alive()
            if not folding and self._journal.size > max(FOLD_AT_BYTES, (self._document_file or (0,))[-1]):
                self._fold_in_background()
        except (OSError, SQLAlchemyError, RuntimeError) as error:  # RuntimeError: the system has no thread to spare
            log.warning("The journal cannot be folded now: %s", plain(error))

    def _fold_in_background(self) -> None:
        moment = self._moment()
        try:
            self._turn()
            work = (moment, self._seq, self._journals())
            folding = threading.Thread(target=self._write_moment, args=work, name="foyer-fold")
            folding.start()
        except BaseException:
            moment.rollback()
            raise
        self._folding = folding

    def _turn(self) -> None:
        """Puts the journal aside and begins a new one."""
        self._doubtful = True
        self._journal.close()
        self._active_journal.rename(self._folder / f"{self._active_journal.name}.{self._seq}")
        self._journal = Journal(self._active_journal)
        self._doubtful = False

    def _write_moment(self, moment: Connection, seq: int, journals: list[Path]) -> None:
        try:
            try:
                json_document.write(moment, self.document, seq, migrations.head())
            finally:
                moment.rollback()
            self._note_document(seq)
            self._drop(journals)
        except (OSError, SQLAlchemyError) as error:
            log.warning("Folding the journal failed and will be tried again: %s", plain(error))

    def _drop(self, journals: list[Path]) -> None:
        for path in journals:
            path.unlink(missing_ok=True)
        sync_folder(self._folder)

    def _back_up(self, revision: str) -> None:
        """Keeps document and journal as they were before the migration; put back, they open in the older Foyer."""
        for path in (self.document, *self._journals()):
            copy = self._folder / path.name.replace(DOCUMENT, f"{DOCUMENT}.bak-{revision}", 1)
            shutil.copy2(path, copy)
            with copy.open("rb+") as file:
                os.fsync(file.fileno())

    def _remove_private_files(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """While millions of rows come in: looking for circles among their values takes a quarter of the time and finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
