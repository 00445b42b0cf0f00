"""Mailboxes as people write them: `ada@example.com`, `Ada <ada@example.com>`, several with `,`, `;` or line ends between."""

import re
from email.headerregistry import Address
from typing import NamedTuple

from core.normal_form import mailable
from core.plain_text import clean

_NAMED = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<]*?))\s*<([^<>]*)>\s*')
_BETWEEN = re.compile(r"([,;\r\n])")
_ONE = "must be one e-mail address, like support@example.com or Name <support@example.com>"
_SEVERAL = (
    "must be one or more e-mail addresses, like support@example.com; several with comma, semicolon or line end between"
)


class Mailbox(NamedTuple):
    """A name, "" when none is written, and the address as a mail server takes it."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def __str__(self) -> str:
        return str(Address(self.name, addr_spec=self.address)) if self.name else self.address


def parse_mailbox(text: str) -> Mailbox:
    """The one mailbox of a text; its name may hold a comma. Raises ValueError when there is none or more than one."""
    named = _NAMED.fullmatch(text)
    quoted, plain, address = named.groups() if named else (None, "", text)
    name = clean(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain or "")
    sendable = mailable(address)
    if not sendable and not address.rpartition("@")[0].isascii():
        raise ValueError("must be written with ASCII letters before the @: many mail servers take no others")
    if not sendable or "@" in name:
        raise ValueError(_ONE)
    return Mailbox(name, sendable)


def bracketed_address(text: str) -> str:
    """The address of `Ada <ada@example.com>` or `<ada@example.com>`; a text of another form as it is."""
    named = _NAMED.fullmatch(text)
    return named[3].strip() if named and "@" not in (named[1] or named[2] or "") else text


def bracketed_name(text: str) -> str:
    """The name of `Ada <ada@example.com>`, "" for a text of another form."""
    named = _NAMED.fullmatch(text)
    return (named[1] or named[2] or "").strip() if named else ""


def parse_mailboxes(text: str) -> list[Mailbox]:
    """The mailboxes of a text, each once. Raises ValueError when one of them is not a mailbox."""
    boxes: dict[str, Mailbox] = {}
    part = ""
    for piece in [*_BETWEEN.split(text), ";"]:
        is_end = _BETWEEN.fullmatch(piece) and "@" in part and part.count('"') % 2 == 0
        if is_end and ("<" not in part or ">" in part):
            box = _one_of_several(part)
            boxes.setdefault(box.address.lower(), box)
            part = ""
        elif part.strip() or not _BETWEEN.fullmatch(piece):
            part += " " if piece in "\r\n" else piece
    if part.strip(" ;,"):
        raise ValueError(_SEVERAL)
    return list(boxes.values())


def _one_of_several(text: str) -> Mailbox:
    try:
        return parse_mailbox(text)
    except ValueError as error:
        raise ValueError(_SEVERAL if str(error) == _ONE else str(error)) from None
