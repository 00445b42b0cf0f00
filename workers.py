"""What each kind of job does: a notice is composed and mailed, a ticket is answered by AI.

Called by jobs.py outside any transaction; each worker opens the desks it needs as the company's own system.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import jobs
import tables
from jobs import PermanentFailure
from models import Actor
from notifier import NOTICES, MailFailed
from services import answers, idempotency
from storage import Desk, Row

if TYPE_CHECKING:
    from foyer import Foyer


def workers(foyer: "Foyer") -> dict[str, Callable[[Row], None]]:
    """For each lane, who works in it."""
    return {"mail": lambda job: _send_notice(foyer, job), "ai": lambda job: _write_answer(foyer, job)}


def tidy(foyer: "Foyer") -> None:
    """Forgets what is no longer needed: stored answers after a day, done jobs after a week."""
    with foyer.storage.desk(None, write=True) as desk:
        idempotency.purge(desk)
        jobs.purge(desk)


def _send_notice(foyer: "Foyer", job: Row) -> None:
    with foyer.storage.desk(_system(job)) as desk:
        ticket = desk.get(tables.tickets, job["ticket_id"])
        reply_id = job["payload"].get("reply_id")
        reply = desk.get(tables.replies, reply_id) if reply_id else None
    if ticket is None or (reply_id and reply is None):
        return
    settings = foyer.settings
    notice = NOTICES[job["kind"]](
        ticket,
        job_id=job["id"],
        domain=settings.mail_from.rpartition("@")[2],
        support_email=settings.support_email,
        public_url=settings.public_url,
        reply=reply,
    )
    if notice is None:
        return
    try:
        foyer.mailer.send(notice)
    except MailFailed as error:
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise


def _write_answer(foyer: "Foyer", job: Row) -> None:
    actor = _system(job)

    def open_desk(*, write: bool = False) -> AbstractContextManager[Desk]:
        return foyer.storage.desk(actor, write=write)

    answers.write_first(open_desk, job["ticket_id"], foyer.model)


def _system(job: Row) -> Actor:
    """Who acts in a job: the desk itself, in the job's company alone."""
    return Actor(job["company_id"], "admin", "system")
