"""The files of the JSON engine as they are at one moment, read without the lock: a desk may be writing them meanwhile.

Document and journals are only ever added to or replaced, never overwritten, so what was opened together stays whole.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from sqlalchemy import Connection

import json_document
import migrations
from journal import transactions
from json_document import Document, Invalid
from json_rows import Rows

TRIES = 50  # a desk puts a journal aside, or a new document in place, once in many thousand writes


@dataclass(frozen=True)
class Snapshot:
    """A document and its journals with their content, oldest first."""

    document: Document
    journals: list[tuple[Path, bytes]]

    @property
    def filled(self) -> list[str]:
        """The tables that have a row; of a journal it is only known that it is there."""
        tables = [name for name, rows in self.document.tables.items() if rows]
        return tables or [path.name for path, _ in self.journals]


def load(connection: Connection, document: Path) -> None:
    """Puts what is committed into tables that are not there yet, at the document's own revision.

    Raises Invalid, Damaged, OSError, and FileNotFoundError where there is no document.
    """
    snapshot = take(document)
    if not migrations.known(snapshot.document.revision):
        raise Invalid(f"{document} was written by a newer Foyer (revision {snapshot.document.revision})")
    migrations.upgrade(connection, snapshot.document.revision)
    rows = Rows(connection)
    rows.load(snapshot.document)
    last = snapshot.document.seq
    for path, content in snapshot.journals:
        growing = path == _active(document)
        for seq, changes in transactions(path, after=last, may_be_torn=growing, content=BytesIO(content)):
            rows.apply(changes, f"{path}, transaction {seq}")
            last = seq


def take(document: Path) -> Snapshot:
    """The files as they are at one moment. Raises Invalid, OSError, and FileNotFoundError where there is no document."""
    for _ in range(TRIES):
        content = _read_together(document)
        if content is not None:
            break
    else:
        raise Invalid(f"{document} changes faster than it can be read")
    found = json_document.parsed(document, content.pop(document))
    journals = [(path, lines) for path, lines in content.items() if lines]
    return Snapshot(found, journals)


def _read_together(document: Path) -> dict[Path, bytes] | None:
    """What each file holds, the document last; None when one was put in another's place meanwhile."""
    with ExitStack() as opened:
        places = [*_journals(document), document]
        try:
            files = {path: opened.enter_context(path.open("rb")) for path in places}
            # An opened file keeps its identity, so nothing that came later can be taken for it.
            same = all(os.path.samestat(os.fstat(file.fileno()), path.stat()) for path, file in files.items())
        except FileNotFoundError:
            if document.exists():
                return None  # a journal was folded in and removed
            raise
        if not same or [*_journals(document), document] != places:
            return None
        # From here on only the active journal grows, by whole lines; the one that is being written is not acknowledged.
        content = {path: file.read() for path, file in files.items()}
    active = _active(document)
    if active in content:
        content[active] = content[active][: content[active].rfind(b"\n") + 1]
    return content


def _journals(document: Path) -> list[Path]:
    """Every journal there is, oldest first; the one being written is the last."""
    turned = [path for path in document.parent.glob(f"{document.name}.journal.*") if path.suffix[1:].isdecimal()]
    active = _active(document)
    return [*sorted(turned, key=lambda path: int(path.suffix[1:])), *([active] if active.exists() else [])]


def _active(document: Path) -> Path:
    return document.with_name(f"{document.name}.journal")
