"""Requests of transfers: ask for one, read its state, get its file, and remove its files."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_

from core import timestamps
from core.errors import conflict, not_found
from core.models import TRANSFER_FIELDS, Actor, shape
from database.tables import transfers
from services import outbox
from services.attachments import removal
from services.history import Change, record
from storage import Row, UnitOfWork

QUEUE, EXPORT, IMPORT = "transfers", "export", "import"
KEPT_SECONDS = 7 * 24 * 3600  # a file is removed after this time
UPLOAD_SECONDS = 24 * 3600  # an import whose next part does not come is given up after this time
ROW_KEPT_SECONDS = 90 * 24 * 3600
UNFINISHED = ("uploading", "waiting", "running")
MOST_ERRORS = 200
_RUNNING = {
    EXPORT: "An export is being made already. Wait until it is done.",
    IMPORT: "An import is running already. Wait until it is done.",
}
t = transfers.c


class NotWanted(Exception):
    """The transfer was given up meanwhile, or another process does it."""


def transfer_shape(row: Row) -> Row:
    """A transfer as callers see it."""
    return shape(row, TRANSFER_FIELDS)


def request(uow: UnitOfWork, kind: str, **values: Any) -> Row:
    """Asks for a transfer. Raises AppError 409 while another one of the company is not finished.

    A job makes an export; an import waits for its file. One that still waits is given up for the new one.
    """
    _expire(uow, uow.find(uow.query(transfers).where(t.state == "uploading")))
    if other := uow.first(uow.query(transfers).where(t.state.in_(UNFINISHED))):
        raise conflict("transfer_running", _RUNNING[other["kind"]])
    row = uow.insert(transfers, {"kind": kind, "created_at": uow.now, **values})
    if kind == EXPORT:
        enqueue(uow, row)
    record(uow, row["id"], [Change(f"{kind}_requested")], subject="transfer")
    return row


def enqueue(uow: UnitOfWork, row: Row) -> None:
    """Enqueues the job that does the transfer."""
    outbox.enqueue(uow, [outbox.Job(QUEUE, row["kind"], payload={"transfer_id": row["id"]})])


def get(uow: UnitOfWork, transfer_id: str, *, lock: bool = False) -> Row:
    """A transfer. Raises AppError 404."""
    row = uow.get(transfers, transfer_id, lock=lock)
    if row is None:
        raise not_found()
    return row


def find(uow: UnitOfWork, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the company's transfers, the newest first, and the total."""
    query = uow.query(transfers)
    page = query.order_by(t.created_at.desc(), t.id.desc()).limit(limit).offset(offset)
    return uow.find(page), uow.count(query)


def stop(uow: UnitOfWork, row: Row) -> Row:
    """Stops an unfinished transfer and removes its files; of an export that is done, its file. Raises AppError 409.

    An import commits each page of rows with its place, and asks for its state in that commit. So it ends behind a page.
    """
    if row["state"] in ("stopped", "expired"):
        return row
    if row["state"] in UNFINISHED:
        values: Row = {"state": "stopped", "finished_at": uow.now, "expires_at": None, "parts": []}
        removal.enqueue(uow, [row["id"], *row["parts"]])
        record(uow, row["id"], [Change(f"{row['kind']}_stopped")], subject="transfer")
        return uow.update(transfers, row["id"], {**values, "size": 0}) or row
    if row["kind"] == EXPORT and row["state"] == "done":
        _expire(uow, [row])
        return get(uow, row["id"])
    raise conflict("transfer_finished", f"This {row['kind']} is {row['state']}. There is nothing to stop.")


def with_file(uow: UnitOfWork, transfer_id: str) -> Row:
    """A transfer whose file can be sent. Raises AppError 404, 409."""
    row = get(uow, transfer_id)
    if row["kind"] != EXPORT:
        raise conflict("no_file", "An import has no file to download.")
    if row["state"] == "expired":
        raise conflict("transfer_expired", "The file of this export is not kept any more. Ask for a new one.")
    if row["state"] != "done":
        raise conflict("transfer_not_done", "This export has no file yet. Ask again when its state is done.")
    record(uow, row["id"], [Change("downloaded")], subject="transfer")
    return row


def progress(uow: UnitOfWork, transfer_id: str, **values: Any) -> bool:
    """Stores the progress of an unfinished transfer. Returns False for one that was given up."""
    return uow.update_where(transfers, t.id == transfer_id, t.state.in_(UNFINISHED), **values) == 1


def finish(uow: UnitOfWork, transfer_id: str, *, size: int, done: int, errors: Sequence[Row]) -> bool:
    """Makes the file of an export available for 7 days. Returns False for one that was given up."""
    values = {"state": "done", "size": size, "done": done, "total": done, "errors": list(errors)[:MOST_ERRORS]}
    values |= {"finished_at": uow.now, "expires_at": timestamps.later(uow.real_now, seconds=KEPT_SECONDS)}
    return progress(uow, transfer_id, **values)


def fail(uow: UnitOfWork, transfer_id: str, reason: str) -> None:
    """Marks a transfer as failed, with the reason. What an import added before stays."""
    if row := progress_of(uow, transfer_id):
        errors = [*row["errors"][: MOST_ERRORS - 1], {"file": "", "line": 0, "field": "", "message": reason[:500]}]
        progress(uow, transfer_id, state="failed", errors=errors, finished_at=uow.now, parts=[], expires_at=None)
        if row["parts"]:
            removal.enqueue(uow, row["parts"])


def progress_of(uow: UnitOfWork, transfer_id: str) -> Row | None:
    """An unfinished transfer, locked; None for one that is done, failed or given up."""
    row = uow.get(transfers, transfer_id, lock=True)
    return row if row is not None and row["state"] in UNFINISHED else None


def finish_import(uow: UnitOfWork, transfer_id: str) -> None:
    """Marks an import as done, and removes its file."""
    if row := progress_of(uow, transfer_id):
        values = {"state": "done", "done": row["total"], "finished_at": uow.now, "expires_at": None, "parts": []}
        uow.update(transfers, transfer_id, values)
        removal.enqueue(uow, row["parts"])
        record(uow, transfer_id, [Change("imported", "rows", "", row["created"])], subject="transfer")


def forget(uow: UnitOfWork, *, imports: bool = False) -> None:
    """Removes the files of all exports, unfinished ones too, because they may hold a person who is erased.

    With `imports` those of unfinished imports too: the file could bring the person back.
    """
    states = t.state.in_((*UNFINISHED, "done"))
    is_wanted = t.kind == EXPORT if not imports else or_(t.kind == EXPORT, t.state != "done")
    _expire(uow, uow.find(uow.query(transfers).where(states, is_wanted)))


def purge(uow: UnitOfWork) -> int:
    """Removes expired files and deletes old rows, of all companies. Returns how many files expired."""
    is_over = (t.state.in_(("done", "uploading")), t.expires_at < uow.real_now)
    expired = uow.find(uow.query(transfers).where(*is_over))
    for row in expired:
        _expire(uow.as_actor(Actor.system(row["company_id"])), [row])
    uow.delete(transfers, t.created_at < timestamps.later(uow.real_now, seconds=-ROW_KEPT_SECONDS))
    return len(expired)


def _expire(uow: UnitOfWork, rows: list[Row]) -> None:
    if rows:
        uow.update_where(transfers, t.id.in_([row["id"] for row in rows]), state="expired", size=0, parts=[])
        removal.enqueue(uow, [one for row in rows for one in (row["id"], *row["parts"])])
