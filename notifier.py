"""Mail: the senders that carry notices (SMTP, console, memory); the only importer of smtplib.

channels/notices.py has the notices; who is told what and when is decided by services and run by jobs.
"""

import logging
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from email.errors import MessageError
from functools import lru_cache, partial
from typing import Any, Literal, Protocol

from channels.notice_text import well_formed
from channels.notices import DRAFTS, NOTICES, AboutWhom, MailFailed, Notice, confirm_address, urgent_digest
from core.mailboxes import parse_mailbox
from core.redaction import MASKED, mask, mask_email

__all__ = [
    "NOTICES",
    "ConsoleMailer",
    "MailFailed",
    "Mailer",
    "MemoryMailer",
    "Notice",
    "SmtpMailer",
    "confirm_address",
    "open_mailer",
    "urgent_digest",
    "well_formed",
]
Row = Mapping[str, Any]
Security = Literal["none", "starttls", "tls"]
log = logging.getLogger("foyer.mail")
_masked = lru_cache(maxsize=1_000)(mask)  # of shortened addresses: few differ, and a line is written for every notice


class Mailer(Protocol):
    """What carries a notice. `mode` is what /api/health says; `send` raises MailFailed."""

    mode: str

    def send(self, notice: Notice) -> None: ...


@dataclass(slots=True)
class SmtpMailer:
    """Sends each notice over a connection of its own: certificates are verified, nothing falls back to plain text.

    `mail_from` is `a@b.c` or `Name <a@b.c>`; its address is the sender of every notice, the name belongs to the notice.
    """

    host: str
    port: int
    _: KW_ONLY
    username: str
    password: str = field(repr=False)
    security: Security
    mail_from: str
    timeout_seconds: float = 15
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    mode: str = field(default="smtp", init=False)

    def send(self, notice: Notice) -> None:
        """Hand the notice to the server. Raises MailFailed; its text holds no password and no address."""
        try:
            with self._session() as server:  # not send_message: it turns a line "From here" into ">From here"
                sender = parse_mailbox(self.mail_from).address
                refused = server.sendmail(sender, notice.to.split(", "), notice.as_email(sender).as_bytes())
                for address, (code, _) in refused.items():
                    log.warning(
                        "mail: %s #%d was refused for %s (%d)", notice.kind, notice.number, mask_email(address), code
                    )
        except (OSError, ValueError, MessageError) as error:  # smtplib's own are OSErrors; the others: cannot be sent
            raise _failure(error, self.security) from None

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        connect = partial(smtplib.SMTP_SSL, context=self.context) if self.security == "tls" else smtplib.SMTP
        server = connect(self.host, self.port, timeout=self.timeout_seconds)
        try:
            if self.security == "starttls":
                server.starttls(context=self.context)
            if self.username:
                server.login(self.username, self.password)
            yield server
        finally:
            with suppress(OSError):  # the message has had its answer: a failed goodbye must not send it again
                server.quit()


# Replies to RCPT that concern the recipient (RFC 5321 §4.2.3); others, like 504 and 530, concern our settings.
_ABOUT_RECIPIENT = (550, 551, 552, 553, 556)


_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPSenderRefused, "the mail server refused the sender: see MAIL_FROM"),
    (smtplib.SMTPAuthenticationError, "the mail server refused the sign-in: see SMTP_USERNAME and SMTP_PASSWORD"),
    (smtplib.SMTPNotSupportedError, "the mail server does not offer STARTTLS: see SMTP_SECURITY and SMTP_PORT"),
    (UnicodeError, "the sign-in must be ASCII: see SMTP_USERNAME and SMTP_PASSWORD"),
    (ssl.SSLCertVerificationError, "the certificate of the mail server is not valid for it: see SMTP_HOST"),
    (ssl.SSLError, "the mail server does not speak TLS as expected: see SMTP_SECURITY and SMTP_PORT"),
    (smtplib.SMTPResponseException, "the mail server did not take the message"),
    (smtplib.SMTPException, "the mail server broke off: see SMTP_HOST, SMTP_PORT and SMTP_SECURITY"),
    (OSError, "the mail server cannot be reached: see SMTP_HOST and SMTP_PORT"),
)


def _failure(error: Exception, security: Security) -> MailFailed:
    """What went wrong and which setting to look at, in our own words: the server's may hold the address or the password."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, _ = next(iter(error.recipients.values()))
        return MailFailed(f"the mail server refused the recipient ({code})", code in _ABOUT_RECIPIENT)
    if isinstance(error, smtplib.SMTPDataError):
        return MailFailed(f"the mail server did not take the message ({error.smtp_code})", 500 <= error.smtp_code < 600)
    cause = next((text for kind, text in _CAUSES if isinstance(error, kind)), "the message cannot be sent")
    if isinstance(error, smtplib.SMTPNotSupportedError) and "AUTH" in str(error).upper():
        cause = "the mail server offers no sign-in: leave out SMTP_USERNAME, or see SMTP_SECURITY"
    answer = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else "no answer"
    return MailFailed(f"{cause} ({type(error).__name__}, {answer}, SMTP_SECURITY {security})", permanent=False)


class ConsoleMailer:
    """Sends nothing; writes one log line for each notice, without its text."""

    mode = "console"

    def send(self, notice: Notice) -> None:
        self._log(notice.kind, notice.number, notice.to)

    def note(self, kind: str, ticket: Row, *, reply: Row | None, support_email: str) -> None:
        """Writes the line of a notice of NOTICES without composing it, if it would go to an address."""
        draft = DRAFTS[kind](ticket, AboutWhom("", "", support_email=support_email, reply=reply))
        if draft and "@" in draft[0]:
            self._log(kind, ticket["number"], draft[0])

    def _log(self, kind: str, number: int, to: str) -> None:
        to = _masked(mask_email(to))
        log.info("mail (not sent, no mail server): %s #%d to %s", kind, number, to, extra=MASKED)


class MemoryMailer:
    """Keeps the notices in `sent`, for tests."""

    mode = "memory"

    def __init__(self) -> None:
        self.sent: list[Notice] = []

    def send(self, notice: Notice) -> None:
        self.sent.append(notice)


def open_mailer(*, host: str, port: int, username: str, password: str, security: Security, mail_from: str) -> Mailer:
    """The sender these settings ask for: SMTP, or the console when there is no host. Nothing is connected yet."""
    if not host:
        return ConsoleMailer()
    return SmtpMailer(host, port, username=username, password=password, security=security, mail_from=mail_from)
