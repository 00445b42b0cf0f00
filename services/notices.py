"""Which notices a change sends: each becomes a job in the same unit of work as the change itself."""

import jobs
from storage import Desk, Row

MAIL = "mail"


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
    jobs.enqueue(desk, [jobs.Job(MAIL, "public_reply", ticket["id"], {"reply_id": reply["id"]})])


def _send(desk: Desk, ticket: Row, *kinds: str) -> None:
    jobs.enqueue(desk, [jobs.Job(MAIL, kind, ticket["id"]) for kind in kinds])
