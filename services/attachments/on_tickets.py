"""The files of tickets and replies: lists, reads and removes them."""

import logging
from collections.abc import Collection, Iterator
from contextlib import ExitStack

from core.errors import AppError, conflict, not_found, unavailable
from core.models import ATTACHMENT_FIELDS, CUSTOMER_ATTACHMENT_FIELDS, INTERNAL_FILE, Actor, shape
from database.file_store.contract import FileMissing, FileStore, FileStoreFailed
from database.tables import attachments
from services.attachments import removal
from services.history import Change, record
from services.tickets import changes, merged
from storage import Row, UnitOfWork

log = logging.getLogger("foyer.attachments")
a = attachments.c


def attachment_shape(row: Row, actor: Actor) -> Row:
    """An attachment with the fields this actor may see."""
    return shape(row, CUSTOMER_ATTACHMENT_FIELDS if actor.is_customer else ATTACHMENT_FIELDS)


def of_ticket(uow: UnitOfWork, ticket_id: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the files of a ticket and of those merged into it, oldest first, and the total. Raises AppError 404."""
    changes.get(uow, ticket_id)
    rows = uow.query(attachments).where(a.ticket_id.in_([ticket_id, *merged.sources(uow, ticket_id)]))
    return uow.find(rows.order_by(a.created_at, a.id).limit(limit).offset(offset)), uow.count(rows)


def public_of(uow: UnitOfWork, ticket_ids: Collection[str]) -> list[Row]:
    """The files of these tickets that customers see, oldest first."""
    if not ticket_ids:
        return []
    rows = uow.query(attachments).where(a.ticket_id.in_(ticket_ids), ~a.internal)
    return uow.find(rows.order_by(a.created_at, a.id))


def get(uow: UnitOfWork, attachment_id: str) -> Row:
    """The row of a file. Raises AppError 404."""
    row = uow.get(attachments, attachment_id)
    if row is None:
        raise not_found()
    return row


def remove(uow: UnitOfWork, attachment_id: str) -> None:
    """Removes a file; a customer only one that they added and that no reply has. Raises AppError 404, 409."""
    row = uow.get(attachments, attachment_id, lock=True)
    if row is None:
        raise not_found()
    if uow.actor.is_customer and (row["author_role"] != "customer" or row["reply_id"]):
        raise conflict("not_removable", "You can remove only a file that you added and that no reply has yet.")
    removal.remove_rows(uow, a.id == row["id"])
    ticket = changes.get_for_update(uow, row["ticket_id"], even_erased=True)
    action = INTERNAL_FILE if row["internal"] else "attachment_removed"
    record(uow, ticket["id"], [Change(action, "attachments", row["name"], "")])
    record(uow, row["id"], [Change("deleted")], subject="attachment")
    changes.write_quietly(uow, ticket, {}, visible=True)


class Content:
    """The bytes of a file in pieces. `close` closes it, also when nothing was read."""

    def __init__(self, files: FileStore, row: Row) -> None:
        self._opened = ExitStack()
        self._pieces = self._opened.enter_context(files.open(row["company_id"], row["id"]))

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        finally:
            self.close()

    def close(self) -> None:
        """Closes the file."""
        self._opened.close()


def content(files: FileStore, row: Row) -> Content:
    """The bytes of a file. It is opened now, so what fails is told before the first piece.

    Raises AppError 404 when the bytes are gone, 503.
    """
    try:
        return Content(files, row)
    except FileMissing:
        log.error("The file of attachment %s is missing in %s", row["id"], files.place)
        raise AppError("The file is no longer on the server.", "file_missing", 404) from None
    except FileStoreFailed as error:
        log.error("An attachment cannot be read: %s", error)
        raise unavailable("The file cannot be read right now. Please try again later.") from error
