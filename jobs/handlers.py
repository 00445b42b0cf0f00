"""What each kind of job does: a notice is composed and mailed, a ticket is answered by AI, files are scrubbed.

Called by jobs/runner.py outside any transaction; each worker opens the desks it needs as the company's own system.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from core.errors import AppError
from core.models import Actor
from database import tables
from jobs import runner
from jobs.runner import PermanentFailure
from notifier import NOTICES, MailFailed
from services import idempotency, outgoing_mail, settings
from services.accounts import lockout, sessions
from services.privacy import erasure
from services.tickets import ai_answers, notifications
from services.triage import trained_models, training_examples
from storage import Row, UnitOfWork

if TYPE_CHECKING:
    from runtime.bootstrap import Runtime

log = logging.getLogger("foyer.jobs")

AT_START = 20  # companies that were taught last: what they taught is learnt before they ask
FOLLOWED_SECONDS = 120  # clocks of other machines may be wrong by less

# What retention is about: which rows are due, and what is done to those that still are. Tickets first: who has none left is next.
_RETENTION = {
    "tickets": (erasure.old_tickets, erasure.erase_old_tickets),
    "customers": (erasure.old_customers, erasure.forget_people),
}


def workers(runtime: "Runtime") -> dict[str, Callable[[Row], None]]:
    """For each lane, who works in it."""
    return {
        "mail": lambda job: _send_notice(runtime, job),
        "ai": lambda job: _write_answer(runtime, job),
        erasure.LANE: lambda job: scrub(runtime),
        training_examples.LANE: lambda job: _learn(runtime, job["company_id"]),
    }


def tidy(runtime: "Runtime") -> None:
    """Forgets what is no longer needed: stored answers after a day, done jobs after a week, what companies do not keep."""
    with runtime.storage.unit_of_work(None, write=True) as uow:
        for forgetful in (idempotency, runner, lockout, outgoing_mail, sessions):
            forgetful.purge(uow)
    keep_to_retention(runtime)


def erase_customer(runtime: "Runtime", actor: Actor, name: str) -> int:
    """Erases a customer for good, in the files as well; tells how many tickets were theirs. Raises AppError 404."""
    with runtime.storage.unit_of_work(None, write=True) as uow:
        erased = erasure.erase(uow.as_actor(actor), name)
        if erased.account:  # the tries of an address that signs in elsewhere are not this company's to forget
            lockout.forget(uow, erased.account)
    _scrub_now(runtime)
    return erased.tickets


def scrub(runtime: "Runtime") -> None:
    """Takes what was erased out of the files. Whoever asked for it before need not ask again. Raises AppError 503."""
    with runtime.storage.unit_of_work(None) as uow:
        asked = runner.waiting(uow, erasure.LANE, erasure.SCRUB)
    runtime.storage.scrub()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        runner.finish(uow, asked)


def _scrub_now(runtime: "Runtime") -> None:
    try:
        scrub(runtime)
    except AppError as error:  # what was erased stays erased, and the job is there to try again
        log.error("The files still hold what was erased; this is tried again: %s", error)


def keep_to_retention(runtime: "Runtime") -> None:
    """Erases what companies do not keep any longer, a portion at a time so that nobody waits, then scrubs once."""
    with runtime.storage.unit_of_work(None) as uow:
        companies = uow.find(uow.query(tables.companies))
    kept = {company["id"]: settings.of_company(company)["retention_days"] for company in companies}
    erased = [_keep_for(runtime, Actor(company, "admin", "system"), days) for company, days in kept.items() if days]
    if any(erased):
        _scrub_now(runtime)


def _keep_for(runtime: "Runtime", actor: Actor, days: int) -> bool:
    counts = {}
    for thing, (due, work) in _RETENTION.items():
        with runtime.storage.unit_of_work(actor) as uow:
            ids = due(uow, days)
        counts[thing] = 0
        for start in range(0, len(ids), erasure.BATCH):
            with runtime.storage.unit_of_work(actor, write=True) as uow:
                counts[thing] += work(uow, ids[start : start + erasure.BATCH], days)
                erasure.ask_for_scrubbing(uow)
    if any(counts.values()):
        with runtime.storage.unit_of_work(actor, write=True) as uow:
            erasure.note_retention(uow, counts)
    return any(counts.values())


def _send_notice(runtime: "Runtime", job: Row) -> None:
    env = runtime.settings
    with runtime.storage.unit_of_work(_system(job)) as uow:
        about = notifications.to_tell(uow, job)
        sender = outgoing_mail.sender(uow, job["payload"], mail_from=env.mail_from, support_email=env.support_email)
    if about is None:
        return
    ticket, reply = about
    domain = env.mail_from.rpartition("@")[2]
    notice = NOTICES[job["kind"]](
        ticket, reply=reply, job_id=job["id"], domain=domain, public_url=env.public_url, **sender
    )
    if notice is None or not _may_go(runtime, job, notice.to, sender["support_email"]):
        return
    try:
        runtime.mailer.send(notice)
    except MailFailed as error:
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise


def _may_go(runtime: "Runtime", job: Row, to: str, support_email: str) -> bool:
    if runtime.mailer.mode == "console":
        return True  # nothing leaves this machine
    with runtime.storage.unit_of_work(_system(job), write=True) as uow:
        return outgoing_mail.may_go(uow, job, to, support_email=support_email)


def _write_answer(runtime: "Runtime", job: Row) -> None:
    actor = _system(job)

    def open_desk(*, write: bool = False) -> AbstractContextManager[UnitOfWork]:
        return runtime.storage.unit_of_work(actor, write=write)

    ai_answers.write_first(open_desk, job["ticket_id"], runtime.model)


def _learn(runtime: "Runtime", company: str) -> None:
    trained_models.learn_all(lambda: runtime.storage.unit_of_work(Actor(company, "admin", "system")))


class ModelSync:
    """Keeps what this process learnt of companies as new as what any process learnt, and learns what was asked for here."""

    def __init__(self, runtime: "Runtime") -> None:
        self._foyer = runtime
        self._seen: set[str] = set()
        self._started = False

    def __call__(self) -> None:
        with self._foyer.storage.unit_of_work(None) as uow:
            done = runner.lately_done(uow, training_examples.LANE, seconds=FOLLOWED_SECONDS)
            first = [] if self._started else training_examples.lately_taught(uow, most=AT_START)
        self._started = True
        here = trained_models.held()
        elsewhere = [company for job, company in done.items() if job not in self._seen and company in here]
        for company in dict.fromkeys([*first, *trained_models.asked_for(), *elsewhere]):
            _learn(self._foyer, company)
        self._seen = set(done)


def _system(job: Row) -> Actor:
    """Who acts in a job: the desk itself, in the job's company alone."""
    return Actor(job["company_id"], "admin", "system")
