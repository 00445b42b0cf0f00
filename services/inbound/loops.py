"""Which mails must not be answered by themselves, and how much one sender can make us send in an hour."""

import hashlib
import re

from channels.inbound_mail import InboundMail
from database.tables import mail_counts
from storage import Row, UnitOfWork

MOST_ANSWERED = 20  # messages of one sender in an hour that cause mail of ours or a call of the model
_CAUSED = "caused"
_ROBOTS = re.compile(
    r"(?:no|do[._-]?not|dont|never|non)[._-]?(?:reply|responder|rispondere|repondre|answer)|mailer[._-]?daemon|postmaster"
    r"|bounces?|daemon|auto[._-]?(?:reply|responder|confirm)|listserv|majordomo|noreply.*",
    re.IGNORECASE,
)
_BULK = ("bulk", "junk", "list", "auto_reply")
_LISTS = ("list-id", "list-unsubscribe", "list-post", "list-help", "list-owner", "feedback-id", "x-mailing-list")
_REPLIERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply", "x-loop")


def why_automatic(mail: InboundMail, own_addresses: set[str]) -> str:
    """Why a mail is not answered, "" when a person may have written it: RFC 3834, RFC 2919, RFC 5321 §4.5.5 and custom."""
    headers, local = mail.headers, mail.sender.rpartition("@")[0].partition("+")[0]
    if mail.bounce is not None:
        return "it is a delivery report"
    if not mail.sender:
        return "it names no sender"
    if without_tag(mail.sender) in own_addresses:
        return "it comes from an address of ours"
    if headers.get("auto-submitted", "no").partition(";")[0].strip().lower() != "no":
        return "it was sent automatically (Auto-Submitted)"
    if "return-path" in headers and headers["return-path"].strip() in ("<>", "< >"):
        return "it has a null sender"
    if headers.get("precedence", "").strip().lower() in _BULK:
        return "it is bulk mail (Precedence)"
    suppressed = {word.strip().lower() for word in headers.get("x-auto-response-suppress", "").split(",")}
    if suppressed - {"none", ""}:
        return "it asks for no automatic answer (X-Auto-Response-Suppress)"
    if any(name in headers for name in (*_LISTS, *_REPLIERS)):
        return "it comes from a mailing list or an automatic reply"
    return "its address takes no replies" if _ROBOTS.fullmatch(local) else ""


def without_tag(address: str) -> str:
    """The address without its plus part."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def may_cause(uow: UnitOfWork, sender: str) -> bool:
    """Counts a message of a sender. Whether it may still make us send mail or ask the model in this hour."""
    row = _row(uow, without_tag(sender) if "@" in sender else sender)
    uow.count_up(mail_counts, row["id"], "sent" if row["sent"] < MOST_ANSWERED else "held")
    return bool(row["sent"] < MOST_ANSWERED)


def _row(uow: UnitOfWork, sender: str) -> Row:
    hour = f"{uow.real_now[:13]}:00:00.000Z"
    row_id = hashlib.sha256(f"{uow.actor.company_id} {hour} {_CAUSED} {sender}".encode()).hexdigest()
    uow.insert_new(mail_counts, {"id": row_id, "kind": _CAUSED, "hour": hour})
    return uow.get(mail_counts, row_id, lock=True) or {"id": row_id, "sent": 0}
