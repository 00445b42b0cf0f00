"""Facts about a ticket's transitions that its fields do not show any more later. Statistics count them."""

from core.models import FINISHED
from storage import Row


def after(ticket: Row, values: Row, *, by_customer: bool) -> Row:
    """The facts that a write of `values` adds: handed to a person, ended by the customer, reopened after AI resolved it."""
    status = values.get("status", ticket["status"])
    if status == ticket["status"]:
        return {}
    facts: Row = {"handed_over": True} if status == "handoff" else {}
    if status in FINISHED and ticket["status"] not in FINISHED:
        facts["closed_by_customer"] = by_customer
    elif ticket["status"] in FINISHED and status not in FINISHED:
        facts["closed_by_customer"] = False
        if ticket["ai_response"] and not ticket["human_replied"]:
            facts["reopened_after_ai"] = True
    return facts
