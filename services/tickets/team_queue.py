"""Since when a ticket waits for an agent in its team's queue. It waits while it is open, ours to work on, awake, without an agent.

A conversation that the AI answers does not wait; neither does a ticket that was imported and not touched since.
"""

from storage import Row

WAITING = ("new", "ai_responded", "in_progress", "handoff")
CHAT = "chat"


def of_new(ticket: Row, *, real_now: str) -> Row:
    """The field queue_since of a ticket that is created by a caller."""
    return {"queue_since": real_now if _waits(ticket) and ticket.get("source") != CHAT else None}


def after(ticket: Row, values: Row, *, real_now: str) -> Row:
    """The field queue_since after a change that sets `values`; {} when it stays."""
    changed = any(values.get(name, ticket[name]) != ticket[name] for name in ("status", "assigned_to", "snoozed_until"))
    if not changed or "queue_since" in values:
        return {}
    now = {**ticket, **values}
    if not _waits(now):
        return {"queue_since": None} if ticket["queue_since"] else {}
    # Nobody was taken from a conversation that only the AI has answered.
    with_ai = now["source"] == CHAT and now["status"] != "handoff" and not ticket["assigned_to"]
    return {} if ticket["queue_since"] or with_ai else {"queue_since": real_now}


def _waits(ticket: Row) -> bool:
    return ticket["status"] in WAITING and not ticket["assigned_to"] and not _is_away(ticket)


def _is_away(ticket: Row) -> bool:
    return bool(ticket.get("erased_at") or ticket.get("snoozed_until"))
