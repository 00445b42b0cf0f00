"""Reads an incoming mail: bytes become an InboundMail. No rows; nothing here raises for what a sender wrote.

Broken MIME is read as far as it can be, and what cannot be read is named in `unreadable`. The caller keeps the original.
"""

import logging
import re
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Compat32
from itertools import islice
from typing import Any

from channels import posted_mail
from channels.html_text import as_text
from channels.inbound_mail import AttachedFile, Bounce, InboundMail
from channels.mail_values import MOST_HEADER, address, decoded, header_text, mailboxes, message_ids, plain, raw_text

log = logging.getLogger("foyer.mail")

MAIL = "message/rfc822"
HEADERS_ONLY = "text/rfc822-headers"  # of a mail that was too large to fetch
MOST_TEXT = 200_000  # characters of all text parts that are read
MOST_PARTS, MOST_DEPTH, MOST_FILES = 2_000, 30, 1_000
MOST_HEADERS = 500
MOST_HEAD = 500_000  # bytes of the headers of a mail
DELIVERED_TO = ("x-original-to", "delivered-to", "x-envelope-to", "envelope-to", "x-rcpt-to", "x-forwarded-to")
_NAMED_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,248}>)", re.IGNORECASE | re.MULTILINE)
_REPORT_FIELD = re.compile(rb"^(final-recipient|original-recipient|action|status):[ \t]*([^\r\n]{1,400})", re.I | re.M)


class _Policy(Compat32):
    """The most forgiving policy of the library, with short headers: its time grows with the square of their length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[: 2_000 if name.lower().startswith("content-") else MOST_HEADER]


_POLICY = _Policy()


@dataclass(slots=True)
class _Content:
    """What the parts of a mail hold."""

    texts: list[str] = field(default_factory=list)
    files: list[AttachedFile] = field(default_factory=list)
    report: bytes = b""
    returned: bytes = b""  # headers of the mail that a report is about
    left: int = MOST_TEXT
    parts: int = 0


def parse(media: str, body: bytes) -> InboundMail:
    """The mail in a body of that media type: a mail itself, or the form or JSON of a service that received it."""
    if media.split(";")[0].strip().lower() == HEADERS_ONLY:
        return replace(_headers_only(body), unreadable="the mail is too large")
    try:
        posted = posted_mail.unpack(media, body)
        if posted is None:
            return _of_mime(body)
        if posted.mime:
            mail = _of_mime(posted.mime)
            return replace(mail, recipients=_unique([*posted.recipients, *mail.recipients]))
        return _of_posted(posted)
    except Exception as error:  # whatever the libraries make of it: the mail must not be lost
        log.warning("A mail could not be parsed whole: %s", type(error).__name__)
        return _as_far_as_possible(body)


def recipients_of(media: str, body: bytes) -> tuple[list[str], list[str]]:
    """The recipients that the envelope names, and those that the headers name; both may be empty."""
    try:
        posted = posted_mail.unpack(media, body)
        head = _head(posted.mime or b"" if posted else body)
        message: Message = BytesHeaderParser(policy=_POLICY).parsebytes(head)
        headers = [*(posted.headers if posted else []), *_items(message)]
    except Exception as error:  # as above
        log.warning("The recipients of a mail could not be read: %s", type(error).__name__)
        return [], []
    envelope = [*(posted.recipients if posted else ()), *_addresses(headers, DELIVERED_TO)]
    return envelope, _addresses(headers, ("to", "cc", "resent-to"))


def _head(body: bytes) -> bytes:
    end = re.search(rb"\r?\n\r?\n", body[: 2 * MOST_HEAD])
    return body[: end.end() if end else 2 * MOST_HEAD]


def _items(message: Message) -> list[tuple[str, str]]:
    raw = islice(message.raw_items(), MOST_HEADERS)  # items() replaces what is not ASCII
    return [(name.lower(), raw_text(value)) for name, value in raw]


def _addresses(headers: list[tuple[str, str]], names: tuple[str, ...]) -> list[str]:
    return [found for _, found in mailboxes(value for name, value in headers if name in names)]


def _unique(addresses: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))


def _of_mime(body: bytes) -> InboundMail:
    head = _head(body)
    if len(head) > MOST_HEAD:  # the last lines of such headers are left out
        body = head[:MOST_HEAD].rpartition(b"\n")[0] + b"\n\n" + body[len(head) :]
    message: Message = BytesParser(policy=_POLICY).parsebytes(body)
    content = _Content()
    _read(message, content, 0)
    if not content.texts and not content.files and not message.get_content_type().startswith("text/"):
        content.texts.append(decoded(body[len(_head(body)) :][:MOST_TEXT], "utf-8"))
    return _mail(_items(message), "\n\n".join(content.texts), content)


def _of_posted(posted: posted_mail.Posted) -> InboundMail:
    text = posted.text if posted.text.strip() else as_text(posted.html)
    content = _Content(files=list(posted.files))
    mail = _mail([(name.lower(), value) for name, value in posted.headers], text, content)
    return replace(mail, recipients=_unique([*posted.recipients, *mail.recipients]))


def _headers_only(body: bytes) -> InboundMail:
    message: Message = BytesHeaderParser(policy=_POLICY).parsebytes(_head(body))
    return _mail(_items(message), "", _Content())


def _as_far_as_possible(body: bytes) -> InboundMail:
    """The headers and the bytes behind them as text, of a mail that the library cannot parse."""
    try:
        mail = _headers_only(body)
    except Exception:
        mail = InboundMail()
    text = plain(decoded(body[len(_head(body)) :][:MOST_TEXT], "utf-8"), lines=True)
    return replace(mail, text=text, unreadable="the mail is broken")


def _mail(headers: list[tuple[str, str]], text: str, content: _Content) -> InboundMail:
    first: dict[str, str] = {}
    for name, value in headers:
        first.setdefault(name, value)
    names = mailboxes([first["from"]]) if "from" in first else []
    sender_name, sender = names[0] if names else ("", "")
    threads = [value for name, value in headers if name in ("in-reply-to", "references")]
    returned = [found.decode("latin-1") for found in _NAMED_ID.findall(content.returned)]
    own_id = message_ids([first.get("message-id", "")])
    return InboundMail(
        sender=sender,
        sender_name="" if "@" in sender_name else sender_name,
        recipients=_unique([*_addresses(headers, DELIVERED_TO), *_addresses(headers, ("to", "cc", "resent-to"))]),
        subject=header_text(first.get("subject", "")),
        text=plain(text, lines=True),
        message_id=own_id[0] if own_id else "",
        references=(*message_ids(threads), *returned),
        headers={name: header_text(value) for name, value in first.items()},
        files=tuple(content.files),
        bounce=_bounce(content.report, first),
    )


def _bounce(report: bytes, headers: dict[str, str]) -> Bounce | None:
    kind = " ".join(headers.get("content-type", "").lower().split())
    is_report = kind.startswith("multipart/report") and "delivery-status" in kind
    if not report and not is_report:
        return None
    values = {
        name.decode().lower(): value.decode("utf-8", "replace").strip() for name, value in _REPORT_FIELD.findall(report)
    }
    recipient = values.get("final-recipient", values.get("original-recipient", "")).rpartition(";")[2].strip(" <>")
    status = re.match(r"[245]\.\d{1,3}\.\d{1,3}", values.get("status", ""))
    return Bounce(address(recipient), plain(values.get("action", "failed").lower())[:20], status[0] if status else "")


def _read(part: Message, content: _Content, depth: int) -> None:
    """Collects texts and files of a part and those within it."""
    content.parts += 1
    if content.parts > MOST_PARTS:
        return
    kind, inner = part.get_content_type(), _inner(part)
    if inner and depth < MOST_DEPTH:
        if kind == "message/rfc822" or kind.startswith("message/delivery"):
            _read_message(kind, inner, content)
        elif kind == "multipart/alternative" and len(inner) > 1:
            _read_best(inner, content, depth)
        else:
            for each in inner:
                _read(each, content, depth + 1)
        return
    _read_leaf(part, kind, content)


def _inner(part: Message) -> list[Message]:
    payload: Any = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def _read_leaf(part: Message, kind: str, content: _Content) -> None:
    name = _file_name(part)
    is_file = part.get_content_disposition() == "attachment" or bool(name)
    if kind == "text/rfc822-headers":
        content.returned = _bytes(part)[:MOST_TEXT]
    elif kind.startswith("message/delivery-status"):
        content.report = _bytes(part)[:MOST_TEXT]
    elif kind in ("text/plain", "text/html") and not is_file:
        _add_text(part, kind, content)
    elif len(content.files) < MOST_FILES and (data := _bytes(part) or name.encode()):
        content.files.append(AttachedFile(name or "attachment", kind, data))


def _read_best(alternatives: list[Message], content: _Content, depth: int) -> None:
    """Of the alternatives of one content, the first that holds text: plain before HTML. The files of all are kept."""
    plains = [each for each in alternatives if each.get_content_type() == "text/plain"]
    is_found = False
    for each in [*plains, *(other for other in alternatives if other not in plains)]:
        trial = _Content(left=content.left, parts=content.parts)
        _read(each, trial, depth + 1)
        content.parts = trial.parts
        content.files += trial.files[: MOST_FILES - len(content.files)]
        if trial.texts and not is_found:
            is_found = True
            content.texts += trial.texts
            content.left = trial.left


def _read_message(kind: str, inner: list[Message], content: _Content) -> None:
    """A mail within a mail: of a report the mail that came back, else a file."""
    if kind.startswith("message/delivery"):
        content.report = b"\n".join(map(_head_bytes, inner))[:MOST_TEXT]
        return
    for message in inner:
        content.returned = content.returned or _head_bytes(message)
        if len(content.files) < MOST_FILES:
            name = header_text(message.get("subject", "")) or "message"
            content.files.append(AttachedFile(f"{name[:100]}.eml", MAIL, _whole(message)))


def _head_bytes(message: Message) -> bytes:
    return b"\n".join(f"{name}: {value}".encode("utf-8", "replace") for name, value in _items(message)) + b"\n"


def _whole(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (UnicodeError, ValueError, RecursionError, LookupError, KeyError, AttributeError, TypeError):
        return _head_bytes(message)  # the original has the rest


def _add_text(part: Message, kind: str, content: _Content) -> None:
    if content.left <= 0:
        return
    text = decoded(_bytes(part), _param(part, "charset"))
    text = as_text(text) if kind == "text/html" else text
    text = plain(text[: content.left], lines=True)
    if text:
        content.texts.append(text)
        content.left -= len(text)


def _bytes(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, AttributeError, TypeError):
        data = None
    if isinstance(data, bytes):
        return data
    payload = part.get_payload()
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _param(part: Message, name: str) -> str:
    try:
        value = part.get_param(name) or ""
    except (ValueError, LookupError, TypeError, IndexError):
        return ""
    return str(value[2] if isinstance(value, tuple) else value)[:100]


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename("")
    except (ValueError, LookupError, TypeError, IndexError):
        return "attachment"
    return header_text(name)[:200]
