"""Requests of transfers: ask for one, read its state, get its file, and remove its file."""

from collections.abc import Sequence
from typing import Any

from core import timestamps
from core.errors import conflict, not_found
from core.models import TRANSFER_FIELDS, Actor, shape
from database.tables import transfers
from services import outbox
from services.attachments import removal
from services.history import Change, record
from storage import Row, UnitOfWork

QUEUE, EXPORT = "transfers", "export"
KINDS = (EXPORT,)
KEPT_SECONDS = 7 * 24 * 3600  # a file is removed after this time
ROW_KEPT_SECONDS = 90 * 24 * 3600
UNFINISHED = ("waiting", "running")
MOST_ERRORS = 200
t = transfers.c


def transfer_shape(row: Row) -> Row:
    """A transfer as callers see it."""
    return shape(row, TRANSFER_FIELDS)


def request(uow: UnitOfWork, kind: str) -> Row:
    """Asks for a transfer, which a job does. Raises AppError 409 while another one of the company is not finished."""
    if uow.first(uow.query(transfers).where(t.state.in_(UNFINISHED))):
        raise conflict("transfer_running", "An export is being made already. Wait until it is done.")
    row = uow.insert(transfers, {"kind": kind, "created_at": uow.now})
    outbox.enqueue(uow, [outbox.Job(QUEUE, kind, payload={"transfer_id": row["id"]})])
    record(uow, row["id"], [Change(f"{kind}_requested")], subject="transfer")
    return row


def get(uow: UnitOfWork, transfer_id: str) -> Row:
    """A transfer. Raises AppError 404."""
    row = uow.get(transfers, transfer_id)
    if row is None:
        raise not_found()
    return row


def with_file(uow: UnitOfWork, transfer_id: str) -> Row:
    """A transfer whose file can be sent. Raises AppError 404, 409."""
    row = get(uow, transfer_id)
    if row["state"] == "expired":
        raise conflict("transfer_expired", "The file of this export is not kept any more. Ask for a new one.")
    if row["state"] != "done":
        raise conflict("transfer_not_done", "This export has no file yet. Ask again when its state is done.")
    record(uow, row["id"], [Change("downloaded")], subject="transfer")
    return row


def progress(uow: UnitOfWork, transfer_id: str, **values: Any) -> bool:
    """Notes how a running transfer stands. Returns whether it is still wanted."""
    return uow.update_where(transfers, t.id == transfer_id, t.state.in_(UNFINISHED), **values) == 1


def finish(uow: UnitOfWork, transfer_id: str, *, size: int, done: int, errors: Sequence[Row]) -> bool:
    """Makes the file of a transfer available for 7 days. Returns whether it is still wanted."""
    values = {"state": "done", "size": size, "done": done, "total": done, "errors": list(errors)[:MOST_ERRORS]}
    values |= {"finished_at": uow.now, "expires_at": timestamps.later(uow.real_now, seconds=KEPT_SECONDS)}
    return progress(uow, transfer_id, **values)


def fail(uow: UnitOfWork, transfer_id: str, reason: str) -> None:
    """Says that a transfer failed, and why."""
    error = {"file": "", "line": 0, "field": "", "message": reason}
    progress(uow, transfer_id, state="failed", errors=[error], finished_at=uow.now)


def forget(uow: UnitOfWork) -> None:
    """Removes the files of all exports, unfinished ones too, because they may hold a person who is erased."""
    rows = uow.find(uow.query(transfers, t.id).where(t.state.in_((*UNFINISHED, "done"))))
    _expire(uow, [row["id"] for row in rows])


def purge(uow: UnitOfWork) -> int:
    """Removes expired files and deletes old rows, of all companies. Returns how many files expired."""
    expired = uow.find(uow.query(transfers, t.id, t.company_id).where(t.state == "done", t.expires_at < uow.real_now))
    for row in expired:
        _expire(uow.as_actor(Actor.system(row["company_id"])), [row["id"]])
    uow.delete(transfers, t.created_at < timestamps.later(uow.real_now, seconds=-ROW_KEPT_SECONDS))
    return len(expired)


def _expire(uow: UnitOfWork, ids: list[str]) -> None:
    if ids:
        uow.update_where(transfers, t.id.in_(ids), state="expired", size=0)
        removal.enqueue(uow, ids)
