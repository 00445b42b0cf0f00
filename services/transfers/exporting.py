"""Writes everything of a company into a ZIP file of JSON Lines. It takes a page of rows at a time.

`manifest.json` comes last and says how many lines each file has. `attachments/` holds the attached files by their ids.
services/transfers/contents.py says what is left out, such as secrets.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

import orjson
from sqlalchemy import Table, func

from core.models import DEFAULT_COMPANY
from core.version import VERSION
from database.file_store.contract import FileMissing, FileStore
from database.tables import attachments, companies
from services import settings
from services.transfers.contents import FORMAT, TABLES, columns_of
from storage import OpenUnitOfWork, Row, UnitOfWork

PAGE = 500
PAGES = {"inbound_originals": 1}  # rows that are large: an original has up to 25 MiB
_LONG_AGO = (1980, 1, 1, 0, 0, 0)

Step = Callable[[int], None]  # called with the number of rows and files that were just written


@dataclass
class Exported:
    """What an export holds: lines by file, and what is missing in it."""

    lines: dict[str, int] = field(default_factory=dict)
    errors: list[Row] = field(default_factory=list)

    @property
    def things(self) -> int:
        """Rows and attached files."""
        return sum(self.lines.values()) + self.lines.get("attachments", 0)


def total(uow: UnitOfWork) -> int:
    """How many rows and attached files an export has that begins now."""
    counts = {name: uow.count(uow.query(table)) for name, table in TABLES.items()}
    return sum(counts.values()) + counts["attachments"]


def write(open_uow: OpenUnitOfWork, files: FileStore, target: IO[bytes], *, step: Step) -> Exported:
    """Writes the ZIP file. Rows that come in meanwhile are not in it. Raises OSError, FileStoreFailed, AppError 503."""
    exported = Exported()
    with open_uow() as uow:
        last_ids = {name: uow.aggregate(uow.query(table, func.max(table.c.id)))[0][0] for name, table in TABLES.items()}
        company = uow.get(companies, uow.actor.company_id) or {}
        own_settings, created_at = settings.current(uow), uow.real_now
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _write_json(archive, "settings.json", own_settings)
        for name, table in TABLES.items():
            columns = columns_of(name)
            with archive.open(_member(f"{name}.jsonl"), "w", force_zip64=True) as member:
                exported.lines[name] = 0
                for page in _pages(open_uow, table, last_ids[name] or "", size=PAGES.get(name, PAGE)):
                    for row in page:
                        member.write(_line(row, columns))
                    exported.lines[name] += len(page)
                    step(len(page))
        for page in _pages(open_uow, attachments, last_ids["attachments"] or "", size=PAGE):
            for row in page:
                _write_file(archive, files, row, exported)
                step(1)
        _write_json(
            archive,
            "manifest.json",
            {
                "format": FORMAT,
                "foyer": VERSION,
                "company": company.get("name", DEFAULT_COMPANY),
                "created_at": created_at,
                "lines": exported.lines,
            },
        )
    return exported


def _pages(open_uow: OpenUnitOfWork, table: Table, last_id: str, *, size: int) -> Iterator[list[Row]]:
    """The rows of a table up to that id, each page in its own unit of work, so that nobody waits for the export."""
    after = ""
    while True:
        with open_uow() as uow:
            rows = uow.query(table).where(table.c.id > after, table.c.id <= last_id).order_by(table.c.id).limit(size)
            page = uow.find(rows)
        if not page:
            return
        yield page
        after = page[-1]["id"]


def _line(row: Row, columns: Iterable[str]) -> bytes:
    values = {name: row[name] for name in columns if row[name] is not None}
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _write_file(archive: zipfile.ZipFile, files: FileStore, row: Row, exported: Exported) -> None:
    name = f"attachments/{row['id']}"
    try:
        with files.open(row["company_id"], row["id"]) as pieces:
            member = _member(name)
            member.compress_type = zipfile.ZIP_STORED  # most attached files are compressed already
            with archive.open(member, "w", force_zip64=True) as target:
                for piece in pieces:
                    target.write(piece)
    except FileMissing:
        exported.errors.append(
            {"file": name, "line": 0, "field": "", "message": "The file is no longer on the server."}
        )


def _write_json(archive: zipfile.ZipFile, name: str, value: Row) -> None:
    archive.writestr(_member(name), orjson.dumps(value, option=orjson.OPT_INDENT_2))


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, max(_LONG_AGO, datetime.now(UTC).timetuple()[:6]))
    member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return member
