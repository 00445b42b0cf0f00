"""Answers or resolves all open tickets of an incident: some tickets in each unit of work, each ticket once.

A job holds the tickets that are left. The caller works them off at once; if that ends early, the job does the rest.
"""

from collections.abc import Callable
from typing import Any

from core.errors import AppError, conflict
from core.models import FINISHED, Actor
from database.tables import jobs
from database.tables import replies as replies_table
from services import outbox
from services.history import Change, record
from services.tickets import changes, incidents, macros, replies
from storage import Row, UnitOfWork

QUEUE, REPLY, RESOLVE = "incidents", "reply", "resolve"
AT_ONCE = 25  # tickets in one unit of work, so that other writers do not wait long
RESUME_SECONDS = 60  # after which the job does what the caller has not done
FIELD = {REPLY: "body", RESOLVE: "resolution"}
# What a history entry says about who acts; the job acts in the same name.
_ACTOR = ("name", "key_id", "key_name", "user_id", "address")


def start(uow: UnitOfWork, incident_id: str, kind: str, text: str, *, said_by: str = "") -> str:
    """Begins to answer (`reply`) or resolve the open tickets of an incident; returns the id of the job that holds them.

    Raises AppError 400 for an unknown variable, 404, and 409 for an incident that is resolved and has no open ticket.
    """
    macros.check_variables(text, field=FIELD[kind])
    incident = incidents.get(uow, incident_id, lock=True)
    ids = [row["id"] for row in incidents.members(uow, incident_id) if row["status"] not in FINISHED]
    if kind == RESOLVE:
        if incident["status"] == "resolved" and not ids:
            raise conflict("move_not_allowed", "This incident is resolved already.")
        incidents.resolve(uow, incident, said_by=said_by)
    else:
        record(uow, incident_id, [Change("replied", "tickets", "", len(ids))], subject="incident", said_by=said_by)
    payload = {
        "ids": ids,
        "text": text,
        "since": uow.now,
        "said_by": said_by,
        "actor": {name: getattr(uow.actor, name) for name in _ACTOR},
    }
    return outbox.enqueue_fallback(uow, outbox.Job(QUEUE, kind, payload=payload, delay_seconds=RESUME_SECONDS))


def actor_of(job: Row) -> Actor:
    """Who began the work of a job."""
    return Actor(job["company_id"], "agent", **job["payload"].get("actor", {"name": "system"}))


def run_some(uow: UnitOfWork, job_id: str) -> list[Row]:
    """Does up to AT_ONCE of the tickets that are left; returns their results, [] when none was left."""
    job = uow.get(jobs, job_id, lock=True)
    payload = job["payload"] if job and job["state"] in ("waiting", "running") else {}
    ids = payload.get("ids", [])
    if job is None or not ids:
        outbox.finish(uow, [job_id])
        return []
    results = [_attempt(uow, ticket_id, job["kind"], payload) for ticket_id in ids[:AT_ONCE]]
    remaining_ids = ids[AT_ONCE:]
    # The text is deleted as soon as it is not needed any more.
    uow.update(jobs, job_id, {"payload": {**payload, "ids": remaining_ids} if remaining_ids else {}})
    if not remaining_ids:
        outbox.finish(uow, [job_id])
    return results


def _attempt(uow: UnitOfWork, ticket_id: str, kind: str, payload: Row) -> Row:
    """The result of one ticket; `code` is "" when it worked. One that fails is left as it was."""
    result: dict[str, Any] = {"id": ticket_id}
    try:
        with uow.attempt():
            return {**result, "success": True, "message": _WORK[kind](uow, ticket_id, payload), "code": ""}
    except AppError as error:
        if error.status >= 500:
            raise
        return {**result, "success": False, "message": error.message, "code": error.code}


def _reply(uow: UnitOfWork, ticket_id: str, payload: Row) -> str:
    ticket, text = _open_ticket(uow, ticket_id), payload["text"]
    text = macros.text_for(uow, text, ticket, said_by=payload["said_by"])
    if _is_answered(uow, ticket_id, text, since=payload["since"]):
        return f"Ticket #{ticket['number']} has this answer already."
    macros.usable(text, field="body", what="This answer")
    replies.add(uow, ticket_id, {"body": text}, said_by=payload["said_by"])
    return f"Ticket #{ticket['number']} is answered."


def _is_answered(uow: UnitOfWork, ticket_id: str, text: str, *, since: str) -> bool:
    """Whether this text is the last message of the ticket, or an agent wrote it since the work began: it was repeated."""
    last = replies.recent_public(uow, ticket_id, most=1)
    if last and last[0]["author_role"] == "agent" and last[0]["body"] == text:
        return True
    r = replies_table.c
    same = (r.ticket_id == ticket_id, r.author_role == "agent", r.body == text, ~r.internal, r.created_at >= since)
    return uow.first(uow.query(replies_table, r.id).where(*same)) is not None


def _resolve(uow: UnitOfWork, ticket_id: str, payload: Row) -> str:
    ticket, text = _open_ticket(uow, ticket_id), payload["text"]
    text = macros.text_for(uow, text, ticket, said_by=payload["said_by"])
    macros.usable(text, field="resolution", what="This resolution", most="resolution")
    changes.resolve(uow, ticket_id, text, said_by=payload["said_by"])
    return f"Ticket #{ticket['number']} is resolved."


_WORK: dict[str, Callable[[UnitOfWork, str, Row], str]] = {REPLY: _reply, RESOLVE: _resolve}


def _open_ticket(uow: UnitOfWork, ticket_id: str) -> Row:
    ticket = changes.get_for_update(uow, ticket_id)
    if ticket["status"] in FINISHED:
        raise conflict("move_not_allowed", f"Ticket #{ticket['number']} is {ticket['status']} already.")
    return ticket
