"""Messages of other channels: each is a turn of a conversation, taken once, and answered as in a chat."""

from dataclasses import dataclass

import orjson

from core.errors import invalid_field, not_found
from core.models import LIMITS
from core.normal_form import EmailNotValidError, valid_email
from database.tables import inbound_mails, replies, tickets
from services.chat import turns
from services.inbound import loops, records
from services.model_access import ModelAccess
from storage import Row, UnitOfWork


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message that is stored. `turn` is None for one that was taken before; `may_answer`: it may cause an answer."""

    mail_id: str
    ticket_id: str
    turn: turns.Turn | None
    may_answer: bool = True


def chat_fields(fields: Row) -> Row:
    """The fields of a chat message. A sender is a customer id of its channel, or an address where it is one.

    Raises AppError 400 when the id is too long together with its channel.
    """
    sender, channel = fields["sender"], fields["channel"]
    try:
        who = {"customer_email": valid_email(sender)}
    except EmailNotValidError:
        prefix = "" if sender.startswith(f"{channel}:") else f"{channel}:"
        who = {"customer_id": f"{prefix}{sender}"}
        if (beyond := len(who["customer_id"]) - LIMITS["customer_id"]) > 0:  # cut, two senders would be one customer
            most = len(sender) - beyond
            raise invalid_field(
                "sender", f"sender may have at most {most} characters with the channel {channel}."
            ) from None
    message = {"message": fields["text"], "tags": [channel], **who}
    if fields.get("sender_name"):
        message["customer_name"] = fields["sender_name"]
    if fields.get("conversation"):
        message["conversation_id"] = fields["conversation"]
    return message


def take(uow: UnitOfWork, access: ModelAccess, fields: Row) -> StoredMessage:
    """Stores a message in its conversation, the same one of a channel once. Raises AppError 400, 403, 404, 409."""
    channel, external_id = fields["channel"], fields["external_id"]
    values = {"channel": channel, "external_id": external_id, "media": "application/json", "created_at": uow.now}
    row = uow.insert(inbound_mails, values)
    if earlier := records.claim(uow, row["id"], f"message {channel} {external_id}"):
        uow.delete(inbound_mails, inbound_mails.c.id == row["id"])
        return StoredMessage(earlier, records.get(uow, earlier)["ticket_id"] or "", None)
    records.keep_original(uow, row["id"], records.pack(orjson.dumps(dict(fields))))
    message = chat_fields(fields)
    # An address proves nothing, so it leads to no open conversation: only an id of the channel does.
    turn = turns.receive(uow, access, message, resumes="customer_id" in message)
    state: records.State = "ticket" if turn.begins and not turn.earlier else "reply"
    sender = message.get("customer_email") or message["customer_id"]
    records.settle(uow, row["id"], state, ticket_id=turn.ticket["id"], sender=sender)
    return StoredMessage(row["id"], turn.ticket["id"], turn, may_answer=loops.may_cause(uow, sender))


def stored_result(uow: UnitOfWork, stored_message: StoredMessage) -> Row:
    """The state of the conversation, with the answer that followed the message, for one that was taken before."""
    ticket = uow.get(tickets, stored_message.ticket_id) if stored_message.ticket_id else None
    if ticket is None:
        raise not_found()
    since = records.get(uow, stored_message.mail_id)["created_at"]
    r = replies.c
    answer = uow.query(replies).where(
        r.ticket_id == ticket["id"], r.created_at > since, ~r.internal, r.author_role.in_(("ai", "system"))
    )
    row = uow.first(answer.order_by(r.created_at, r.id))
    return turns.result(uow, ticket, row["body"] if row else "", source=(row or {}).get("ai_source") or "canned")
