"""Demo tickets: an authored month of a support desk, lived through the desk's own services at its own times.

Nobody is mailed or called: what the services would send is taken back in the same unit of work.
"""

from pathlib import Path
from typing import Any

import orjson

import times
from errors import conflict
from services import agents, intake, replies, tickets
from storage import Desk, Row
from tables import customers, jobs
from tables import tickets as table

STORY = Path(__file__).resolve().parent.parent / "data" / "demo_tickets.json"
HOUR = 3600


def fill(desk: Desk) -> Row:
    """Fills a desk that has no tickets. Raises AppError 409 when it has some."""
    if desk.count(desk.rows(table)):
        raise conflict("not_empty", "This desk has tickets already. Demo tickets are only put into an empty one.")
    story = orjson.loads(STORY.read_bytes())
    present, cast = desk.now, _cast(desk, story["agents"])
    for entry in sorted(story["tickets"], key=lambda entry: -entry["hours_ago"]):
        start = times.later(present, seconds=-entry["hours_ago"] * HOUR)
        _live(desk, story["customers"][entry["customer"]], entry, start, cast)
    desk.now = present
    return {"created": len(story["tickets"]), "customers": desk.count(desk.rows(customers))}


def _cast(desk: Desk, authored: list[str]) -> dict[str, str]:
    """Who plays which agent: a company that has agents sees its own."""
    own = [agent["key"] for agent in agents.known(desk)] or authored
    return {name: own[position % len(own)] for position, name in enumerate(authored)}


def _live(desk: Desk, customer: Row, entry: Row, start: str, cast: dict[str, str]) -> None:
    """One ticket from its first message to where it stands now."""
    desk.now = start
    given = customer | {
        name: entry[name] for name in ("title", "description", "product", "tags", "source") if name in entry
    }
    answered = entry.get("answered", True)
    ticket = intake.open_ticket(desk, given, model_ready=False) if answered else intake.bring_in(desk, given)
    for step in entry.get("steps", []):
        desk.now = times.later(start, seconds=step["after"] * HOUR)
        _take_step(desk, ticket["id"], step, cast.get(step.get("by", ""), ""))
    desk.delete(jobs, jobs.c.ticket_id == ticket["id"])


def _take_step(desk: Desk, ticket_id: str, step: Row, agent: str) -> None:
    text: Any = step.get("text", "")
    match step["do"]:
        case "assign":
            tickets.assign(desk, ticket_id, agent, said_by=agent)
        case "reply":
            replies.add(desk, ticket_id, {"body": text, "author_name": agent}, said_by=agent)
        case "note":
            replies.add(desk, ticket_id, {"body": text, "author_name": agent, "internal": True}, said_by=agent)
        case "customer":
            replies.add(desk, ticket_id, {"body": text, "author_role": "customer"})
        case "resolve":
            tickets.resolve(desk, ticket_id, text, said_by=agent)
        case "reopen":
            tickets.reopen(desk, ticket_id, said_by=agent)
        case status:
            tickets.update(desk, ticket_id, {"status": status}, said_by=agent)
