"""The files of a mail become attachments of its ticket or reply. What cannot be attached is named; the original holds it."""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from channels.inbound_mail import AttachedFile
from channels.mail_values import plain
from core.errors import AppError
from database.file_store.contract import FileStore
from services.attachments import uploads
from storage import Storage, UnitOfWork

log = logging.getLogger("foyer.inbound")

MOST_ATTACHED, MOST_NAMED = 50, 20


@dataclass(frozen=True, slots=True)
class MailFiles:
    """The files of a mail whose bytes are durable, and the names of those that are in the original alone."""

    kept: Sequence[uploads.StoredFile] = ()
    refused: Sequence[str] = ()

    @property
    def note(self) -> str:
        """A line that names the files that are not attached, "" when all are."""
        names = ", ".join(plain(name)[:100] or "file" for name in self.refused[:MOST_NAMED])
        more = f" and {len(self.refused) - MOST_NAMED} more" if len(self.refused) > MOST_NAMED else ""
        return f"[Not attached, see the original mail: {names}{more}]" if names else ""


def keep(
    storage: Storage, store: FileStore, company_id: str, files: Sequence[AttachedFile], *, quota: int
) -> MailFiles:
    """Keeps the bytes of the files, outside any transaction. A file that is refused, by type, size or quota, is named."""
    kept, refused = list[uploads.StoredFile](), [file.name for file in files[MOST_ATTACHED:]]
    for file in files[:MOST_ATTACHED]:
        try:
            kept.append(
                uploads.keep(storage, store, company_id, plain(file.name), io.BytesIO(file.content), quota=quota)
            )
        except AppError as error:
            if error.status >= 500:
                raise  # the store is down: the job tries again
            refused.append(file.name)
    return MailFiles(kept, refused)


def attach(
    uow: UnitOfWork,
    ticket_id: str,
    files: MailFiles,
    *,
    quota: int,
    sender: str,
    reply_id: str = "",
    internal: bool = False,
) -> None:
    """Adds kept files to the ticket, and to a reply of it; those of a note are internal."""
    role = "agent" if internal else "customer"
    for file in files.kept:
        try:
            uploads.attach(
                uow,
                ticket_id,
                file,
                quota=quota,
                reply_id=reply_id,
                internal=internal,
                author_role=role,
                said_by=sender,
            )
        except AppError as error:  # the quota was used up meanwhile; the original has the file
            log.warning("A file of a mail is not attached: %s", error)
