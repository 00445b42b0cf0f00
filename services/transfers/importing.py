"""Imports the file of a transfer into a company. Each page of rows has a unit of work, so memory stays the same.

Each page is committed together with the place that the import has reached. An import that was killed goes on there. One that
is repeated changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from auth.erasure_marks import ErasureMarks
from core.errors import AppError
from core.models import Actor
from database.file_store.contract import FileStore
from database.tables import attachments
from services.attachments import uploads
from services.tickets import transferred
from services.transfers import company_settings, requests
from services.transfers.archive import ROWS, Archive, Unusable
from services.transfers.arrivals import REMEMBERED, Arrivals, Check, Line, Tally
from services.transfers.contents import TABLES
from services.transfers.new_ids import salt
from services.transfers.references import Ids
from services.transfers.values import MOST_NUMBER, Refused, read
from services.triage import training_examples
from storage import Row, Storage, UnitOfWork

PAGE, PAGE_BYTES = 200, 1024 * 1024  # rows and bytes of one unit of work
PAGES = {"routing_rules": 10_000}  # in one: their positions follow from those that were there before
SETTINGS, LINKS = "settings", "links"  # steps without rows of their own
STEPS: list[str] = []
for _name in TABLES:
    STEPS += [_name, *{"teams": [SETTINGS], "tickets": [LINKS]}.get(_name, [])]
_BEGIN: Row = {"step": STEPS[0], "line": 0}


@dataclass(frozen=True)
class Server:
    """The parts of a server that an import needs. `quota` is in bytes, 0 for none; `checks` are the rules of the API.

    `marks` tell who was erased here.
    """

    storage: Storage
    files: FileStore
    quota: int
    checks: Mapping[str, Check]
    marks: ErasureMarks


class Import:
    """One import. `run` does what is left of it. Raises Unusable, NotWanted, AppError 503, FileStoreFailed."""

    def __init__(self, server: Server, actor: Actor, transfer_id: str, archive: Archive) -> None:
        self._server, self._actor, self._transfer_id, self._archive = server, actor, transfer_id, archive
        self._open = partial(server.storage.unit_of_work, actor)
        archive.verify(MOST_NUMBER)
        with self._open(write=True) as uow:
            self._latest = uow.now  # nothing in the file may be later
            ids = Ids(salt(uow))
            row = requests.progress_of(uow, transfer_id)
            if row is None:
                raise requests.NotWanted
            self._options, self._place = row["options"], row["place"] or _BEGIN
            counts = {name: row[name] for name in ("created", "skipped", "rejected", "renumbered", "errors")}
            self._tally = Tally(**counts)
            if not row["place"]:
                for name in archive.ignored[:20]:
                    self._tally.tell(name, 0, "", "Nothing of this file is imported.")
            self._note(uow, self._place["step"], self._place["line"], total=sum(archive.lines.values()))
        self._arrivals = Arrivals(ids, self._options.get("roles", []), server.checks, server.marks)

    def run(self) -> None:
        """Imports what is not imported yet."""
        place = self._place
        for step in STEPS:
            if STEPS.index(step) < STEPS.index(place["step"]):
                if step in REMEMBERED:
                    self._remember(step, None)
                continue
            begin = place["line"] if step == place["step"] else 0
            if begin and step in REMEMBERED:
                self._remember(step, begin)
            self._do(step, begin)
        with self._open(write=True) as uow:
            training_examples.enqueue_training(uow)
            requests.finish_import(uow, self._transfer_id)

    def _do(self, step: str, begin: int) -> None:
        if step == SETTINGS:
            self._take_settings()
        elif step == LINKS:
            self._page_by_page("tickets", begin, self._connect, step=LINKS)
        elif step == "attachments":
            for line, content in self._archive.read_lines(step):
                if line > begin:
                    self._attach(line, content)
        else:
            if step == "tickets" and not begin:
                with self._open(write=True) as uow:
                    transferred.reserve_numbers(uow, self._archive.highest_number)
            self._page_by_page(step, begin, self._add)

    def _page_by_page(
        self, name: str, begin: int, take: Callable[[UnitOfWork, str, list[Line], Tally], None], *, step: str = ""
    ) -> None:
        for page in self._pages(name, begin):
            tally = self._copied_tally()
            lines = self._checked(name, page, Tally() if step else tally)
            with self._open(write=True) as uow:
                take(uow, name, lines, tally)
                self._note(uow, step or name, page[-1][0], tally=tally)
            self._tally = tally

    def _pages(self, name: str, begin: int, end: int | None = None) -> Iterator[list[tuple[int, bytes]]]:
        """The lines of a file behind `begin` and up to `end`, in pages."""
        page: list[tuple[int, bytes]] = []
        size = 0
        for number, line in self._archive.read_lines(name):
            if number <= begin or (end is not None and number > end):
                continue
            page.append((number, line))
            size += len(line)
            if len(page) >= PAGES.get(name, PAGE) or size >= PAGE_BYTES:
                yield page
                page, size = [], 0
        if page:
            yield page

    def _checked(self, name: str, page: list[tuple[int, bytes]], tally: Tally) -> list[Line]:
        lines = []
        for number, content in page:
            try:
                lines.append((number, read(name, content, latest=self._latest)))
            except Refused as reason:
                tally.refuse(name, number, reason)
        return lines

    def _add(self, uow: UnitOfWork, name: str, lines: list[Line], tally: Tally) -> None:
        self._arrivals.add(uow, name, lines, tally)

    def _remember(self, name: str, end: int | None) -> None:
        """Finds again which rows of the file stand for rows that were here before, after a restart."""
        for page in self._pages(name, 0, end):
            lines = self._checked(name, page, Tally())
            with self._open() as uow:
                here = self._arrivals.ids.here(uow, name, [row["id"] for _, row in lines])
                self._arrivals.match(uow, name, [line for line in lines if line[1]["id"] not in here], Tally())

    def _take_settings(self) -> None:
        tally = self._copied_tally()
        try:
            values = self._archive.read_small(company_settings.FILE)
        except Unusable as error:
            values = {}
            tally.tell(company_settings.FILE, 0, "", str(error))
        with self._open(write=True) as uow:
            when = self._options.get("settings", company_settings.NEVER)
            company_settings.take(uow, values, when, self._server.checks["settings"], tally)
            self._note(uow, SETTINGS, 1, tally=tally)
        self._tally = tally

    def _connect(self, uow: UnitOfWork, name: str, lines: list[Line], tally: Tally) -> None:
        """Sets links and merges of its tickets that were not changed since."""
        connected = [(line, row) for line, row in lines if row["links"] or row["merged_into"]]
        ids = {row["id"] for _, row in connected}
        ids |= {one["ticket_id"] for _, row in connected for one in row["links"]} | {
            row["merged_into"] for _, row in connected
        }
        new_ids = {old_id: row["id"] for old_id, row in self._arrivals.ids.here(uow, name, ids - {""}).items()}
        tickets = transferred.named(uow, set(new_ids.values()))
        for line, row in connected:
            ticket = tickets.get(new_ids.get(row["id"], ""))
            if ticket is None or ticket["links"] or ticket["merged_into"] or ticket["version"] != row["version"]:
                continue
            links = [
                {
                    **link,
                    "ticket_id": new_ids[link["ticket_id"]],
                    "number": tickets[new_ids[link["ticket_id"]]]["number"],
                }
                for link in row["links"]
                if link["ticket_id"] in new_ids
            ]
            target = new_ids.get(row["merged_into"], "")
            can_merge = transferred.connect(uow, ticket, links, target)
            if len(links) < len(row["links"]) or not can_merge or (row["merged_into"] and not target):
                message = (
                    "Links or a merge of this ticket were left out: the other ticket is not here, or it leads back."
                )
                tally.tell(f"{name}{ROWS}", line, "links", message)

    def _attach(self, line: int, content: bytes) -> None:
        """Adds an attached file: its bytes are durable before its row is."""
        tally = self._copied_tally()
        lines = self._checked("attachments", [(line, content)], tally)
        with self._open() as uow:
            new = self._arrivals.new(uow, "attachments", lines, tally)
        if new:
            try:
                row = self._kept(lines[0][1]["id"], new[0][1])
                with self._open(write=True) as uow:
                    uow.insert_many(attachments, [row])
                    tally.created += 1
                    self._note(uow, "attachments", line, tally=tally)
                self._tally = tally
                return
            except Refused as reason:
                tally.refuse("attachments", line, reason)
        with self._open(write=True) as uow:
            self._note(uow, "attachments", line, tally=tally)
        self._tally = tally

    def _kept(self, old_id: str, row: Row) -> Row:
        """Stores the bytes; returns the row with the name, type, size and hash that they have. Raises Refused."""
        file = self._archive.attached(old_id)
        if file is None:
            raise Refused("id", f"attachments/{old_id} is missing in the ZIP.")
        server, company_id = self._server, self._actor.company_id
        try:
            stored = uploads.keep(
                server.storage,
                server.files,
                company_id,
                row["name"],
                file,
                quota=server.quota,
                field="",
                file_id=row["id"],
            )
        except Unusable as error:
            raise Refused("id", str(error)) from None
        except AppError as error:
            if error.status >= 500:
                raise
            raise Refused("", error.message) from None
        if row["sha256"] and (row["sha256"], row["size"]) != (stored.sha256, stored.size):
            raise Refused("sha256", f"attachments/{old_id} holds other bytes than the row says.")
        values = {name: getattr(stored, name) for name in ("name", "content_type", "size", "sha256")}
        return {**row, **values}

    def _copied_tally(self) -> Tally:
        """A copy of the tally. It replaces the tally only after a commit, so a rollback counts nothing."""
        return replace(self._tally, errors=list(self._tally.errors))

    def _note(self, uow: UnitOfWork, step: str, line: int, *, tally: Tally | None = None, **values: Any) -> None:
        """Stores in this unit of work how far the import is. Raises NotWanted."""
        counts = vars(tally or self._tally)
        done = sum(self._archive.lines.get(name, 0) for name in STEPS[: STEPS.index(step)])
        done += line if step in TABLES else 0
        row = requests.progress_of(uow, self._transfer_id)
        if row is None or (row["place"] or _BEGIN) != self._place:  # given up, or another process goes on with it
            raise requests.NotWanted
        self._place = {"step": step, "line": line}
        requests.progress(uow, self._transfer_id, place=self._place, done=done, **counts, **values)
