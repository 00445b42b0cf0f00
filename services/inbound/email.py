"""What becomes of a mail: a ticket, a reply, a note or nothing. From and subject prove nothing; only a signed reference
leads to a ticket, and only its customer's address makes a mail a reply.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from ai.retrieval.index import Hit
from auth.references import References
from channels import reply_text
from channels.inbound_mail import InboundMail
from core import timestamps
from core.models import LIMITS, NOTE_ADDED
from database.tables import customers, replies, tickets, users
from services import history
from services.inbound import addresses, attached_files, loops, records
from services.inbound.attached_files import MailFiles
from services.tickets import changes, create, follow_ups, merged, notifications
from services.tickets import replies as threads
from services.tickets.titles import title_of
from services.triage.trained_models import TrainedModels
from storage import Row, UnitOfWork

SAME_TEXT_SECONDS = 3600  # the same text of the same sender within this time is one message
NO_SENDER = "mail-without-sender"  # customer id of tickets whose mail names nobody to answer
NO_FILES = MailFiles()
NO_TEXT = "(This mail has no text.)"
MORE = "\n\n[The rest is in the original mail.]"


@dataclass(frozen=True, slots=True)
class MailContext:
    """What the reading of mail needs of the running server. `own_addresses` are those the server itself sends from."""

    references: References
    trained_models: TrainedModels
    model_ready: bool
    own_addresses: frozenset[str] = frozenset()
    quota: int = 0  # bytes of all files of the company, 0 for no limit


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail at work: its row, what it says, its kept files, and what its row shall say of it."""

    mail_id: str
    mail: InboundMail
    files: MailFiles
    about: Row


def fields_of(mail: InboundMail, files: MailFiles = NO_FILES) -> Row:
    """The fields of a new ticket from a mail: title, description, source, customer."""
    text = mail.text if reply_text.is_forward(mail.subject) else reply_text.without_signature(mail.text)
    body = _body(text, files)
    if mail.unreadable:
        body = f"[This mail could not be read whole: {mail.unreadable}. The original is kept.]\n\n{body}"
    title = mail.subject[: LIMITS["title"]] or (title_of(text) if text.strip() else "(no subject)")
    who = {"customer_email": mail.sender} if mail.sender else {"customer_id": NO_SENDER}
    return {"title": title, "description": body[: LIMITS["description"]], "source": "email", **who}


def receive(
    uow: UnitOfWork, context: MailContext, mail_id: str, mail: InboundMail, files: MailFiles, article: Hit | None = None
) -> Row:
    """Makes of a kept mail what it is; returns its row afterwards. Doing it again changes nothing. Raises AppError 404."""
    row = records.get(uow, mail_id, lock=True)
    if row["state"] not in ("received", "failed"):
        return row
    ticket = _ticket_of(uow, context, mail)
    about = {"sender": mail.sender[: records.MOST_SENDER], "external_id": mail.message_id}
    if earlier := _earlier(uow, mail_id, mail, ticket):
        twin = records.get(uow, earlier)
        note = f"the same as message {earlier}"
        return records.settle(uow, mail_id, "duplicate", ticket_id=twin["ticket_id"] or "", note=note, **about)
    if mail.bounce is not None:
        return _bounced(uow, mail_id, mail, ticket, about)
    automatic = loops.why_automatic(mail, {*context.own_addresses, *addresses.of_company(uow)})
    stored_mail = StoredMail(mail_id, mail, files, about)
    if ticket is None:
        return _open(uow, context, stored_mail, quiet=automatic, article=article)
    if reason := automatic or _stranger(uow, ticket, mail):
        return _note(uow, context, stored_mail, ticket, reason, tell=not automatic)
    return _reply(uow, context, stored_mail, ticket)


def _ticket_of(uow: UnitOfWork, context: MailContext, mail: InboundMail) -> Row | None:
    """The ticket that a signed reference of the mail names, or the one it is merged into."""
    ticket_id = context.references.ticket_of(uow.actor.company_id, [*mail.recipients, *mail.references])
    ticket = uow.get(tickets, ticket_id) if ticket_id else None
    ticket = merged.root(uow, ticket) if ticket else None
    return None if ticket is None or ticket["erased_at"] else ticket


def _earlier(uow: UnitOfWork, mail_id: str, mail: InboundMail, ticket: Row | None) -> str:
    """The message that this one repeats, "" for a new one: by its Message-ID, else by sender and content within an hour.

    Each content has two keys, of this hour and the next. So two equal mails around the full hour are found as well.
    """
    by_id = [f"mail {mail.message_id} {mail.sender}"] if mail.message_id else []
    if earlier := records.claim(uow, mail_id, *by_id):
        return earlier
    if mail.unreadable:
        return ""  # of two broken mails the same little may be left; the same bytes were kept once
    digest = hashlib.sha256()
    texts = (
        mail.sender,
        ticket["id"] if ticket else "",
        *mail.references[:1],
        mail.subject,
        " ".join(mail.text.split()),
    )
    for part in (*(text.encode("utf-8", "replace") for text in texts), *(file.content for file in mail.files)):
        digest.update(hashlib.sha256(part).digest())
    hour = int(timestamps.moment(uow.real_now).timestamp()) // SAME_TEXT_SECONDS
    keys = [f"content {digest.hexdigest()} {number}" for number in (hour, hour + 1)]
    return records.claim(uow, mail_id, *keys, seconds=2 * SAME_TEXT_SECONDS)


def _stranger(uow: UnitOfWork, ticket: Row, mail: InboundMail) -> str:
    """Why the sender does not write as the customer of the ticket, "" when From is the customer's address."""
    at_work = uow.query(users, users.c.id).where(users.c.email == mail.sender, users.c.role != "customer")
    if uow.first(at_work):
        return f"it claims to be from {mail.sender}, who works here, and mail cannot prove that"
    if mail.sender != ticket["customer_email"]:
        return f"{mail.sender} is not the customer of this ticket, and is not verified"
    return ""


def _open(uow: UnitOfWork, context: MailContext, stored_mail: StoredMail, *, quiet: str, article: Hit | None) -> Row:
    mail = stored_mail.mail
    fields = fields_of(mail, stored_mail.files)
    known = uow.query(customers, customers.c.id).where(customers.c.email == mail.sender, customers.c.email != "")
    if mail.sender_name and not uow.first(known):  # nobody renames a customer by a mail
        fields["customer_name"] = mail.sender_name[: LIMITS["name"]]
    if not quiet and not loops.may_cause(uow, mail.sender):
        quiet = "its sender wrote too often in this hour"
    if quiet:
        ticket = create.import_ticket(uow, context.trained_models, fields)
    else:
        ticket = create.open_ticket(
            uow, context.trained_models, fields, model_ready=context.model_ready, article=article, said_by=mail.sender
        )
    _attach(uow, context, stored_mail, ticket["id"])
    note = f"not answered by itself: {quiet}" if quiet else ""
    if mail.unreadable:
        note = f"not read whole: {mail.unreadable}"
    return records.settle(uow, stored_mail.mail_id, "ticket", ticket_id=ticket["id"], note=note, **stored_mail.about)


def _reply(uow: UnitOfWork, context: MailContext, stored_mail: StoredMail, ticket: Row) -> Row:
    mail = stored_mail.mail
    quiet = not loops.may_cause(uow, mail.sender)
    fields = {"body": _body(reply_text.reply_of(mail.text), stored_mail.files), "author_role": "customer"}
    reply, follow_up = follow_ups.add_reply(
        uow,
        context.trained_models,
        ticket["id"],
        fields,
        model_ready=context.model_ready,
        said_by=mail.sender,
        quiet=quiet,
    )
    ticket_id = (follow_up or ticket)["id"]
    _attach(uow, context, stored_mail, ticket_id, reply_id=reply["id"])
    note = "nobody was told: its sender wrote too often in this hour" if quiet else ""
    return records.settle(uow, stored_mail.mail_id, "reply", ticket_id=ticket_id, note=note, **stored_mail.about)


def _note(
    uow: UnitOfWork, context: MailContext, stored_mail: StoredMail, ticket: Row, reason: str, *, tell: bool
) -> Row:
    """Keeps the mail as an internal note that says why it is no reply. The status stays and the customer learns nothing."""
    mail = stored_mail.mail
    text = f"A mail is kept as a note: {reason}.\n\n{_body(reply_text.reply_of(mail.text), stored_mail.files)}"
    note: dict[str, Any] = {"author_role": "system", "author_name": "Mail", "author_email": mail.sender}
    note |= {"ticket_id": ticket["id"], "body": text[: LIMITS["body"]], "internal": True, "created_at": uow.now}
    reply = uow.insert(replies, note)
    change = history.Change(NOTE_ADDED, "replies", "", reply["id"])
    history.record(uow, ticket["id"], [change], said_by=mail.sender)
    _attach(uow, context, stored_mail, ticket["id"], reply_id=reply["id"], internal=True)
    if tell and loops.may_cause(uow, mail.sender):
        notifications.notify_note(uow, changes.get(uow, ticket["id"]), reason)
    return records.settle(uow, stored_mail.mail_id, "note", ticket_id=ticket["id"], note=reason, **stored_mail.about)


def _bounced(uow: UnitOfWork, mail_id: str, mail: InboundMail, ticket: Row | None, about: Row) -> Row:
    """A delivery report: what happened to the mail goes into the history and a note of its ticket."""
    bounce = mail.bounce
    if ticket is None or bounce is None:
        return records.settle(uow, mail_id, "ignored", note="a delivery report about no mail of ours", **about)
    what = "is delayed" if bounce.action == "delayed" else "could not be delivered"
    if bounce.action in ("delivered", "relayed", "expanded"):
        what = "was delivered"
    change = history.Change(
        "mail_bounced", "customer_email", bounce.recipient, f"{bounce.action} {bounce.status}".strip()
    )
    history.record(uow, ticket["id"], [change])
    status = f" ({bounce.status})" if bounce.status else ""
    text = f"A mail to {bounce.recipient or ticket['customer_email'] or 'the customer'} {what}{status}."
    threads.add_turn(uow, ticket, "system", text, internal=True)
    return records.settle(uow, mail_id, "bounce", ticket_id=ticket["id"], note=text, **about)


def _attach(
    uow: UnitOfWork,
    context: MailContext,
    stored_mail: StoredMail,
    ticket_id: str,
    *,
    reply_id: str = "",
    internal: bool = False,
) -> None:
    attached_files.attach(
        uow,
        ticket_id,
        stored_mail.files,
        quota=context.quota,
        sender=stored_mail.mail.sender,
        reply_id=reply_id,
        internal=internal,
    )


def _body(text: str, files: MailFiles) -> str:
    """The text of a message with the names of files that are not attached, within the limit of a body."""
    most = LIMITS["body"] - len(files.note) - len(MORE) - 2
    text = text.strip()
    text = text if len(text) <= most else text[:most] + MORE
    return "\n\n".join(filter(None, (text or NO_TEXT, files.note)))
