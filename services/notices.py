"""Which notices a change sends: each becomes a job in the same unit of work as the change itself."""

import jobs
from storage import Desk, Row

MAIL = "mail"


def received(desk: Desk, ticket: Row) -> None:
    """A ticket came in: the customer gets its number; urgent ones alert the support address."""
    kinds = ["ticket_received"] if ticket["customer_email"] else []
    if ticket["priority"] == "urgent":
        kinds.append("urgent_alert")
    _send(desk, ticket, *kinds)


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
    jobs.enqueue(desk, [jobs.Job(MAIL, "public_reply", ticket["id"], {"reply_id": reply["id"]})])


def _send(desk: Desk, ticket: Row, *kinds: str) -> None:
    jobs.enqueue(desk, [jobs.Job(MAIL, kind, ticket["id"]) for kind in kinds])
