"""The outbox over HTTP: which jobs wait, which were given up and why, and trying one again."""

from marshmallow import Schema

from api import shapes
from api.envelope import Answer, how_many
from api.fields import Choices
from api.inputs import PageQuery, Repeatable
from api.noun import Noun
from permissions import Permission
from services import outbox
from storage import Desk, Row

blp = Noun("jobs", __name__, description="What is still to be done, and what was given up.")


class Job(Schema):
    """A job, without what it is made of."""

    id = shapes.text("Id of the job.")
    kind = shapes.text("What it does, such as public_reply (a mail) or answer (by AI).")
    ticket_id = shapes.text("Id of the ticket it is about, or empty.")
    state = shapes.word(outbox.STATES, "waiting, or dead when it was given up.")
    attempts = shapes.whole("How often it was tried.")
    last_error = shapes.text("Why it failed the last time.")
    run_at = shapes.moment("When it is due; of a dead job, when it was tried last.", required=True)


class JobsQuery(PageQuery):
    """Which jobs."""

    state = Choices(outbox.STATES, load_default=list(outbox.STATES), about="waiting, dead or both.")


class RetryJob(Repeatable):
    """Trying again takes nothing but a reference."""


@blp.get("/api/jobs", "ListJobs", may=Permission.JOBS_READ, query=JobsQuery, gives=Job, many=True)
def list_jobs(desk: Desk, query: Row) -> Answer:
    """List the jobs.

    Mails and AI answers of your company that wait or were given up, the newest first. Dead jobs are kept for 30 days.
    """
    rows, total = outbox.find(desk, states=query["state"], limit=query["limit"], offset=query["offset"])
    data = [outbox.job_shape(row) for row in rows]
    return Answer(data, how_many(total, "job"), page=(total, query["limit"], query["offset"]))


@blp.post("/api/jobs/<job_id>/retry", "RetryJob", may=Permission.JOBS_WRITE, body=RetryJob, gives=Job)
def retry_job(desk: Desk, job_id: str, body: Row) -> Answer:
    """Try a job again.

    A job that was given up is tried again at once, and as often as a new one.
    """
    return Answer(outbox.job_shape(outbox.retry(desk, job_id)), "The job is tried again.")
