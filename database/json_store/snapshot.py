"""Reads the files of the JSON engine at one moment without the lock, while another process may be writing them.

Document and journals are only appended to or replaced, never overwritten, so files opened together stay consistent.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from database import migrations
from database.json_store import document as json_document
from database.json_store.document import Invalid, MalformedLine, Where
from database.json_store.journal import transactions
from database.json_store.row_loader import Rows

TRIES = 50  # a server replaces the document or a journal once in many thousand writes


@dataclass(frozen=True)
class _Files:
    document: BinaryIO
    journals: list[tuple[Path, bytes]]  # oldest first


def load(connection: Connection, document: Path) -> None:
    """Creates the tables at the document's revision and loads all committed rows.

    Raises Invalid, DamagedJournal, OSError, and FileNotFoundError when there is no document.
    """
    with _open_files(document) as files:
        try:
            last = _load_by_line(connection, files.document, document)
        except MalformedLine:  # edited by hand: it can only be read as a whole
            files.document.seek(0)
            last = _load_whole(connection, files.document, document)
    rows = Rows(connection)
    for path, content in files.journals:
        growing = path == _active(document)
        for seq, changes in transactions(path, after=last, may_be_torn=growing, content=BytesIO(content)):
            rows.apply(changes, f"{path}, transaction {seq}")
            last = seq


def _load_by_line(connection: Connection, file: BinaryIO, document: Path) -> int:
    revision, seq = json_document.head(file.readline())
    _migrate(connection, revision, document)
    rows = Rows(connection)
    for table, batch in json_document.batches(file):
        rows.add(table, batch, Where(str(document), document))
    return seq


def _load_whole(connection: Connection, file: BinaryIO, document: Path) -> int:
    content = json_document.parse(document, file.read())
    _migrate(connection, content.revision, document)
    rows = Rows(connection)
    rows.clear()
    rows.load(content)
    return content.seq


def _migrate(connection: Connection, revision: str, document: Path) -> None:
    if not migrations.has_revision(revision):
        raise Invalid(f"{document} was written by a newer Foyer (revision {revision})")
    migrations.upgrade(connection, revision)


@contextmanager
def _open_files(document: Path) -> Iterator[_Files]:
    for _ in range(TRIES):
        with ExitStack() as stack:
            files = _open_at_once(document, stack)
            if files:
                yield files
                return
    raise Invalid(f"{document} changes faster than it can be read")


def _open_at_once(document: Path, stack: ExitStack) -> _Files | None:
    """Opens all files at one moment; None when one of them was replaced meanwhile."""
    paths = [*journals(document), document]
    try:
        files = {path: stack.enter_context(path.open("rb")) for path in paths}
        # An open file keeps its identity, so a later file cannot pass for it.
        same = all(os.path.samestat(os.fstat(file.fileno()), path.stat()) for path, file in files.items())
    except FileNotFoundError:
        if document.exists():
            return None  # a journal was folded in and removed
        raise
    if not same or [*journals(document), document] != paths:
        return None
    # From here on only the newest journal grows, and an unfinished line is not acknowledged yet.
    document_file = files.pop(document)
    return _Files(document_file, [(path, file.read()) for path, file in files.items()])


def journals(document: Path) -> list[Path]:
    """All journals, oldest first; the active journal is the last."""
    rotated = [path for path in document.parent.glob(f"{document.name}.journal.*") if path.suffix[1:].isdecimal()]
    active = _active(document)
    return [*sorted(rotated, key=lambda path: int(path.suffix[1:])), *([active] if active.exists() else [])]


def _active(document: Path) -> Path:
    return document.with_name(f"{document.name}.journal")
