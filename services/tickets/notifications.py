"""Which notices a change sends: each becomes a job in the same unit of work as the change itself.

The job's payload is a snapshot: a notice tells what happened when it happened, whatever changes before it is sent.
"""

from database.tables import replies, tickets
from services import outbox, settings
from storage import Row, UnitOfWork

QUEUE = "mail"
# The fields of the ticket that each kind of notice is made of, beside its number.
_TICKET_FIELDS = {
    "ticket_received": ("customer_email",),
    "ai_answer": ("customer_email", "ai_response"),
    "assigned": ("assigned_to",),
    "public_reply": ("customer_email", "assigned_to", "title"),
    "resolved": ("customer_email", "title", "resolution"),
    "urgent_alert": ("title", "category", "urgency", "next_action"),
}
_REPLY_FIELDS = ("author_role", "author_name", "body", "internal")


def notify_opened(uow: UnitOfWork, ticket: Row) -> None:
    """A ticket came in: the customer gets its number and its answer, the agent the ticket, the support address an alert."""
    kinds = {
        "ticket_received": ticket["customer_email"],
        "ai_answer": ticket["customer_email"] and ticket["ai_status"] == "done",
        "urgent_alert": ticket["priority"] == "urgent",
        "assigned": ticket["assigned_to"],
    }
    _send(uow, ticket, *(kind for kind, applies in kinds.items() if applies))


def notify_ai_answer(uow: UnitOfWork, ticket: Row) -> None:
    """The AI answered."""
    if ticket["customer_email"]:
        _send(uow, ticket, "ai_answer")


def notify_assigned(uow: UnitOfWork, ticket: Row) -> None:
    """Somebody was given the ticket."""
    _send(uow, ticket, "assigned")


def notify_urgent(uow: UnitOfWork, ticket: Row) -> None:
    """The priority was raised to urgent."""
    _send(uow, ticket, "urgent_alert")


def notify_resolved(uow: UnitOfWork, ticket: Row) -> None:
    """The ticket was resolved."""
    if ticket["customer_email"]:
        _send(uow, ticket, "resolved")


def notify_reply(uow: UnitOfWork, ticket: Row, reply: Row) -> None:
    """Somebody wrote for the other side to read."""
    _send(uow, ticket, "public_reply", reply=reply)


def snapshot(kind: str, ticket: Row, reply: Row | None = None) -> Row:
    """What a notice of that kind tells, as it is now: {"ticket": {…}} and, about a reply, {"reply": {…}}."""
    fields = {"number": ticket["number"], **{name: ticket[name] for name in _TICKET_FIELDS[kind]}}
    return {"ticket": fields} | ({"reply": {name: reply[name] for name in _REPLY_FIELDS}} if reply else {})


def load_notice(uow: UnitOfWork, job: Row) -> tuple[Row, Row | None] | None:
    """The ticket and the reply that a mail job tells of. None when the notice makes no sense any more.

    That is when the ticket is gone or erased, or when a newer AI answer has replaced the one it tells of.
    """
    ticket = uow.get(tickets, job["ticket_id"])
    if ticket is None or ticket["erased_at"]:
        return None
    payload = job["payload"] if "ticket" in job["payload"] else _without_snapshot(uow, job, ticket)
    if payload is None:
        return None
    ticket_fields = {"id": ticket["id"], **payload["ticket"]}
    if job["kind"] == "ai_answer" and ticket_fields["ai_response"] != ticket["ai_response"]:
        return None
    return ticket_fields, payload.get("reply")


def _without_snapshot(uow: UnitOfWork, job: Row, ticket: Row) -> Row | None:
    """For a job of an earlier release, which named the reply alone: the snapshot as of now, None without the reply."""
    if job["kind"] != "public_reply":
        return snapshot(job["kind"], ticket)
    reply = uow.get(replies, job["payload"].get("reply_id", ""))
    return snapshot(job["kind"], ticket, reply) if reply else None


def _send(uow: UnitOfWork, ticket: Row, *kinds: str, reply: Row | None = None) -> None:
    recipient = {"support_email": settings.current(uow)["support_email"]} if kinds else {}
    payloads = {kind: snapshot(kind, ticket, reply) | recipient for kind in kinds}
    outbox.enqueue(uow, [outbox.Job(QUEUE, kind, ticket["id"], payload) for kind, payload in payloads.items()])
