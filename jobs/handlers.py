"""What each kind of job does: a notice is composed and mailed, a ticket is answered by AI, files are scrubbed.

Called by jobs/runner.py outside any transaction; each worker opens the units of work it needs as the company's own system.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from ai_responder import Completes
from auth.tokens import Tokens
from config import Settings
from core.models import DEFAULT_COMPANY, Actor
from jobs.runner import PermanentFailure, is_last_try
from notifier import NOTICES, Mailer, MailFailed, Notice, confirm_address
from services import idempotency, outbox, outgoing_mail
from services.accounts import lockout, sessions
from services.privacy import erasure
from services.privacy.retention import apply_retention, scrub
from services.tickets import ai_answers, notifications
from services.triage import training_examples
from services.triage.trained_models import TrainedModels
from storage import Row, Storage, UnitOfWork

log = logging.getLogger("foyer.jobs")

AT_START = 20  # companies with the newest examples, trained when the server starts
FOLLOWED_SECONDS = 120  # clocks of other machines may be wrong by less


class Server(Protocol):
    """The parts of a running server that jobs use."""

    settings: Settings
    mailer: Mailer
    model: Completes | None

    @property
    def storage(self) -> Storage: ...

    @property
    def trained_models(self) -> TrainedModels: ...

    @property
    def tokens(self) -> Tokens: ...


def workers(runtime: Server) -> dict[str, Callable[[Row], None]]:
    """For each lane, who works in it."""
    return {
        "mail": lambda job: _send_notice(runtime, job),
        "ai": lambda job: _write_answer(runtime, job),
        erasure.QUEUE: lambda job: scrub(runtime.storage),
        training_examples.QUEUE: lambda job: _train(runtime, job["company_id"]),
    }


def tidy(runtime: Server) -> None:
    """Forgets what is no longer needed: stored answers after a day, done jobs after a week, what companies do not keep."""
    with runtime.storage.unit_of_work(None, write=True) as uow:
        for forgetful in (idempotency, outbox, lockout, outgoing_mail, sessions):
            forgetful.purge(uow)
    apply_retention(runtime.storage)


def _send_notice(runtime: Server, job: Row) -> None:
    env = runtime.settings
    try:
        with runtime.storage.unit_of_work(_system(job)) as uow:
            own = env.sender
            sender = outgoing_mail.sender(uow, job["payload"], from_name=own.name, support_email=env.support_email)
            about = {"job_id": job["id"], "domain": own.domain, "public_url": env.public_url} | sender
            notice = (
                _confirmation(runtime, uow, job, about)
                if job["kind"] == notifications.CONFIRM
                else _about_ticket(uow, job, about)
            )
        if notice is not None and _may_go(runtime, job, notice.to, sender["support_email"]):
            runtime.mailer.send(notice)
    except MailFailed as error:
        if job["ticket_id"] and (error.permanent or is_last_try(job)):
            with runtime.storage.unit_of_work(_system(job), write=True) as uow:
                notifications.record_unsent(uow, job, error.reason)
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise


def _about_ticket(uow: UnitOfWork, job: Row, about: Row) -> Notice | None:
    told = notifications.load_notice(uow, job)
    if told is None:
        return None
    ticket, reply = told
    return NOTICES[job["kind"]](ticket, reply=reply, **about)


def _confirmation(runtime: Server, uow: UnitOfWork, job: Row, about: Row) -> Notice | None:
    told = notifications.to_confirm(uow, job)
    if told is None:
        return None
    user, company = told
    token = runtime.tokens.confirmation(user["id"], user["email"], company["name"], now=uow.real_now)
    return confirm_address(user["email"], token, **about)


def _may_go(runtime: Server, job: Row, to: str, support_email: str) -> bool:
    if runtime.mailer.mode == "console":
        return True  # nothing leaves this machine
    with runtime.storage.unit_of_work(None, write=True) as every:
        own, operators = (
            every.as_actor(_system(job)),
            partial(every.as_actor, Actor(DEFAULT_COMPANY, "admin", "system")),
        )
        return outgoing_mail.may_send(own, job, to, support_email=support_email, operators=operators)


def _write_answer(runtime: Server, job: Row) -> None:
    actor = _system(job)

    def open_desk(*, write: bool = False) -> AbstractContextManager[UnitOfWork]:
        return runtime.storage.unit_of_work(actor, write=write)

    ai_answers.answer_new_ticket(open_desk, job["ticket_id"], runtime.model, runtime.trained_models)


def _train(runtime: Server, company: str) -> None:
    runtime.trained_models.train_all(lambda: runtime.storage.unit_of_work(Actor(company, "admin", "system")))


class ModelSync:
    """Trains the models that are missing here, or that another process trained again."""

    def __init__(self, runtime: Server) -> None:
        self._runtime = runtime
        self._seen: set[str] = set()
        self._started = False

    def __call__(self) -> None:
        with self._runtime.storage.unit_of_work(None) as uow:
            done = outbox.recently_done(uow, training_examples.QUEUE, seconds=FOLLOWED_SECONDS)
            first = [] if self._started else training_examples.recently_trained(uow, most=AT_START)
        self._started = True
        trained_models = self._runtime.trained_models
        here = trained_models.companies()
        elsewhere = [company for job, company in done.items() if job not in self._seen and company in here]
        for company in dict.fromkeys([*first, *trained_models.pop_missing_companies(), *elsewhere]):
            _train(self._runtime, company)
        self._seen = set(done)


def _system(job: Row) -> Actor:
    """The system as an actor of the job's company."""
    return Actor(job["company_id"], "admin", "system")
