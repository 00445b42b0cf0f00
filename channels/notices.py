"""Notices: one function per kind of mail, which says to whom it goes and what is in it.

No storage and no environment here; who is told what and when is decided by services, and notifier.py sends it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import wraps
from typing import Any

from channels import notice_words
from channels.notice_text import MessageIds, as_html, deliverable, message_id, one_line, plain, well_formed
from channels.notice_words import Words

Row = Mapping[str, Any]
MOST_TITLE = 120  # characters of a title in a list of tickets

# Ids must stay in one piece: as plain text the library would encode those that are longer than a line.
_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("in-reply-to", MessageIDHeader)  # type: ignore[arg-type]
for _name in ("references", "list-unsubscribe"):
    _HEADERS.map_to_type(_name, MessageIds)  # type: ignore[arg-type]
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
    unsubscribe_url: str = ""  # of a notice to staff: a POST to it ends this kind for its recipient (RFC 8058)

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
        if self.unsubscribe_url:
            message["List-Unsubscribe"] = f"<{self.unsubscribe_url}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        return message


@dataclass(frozen=True, slots=True)
class About:
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
    company_name: str = ""
    words: Mapping[str, Words] = field(default_factory=dict)  # what the company writes in place of a kind's own words
    unsubscribe_url: str = ""

    def written(self, kind: str, ticket: Row, **more: object) -> tuple[str, str]:
        """Subject and opening of a notice about a ticket, in the company's own words if it has some."""
        values = {
            "ticket_number": ticket["number"],
            "company_name": self.company_name or self.from_name,
            "way_out": self.way_out(),
            "customer_name": ticket.get("customer_name", ""),
            "ticket_title": ticket.get("title", ""),
            **more,
        }
        return notice_words.written(kind, self.words.get(kind), values)

    def link(self, ticket: Row) -> str:
        # A fragment works whatever pages the server has; a path may not exist.
        return f"{self.public_url.rstrip('/')}/#tickets/{ticket['id']}" if self.public_url else ""

    def way_out(self) -> str:
        first = self.support_email.partition(",")[0]
        return f", or write to {first}" if well_formed(first) else ""  # a space at its beginning would be cut


class AboutWhom(About):
    """The context of a draft of which only the recipient is read: its texts are empty."""

    __slots__ = ()

    def written(self, kind: str, ticket: Row, **more: object) -> tuple[str, str]:
        return "", ""

    def way_out(self) -> str:
        return ""


Draft = tuple[str, str, dict[str, str]]  # to whom, the subject, the paragraphs in their order
NOTICES: dict[str, Callable[..., Notice | None]] = {}
DRAFTS: dict[str, Callable[[Row, About], Draft | None]] = {}


def _notice(draft: Callable[[Row, About], Draft | None]) -> Callable[..., Notice | None]:
    """Callable by kind as (ticket, *, job_id, domain, …) -> Notice | None; the fields of About are its keywords."""

    @wraps(draft)
    def compose(ticket: Row, **about: Any) -> Notice | None:
        context = About(**about)
        to, subject, paragraphs = draft(ticket, context) or ("", "", {})
        recipients = to.split(",") if to and to == context.support_email else [to]  # only an alert goes to several
        address = ", ".join(filter(None, map(deliverable, recipients)))
        if not address and "@" in (to or ""):
            raise MailFailed("the address of the recipient cannot take mail", permanent=True)
        if not address:
            return None
        parts = {part: text for part, text in paragraphs.items() if text}
        if not any(f"#{ticket['number']}" in text for text in parts.values()):
            parts["reference"] = f"Reference: #{ticket['number']}"  # what a company writes may leave it out
        reference = f".{context.reference}" if context.reference else ""
        thread_id = message_id(f"ticket{reference or '.' + ticket['id']}", context.domain)
        ids = message_id(f"{context.job_id}{reference}", context.domain), " ".join([thread_id, *context.earlier_ids])
        title, text = one_line(f"[#{ticket['number']}] {subject}"), "\n\n".join(parts.values()) + "\n"
        sender = one_line(context.from_name), deliverable(context.reply_to)
        return Notice(
            draft.__name__,
            int(ticket["number"]),
            address,
            title,
            text,
            as_html(parts),
            *ids,
            *sender,
            context.unsubscribe_url,
        )

    NOTICES[draft.__name__], DRAFTS[draft.__name__] = compose, draft
    return compose


@_notice
def ticket_received(ticket: Row, about: About) -> Draft:
    """To the customer: your request has this number."""
    # Nothing the sender wrote is in it: whoever opens a ticket may have named somebody else's address.
    subject, opening = about.written("ticket_received", ticket)
    return ticket["customer_email"], subject, {"opening": opening}


@_notice
def ai_answer(ticket: Row, about: About) -> Draft | None:
    """To the customer: the automatic answer. It says that it is automatic and how to reach a person. None without an answer."""
    subject, opening = about.written("ai_answer", ticket)
    closing = f"If it does not help, answer where you opened your request{about.way_out()}: a person will read it."
    if about.words.get("ai_answer"):
        closing = f"This answer was written automatically. {closing}"
    texts = {"opening": opening, "quoted": plain(ticket["ai_response"]), "closing": closing}
    return (ticket["customer_email"], subject, texts) if texts["quoted"] else None


@_notice
def assigned(ticket: Row, about: About) -> Draft:
    """To the assignee: number and link, no customer text."""
    subject, opening = about.written("assigned", ticket)
    return ticket["assigned_to"], subject, {"opening": opening, "link": about.link(ticket)}


@_notice
def public_reply(ticket: Row, about: About) -> Draft | None:
    """To the other side: an agent's words to the customer, a customer's to assignee or support. None for a note."""
    reply = about.reply
    if reply is None or reply["internal"] or reply["author_role"] not in ("agent", "customer"):
        return None
    if reply["author_role"] == "agent":
        author = one_line(reply["author_name"]) or "Our team"
        subject, opening = about.written("public_reply", ticket, agent_name=author)
        return ticket["customer_email"], subject, {"opening": opening, "quoted": plain(reply["body"])}
    # Any text may stand in assigned_to, so an address found there learns only that there is a reply.
    assignee = deliverable(ticket["assigned_to"])
    subject, opening = about.written("customer_replied", ticket)
    texts = {"opening": opening, "quoted": "" if assignee else plain(reply["body"]), "link": about.link(ticket)}
    return assignee or about.support_email, subject, texts


@_notice
def resolved(ticket: Row, about: About) -> Draft:
    """To the customer: your request is resolved, and how."""
    subject, opening = about.written("resolved", ticket)
    closing = f"If something is still open, answer where you opened your request{about.way_out()}."
    texts = {"opening": opening, "quoted": plain(ticket["resolution"]), "closing": closing}
    if about.rating_token and about.public_url:
        texts["question"] = "How satisfied are you? Rate our help within 30 days:"
        texts["link"] = f"{about.public_url.rstrip('/')}/rate#{about.rating_token}"
    return ticket["customer_email"], subject, texts


@_notice
def urgent_alert(ticket: Row, about: About) -> Draft:
    """To the support address: an urgent ticket waits."""
    facts = {name: one_line(ticket[name]) for name in ("title", "category", "urgency", "next_action")}
    quoted = "\n".join(f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in facts.items() if value)
    subject, opening = about.written("urgent_alert", ticket)
    return about.support_email, subject, {"opening": opening, "quoted": quoted, "link": about.link(ticket)}


@_notice
def handoff_alert(ticket: Row, about: About) -> Draft:
    """To the support address: a conversation waits for a person."""
    quoted = "\n".join(filter(None, (one_line(ticket[name]) for name in ("title", "next_action"))))
    subject, opening = about.written("handoff_alert", ticket)
    return about.support_email, subject, {"opening": opening, "quoted": quoted, "link": about.link(ticket)}


@_notice
def sla_alert(ticket: Row, about: About) -> Draft:
    """To the support address: an agreed time is at risk or over, or tickets wait for an agent."""
    facts = {name: ticket[name] for name in ("headline", "sentence")}
    subject, opening = about.written("sla_alert", ticket, **facts)
    texts = {"opening": opening, "quoted": one_line(ticket["title"]), "link": about.link(ticket)}
    return about.support_email, subject, texts


@_notice
def sla_reminder(ticket: Row, about: About) -> Draft:
    """To the assignee, unless the support address is theirs: an agreed time is at risk or over. No customer text."""
    to = "" if ticket["assigned_to"] in about.support_email.split(", ") else ticket["assigned_to"]
    facts = {name: ticket[name] for name in ("headline", "sentence")}
    subject, opening = about.written("sla_reminder", ticket, **facts)
    return to, subject, {"opening": opening, "link": about.link(ticket)}


@_notice
def watched(ticket: Row, about: About) -> Draft:
    """To a watcher: a reply or the resolution, with its text where services put it in."""
    subject, opening = about.written("watched", ticket, headline=ticket["headline"])
    texts = {"opening": opening, "quoted": plain(ticket["quoted"]), "link": about.link(ticket)}
    return ticket["watcher"], subject, texts


@_notice
def mail_alert(ticket: Row, about: About) -> Draft:
    """To the assignee, else to the support address: mail on a ticket that is kept as a note. No text of it."""
    subject, opening = about.written("mail_alert", ticket, reason=one_line(ticket["reason"]))
    to = deliverable(ticket["assigned_to"]) or about.support_email
    return to, subject, {"opening": opening, "link": about.link(ticket)}


def urgent_digest(to: str, tickets: Sequence[Row], count: int, **about: Any) -> Notice | None:
    """To one of the company's people: the urgent tickets that nobody has, the `count` of all. Keywords as of the others."""
    context = About(**about)
    if not tickets or not (address := deliverable(to)):
        return None
    values = {"count": count, "company_name": context.company_name or context.from_name}
    subject, opening = notice_words.written("urgent_digest", context.words.get("urgent_digest"), values)
    lines = [
        f"#{ticket['number']} {one_line(ticket['title'])[:MOST_TITLE]}\n{context.link(ticket)}".rstrip()
        for ticket in tickets
    ]
    more = f"and {count - len(tickets)} more" if count > len(tickets) else ""
    parts = {"opening": opening, "quoted": "\n".join(lines), "closing": more}
    parts = {part: text for part, text in parts.items() if text}
    text, own_id = "\n\n".join(parts.values()) + "\n", message_id(context.job_id, context.domain)
    sender = one_line(context.from_name), deliverable(context.reply_to)
    subject = one_line(subject)
    return Notice(
        "urgent_digest", 0, address, subject, text, as_html(parts), own_id, "", *sender, context.unsubscribe_url
    )


def confirm_address(to: str, token: str, **about: Any) -> Notice | None:
    """To whoever registered a company: confirm your address. Keywords as of the other notices; None for no address."""
    context = About(**about)
    link = f"{context.public_url.rstrip('/')}/confirm#{token}" if context.public_url else ""
    # Nothing that the sender wrote is in it, the company's name included: the address may be a stranger's.
    opening = "Somebody registered a company at this help desk with your e-mail address."
    how = "open this link" if link else "send this token to POST /api/auth/confirm"
    texts = {
        "opening": f"{opening} If it was you, {how} within a week:",
        "link" if link else "quoted": link or token,
        "closing": "If it was not you, ignore this mail: the company then mails nobody else.",
    }
    if not (address := deliverable(to)):
        return None
    text, own_id = "\n\n".join(texts.values()) + "\n", message_id(context.job_id, context.domain)
    return Notice("confirm_address", 0, address, "Confirm your e-mail address", text, as_html(texts), own_id, "")
