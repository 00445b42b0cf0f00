"""Outbox: enqueue jobs in the unit of work of a change, list them, retry failed ones, purge old ones."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Select

from core import timestamps
from core.errors import conflict, not_found
from core.models import JOB_FIELDS
from database.tables import jobs
from database.tables import jobs as table
from services.history import Change, record
from services.prepared_statements import prepared, text
from storage import Row, UnitOfWork

log = logging.getLogger("foyer.jobs")

# Stored state -> public state. A running job counts as waiting, as in health.
PUBLIC_STATE = {"waiting": "waiting", "running": "waiting", "dead": "dead"}
STATES = ("waiting", "dead")


def job_shape(job: Row) -> Row:
    """The public fields of a job, without the payload, which may hold a customer's texts."""
    fields = {**job, "ticket_id": job["ticket_id"] or "", "state": PUBLIC_STATE[job["state"]]}
    return {name: fields[name] for name in JOB_FIELDS}


def find(uow: UnitOfWork, *, states: list[str], limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the company's jobs in these states (of STATES), newest first, and the total."""
    stored_states = [state for state, public in PUBLIC_STATE.items() if public in states]
    query = uow.query(jobs).where(jobs.c.state.in_(stored_states))
    page = query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit).offset(offset)
    return uow.find(page), uow.count(query)


def retry(uow: UnitOfWork, job_id: str) -> Row:
    """Makes a failed job due again, with all its attempts. Raises AppError 404, 409."""
    job = uow.get(jobs, job_id, lock=True)
    if job is None or job["state"] not in PUBLIC_STATE:
        raise not_found()
    if job["state"] != "dead":
        raise conflict("not_dead", "This job is still waiting. Only a failed job can be retried.")
    record(uow, uow.actor.company_id, [Change("job_retried", "jobs", "", job_id)], subject="company")
    return uow.update(jobs, job_id, {"state": "waiting", "attempts": 0, "run_at": uow.real_now}) or job


KEPT_SECONDS = 7 * 24 * 3600
DEAD_KEPT_SECONDS = 30 * 24 * 3600
# The longest delay of a job. A later run_at was written while the clock was wrong, so that job is due.
LONGEST_WAIT_SECONDS = 2 * 3600


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done after the commit. Separate queues keep slow jobs from delaying others.

    A job with `delay_seconds` is a fallback: the caller does the work at once, and the job runs only if that failed.
    """

    queue: str
    kind: str
    ticket_id: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    delay_seconds: float = 0


def enqueue(uow: UnitOfWork, new_jobs: Sequence[Job]) -> None:
    """Adds jobs to the caller's unit of work; direct ones are done after its commit. Raises ValueError if a delay is too long."""
    if any(job.delay_seconds > LONGEST_WAIT_SECONDS for job in new_jobs):
        raise ValueError(f"a job may be put off for {LONGEST_WAIT_SECONDS} s at most")
    stored = []
    for job in new_jobs:
        if run := uow.direct_jobs.get((job.queue, job.kind)):
            uow.after_commit.append(partial(_run_direct, run, uow.actor.company_id, job))
        else:
            stored.append(job)
    uow.insert_many(
        table,
        [
            {
                "lane": job.queue,
                "kind": job.kind,
                "ticket_id": job.ticket_id or None,
                "payload": dict(job.payload),
                "run_at": timestamps.later(uow.real_now, seconds=job.delay_seconds)
                if job.delay_seconds
                else uow.real_now,
                "created_at": uow.now,
            }
            for job in stored
        ],
    )


def enqueue_fallback(uow: UnitOfWork, job: Job) -> str:
    """Adds a job that does the rest of work which the caller begins at once. Returns its id."""
    run_at = timestamps.later(uow.real_now, seconds=job.delay_seconds)
    values = {
        "lane": job.queue,
        "kind": job.kind,
        "payload": dict(job.payload),
        "run_at": run_at,
        "created_at": uow.now,
    }
    return str(uow.insert(table, values)["id"])


def _run_direct(run: Callable[[str, Job], None], company: str, job: Job) -> None:
    """Does a direct job. Its change is committed, so a failure is logged and is no error of the caller."""
    try:
        run(company, job)
    except Exception as error:  # its text may quote the customer
        log.error("A job (%s) failed after its change was committed: %s", job.kind, type(error).__name__)


def waiting_ids(uow: UnitOfWork, queue: str, kind: str) -> list[str]:
    """The ids of waiting jobs of that queue and kind."""

    def build() -> Select[Any]:
        of_kind = (table.c.lane == text("lane_"), table.c.kind == text("kind_"))
        return uow.query(table, table.c.id).where(*of_kind, table.c.state == "waiting")

    return [job["id"] for job in uow.find(prepared(uow, "waiting jobs", build), lane_=queue, kind_=kind)]


def recently_done(uow: UnitOfWork, queue: str, *, seconds: float) -> dict[str, str]:
    """Jobs of a queue that were done in the last `seconds`: job id -> company id."""
    since = timestamps.later(uow.real_now, seconds=-seconds)

    def build() -> Select[Any]:
        of_queue = (table.c.state == "done", table.c.lane == text("lane_"), table.c.run_at >= text("since_"))
        return uow.query(table, table.c.id, table.c.company_id).where(*of_queue)

    return {
        job["id"]: job["company_id"] for job in uow.find(prepared(uow, "done jobs", build), lane_=queue, since_=since)
    }


def finish(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Marks waiting jobs as done, because their work was done otherwise."""
    uow.update_where(table, table.c.id.in_(ids), table.c.state == "waiting", state="done", run_at=uow.real_now)


def purge(uow: UnitOfWork) -> int:
    """Deletes jobs done more than 7 days ago and jobs failed more than 30 days ago; returns how many."""
    seconds_by_state = {"done": KEPT_SECONDS, "dead": DEAD_KEPT_SECONDS}
    limits = {state: timestamps.later(uow.real_now, seconds=-seconds) for state, seconds in seconds_by_state.items()}
    return sum(uow.delete(table, table.c.state == state, table.c.run_at < before) for state, before in limits.items())
