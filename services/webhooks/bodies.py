"""The body of a webhook: the public shape of an event, an Adaptive Card for Teams, or a message for Slack.

Words of customers are data: they stand where neither Teams nor Slack reads markup or mentions.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson

from core.models import EVENTS, label
from storage import Row

HEADLINES: dict[str, str] = {
    "ticket.created": "New ticket",
    "ticket.updated": "Ticket changed",
    "ticket.assigned": "Ticket assigned",
    "ticket.replied": "New reply",
    "ticket.resolved": "Ticket resolved",
    "ticket.reopened": "Ticket reopened",
    "ticket.closed": "Ticket closed",
    "ticket.handoff": "A person is needed",
    "ticket.merged": "Ticket merged",
    "sla.at_risk": "Agreed time at risk",
    "sla.breached": "Agreed time missed",
    "csat.received": "Customer rated a ticket",
    "incident.opened": "Incident opened",
}
assert set(HEADLINES) == set(EVENTS)  # noqa: S101 - a table that must be complete
_HALF_ENTITY = re.compile(r"&[a-z]*$")
MOST_TITLE, MOST_QUOTED = 150, 500  # characters; Slack takes 150 in a header and 3,000 in a section


def render(event: Row, form: str) -> str:
    """The body of an event in a form of WEBHOOK_FORMATS, as JSON text."""
    return orjson.dumps(_FORMS[form](event)).decode()


def _headline(event: Row) -> str:
    number = event.get("ticket", {}).get("number")
    return HEADLINES[event["event"]] + (f" #{number}" if number else "")


def _facts(event: Row) -> list[tuple[str, str]]:
    """What a chat shows of an event: labels and values."""
    ticket, reply = event.get("ticket", {}), event.get("reply", {})
    author = reply.get("author_name", "") or label(reply.get("author_role", ""))
    facts = {
        "Title": ticket.get("title", ""),
        "Customer": ticket.get("customer_name", "") or ticket.get("customer_email", ""),
        "Status": label(ticket["status"]) if "status" in ticket else "",
        "Priority": label(ticket["priority"]) if "priority" in ticket else "",
        "Assigned to": ticket.get("assigned_to", ""),
        "Rating": str(ticket.get("csat_score", "")) if event["event"] == "csat.received" else "",
        ("Note" if reply.get("internal") else "Reply"): f"{author}: {reply['body']}" if reply else "",
        "Incident": event.get("incident", {}).get("title", ""),
    }
    return [(name, _short(value, MOST_QUOTED)) for name, value in facts.items() if value]


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _teams(event: Row) -> Row:
    """A message with one Adaptive Card, as a Teams Workflows webhook takes it. Text runs are shown as they are."""

    def paragraph(*runs: dict[str, Any]) -> Row:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}

    lines = [paragraph({"text": f"{name}: ", "weight": "Bolder"}, {"text": value}) for name, value in _facts(event)]
    headline = paragraph({"text": _headline(event), "size": "Large", "weight": "Bolder"})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": _headline(event),
        "body": [headline, *lines],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _slack(event: Row) -> Row:
    """A message of an incoming webhook of Slack. `text` is what notifications show."""
    facts = _facts(event)
    title = next((value for name, value in facts if name == "Title"), "")
    text = f"{_headline(event)}: {title}" if title else _headline(event)
    lines = "\n".join(f"{name}: {value}" for name, value in facts)
    blocks = [{"type": "header", "text": _plain(_headline(event), MOST_TITLE)}]
    if lines:
        blocks.append({"type": "section", "text": _plain(lines, 3_000)})
    return {"text": _escaped(_short(text, MOST_QUOTED)), "blocks": blocks}


def _plain(text: str, most: int) -> Row:
    cut = _HALF_ENTITY.sub("", _escaped(text)[:most])
    return {"type": "plain_text", "text": cut, "emoji": False}


def _escaped(text: str) -> str:
    """Without Slack's control characters, which make links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_FORMS: dict[str, Callable[[Row], Row]] = {"json": lambda event: event, "teams": _teams, "slack": _slack}
