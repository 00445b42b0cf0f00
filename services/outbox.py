"""The jobs of a company that wait or were given up: admins see them and have them tried again."""

from core.errors import conflict, not_found
from core.models import JOB_FIELDS
from database.tables import jobs
from services.history import Change, record
from storage import Row, UnitOfWork

# What callers see: a job that is being run counts as waiting, as in health.
SHOWN_AS = {"waiting": "waiting", "running": "waiting", "dead": "dead"}
STATES = ("waiting", "dead")


def job_shape(job: Row) -> Row:
    """A job as admins see it: without its payload, which may hold a customer's words."""
    shown = {**job, "ticket_id": job["ticket_id"] or "", "state": SHOWN_AS[job["state"]]}
    return {name: shown[name] for name in JOB_FIELDS}


def find(uow: UnitOfWork, *, states: list[str], limit: int, offset: int) -> tuple[list[Row], int]:
    """The company's jobs in these states (of STATES), the newest first, and how many there are."""
    stored = [state for state, shown in SHOWN_AS.items() if shown in states]
    chosen = uow.query(jobs).where(jobs.c.state.in_(stored))
    page = chosen.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit).offset(offset)
    return uow.find(page), uow.count(chosen)


def retry(uow: UnitOfWork, job_id: str) -> Row:
    """Lets a job that was given up be tried again from now on, as often as a new one. Raises AppError 404, 409."""
    job = uow.get(jobs, job_id, lock=True)
    if job is None or job["state"] not in SHOWN_AS:
        raise not_found()
    if job["state"] != "dead":
        raise conflict("not_dead", "This job is waiting already. Only a job that was given up can be tried again.")
    record(uow, uow.actor.company_id, [Change("job_retried", "jobs", "", job_id)], subject="company")
    return uow.update(jobs, job_id, {"state": "waiting", "attempts": 0, "run_at": uow.real_now}) or job
