"""Mail: one function per notice, and the senders that carry it (SMTP, console, memory); the only importer of smtplib.

No storage, no HTTP and no environment here; who is told what and when is decided by services and run by jobs.
"""

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial, wraps
from typing import Any, Literal, Protocol

from channels.notice_text import MessageIds, as_html, message_id, one_line, plain
from core.mailboxes import parse_mailbox
from core.normal_form import mailable
from core.redaction import mask_email

Row = Mapping[str, Any]
Security = Literal["none", "starttls", "tls"]
log = logging.getLogger("foyer.mail")


# Ids must stay in one piece: as plain text the library would encode those that are longer than a line.
_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("in-reply-to", MessageIDHeader)  # type: ignore[arg-type]
_HEADERS.map_to_type("references", MessageIds)  # type: ignore[arg-type]
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)


class MailFailed(Exception):
    """A notice was not delivered. `reason` is fit for a log; `permanent` means that trying again cannot help."""

    def __init__(self, reason: str, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to one person. What a customer wrote stays out of its repr, and so out of logs.

    `number` is the ticket's; a notice that is not about a ticket has 0 there and "" as `thread_id`. `thread_id` holds the
    Message-IDs that it follows, with spaces between, the latest last.
    """

    kind: str
    number: int
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    message_id: str
    thread_id: str
    from_name: str = ""
    reply_to: str = ""

    def as_email(self, address: str) -> EmailMessage:
        """The message as it goes out, dated now, from that address under the notice's own name."""
        message = EmailMessage(_POLICY)
        message["From"] = Address(self.from_name, addr_spec=address)  # a string would be parsed, names and all
        message["To"] = self.to
        if self.reply_to:
            message["Reply-To"] = self.reply_to
        message["Subject"] = self.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = self.message_id
        if self.thread_id:
            message["In-Reply-To"], message["References"] = self.thread_id.split()[-1], self.thread_id
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        return message


def well_formed(address: str) -> bool:
    """Whether mail can be sent to this address: letters before the @ are ASCII, the domain may be international."""
    return bool(_deliverable(address))


def _deliverable(address: str | None) -> str:
    """The address in ASCII, or "" for anything that is not exactly one address."""
    return mailable(address) if address else ""


@dataclass(frozen=True, slots=True)
class _About:
    """What a notice is told beside its ticket."""

    job_id: str
    domain: str
    support_email: str = ""
    public_url: str = ""
    reply: Row | None = None
    from_name: str = ""
    reply_to: str = ""
    rating_token: str = ""
    reference: str = ""  # signed, of the ticket, where an answer by mail may come in
    earlier_ids: Sequence[str] = ()  # Message-IDs of the customer's mails

    def link(self, ticket: Row) -> str:
        # A fragment works whatever pages the server has; a path may not exist.
        return f"{self.public_url.rstrip('/')}/#tickets/{ticket['id']}" if self.public_url else ""

    def way_out(self) -> str:
        first = self.support_email.partition(",")[0]
        return f" or write to {first}" if well_formed(first) else ""


Draft = tuple[str, str, dict[str, str]]  # to whom, the subject, the paragraphs in their order
NOTICES: dict[str, Callable[..., Notice | None]] = {}
_DRAFTS: dict[str, Callable[[Row, _About], Draft | None]] = {}


def _notice(draft: Callable[[Row, _About], Draft | None]) -> Callable[..., Notice | None]:
    """Callable by kind as (ticket, *, job_id, domain, …) -> Notice | None; the fields of _About are its keywords."""

    @wraps(draft)
    def compose(ticket: Row, **about: Any) -> Notice | None:
        context = _About(**about)
        to, subject, paragraphs = draft(ticket, context) or ("", "", {})
        recipients = to.split(",") if to and to == context.support_email else [to]  # only an alert goes to several
        address = ", ".join(filter(None, map(_deliverable, recipients)))
        if not address and "@" in (to or ""):
            raise MailFailed("the address of the recipient cannot take mail", permanent=True)
        if not address:
            return None
        parts = {part: text for part, text in paragraphs.items() if text}
        reference = f".{context.reference}" if context.reference else ""
        thread_id = message_id(f"ticket{reference or '.' + ticket['id']}", context.domain)
        ids = message_id(f"{context.job_id}{reference}", context.domain), " ".join([thread_id, *context.earlier_ids])
        title, text = one_line(f"[#{ticket['number']}] {subject}"), "\n\n".join(parts.values()) + "\n"
        sender = one_line(context.from_name), _deliverable(context.reply_to)
        return Notice(draft.__name__, int(ticket["number"]), address, title, text, as_html(parts), *ids, *sender)

    NOTICES[draft.__name__], _DRAFTS[draft.__name__] = compose, draft
    return compose


@_notice
def ticket_received(ticket: Row, about: _About) -> Draft:
    """To the customer: your request has this number."""
    # Nothing the sender wrote is in it: whoever opens a ticket may have named somebody else's address.
    opening = f"Your request has the number #{ticket['number']}: please name it when you ask again{about.way_out()}."
    return ticket["customer_email"], "We have received your request", {"opening": opening}


@_notice
def ai_answer(ticket: Row, about: _About) -> Draft | None:
    """To the customer: the automatic answer. It says that it is automatic and how to reach a person. None without an answer."""
    opening = f"Here is an answer to your request #{ticket['number']}. It was written automatically."
    closing = f"If it does not help, answer where you opened your request{about.way_out()}: a person will read it."
    texts = {"opening": opening, "quoted": plain(ticket["ai_response"]), "closing": closing}
    return (ticket["customer_email"], "An answer to your request", texts) if texts["quoted"] else None


@_notice
def assigned(ticket: Row, about: _About) -> Draft:
    """To the assignee: number and link, no customer text."""
    opening = f"Ticket #{ticket['number']} has been assigned to you."
    return ticket["assigned_to"], "Assigned to you", {"opening": opening, "link": about.link(ticket)}


@_notice
def public_reply(ticket: Row, about: _About) -> Draft | None:
    """To the other side: an agent's words to the customer, a customer's to assignee or support. None for a note."""
    reply = about.reply
    if reply is None or reply["internal"] or reply["author_role"] not in ("agent", "customer"):
        return None
    if reply["author_role"] == "agent":
        opening = f"{one_line(reply['author_name']) or 'Our team'} has answered your request #{ticket['number']}:"
        return ticket["customer_email"], ticket["title"], {"opening": opening, "quoted": plain(reply["body"])}
    # Any text may stand in assigned_to, so an address found there learns only that there is a reply.
    assignee = _deliverable(ticket["assigned_to"])
    opening = f"The customer has replied on ticket #{ticket['number']}."
    texts = {"opening": opening, "quoted": "" if assignee else plain(reply["body"]), "link": about.link(ticket)}
    return assignee or about.support_email, "The customer has replied", texts


@_notice
def resolved(ticket: Row, about: _About) -> Draft:
    """To the customer: your request is resolved, and how."""
    opening = f"Your request #{ticket['number']} has been resolved."
    closing = f"If something is still open, answer where you opened your request{about.way_out()}."
    texts = {"opening": opening, "quoted": plain(ticket["resolution"]), "closing": closing}
    if about.rating_token and about.public_url:
        texts["question"] = "How satisfied are you? Rate our help within 30 days:"
        texts["link"] = f"{about.public_url.rstrip('/')}/rate#{about.rating_token}"
    return ticket["customer_email"], f"Resolved: {ticket['title']}", texts


@_notice
def urgent_alert(ticket: Row, about: _About) -> Draft:
    """To the support address: an urgent ticket waits."""
    facts = {name: one_line(ticket[name]) for name in ("title", "category", "urgency", "next_action")}
    quoted = "\n".join(f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in facts.items() if value)
    texts = {"opening": f"Ticket #{ticket['number']} is urgent.", "quoted": quoted, "link": about.link(ticket)}
    return about.support_email, f"Urgent: {ticket['title']}", texts


@_notice
def handoff_alert(ticket: Row, about: _About) -> Draft:
    """To the support address: a conversation waits for a person."""
    opening = f"A customer in the chat needs a person: conversation #{ticket['number']}."
    quoted = "\n".join(filter(None, (one_line(ticket[name]) for name in ("title", "next_action"))))
    texts = {"opening": opening, "quoted": quoted, "link": about.link(ticket)}
    return about.support_email, f"A person is needed: {ticket['title']}", texts


@_notice
def sla_alert(ticket: Row, about: _About) -> Draft:
    """To the support address: an agreed time is at risk or over, or tickets wait for an agent."""
    opening, quoted = one_line(ticket["sentence"]), one_line(ticket["title"])
    texts = {"opening": opening, "quoted": quoted, "link": about.link(ticket)}
    return about.support_email, ": ".join(filter(None, (ticket["headline"], quoted))), texts


@_notice
def sla_reminder(ticket: Row, about: _About) -> Draft:
    """To the assignee, unless the support address is theirs: an agreed time is at risk or over. No customer text."""
    to = "" if ticket["assigned_to"] in about.support_email.split(", ") else ticket["assigned_to"]
    return to, ticket["headline"], {"opening": one_line(ticket["sentence"]), "link": about.link(ticket)}


@_notice
def watched(ticket: Row, about: _About) -> Draft:
    """To a watcher: a reply or the resolution, with its text where services put it in."""
    opening = f"{ticket['headline']} on ticket #{ticket['number']}, which you watch."
    texts = {"opening": opening, "quoted": plain(ticket["quoted"]), "link": about.link(ticket)}
    return ticket["watcher"], ticket["headline"], texts


@_notice
def mail_alert(ticket: Row, about: _About) -> Draft:
    """To the assignee, else to the support address: mail on a ticket that is kept as a note. No text of it."""
    opening = f"A mail on ticket #{ticket['number']} is kept as a note: {one_line(ticket['reason'])}."
    to = deliverable if (deliverable := _deliverable(ticket["assigned_to"])) else about.support_email
    return to, "Mail kept as a note", {"opening": opening, "link": about.link(ticket)}


def confirm_address(to: str, token: str, **about: Any) -> Notice | None:
    """To whoever registered a company: confirm your address. Keywords as of the other notices; None for no address."""
    context = _About(**about)
    link = f"{context.public_url.rstrip('/')}/confirm#{token}" if context.public_url else ""
    # Nothing that the sender wrote is in it, the company's name included: the address may be a stranger's.
    opening = "Somebody registered a company at this help desk with your e-mail address."
    how = "open this link" if link else "send this token to POST /api/auth/confirm"
    texts = {
        "opening": f"{opening} If it was you, {how} within a week:",
        "link" if link else "quoted": link or token,
        "closing": "If it was not you, ignore this mail: the company then mails nobody else.",
    }
    if not (address := _deliverable(to)):
        return None
    text, own_id = "\n\n".join(texts.values()) + "\n", message_id(context.job_id, context.domain)
    return Notice("confirm_address", 0, address, "Confirm your e-mail address", text, as_html(texts), own_id, "")


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
        draft = _DRAFTS[kind](ticket, _About("", "", support_email=support_email, reply=reply))
        if draft and "@" in draft[0]:
            self._log(kind, ticket["number"], draft[0])

    def _log(self, kind: str, number: int, to: str) -> None:
        log.info("mail (not sent, no mail server): %s #%d to %s", kind, number, mask_email(to))


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
