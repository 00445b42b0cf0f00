"""Notes and counts of the health route: jobs, mail, storage."""

from sqlalchemy import func

from core import timestamps
from database.tables import jobs
from storage import Row, UnitOfWork


def job_counts(uow: UnitOfWork) -> Row:
    """Number of waiting or running jobs and of failed jobs, over all companies."""
    counts = dict(uow.aggregate(uow.query(jobs, jobs.c.state, func.count()).group_by(jobs.c.state)))
    return {"waiting": counts.get("waiting", 0) + counts.get("running", 0), "dead": counts.get("dead", 0)}


def ai_note(embeddings: str, fault: str, budget: str) -> str:
    """Sentences about the embeddings, the model's last failure and its budget, "" when there is nothing to say."""
    failure = f"The last call failed: {fault}. Replies are canned until a call works again." if fault else ""
    return " ".join(filter(None, (embeddings, failure, budget)))


def inbound_mode(*, http: bool, imap: bool) -> str:
    """How mail comes in: http, imap, both or off."""
    return "both" if http and imap else "http" if http else "imap" if imap else "off"


def mail_note(mode: str, held_back: int) -> str:
    """A sentence about mail problems, "" if mail is sent."""
    if mode == "console":
        return "No mail server is set (SMTP_HOST), so mails are only written to the log."
    if not held_back:
        return ""
    return (
        f"{held_back} mails of the last 24 hours were not sent: a company reached its hourly limit or is not confirmed. "
        "The log names the company."
    )


def storage_note(*, durable: bool, opened_empty_at: str, ahead_seconds: int = 0) -> str:
    """A sentence about whether data is persistent: if not, what will be lost and what to do.

    `ahead_seconds` is how far the newest row is ahead of the server's clock; 0 means no warning.
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
        return "Data is kept across restarts."
    note = (
        "Data is not persistent on this host: tickets, users, settings and keys are lost at the next restart, sleep or deploy. "
        "To keep them, attach a disk and set DATA_DIR to its mount path."
    )
    if opened_empty_at:
        note += f" The store was empty at the start at {opened_empty_at}: earlier data is lost."
    return note
