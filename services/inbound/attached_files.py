"""The files of a mail. Until attachments have a home of their own, the original holds them and the text names them."""

from collections.abc import Sequence

from channels.inbound_mail import AttachedFile
from channels.mail_values import plain
from storage import UnitOfWork

MOST_NAMED = 20


def keep(uow: UnitOfWork, ticket_id: str, files: Sequence[AttachedFile], *, reply_id: str = "") -> None:
    """Keeps the files of a mail with their ticket or reply: the place for services.attachments.store."""


def listed(files: Sequence[AttachedFile]) -> str:
    """A line that names the files and their sizes, "" without files."""
    names = [f"{plain(file.name)[:100] or 'file'} ({_size(len(file.content))})" for file in files[:MOST_NAMED]]
    more = f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
    return f"[Attached: {', '.join(names)}{more}]" if names else ""


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1024 else f"{count // 1024} KB" if count < 1024 * 1024 else f"{count >> 20} MB"
