"""Removes files of attachments: a job of the change that removed their rows, so that no file outlives its row for long."""

import logging
from collections.abc import Iterable

from sqlalchemy.sql.elements import ColumnElement

from core.models import Actor
from database.file_store.contract import FileStore
from database.tables import attachments, transfers
from services import outbox
from storage import Row, Storage, UnitOfWork

log = logging.getLogger("foyer.attachments")

QUEUE, REMOVE = "files", "remove"
AT_ONCE = 500  # files of one job
UPLOAD_SECONDS = 3600  # the file of an upload that never got its row is removed after this time


def remove_rows(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> list[str]:
    """Deletes the rows of attachments and enqueues the removal of their files. Returns the ids."""
    ids = [row["id"] for row in uow.find(uow.query(attachments, attachments.c.id).where(*conditions))]
    for start in range(0, len(ids), AT_ONCE):
        portion = ids[start : start + AT_ONCE]
        uow.delete(attachments, attachments.c.id.in_(portion))
        enqueue(uow, portion)
    return ids


def enqueue(uow: UnitOfWork, ids: Iterable[str], *, delay_seconds: float = 0) -> None:
    """Enqueues the removal of files without a row; with a delay, of those that have none by then."""
    payload = {"file_ids": list(ids)}
    outbox.enqueue(uow, [outbox.Job(QUEUE, REMOVE, payload=payload, delay_seconds=delay_seconds)])


def remove_files(storage: Storage, files: FileStore, job: Row) -> None:
    """Removes the files of a job that have no row and are no part of an import. Raises FileStoreFailed: it is tried again."""
    ids, company_id = job["payload"]["file_ids"], job["company_id"]
    with storage.unit_of_work(Actor.system(company_id)) as uow:
        row_ids = {
            row["id"] for row in uow.find(uow.query(attachments, attachments.c.id).where(attachments.c.id.in_(ids)))
        }
        unfinished = uow.query(transfers, transfers.c.parts).where(
            transfers.c.state.in_(("uploading", "waiting", "running"))
        )
        row_ids |= {part for row in uow.find(unfinished) for part in row["parts"]}
    for file_id in ids:
        if file_id not in row_ids:
            files.delete(company_id, file_id)
