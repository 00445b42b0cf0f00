"""What each kind of job does: a notice is composed and mailed, a ticket is answered by AI, files are scrubbed.

Called by jobs.py outside any transaction; each worker opens the desks it needs as the company's own system.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

import jobs
import tables
from errors import AppError
from jobs import PermanentFailure
from models import DEFAULT_COMPANY, Actor
from notifier import NOTICES, MailFailed, Notice, confirm_address
from services import (
    answers,
    idempotency,
    learning,
    lockout,
    notices,
    outgoing_mail,
    privacy,
    sessions,
    settings,
    taught,
)
from storage import Desk, Row

if TYPE_CHECKING:
    from foyer import Foyer

log = logging.getLogger("foyer.jobs")

AT_START = 20  # companies that were taught last: what they taught is learnt before they ask
FOLLOWED_SECONDS = 120  # clocks of other machines may be wrong by less

# What retention is about: which rows are due, and what is done to those that still are. Tickets first: who has none left is next.
_RETENTION = {
    "tickets": (privacy.old_tickets, privacy.erase_old_tickets),
    "customers": (privacy.old_customers, privacy.forget_people),
}


def workers(foyer: "Foyer") -> dict[str, Callable[[Row], None]]:
    """For each lane, who works in it."""
    return {
        "mail": lambda job: _send_notice(foyer, job),
        "ai": lambda job: _write_answer(foyer, job),
        privacy.LANE: lambda job: scrub(foyer),
        learning.LANE: lambda job: _learn(foyer, job["company_id"]),
    }


def tidy(foyer: "Foyer") -> None:
    """Forgets what is no longer needed: stored answers after a day, done jobs after a week, what companies do not keep."""
    with foyer.storage.desk(None, write=True) as desk:
        for forgetful in (idempotency, jobs, lockout, outgoing_mail, sessions):
            forgetful.purge(desk)
    keep_to_retention(foyer)


def erase_customer(foyer: "Foyer", actor: Actor, name: str) -> int:
    """Erases a customer for good, in the files as well; tells how many tickets were theirs. Raises AppError 404."""
    with foyer.storage.desk(None, write=True) as desk:
        erased = privacy.erase(desk.within(actor), name)
        elsewhere = desk.rows(tables.users).where(tables.users.c.email == erased.account)
        if erased.account and not desk.count(elsewhere):  # tries at another company's account are not ours to forget
            lockout.forget_account(desk, erased.account)
    _scrub_now(foyer)
    return erased.tickets


def scrub(foyer: "Foyer") -> None:
    """Takes what was erased out of the files. Whoever asked for it before need not ask again. Raises AppError 503."""
    with foyer.storage.desk(None) as desk:
        asked = jobs.waiting(desk, privacy.LANE, privacy.SCRUB)
    foyer.storage.scrub()
    with foyer.storage.desk(None, write=True) as desk:
        jobs.finish(desk, asked)


def _scrub_now(foyer: "Foyer") -> None:
    try:
        scrub(foyer)
    except AppError as error:  # what was erased stays erased, and the job is there to try again
        log.error("The files still hold what was erased; this is tried again: %s", error)


def keep_to_retention(foyer: "Foyer") -> None:
    """Erases what companies do not keep any longer, a portion at a time so that nobody waits, then scrubs once."""
    with foyer.storage.desk(None) as desk:
        companies = desk.find(desk.rows(tables.companies))
    kept = {company["id"]: settings.of_company(company)["retention_days"] for company in companies}
    erased = [_keep_for(foyer, Actor(company, "admin", "system"), days) for company, days in kept.items() if days]
    if any(erased):
        _scrub_now(foyer)


def _keep_for(foyer: "Foyer", actor: Actor, days: int) -> bool:
    counts = {}
    for thing, (due, work) in _RETENTION.items():
        with foyer.storage.desk(actor) as desk:
            ids = due(desk, days)
        counts[thing] = 0
        for start in range(0, len(ids), privacy.BATCH):
            with foyer.storage.desk(actor, write=True) as desk:
                counts[thing] += work(desk, ids[start : start + privacy.BATCH], days)
                privacy.ask_for_scrubbing(desk)
    if any(counts.values()):
        with foyer.storage.desk(actor, write=True) as desk:
            privacy.note_retention(desk, counts)
    return any(counts.values())


def _send_notice(foyer: "Foyer", job: Row) -> None:
    env = foyer.settings
    with foyer.storage.desk(_system(job)) as desk:
        sender = outgoing_mail.sender(desk, job["payload"], mail_from=env.mail_from, support_email=env.support_email)
        about = {"job_id": job["id"], "domain": env.mail_from.rpartition("@")[2], "public_url": env.public_url} | sender
        notice = (
            _confirmation(foyer, desk, job, about)
            if job["kind"] == notices.CONFIRM
            else _about_ticket(desk, job, about)
        )
    if notice is None or not _may_go(foyer, job, notice.to, sender["support_email"]):
        return
    try:
        foyer.mailer.send(notice)
    except MailFailed as error:
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise


def _about_ticket(desk: Desk, job: Row, about: Row) -> Notice | None:
    told = notices.to_tell(desk, job)
    if told is None:
        return None
    ticket, reply = told
    return NOTICES[job["kind"]](ticket, reply=reply, **about)


def _confirmation(foyer: "Foyer", desk: Desk, job: Row, about: Row) -> Notice | None:
    told = notices.to_confirm(desk, job)
    if told is None:
        return None
    user, company = told
    token = foyer.tokens.confirmation(user["id"], user["email"], company["name"], now=desk.real_now)
    return confirm_address(user["email"], token, **about)


def _may_go(foyer: "Foyer", job: Row, to: str, support_email: str) -> bool:
    if foyer.mailer.mode == "console":
        return True  # nothing leaves this machine
    with foyer.storage.desk(None, write=True) as every:
        own, operators = every.within(_system(job)), partial(every.within, Actor(DEFAULT_COMPANY, "admin", "system"))
        return outgoing_mail.may_go(own, job, to, support_email=support_email, operators=operators)


def _write_answer(foyer: "Foyer", job: Row) -> None:
    actor = _system(job)

    def open_desk(*, write: bool = False) -> AbstractContextManager[Desk]:
        return foyer.storage.desk(actor, write=write)

    answers.write_first(open_desk, job["ticket_id"], foyer.model)


def _learn(foyer: "Foyer", company: str) -> None:
    taught.learn_all(lambda: foyer.storage.desk(Actor(company, "admin", "system")))


class Follower:
    """Keeps what this process learnt of companies as new as what any process learnt, and learns what was asked for here."""

    def __init__(self, foyer: "Foyer") -> None:
        self._foyer = foyer
        self._seen: set[str] = set()
        self._started = False

    def __call__(self) -> None:
        with self._foyer.storage.desk(None) as desk:
            done = jobs.lately_done(desk, learning.LANE, seconds=FOLLOWED_SECONDS)
            first = [] if self._started else learning.lately_taught(desk, most=AT_START)
        self._started = True
        here = taught.held()
        elsewhere = [company for job, company in done.items() if job not in self._seen and company in here]
        for company in dict.fromkeys([*first, *taught.asked_for(), *elsewhere]):
            _learn(self._foyer, company)
        self._seen = set(done)


def _system(job: Row) -> Actor:
    """Who acts in a job: the desk itself, in the job's company alone."""
    return Actor(job["company_id"], "admin", "system")
