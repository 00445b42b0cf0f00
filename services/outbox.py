"""The jobs of a company that wait or were given up: admins see them and have them tried again."""

from errors import conflict, not_found
from models import JOB_FIELDS
from services.history import Change, record
from storage import Desk, Row
from tables import jobs

# What callers see: a job that is being run counts as waiting, as in health.
SHOWN_AS = {"waiting": "waiting", "running": "waiting", "dead": "dead"}
STATES = ("waiting", "dead")


def job_shape(job: Row) -> Row:
    """A job as admins see it: without its payload, which may hold a customer's words."""
    shown = {**job, "ticket_id": job["ticket_id"] or "", "state": SHOWN_AS[job["state"]]}
    return {name: shown[name] for name in JOB_FIELDS}


def find(desk: Desk, *, states: list[str], limit: int, offset: int) -> tuple[list[Row], int]:
    """The company's jobs in these states (of STATES), the newest first, and how many there are."""
    stored = [state for state, shown in SHOWN_AS.items() if shown in states]
    chosen = desk.rows(jobs).where(jobs.c.state.in_(stored))
    page = chosen.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit).offset(offset)
    return desk.find(page), desk.count(chosen)


def retry(desk: Desk, job_id: str) -> Row:
    """Lets a job that was given up be tried again from now on, as often as a new one. Raises AppError 404, 409."""
    job = desk.get(jobs, job_id, lock=True)
    if job is None or job["state"] not in SHOWN_AS:
        raise not_found()
    if job["state"] != "dead":
        raise conflict("not_dead", "This job is waiting already. Only a job that was given up can be tried again.")
    record(desk, desk.actor.company_id, [Change("job_retried", "jobs", "", job_id)], subject="company")
    return desk.update(jobs, job_id, {"state": "waiting", "attempts": 0, "run_at": desk.real_now}) or job
