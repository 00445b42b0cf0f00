"""Takes in files: keeps their bytes first, then adds their rows. Other ways in, like mail, call `keep` and `attach`.

Before the bytes are kept, a job is stored. After an hour it removes them unless a row names them. So whatever stops an
upload, it leaves no file for long, and a file with a row is never removed.
"""

import hashlib
import logging
from dataclasses import dataclass
from typing import IO

from sqlalchemy import func
from uuid_utils import uuid7

from core import file_names, file_types
from core.errors import AppError, conflict, invalid_field, unavailable
from core.models import INTERNAL_FILE, Actor
from database.file_store.contract import FileStore, FileStoreFailed
from database.tables import attachments, tickets
from services import settings
from services.accounts.guests import PREFIX
from services.attachments import removal
from services.history import Change, record
from services.tickets import changes
from storage import Row, Storage, UnitOfWork

log = logging.getLogger("foyer.attachments")

MEBI = 1024 * 1024
GUESTS_PART = 4  # guests, whom nobody knows, fill a quarter of the room and leave the rest to everybody else


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are durable. It has no row yet."""

    id: str
    name: str
    content_type: str
    size: int
    sha256: str


def keep(
    storage: Storage,
    files: FileStore,
    company_id: str,
    name: str,
    content: IO[bytes],
    *,
    quota: int,
    field: str = "content",
    file_id: str = "",
    guest: bool = False,
) -> StoredFile:
    """Keeps the bytes of a file, outside any transaction. `content` can seek; `quota` is in bytes, 0 for none;
    `file_id` is the id that its row gets, a new one without; a `guest` of the chat gets a part of the quota.

    Its type is read from the bytes. Who may attach it is checked by the caller, and by `attach`. Raises AppError 400
    for an empty file or a type that is not accepted (in `field`), and 413 for one that is too large. 409 says that the
    company's quota is used up, 503 that the store is not there.
    """
    name, file_id, size = file_names.clean(name), file_id or str(uuid7()), content.seek(0, 2)
    content.seek(0)
    head = content.read(file_types.HEAD)
    content.seek(0)
    if not size:
        raise invalid_field(field, "The file is empty.")
    media = file_types.of_bytes(head, name)
    with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
        own_settings = settings.current(uow)
        _check_size(size, own_settings["attachment_megabytes"])
        _check_type(media, name, own_settings["attachment_types"], field)
        _check_quota(uow, size, quota, guest=guest)
        removal.enqueue(uow, [file_id], delay_seconds=removal.UPLOAD_SECONDS)
    hashed = _Hashed(content)
    try:
        files.put(company_id, file_id, hashed)  # type: ignore[arg-type]
    except FileStoreFailed as error:
        log.error("A file could not be kept: %s", error)
        raise unavailable("The server cannot keep this file right now. Please try again later.") from error
    return StoredFile(file_id, name, media, size, hashed.digest.hexdigest())


def attach(
    uow: UnitOfWork,
    ticket_id: str,
    stored_file: StoredFile,
    *,
    quota: int,
    reply_id: str = "",
    internal: bool = False,
    author_role: str = "",
    said_by: str = "",
) -> Row:
    """Adds a kept file to a ticket, and to a reply of it. Returns its row. Raises AppError 404, 409.

    `author_role` is agent or customer, by the caller's own role when not given.
    """
    ticket = changes.get_for_update(uow, ticket_id)
    role = author_role or ("customer" if uow.actor.is_customer else "agent")
    if internal and role == "customer":
        raise invalid_field("internal", "Only agents attach internal files.")
    seeing = uow.as_system() if uow.actor.is_customer else uow  # customers see own files alone
    _check_quota(seeing, stored_file.size, quota, guest=uow.actor.guest)
    row = uow.insert(
        attachments,
        {
            "id": stored_file.id,
            "ticket_id": ticket["id"],
            "reply_id": reply_id,
            "name": stored_file.name,
            "content_type": stored_file.content_type,
            "size": stored_file.size,
            "sha256": stored_file.sha256,
            "author_role": role,
            "internal": internal,
            "created_at": uow.now,
        },
    )
    action = INTERNAL_FILE if internal else "attached"
    record(uow, ticket["id"], [Change(action, "attachments", "", stored_file.name)], said_by=said_by)
    changes.write_quietly(uow, ticket, {}, visible=True)
    return row


def used_bytes(uow: UnitOfWork) -> int:
    """The size of all files of the company."""
    return int(uow.aggregate(uow.query(attachments, func.coalesce(func.sum(attachments.c.size), 0)))[0][0])


def _used_by_guests(uow: UnitOfWork) -> int:
    """The size of all files in conversations of guests."""
    theirs = uow.query(attachments, func.coalesce(func.sum(attachments.c.size), 0))
    theirs = theirs.join(tickets, tickets.c.id == attachments.c.ticket_id)
    return int(uow.aggregate(theirs.where(tickets.c.customer_id.startswith(PREFIX)))[0][0])


def _check_size(size: int, most: int) -> None:
    if size > most * MEBI:
        raise AppError(f"The file is too large: at most {most} MiB are accepted.", "too_large", 413)


def _check_type(media: str, name: str, patterns: list[str], field: str) -> None:
    if file_names.is_program(name) and media not in patterns:
        ending = file_names.ending(name)[:20]
        raise invalid_field(field, f"A file that ends in .{ending} is not accepted: it may be a program.")
    if not file_types.accepts(patterns, media):
        raise invalid_field(
            field, f"By its bytes this file is {media}, which is not accepted. An admin can change attachment_types."
        )


def _check_quota(uow: UnitOfWork, size: int, quota: int, *, guest: bool) -> None:
    if quota and used_bytes(uow) + size > quota:
        message = f"Your company's room for files ({quota // MEBI} MiB) is used up. Remove files, or ask for more."
        raise conflict("quota_reached", message)
    if quota and guest and _used_by_guests(uow) + size > quota // GUESTS_PART:
        raise conflict("quota_reached", "The room for files of guests is used up. Write what it shows, or sign in.")


class _Hashed:
    """A file that computes its SHA-256 while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece
