"""What the desk says about itself."""

from sqlalchemy import func

from core import timestamps
from database.tables import jobs
from storage import Row, UnitOfWork


def job_counts(uow: UnitOfWork) -> Row:
    """How many jobs wait (or run) and how many were given up, over all companies."""
    counts = dict(uow.aggregate(uow.query(jobs, jobs.c.state, func.count()).group_by(jobs.c.state)))
    return {"waiting": counts.get("waiting", 0) + counts.get("running", 0), "dead": counts.get("dead", 0)}


def mail_note(mode: str, held_back: int) -> str:
    """What a person should know about the mail, "" when it goes out."""
    if mode == "console":
        return "No mail server is set (SMTP_HOST), so each notice is one log line."
    if not held_back:
        return ""
    return (
        f"{held_back} mails of the last 24 hours were not sent: a company had reached its limit per hour or is not confirmed. "
        "The log names it."
    )


def storage_note(*, durable: bool, opened_empty_at: str, ahead_seconds: int = 0) -> str:
    """Whether the data stays, for a person: when it does not, what would be lost, what to do and what may be gone already.

    `ahead_seconds`: by how much the newest row is ahead of the server's clock, 0 when that is no matter.
    """
    note = _durability_note(durable=durable, opened_empty_at=opened_empty_at)
    if ahead_seconds:
        note += (
            f" The newest row is {timestamps.duration(ahead_seconds)} ahead of the server's clock, so new rows are dated after it. "
            "Check the clock of the server."
        )
    return note


def _durability_note(*, durable: bool, opened_empty_at: str) -> str:
    if durable:
        return "What is written here survives a restart."
    note = (
        "This desk forgets: its host keeps no files, so tickets, people, settings and keys made here are lost when it next "
        "restarts, sleeps or deploys. To keep them, give it a disk and set DATA_DIR to where that is mounted."
    )
    if opened_empty_at:
        note += f" It opened empty at {opened_empty_at}: whatever it held before that is gone."
    return note
