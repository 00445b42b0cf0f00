"""The file of an import: it arrives in parts, one behind the other. Each part is durable before it counts."""

import re
from dataclasses import dataclass
from typing import IO

from uuid_utils import uuid7

from core import timestamps
from core.errors import AppError, bad_request, conflict, invalid_field, unavailable
from core.models import Actor
from database.file_store.contract import FileStore, FileStoreFailed
from database.tables import transfers
from services.attachments import removal
from services.transfers import company_settings, requests
from storage import Row, Storage, UnitOfWork

MEBI = 1024 * 1024
LEAST_PART = MEBI  # bytes of a part that is not the last
ROWS_BYTES = 1024 * MEBI  # that a file may be larger than the room for attached files
MOST_BYTES = 64 * 1024 * MEBI  # where there is no such limit
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part belongs: its first byte, its length, and the length of the whole file."""

    start: int
    size: int
    total: int

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.start + self.size


def part_of(content_range: str, size: int) -> Part:
    """The part that the header Content-Range says (RFC 9110 §14.4); without one it is the whole file. Raises AppError 400."""
    if not size:
        raise bad_request("empty_file", "The file is empty.")
    if not content_range:
        return Part(0, size, size)
    match = _RANGE.fullmatch(content_range.strip())
    first, last, total = map(int, match.groups()) if match else (0, -1, 0)
    if not match or last - first + 1 != size or last >= total:
        raise invalid_field(
            "Content-Range", "Content-Range must be like bytes 0-33554431/200000000, as long as the body."
        )
    return Part(first, size, total)


def put(
    storage: Storage,
    files: FileStore,
    actor: Actor,
    transfer_id: str,
    part: Part,
    content: IO[bytes],
    *,
    rights: Row,
    quota: int,
) -> Row:
    """Keeps the next part of a file and returns the transfer. The last part begins the import.

    The import may do what both who asked for it and all who send parts may: `rights` is what the caller may, as the
    options of a transfer say it. A part that is here already changes nothing. Raises AppError 400, 404, 409, 413, 503.
    """
    most = quota + ROWS_BYTES if quota else MOST_BYTES
    if part.total > most:
        raise AppError(f"The file is too large: at most {most // MEBI:,} MiB are accepted.", "too_large", 413)
    part_id = str(uuid7())
    with storage.unit_of_work(actor, write=True) as uow:
        row = requests.get(uow, transfer_id)
        if not _is_next(row, part):
            return row
        removal.enqueue(uow, [part_id], delay_seconds=removal.UPLOAD_SECONDS)
    try:
        files.put(actor.company_id, part_id, content)
    except FileStoreFailed as error:
        raise unavailable("The server cannot keep this file right now. Please try again later.") from error
    with storage.unit_of_work(actor, write=True) as uow:
        row = uow.get(transfers, transfer_id, lock=True) or requests.get(uow, transfer_id)
        return _add(uow, row, part, part_id, rights) if _is_next(row, part) else row


def _is_next(row: Row, part: Part) -> bool:
    """Whether the part is the next one; False for one that is here. Raises AppError 400, 409."""
    if row["kind"] != requests.IMPORT:
        raise conflict("no_upload", "An export takes no file.")
    is_here = part.end <= row["size"] and part.total == row["file_size"]
    if is_here and row["state"] in requests.UNFINISHED:
        return False
    if row["state"] != "uploading":
        raise conflict("no_upload", "This import takes no file any more. Begin a new one.")
    if row["file_size"] not in (0, part.total):
        raise conflict(
            "other_file", f"The file of this import has {row['file_size']} bytes. Begin a new one for another."
        )
    if part.start != row["size"]:
        raise conflict("wrong_part", f"Go on with byte {row['size']}: that many bytes are here.")
    if part.size < LEAST_PART and part.end < part.total:
        raise invalid_field("Content-Range", f"A part has at least {LEAST_PART // MEBI} MiB, unless it is the last.")
    return True


def _add(uow: UnitOfWork, row: Row, part: Part, part_id: str, rights: Row) -> Row:
    is_whole = part.end == part.total
    values = {"parts": [*row["parts"], part_id], "size": part.end, "file_size": part.total}
    values["options"] = _both(row["options"], rights)
    until = timestamps.later(uow.real_now, seconds=requests.UPLOAD_SECONDS)
    values |= {"state": "waiting", "expires_at": None} if is_whole else {"expires_at": until}
    after = uow.update(transfers, row["id"], values) or row
    if is_whole:
        requests.enqueue(uow, after)
    return after


def _both(options: Row, rights: Row) -> Row:
    """The options that are left when only what `rights` hold too is allowed."""
    roles = [role for role in options.get("roles", []) if role in rights["roles"]]
    may_set = rights["settings"] != company_settings.NEVER
    return {
        "roles": roles,
        "settings": options.get("settings", company_settings.NEVER) if may_set else company_settings.NEVER,
    }
