"""An incoming mail as plain values, whatever brought it: a mailbox, or a service that posts it. No rows, no decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of a mail. `name` is the sender's and may be anything; it names no file of ours."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report (RFC 3464): which recipient, what happened (failed, delayed, …), and the status code, like 5.1.1."""

    recipient: str
    action: str
    status: str


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail. Addresses are in the one form of core/normal_form.py; texts hold no NUL and no half characters.

    `sender` is what From says, "" when it names nobody: it proves nothing. `recipients` are those of the envelope first.
    `references` are texts in which a reference of ours may stand: In-Reply-To, References, and for a bounce the headers of the
    mail that bounced. `headers` holds the first of each name, in lower case. `unreadable` says what could not be parsed.
    """

    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: str = field(default="", repr=False)
    message_id: str = ""
    references: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: tuple[AttachedFile, ...] = field(default=(), repr=False)
    bounce: Bounce | None = None
    unreadable: str = ""
