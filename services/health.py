"""What the desk says about itself."""

from sqlalchemy import func

from storage import Desk, Row
from tables import jobs


def job_counts(desk: Desk) -> Row:
    """How many jobs wait (or run) and how many were given up, over all companies."""
    counts = dict(desk.aggregate(desk.rows(jobs, jobs.c.state, func.count()).group_by(jobs.c.state)))
    return {"waiting": counts.get("waiting", 0) + counts.get("running", 0), "dead": counts.get("dead", 0)}
