"""Mail as services post it: the forms of SendGrid and Mailgun, the JSON of Postmark. Each is unpacked, none is judged.

Sources: SendGrid "Inbound Parse Webhook", Mailgun "Receiving, forwarding and storing messages", Postmark "Inbound webhook".
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import orjson

from channels.inbound_mail import AttachedFile
from channels.mail_values import address, decoded, mailboxes

FORM, ENCODED_FORM, JSON = "multipart/form-data", "application/x-www-form-urlencoded", "application/json"
MOST_FIELDS = 5_000


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail that a service has taken apart, or the mail itself in `mime`. `recipients` are those of the envelope."""

    mime: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    html: str = ""
    files: tuple[AttachedFile, ...] = ()
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    content: bytes
    file_name: str = ""
    content_type: str = ""


def unpack(media: str, body: bytes) -> Posted | None:
    """The posted mail, None when the body is the mail itself. Raises ValueError for a form or JSON that is broken."""
    kind, parameters = _media(media)
    if kind == JSON:
        return _of_postmark(body)
    if kind == FORM:
        return _of_form(_form_fields(body, parameters.get("boundary", "")))
    if kind == ENCODED_FORM:
        try:
            pairs = parse_qsl(body.decode("latin-1"), True, encoding="latin-1", max_num_fields=MOST_FIELDS)
            return _of_form({name: _Field(value.encode("latin-1")) for name, value in reversed(pairs)})
        except ValueError:  # a client's default media type, with the mail itself as the body
            return None
    return None


def _media(media: str) -> tuple[str, dict[str, str]]:
    message: Message = Message()
    message["content-type"] = media.replace("\n", " ").replace("\r", " ")
    return message.get_content_type(), {str(name).lower(): str(value) for name, value in message.get_params([])[1:]}


def _form_fields(body: bytes, boundary: str) -> dict[str, _Field]:
    """The fields of a form by name, the first of each (RFC 7578). Bytes stay as they are."""
    if not boundary:
        raise ValueError("the form names no boundary")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"), MOST_FIELDS)
    fields: dict[str, _Field] = {}
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        head, _, content = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        disposition = re.search(rb"^content-disposition:([^\r\n]*)", head, re.I | re.M)
        if disposition is None:
            continue
        kind = re.search(rb"^content-type:([^\r\n]*)", head, re.I | re.M)
        content_type = decoded(kind[1].strip(), "utf-8") if kind else ""
        name, file_name = (_quoted(disposition[1], word) for word in (b"name", b"filename"))
        fields.setdefault(name, _Field(content, file_name, content_type))
    return fields


def _quoted(disposition: bytes, name: bytes) -> str:
    found = re.search(rb"[;\s]" + name + rb'="((?:[^"\\]|\\.){0,500})"', disposition, re.IGNORECASE)
    return decoded(found[1], "utf-8") if found else ""


def _of_form(fields: dict[str, _Field]) -> Posted:
    charsets = _json_object(fields.get("charsets"))

    def text(*names: str) -> str:
        for name in names:
            if name in fields:
                return decoded(fields[name].content, str(charsets.get(name, "utf-8")))
        return ""

    envelope = _json_object(fields.get("envelope")).get("to", [])
    to = [*(envelope if isinstance(envelope, list) else [envelope]), *text("recipient").split(",")]
    recipients = tuple(found for name in to if isinstance(name, str) and (found := address(name)))
    for name in ("email", "body-mime"):  # SendGrid with "send raw", Mailgun to an address that ends with mime
        if fields.get(name, _Field(b"")).content.strip():
            return Posted(mime=fields[name].content, recipients=recipients)
    headers = _named_headers(text("message-headers")) or _header_lines(text("headers"))
    known = {name.lower() for name, _ in headers}
    headers += [
        (name, value) for name in ("from", "to", "cc", "subject") if name not in known and (value := text(name))
    ]
    files = tuple(
        AttachedFile(found.file_name or name, found.content_type.split(";")[0].strip().lower(), found.content)
        for name, found in fields.items()
        if found.file_name or re.fullmatch(r"attachment-?\d+", name)
    )
    if not headers and not text("text", "body-plain", "html", "body-html"):
        raise ValueError("the form holds no mail")
    return Posted(b"", headers, text("text", "body-plain"), text("html", "body-html"), files, recipients)


def _json_object(value: _Field | None) -> dict[str, Any]:
    try:
        loaded = orjson.loads(value.content) if value else {}
    except orjson.JSONDecodeError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _named_headers(text: str) -> list[tuple[str, str]]:
    """Mailgun's headers: a JSON list of [name, value]."""
    try:
        pairs = orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return []
    rows = pairs if isinstance(pairs, list) else []
    return [(str(row[0]), str(row[1])) for row in rows if isinstance(row, list) and len(row) == 2]


def _header_lines(text: str) -> list[tuple[str, str]]:
    """SendGrid's headers: the lines of the mail, a long one folded."""
    lines = re.sub(r"\r?\n[ \t]+", " ", text).splitlines()
    return [(name.strip(), value.strip()) for line in lines for name, colon, value in [line.partition(":")] if colon]


def _of_postmark(body: bytes) -> Posted:
    try:
        mail = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ValueError("the body is not valid JSON") from None
    if not isinstance(mail, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004  # one kind of error for a broken body
    text: Callable[[str], str] = lambda name: value if isinstance(value := mail.get(name), str) else ""  # noqa: E731
    recipients = tuple(
        found for _, found in mailboxes([text("OriginalRecipient")] if text("OriginalRecipient") else [])
    )
    if text("RawEmail"):
        return Posted(mime=text("RawEmail").encode("utf-8", "surrogatepass"), recipients=recipients)
    rows = mail.get("Headers")
    headers = [
        (str(row["Name"]), str(row["Value"]))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and {"Name", "Value"} <= row.keys()
    ]
    known = {name.lower() for name, _ in headers}
    for name in ("From", "To", "Cc", "Subject"):
        if name.lower() not in known and text(name):
            headers.append((name, text(name)))
    if not headers:
        raise ValueError("the JSON holds no mail")
    files = mail.get("Attachments")
    attached = tuple(_attached(row) for row in (files if isinstance(files, list) else []) if isinstance(row, dict))
    return Posted(b"", headers, text("TextBody"), text("HtmlBody"), attached, recipients)


def _attached(row: dict[str, Any]) -> AttachedFile:
    try:
        content = base64.b64decode(str(row.get("Content", "")))
    except (binascii.Error, ValueError):
        content = str(row.get("Content", "")).encode()
    return AttachedFile(str(row.get("Name", "attachment")), str(row.get("ContentType", "")).split(";")[0], content)
