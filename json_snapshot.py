"""The files of the JSON engine as they are at one moment, read without the lock: a desk may be writing them meanwhile.

Document and journals are only ever added to or replaced, never overwritten, so what was opened together stays whole.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

import json_document
import migrations
from journal import transactions
from json_document import Invalid, Unlined, Where
from json_rows import Rows

TRIES = 50  # a desk puts a journal aside, or a new document in place, once in many thousand writes


@dataclass(frozen=True)
class _Files:
    document: BinaryIO
    journals: list[tuple[Path, bytes]]  # oldest first


def load(connection: Connection, document: Path) -> None:
    """Puts what is committed into tables that are not there yet, at the document's own revision.

    Raises Invalid, Damaged, OSError, and FileNotFoundError where there is no document.
    """
    with _opened(document) as files:
        try:
            last = _by_line(connection, files.document, document)
        except Unlined:  # a hand wrote in it, so only as a whole can it be read
            files.document.seek(0)
            last = _whole(connection, files.document, document)
    rows = Rows(connection)
    for path, content in files.journals:
        growing = path == _active(document)
        for seq, changes in transactions(path, after=last, may_be_torn=growing, content=BytesIO(content)):
            rows.apply(changes, f"{path}, transaction {seq}")
            last = seq


def _by_line(connection: Connection, file: BinaryIO, document: Path) -> int:
    revision, seq = json_document.head(file.readline())
    _bring_to(connection, revision, document)
    rows = Rows(connection)
    for table, batch in json_document.batches(file):
        rows.add(table, batch, Where(str(document), document))
    return seq


def _whole(connection: Connection, file: BinaryIO, document: Path) -> int:
    found = json_document.parsed(document, file.read())
    _bring_to(connection, found.revision, document)
    rows = Rows(connection)
    rows.clear()
    rows.load(found)
    return found.seq


def _bring_to(connection: Connection, revision: str, document: Path) -> None:
    if not migrations.known(revision):
        raise Invalid(f"{document} was written by a newer Foyer (revision {revision})")
    migrations.upgrade(connection, revision)


@contextmanager
def _opened(document: Path) -> Iterator[_Files]:
    for _ in range(TRIES):
        with ExitStack() as stack:
            files = _together(document, stack)
            if files:
                yield files
                return
    raise Invalid(f"{document} changes faster than it can be read")


def _together(document: Path, stack: ExitStack) -> _Files | None:
    """The files, opened at one moment; None when one was put in another's place meanwhile."""
    places = [*journals(document), document]
    try:
        files = {path: stack.enter_context(path.open("rb")) for path in places}
        # An opened file keeps its identity, so nothing that came later can be taken for it.
        same = all(os.path.samestat(os.fstat(file.fileno()), path.stat()) for path, file in files.items())
    except FileNotFoundError:
        if document.exists():
            return None  # a journal was folded in and removed
        raise
    if not same or [*journals(document), document] != places:
        return None
    # From here on only the newest journal grows; a line that is not whole yet is not acknowledged.
    opened = files.pop(document)
    return _Files(opened, [(path, file.read()) for path, file in files.items()])


def journals(document: Path) -> list[Path]:
    """Every journal there is, oldest first; the one being written is the last."""
    turned = [path for path in document.parent.glob(f"{document.name}.journal.*") if path.suffix[1:].isdecimal()]
    active = _active(document)
    return [*sorted(turned, key=lambda path: int(path.suffix[1:])), *([active] if active.exists() else [])]


def _active(document: Path) -> Path:
    return document.with_name(f"{document.name}.journal")
