"""Demo data: a prepared month of support with its people, macros and articles, created through the services with past times.

No mail is sent and none is logged: jobs, and actions after the commit, are removed in the same unit of work.
"""

from pathlib import Path
from typing import Any

import orjson

from core import timestamps
from core.errors import conflict
from database.tables import customers, jobs
from database.tables import tickets as table
from services.accounts import users
from services.chat import conversations
from services.knowledge import articles
from services.routing import agents, rules
from services.sla import sweep
from services.tickets import background_assignment, changes, create, csat, incidents, macros, replies, views
from services.triage.trained_models import TrainedModels
from storage import Row, UnitOfWork

_DATA = Path(__file__).resolve().parent.parent.parent / "data"
STORY, ARTICLES = _DATA / "demo_tickets.json", _DATA / "demo_articles.json"
HOUR = 3600


def fill(uow: UnitOfWork, trained_models: TrainedModels) -> Row:
    """Adds the demo data to a company without tickets; returns counts. Raises AppError 409 if it has tickets."""
    if uow.count(uow.query(table)):
        raise conflict(
            "not_empty", "Your company has tickets already. Demo tickets can only be added to an empty company."
        )
    story, action_count = orjson.loads(STORY.read_bytes()), len(uow.after_commit)
    present, cast = uow.now, _assign_agents(uow, story["agents"])
    _add_tools(uow, story)
    for entry in sorted(story["tickets"], key=lambda entry: -entry["hours_ago"]):
        start = timestamps.later(present, seconds=-entry["hours_ago"] * HOUR)
        _create_with_steps(uow, trained_models, story["customers"][entry["customer"]], entry, start, cast)
    uow.now = present
    article_fields = orjson.loads(ARTICLES.read_bytes())
    for fields in article_fields:
        articles.import_one(uow, fields)
    del uow.after_commit[action_count:]  # without a mail server these are the lines of mails that are not sent
    customer_count = uow.count(uow.query(customers))
    return {"created": len(story["tickets"]), "customers": customer_count, "articles": len(article_fields)}


def _assign_agents(uow: UnitOfWork, authored: list[Row]) -> dict[str, str]:
    """Maps the agents of the file to the company's own. One without people gets those of the file; nobody can sign in as them."""
    own = [agent["key"] for agent in agents.list_agents(uow)]
    if not own:
        own = [users.create(uow, {**agent, "role": "agent"})["email"] for agent in authored]
    return {agent["name"]: own[position % len(own)] for position, agent in enumerate(authored)}


def _add_tools(uow: UnitOfWork, story: Row) -> None:
    """Adds macros, a view for everybody and a routing rule."""
    for macro in story["macros"]:
        macros.create(uow, macro)
    views.create(uow, story["view"])
    rules.create(uow, story["rule"])


def _create_with_steps(
    uow: UnitOfWork, trained_models: TrainedModels, customer: Row, entry: Row, start: str, cast: dict[str, str]
) -> None:
    """Creates one ticket and applies its steps."""
    uow.now = start
    fields = customer | {
        name: entry[name] for name in ("title", "description", "product", "tags", "source") if name in entry
    }
    answered = entry.get("answered", True)
    ticket = (
        create.open_ticket(uow, trained_models, fields, model_ready=False)
        if answered
        else create.import_ticket(uow, trained_models, fields)
    )
    for step in entry.get("steps", []):
        uow.now = timestamps.later(start, seconds=step["after"] * HOUR)
        _take_step(uow, ticket["id"], step, cast.get(step.get("by", ""), ""))
    sweep.recompute(uow, [ticket["id"]])
    conversations.leave_alone(uow, ticket["id"])
    background_assignment.keep_out_of_queue(uow, ticket["id"])
    incidents.leave_alone(uow, ticket["id"])
    uow.delete(jobs, jobs.c.ticket_id == ticket["id"])


def _take_step(uow: UnitOfWork, ticket_id: str, step: Row, agent: str) -> None:
    text: Any = step.get("text", "")
    match step["do"]:
        case "assign":
            changes.assign(uow, ticket_id, agent, said_by=agent)
        case "reply":
            replies.add(uow, ticket_id, {"body": text, "author_name": agent}, said_by=agent)
        case "note":
            replies.add(uow, ticket_id, {"body": text, "author_name": agent, "internal": True}, said_by=agent)
        case "customer":
            replies.add(uow, ticket_id, {"body": text, "author_role": "customer"})
        case "resolve":
            changes.resolve(uow, ticket_id, text, said_by=agent)
        case "reopen":
            changes.reopen(uow, ticket_id, said_by=agent)
        case "rate":
            csat.rate(uow, ticket_id, step["score"], text)
        case status:
            changes.update(uow, ticket_id, {"status": status}, said_by=agent)
