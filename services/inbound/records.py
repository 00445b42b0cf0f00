"""The record of each message that came in: its original, what became of it, and the keys that tell it from every other."""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import or_

from core import timestamps
from core.errors import AppError, not_found
from database.tables import inbound_keys, inbound_mails, inbound_originals, replies, tickets
from services import outbox
from services.tickets.anonymise import ERASED
from storage import Row, UnitOfWork

State = Literal["received", "ticket", "reply", "note", "bounce", "duplicate", "ignored", "failed"]
STATES: tuple[str, ...] = ("received", "ticket", "reply", "note", "bounce", "duplicate", "ignored", "failed")
EMAIL = "email"
QUEUE, KIND = "inbound", "inbound_mail"
MAX_ORIGINAL = 25 * 1024 * 1024  # bytes
FOR_GOOD_SECONDS = 400 * 24 * 3600  # keys of ids live longer than any service repeats a mail
LOOSE_KEPT_SECONDS = 30 * 24 * 3600  # of a message that became no part of a ticket
MOST_SENDER, MOST_NOTE = 254, 200
_FIELDS = ("id", "channel", "state", "note", "sender", "external_id", "created_at")


@dataclass(frozen=True, slots=True)
class Packed:
    """An original as it is stored: compressed, as text, since the tables hold no bytes; and the hash of its bytes."""

    text: str
    digest: str


def pack(body: bytes) -> Packed:
    """Packs an original, before a unit of work begins: 24 MiB take a second. Raises AppError 413 beyond MAX_ORIGINAL."""
    if len(body) > MAX_ORIGINAL:
        raise AppError("A mail may have at most 25 MiB.", "too_large", 413)
    return Packed(base64.b64encode(zlib.compress(body, 1)).decode(), hashlib.sha256(body).hexdigest())


def take_mail(uow: UnitOfWork, media: str, original: Packed) -> str:
    """Keeps a mail before anything is parsed and enqueues its reading; returns its id. The same bytes are kept once."""
    mail = uow.insert(inbound_mails, {"channel": EMAIL, "media": media[:200], "created_at": uow.now})
    earlier = claim(uow, mail["id"], f"bytes {original.digest}")
    if earlier:
        uow.delete(inbound_mails, inbound_mails.c.id == mail["id"])
        return earlier
    keep_original(uow, mail["id"], original)
    outbox.enqueue(uow, [outbox.Job(QUEUE, KIND, payload={"mail_id": mail["id"]})])
    return str(mail["id"])


def keep_original(uow: UnitOfWork, mail_id: str, original: Packed) -> None:
    """Keeps the original of a message."""
    uow.insert_many(inbound_originals, [{"mail_id": mail_id, "body": original.text}])


def claim(uow: UnitOfWork, mail_id: str, *keys: str, seconds: float = FOR_GOOD_SECONDS) -> str:
    """Marks keys as those of this message. Returns the message that has one of them already, "" when none has.

    The id of a row is the hash of its key. So the database refuses the second of two equal messages.
    """
    expires_at = timestamps.later(uow.real_now, seconds=seconds)
    for key in keys:
        row_id = hashlib.sha256(f"{uow.actor.company_id} {key}".encode("utf-8", "surrogatepass")).hexdigest()
        if not uow.insert_new(inbound_keys, {"id": row_id, "mail_id": mail_id, "expires_at": expires_at}):
            row = uow.get(inbound_keys, row_id, lock=True)
            if row is None or row["mail_id"] == mail_id:
                continue
            if row["expires_at"] > uow.real_now:
                return str(row["mail_id"])
            uow.update(inbound_keys, row_id, {"mail_id": mail_id, "expires_at": expires_at})
    return ""


def get(uow: UnitOfWork, mail_id: str, *, lock: bool = False) -> Row:
    """The row of a message. Raises AppError 404."""
    row = uow.get(inbound_mails, mail_id, lock=lock)
    if row is None:
        raise not_found()
    return row


def original(uow: UnitOfWork, mail_id: str) -> bytes:
    """The bytes of a mail as they came. Raises AppError 404."""
    row = uow.first(uow.query(inbound_originals).where(inbound_originals.c.mail_id == mail_id))
    if row is None:
        raise not_found()
    return zlib.decompress(base64.b64decode(row["body"]))


def settle(uow: UnitOfWork, mail_id: str, state: State, *, ticket_id: str = "", note: str = "", **values: str) -> Row:
    """Stores what became of a message; `values` are sender and external_id."""
    fields = {"state": state, "note": note[:MOST_NOTE], **values}
    if ticket_id:
        fields["ticket_id"] = ticket_id
    return uow.update(inbound_mails, mail_id, fields) or {}


def find(
    uow: UnitOfWork, *, states: Sequence[str] = (), ticket_id: str = "", limit: int, offset: int
) -> tuple[list[Row], int]:
    """One page of the messages that came in, newest first, and the total."""
    c, query = inbound_mails.c, uow.query(inbound_mails)
    if states:
        query = query.where(c.state.in_(states))
    if ticket_id:
        query = query.where(c.ticket_id == ticket_id)
    page = query.order_by(c.created_at.desc(), c.id.desc()).limit(limit).offset(offset)
    return [shape(row) for row in uow.find(page)], uow.count(query)


def shape(row: Row) -> Row:
    """The public fields of a message."""
    return {**{name: row[name] for name in _FIELDS}, "ticket_id": row["ticket_id"] or ""}


def of_customer(uow: UnitOfWork, customer: Row) -> list[Row]:
    """The messages that a customer sent or that belong to their tickets, oldest first; each original has its own route."""
    c, names = inbound_mails.c, {customer["email"], customer["customer_id"]} - {""}
    of_tickets = c.ticket_id.in_(uow.query(tickets, tickets.c.id).where(tickets.c.customer_row == customer["id"]))
    query = uow.query(inbound_mails).where(or_(c.sender.in_(names), of_tickets))
    return [shape(row) for row in uow.find(query.order_by(c.created_at, c.id))]


def message_ids(uow: UnitOfWork, ticket_id: str, *, most: int) -> list[str]:
    """The Message-IDs of the newest mails of a ticket's customer, oldest first."""
    c = inbound_mails.c
    mails = uow.query(inbound_mails).where(c.ticket_id == ticket_id, c.channel == EMAIL, c.external_id != "")
    answered = mails.where(c.state.in_(("ticket", "reply"))).order_by(c.created_at.desc(), c.id.desc())
    return [row["external_id"] for row in uow.find(answered.limit(most))][::-1]


def forget_tickets(uow: UnitOfWork, ticket_ids: Sequence[str]) -> None:
    """Deletes the messages of these tickets, originals included."""
    uow.delete(inbound_mails, inbound_mails.c.ticket_id.in_(ticket_ids))


def forget_sender(uow: UnitOfWork, names: set[str]) -> None:
    """Deletes the messages that this person sent. Empties the notes that their mails became on other customers'
    tickets."""
    uow.delete(inbound_mails, inbound_mails.c.sender.in_(names))
    notes = (replies.c.author_email.in_(names), replies.c.author_role == "system", replies.c.internal)
    uow.update_where(replies, *notes, body=ERASED)


def purge(uow: UnitOfWork) -> int:
    """Deletes expired keys, and after 30 days messages that became no part of a ticket; returns how many."""
    c, before = inbound_mails.c, timestamps.later(uow.real_now, seconds=-LOOSE_KEPT_SECONDS)
    is_loose = or_(c.ticket_id.is_(None), c.state == "duplicate")
    count = uow.delete(inbound_mails, is_loose, c.state != "received", c.created_at < before)
    return count + uow.delete(inbound_keys, inbound_keys.c.expires_at <= uow.real_now)
