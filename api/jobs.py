"""The outbox over HTTP: which jobs wait, which were given up and why, and trying one again."""

from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choices
from api.http.resource import Resource
from core.permissions import Permission
from services import outbox
from storage import Row, UnitOfWork

blp = Resource("jobs", __name__, description="What is still to be done, and what was given up.")


class Job(Schema):
    """A job, without what it is made of."""

    id = schemas.text("Id of the job.")
    kind = schemas.text("What it does, such as public_reply (a mail) or answer (by AI).")
    ticket_id = schemas.text("Id of the ticket it is about, or empty.")
    state = schemas.word(outbox.STATES, "waiting, or dead when it was given up.")
    attempts = schemas.integer("How often it was tried.")
    last_error = schemas.text("Why it failed the last time.")
    run_at = schemas.moment("When it is due; of a dead job, when it was tried last.", required=True)


class JobsQuery(PageQuery):
    """Which jobs."""

    state = Choices(outbox.STATES, load_default=list(outbox.STATES), about="waiting, dead or both.")


class RetryJob(Repeatable):
    """Trying again takes nothing but a reference."""


@blp.get("/api/jobs", "ListJobs", permission=Permission.JOBS_READ, query=JobsQuery, response=Job, many=True)
def list_jobs(uow: UnitOfWork, query: Row) -> Answer:
    """List the jobs.

    Mails and AI answers of your company that wait or were given up, the newest first. Dead jobs are kept for 30 days.
    """
    rows, total = outbox.find(uow, states=query["state"], limit=query["limit"], offset=query["offset"])
    data = [outbox.job_shape(row) for row in rows]
    return Answer(data, how_many(total, "job"), page=(total, query["limit"], query["offset"]))


@blp.post("/api/jobs/<job_id>/retry", "RetryJob", permission=Permission.JOBS_WRITE, body=RetryJob, response=Job)
def retry_job(uow: UnitOfWork, job_id: str, body: Row) -> Answer:
    """Try a job again.

    A job that was given up is tried again at once, and as often as a new one.
    """
    return Answer(outbox.job_shape(outbox.retry(uow, job_id)), "The job is tried again.")
