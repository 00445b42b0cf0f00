"""Which notices a change sends: each becomes a job in the same unit of work as the change itself.

The job's payload is a snapshot: a notice tells what happened when it happened, whatever changes before it is sent.
"""

import jobs
from services import settings
from storage import Desk, Row
from tables import companies, replies, tickets, users

MAIL, CONFIRM = "mail", "confirm_address"
# The fields of the ticket that each kind of notice is made of, beside its number.
_TOLD = {
    "ticket_received": ("customer_email",),
    "ai_answer": ("customer_email", "ai_response"),
    "assigned": ("assigned_to",),
    "public_reply": ("customer_email", "assigned_to", "title"),
    "resolved": ("customer_email", "title", "resolution"),
    "urgent_alert": ("title", "category", "urgency", "next_action"),
}
_TOLD_OF_REPLY = ("author_role", "author_name", "body", "internal")


def opened(desk: Desk, ticket: Row) -> None:
    """A ticket came in: the customer gets its number and its answer, the agent the ticket, the support address an alert."""
    told = {
        "ticket_received": ticket["customer_email"],
        "ai_answer": ticket["customer_email"] and ticket["ai_status"] == "done",
        "urgent_alert": ticket["priority"] == "urgent",
        "assigned": ticket["assigned_to"],
    }
    _send(desk, ticket, *(kind for kind, wanted in told.items() if wanted))


def ai_answered(desk: Desk, ticket: Row) -> None:
    """The AI answered."""
    if ticket["customer_email"]:
        _send(desk, ticket, "ai_answer")


def assigned(desk: Desk, ticket: Row) -> None:
    """Somebody was given the ticket."""
    _send(desk, ticket, "assigned")


def became_urgent(desk: Desk, ticket: Row) -> None:
    """The priority was raised to urgent."""
    _send(desk, ticket, "urgent_alert")


def resolved(desk: Desk, ticket: Row) -> None:
    """The ticket was resolved."""
    if ticket["customer_email"]:
        _send(desk, ticket, "resolved")


def replied(desk: Desk, ticket: Row, reply: Row) -> None:
    """Somebody wrote for the other side to read."""
    _send(desk, ticket, "public_reply", reply=reply)


def confirm_address(desk: Desk, user: Row) -> None:
    """The first admin of a new company is to confirm their address. The job holds neither the address nor the token."""
    jobs.enqueue(desk, [jobs.Job(MAIL, CONFIRM, payload={"user_id": user["id"]})])


def to_confirm(desk: Desk, job: Row) -> tuple[Row, Row] | None:
    """Who is to confirm which company, None when there is nothing to confirm any more."""
    company = desk.get(companies, desk.actor.company_id)
    user = desk.get(users, job["payload"]["user_id"])
    if company is None or company["confirmed_at"] or user is None or user["disabled"] or user["role"] != "admin":
        return None
    return user, company


def snapshot(kind: str, ticket: Row, reply: Row | None = None) -> Row:
    """What a notice of that kind tells, as it is now: {"ticket": {…}} and, about a reply, {"reply": {…}}."""
    fields = {"number": ticket["number"], **{name: ticket[name] for name in _TOLD[kind]}}
    return {"ticket": fields} | ({"reply": {name: reply[name] for name in _TOLD_OF_REPLY}} if reply else {})


def to_tell(desk: Desk, job: Row) -> tuple[Row, Row | None] | None:
    """The ticket and the reply that a mail job tells of. None when the notice makes no sense any more.

    That is when the ticket is gone or erased, or when a newer AI answer has replaced the one it tells of.
    """
    ticket = desk.get(tickets, job["ticket_id"])
    if ticket is None or ticket["erased_at"]:
        return None
    payload = job["payload"] if "ticket" in job["payload"] else _without_snapshot(desk, job, ticket)
    if payload is None:
        return None
    told = {"id": ticket["id"], **payload["ticket"]}
    if job["kind"] == "ai_answer" and told["ai_response"] != ticket["ai_response"]:
        return None
    return told, payload.get("reply")


def _without_snapshot(desk: Desk, job: Row, ticket: Row) -> Row | None:
    """For a job of an earlier release, which named the reply alone: the snapshot as of now, None without the reply."""
    if job["kind"] != "public_reply":
        return snapshot(job["kind"], ticket)
    reply = desk.get(replies, job["payload"].get("reply_id", ""))
    return snapshot(job["kind"], ticket, reply) if reply else None


def _send(desk: Desk, ticket: Row, *kinds: str, reply: Row | None = None) -> None:
    to_write_to = {"support_email": settings.current(desk)["support_email"]} if kinds else {}
    told = {kind: snapshot(kind, ticket, reply) | to_write_to for kind in kinds}
    jobs.enqueue(desk, [jobs.Job(MAIL, kind, ticket["id"], payload) for kind, payload in told.items()])
