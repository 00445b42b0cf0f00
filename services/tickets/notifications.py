"""Notifications of ticket changes: each is a job in the same unit of work as the change.

The payload of the job is a snapshot, so later changes of the ticket do not alter the mail.
"""

from collections.abc import Set
from typing import Any

from core.models import DEFAULT_COMPANY, label
from database.tables import companies, replies, tickets, users
from services import outbox, settings
from services.accounts.staff import AT_WORK
from services.chat import conversations
from services.history import Change, record
from services.tickets import merged
from storage import Row, UnitOfWork

QUEUE, CONFIRM = "mail", "confirm_address"
ALERTS = "alerts"
# Kind of notification -> ticket fields in its snapshot, beside the number.
_TICKET_FIELDS = {
    "ticket_received": ("customer_email",),
    "ai_answer": ("customer_email", "ai_response"),
    "assigned": ("assigned_to",),
    "public_reply": ("customer_email", "assigned_to", "title"),
    "resolved": ("customer_email", "title", "resolution"),
    "urgent_alert": ("title", "category", "urgency", "next_action"),
    "handoff_alert": ("title", "next_action"),
    "mail_alert": ("assigned_to", "reason"),
    "sla_alert": ("title", "headline", "sentence"),
    "sla_reminder": ("assigned_to", "headline", "sentence"),
    "watched": ("watcher", "headline", "quoted"),
}
_REPLY_FIELDS = ("author_role", "author_name", "body", "internal")


def notify_opened(uow: UnitOfWork, ticket: Row, company: Row) -> None:
    """New ticket: mails the customer the number and answer, the agent the ticket, the support address an alert if urgent.

    `company` is the row of the ticket's company.
    """
    kinds = {
        "ticket_received": ticket["customer_email"],
        "ai_answer": ticket["customer_email"] and ticket["ai_status"] == "done",
        "urgent_alert": ticket["priority"] == "urgent",
        "assigned": ticket["assigned_to"],
    }
    to_support = {"support_email": settings.of_company(company)["support_email"]}
    payloads = {kind: snapshot(kind, ticket) | to_support for kind, applies in kinds.items() if applies}
    outbox.enqueue(uow, [outbox.Job(QUEUE, kind, ticket["id"], payload) for kind, payload in payloads.items()])


def notify_ai_answer(uow: UnitOfWork, ticket: Row) -> None:
    """New AI answer: mails the customer."""
    if ticket["customer_email"]:
        _send(uow, ticket, "ai_answer")


def notify_assigned(uow: UnitOfWork, ticket: Row) -> None:
    """New agent: mails the agent."""
    _send(uow, ticket, "assigned")


def notify_urgent(uow: UnitOfWork, ticket: Row) -> None:
    """Priority is now urgent: alerts the support address."""
    _send(uow, ticket, "urgent_alert")


def notify_resolved(uow: UnitOfWork, ticket: Row) -> None:
    """Ticket resolved: mails the customer and the watchers."""
    if ticket["customer_email"]:
        _send(uow, ticket, "resolved")
    _tell_watchers(uow, ticket, "Resolved", ticket["resolution"])


def notify_handoff(uow: UnitOfWork, ticket: Row) -> None:
    """Conversation handed over: alerts the support address and, for the operator's company, the topic."""
    _send(uow, ticket, "handoff_alert")
    if uow.actor.company_id == DEFAULT_COMPANY:
        alert = {name: ticket[name] for name in ("number", "next_action", "priority", "assigned_to")}
        outbox.enqueue(uow, [outbox.Job(ALERTS, "handoff", ticket["id"], alert)])


def notify_sla(uow: UnitOfWork, ticket: Row, goal: str, level: str, due_at: str) -> None:
    """An agreed time (first_response or resolution) is at_risk or breached: alerts the support address and the agent."""
    is_over, due = level == "breached", f"{due_at[:10]} {due_at[11:16]} UTC"
    sentence = f"The {label(goal).lower()} of ticket #{ticket['number']} {'was' if is_over else 'is'} due by {due}."
    facts = {**ticket, "headline": "Overdue" if is_over else "Due soon", "sentence": sentence}
    _send(uow, facts, "sla_alert")
    if ticket["assigned_to"]:
        _send(uow, facts, "sla_reminder")


def notify_escalated(uow: UnitOfWork, ticket: Row, sentence: str) -> None:
    """Nobody took the ticket in time: alerts the support address."""
    _send(uow, {**ticket, "headline": "Waiting", "sentence": sentence}, "sla_alert")


def notify_returned(uow: UnitOfWork, ticket: Row, agent: str, number: int) -> None:
    """An agent left with so many open tickets, of which `ticket` is one: alerts the support address once."""
    what = "One open ticket is" if number == 1 else f"{number} open tickets are"
    sentence = f"{agent} works here no more. {what} back in the queues of their teams."
    _send(uow, {**ticket, "title": "", "headline": "Tickets without an agent", "sentence": sentence}, "sla_alert")


def notify_note(uow: UnitOfWork, ticket: Row, reason: str) -> None:
    """A mail is kept as a note: tells the agent, else the support address."""
    _send(uow, {**ticket, "reason": reason}, "mail_alert")


def notify_reply(uow: UnitOfWork, ticket: Row, reply: Row) -> None:
    """New public reply: mails the customer or the agent, whoever did not write it, and the watchers.

    Turns of a chat are not mailed, except a person's reply that the customer does not fetch within two minutes.
    """
    if ticket["source"] != conversations.CHAT:
        _send(uow, ticket, "public_reply", reply=reply)
        mailed = ticket["customer_email"] if reply["author_role"] == "agent" else ticket["assigned_to"]
        _tell_watchers(uow, ticket, "New reply", reply["body"], without={reply["author_email"], mailed})
    elif reply["author_role"] == "agent":
        in_touch = conversations.is_in_touch(uow, conversations.get(uow, ticket))
        delay = conversations.IN_TOUCH_SECONDS if in_touch else 0
        _send(uow, ticket, "public_reply", reply=reply, delay_seconds=delay, unless_seen_since=uow.real_now)


def _tell_watchers(uow: UnitOfWork, ticket: Row, headline: str, text: str, *, without: Set[str] = frozenset()) -> None:
    """Mails whoever watches the ticket or one merged into it. Only users of the company who are staff get the text."""
    watchers = [*ticket["watchers"], *_watchers_of(uow, merged.sources(uow, ticket["id"]))]
    addresses = [watcher for watcher in dict.fromkeys(watchers) if watcher not in {uow.actor.name, *without}]
    if not addresses:
        return
    at_work = uow.query(users, users.c.email).where(users.c.email.in_(addresses), AT_WORK)
    staff = {row["email"] for row in uow.find(at_work)}
    for watcher in addresses:
        facts = {"watcher": watcher, "headline": headline, "quoted": text if watcher in staff else ""}
        _send(uow, ticket | facts, "watched")


def _watchers_of(uow: UnitOfWork, ticket_ids: list[str]) -> list[str]:
    rows = uow.find(uow.query(tickets, tickets.c.watchers).where(tickets.c.id.in_(ticket_ids))) if ticket_ids else []
    return [watcher for row in rows for watcher in row["watchers"]]


def confirm_address(uow: UnitOfWork, user: Row) -> None:
    """The first admin of a new company is to confirm their address. The job holds neither the address nor the token."""
    outbox.enqueue(uow, [outbox.Job(QUEUE, CONFIRM, payload={"user_id": user["id"]})])


def to_confirm(uow: UnitOfWork, job: Row) -> tuple[Row, Row] | None:
    """Who is to confirm which company, None when there is nothing to confirm any more."""
    company = uow.get(companies, uow.actor.company_id)
    user = uow.get(users, job["payload"]["user_id"])
    if company is None or company["confirmed_at"] or user is None or user["disabled"] or user["role"] != "admin":
        return None
    return user, company


def snapshot(kind: str, ticket: Row, reply: Row | None = None) -> Row:
    """The current content of a notification: {"ticket": {…}} and, for a reply, {"reply": {…}}."""
    fields = {"number": ticket["number"], **{name: ticket[name] for name in _TICKET_FIELDS[kind]}}
    return {"ticket": fields} | ({"reply": {name: reply[name] for name in _REPLY_FIELDS}} if reply else {})


def load_notice(uow: UnitOfWork, job: Row) -> tuple[Row, Row | None] | None:
    """Returns the ticket fields and reply of a mail job, or None if the mail is obsolete.

    It is obsolete if the ticket is deleted or erased, or if a newer AI answer replaced that of the snapshot. The same
    if the customer saw the reply in the chat, or the recipient no longer watches the ticket.
    """
    ticket = uow.get(tickets, job["ticket_id"])
    if ticket is None or ticket["erased_at"]:
        return None
    payload = job["payload"] if "ticket" in job["payload"] else _without_snapshot(uow, job, ticket)
    if payload is None:
        return None
    now = {name: ticket[name] for name in ("title", "description", "customer_name")}  # what a company's words may name
    ticket_fields = {"id": ticket["id"], **now, **payload["ticket"]}
    if (since := payload.get("unless_seen_since")) and conversations.find(uow, ticket).get("seen_at", "") > since:
        return None
    if job["kind"] == "watched" and not _still_watches(uow, ticket, ticket_fields["watcher"]):
        return None
    if job["kind"] == "ai_answer" and ticket_fields["ai_response"] != ticket["ai_response"]:
        return None
    return ticket_fields, payload.get("reply")


def _still_watches(uow: UnitOfWork, ticket: Row, email: str) -> bool:
    return email in ticket["watchers"] or email in _watchers_of(uow, merged.sources(uow, ticket["id"]))


def record_unsent(uow: UnitOfWork, job: Row, reason: str) -> None:
    """Records in the ticket's history that a mail was given up, and why."""
    if uow.get(tickets, job["ticket_id"]) is not None:
        record(uow, job["ticket_id"], [Change("not_mailed", job["kind"], "", reason)])


def _without_snapshot(uow: UnitOfWork, job: Row, ticket: Row) -> Row | None:
    """The current snapshot for a job of an earlier release, which stored only reply_id. None if the reply is deleted."""
    if job["kind"] != "public_reply":
        return snapshot(job["kind"], ticket)
    reply = uow.get(replies, job["payload"].get("reply_id", ""))
    return snapshot(job["kind"], ticket, reply) if reply else None


def _send(
    uow: UnitOfWork, ticket: Row, kind: str, *, reply: Row | None = None, delay_seconds: float = 0, **more: Any
) -> None:
    support_email = settings.current(uow)["support_email"]
    payload = snapshot(kind, ticket, reply) | {"support_email": support_email} | more
    outbox.enqueue(uow, [outbox.Job(QUEUE, kind, ticket["id"], payload, delay_seconds=delay_seconds)])
