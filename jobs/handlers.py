"""The work of each kind of job, such as writing an AI answer, and the periodic work of a server.

jobs/runner.py calls these functions outside any transaction. Each opens its own units of work, as the job's company.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from auth.erasure_marks import ErasureMarks
from core.models import Actor
from jobs import (
    agreed_times,
    inbound_mail,
    incidents,
    notices,
    routing,
    snoozed,
    statistics,
    transfer_imports,
    transfers,
)
from jobs.runner import Periodic, alone, in_batches
from services import idempotency, outbox, outgoing_mail
from services.accounts import lockout, oidc_sign_in, one_time, sessions
from services.ai_usage import UsageLog
from services.attachments import removal
from services.chat import idle
from services.chat.presence import Presence as ChatPresence
from services.copilot.past_tickets import PastTickets
from services.inbound import records
from services.incidents import actions
from services.privacy import erasure
from services.privacy.retention import apply_retention, scrub
from services.routing import departures
from services.sla import recomputing
from services.tickets import ai_answers, bulk, closing, notifications, presence
from services.tickets.presence import Presence
from services.transfers import importing, requests
from services.triage import training_examples
from services.webhooks import deliveries, subscriptions
from storage import Row

COMPANIES_AT_START = 20  # models of so many companies, those with the newest examples, are trained at the start
TIDY_SECONDS, CLOSING_SECONDS, STATISTICS_SECONDS, DIGEST_SECONDS = 3600.0, 600.0, 120.0, 30.0
AGREED_SECONDS, ESCALATION_SECONDS, MAILBOX_SECONDS = 10.0, 20.0, 20.0
SYNC_SECONDS, CHATS_SECONDS, INCIDENTS_SECONDS, ASSIGNMENT_SECONDS = 3.0, 5.0, 5.0, 5.0
PURGED = (
    idempotency,
    outbox,
    lockout,
    outgoing_mail,
    sessions,
    oidc_sign_in,
    one_time,
    bulk,
    presence,
    records,
    deliveries,
    subscriptions,
    requests,
)
RECENT_SECONDS = 120  # more than the clocks of the processes may differ


class Server(notices.Server, inbound_mail.Server, Protocol):
    """The parts of a running server that jobs use."""

    presence: Presence
    chat_presence: ChatPresence
    usage: UsageLog
    transfer_checks: Mapping[str, Callable[[Row], Row]]  # the rules of the API by file of an import

    @property
    def past_tickets(self) -> PastTickets: ...

    @property
    def erasure_marks(self) -> ErasureMarks: ...


def workers(runtime: Server) -> dict[str, Callable[[Row], None]]:
    """The function that runs the jobs of each queue."""
    return {
        notifications.QUEUE: lambda job: notices.send(runtime, job),
        ai_answers.QUEUE: lambda job: _write_answer(runtime, job),
        notifications.ALERTS: lambda job: notices.publish(runtime, job),
        erasure.QUEUE: lambda job: scrub(runtime.storage),
        requests.QUEUE: lambda job: _transfer(runtime, job),
        removal.QUEUE: lambda job: removal.remove_files(runtime.storage, runtime.files, job),
        training_examples.QUEUE: lambda job: _train(runtime, job["company_id"]),
        records.QUEUE: lambda job: inbound_mail.read(runtime, job),
        recomputing.QUEUE: lambda job: agreed_times.recompute(runtime.storage, job["company_id"]),
        departures.QUEUE: lambda job: routing.return_tickets(runtime.storage, job),
        actions.QUEUE: lambda job: incidents.resume(runtime.storage, job),
    }


def periodic(runtime: Server) -> list[Periodic]:
    """The work that a running server repeats."""
    search = incidents.Search(lambda: runtime.storage, lambda: runtime.trained_models.embeddings)
    mailbox = Periodic("mailbox", MAILBOX_SECONDS, lambda: inbound_mail.poll(runtime), in_one_process=True)
    return [
        Periodic("tidy", TIDY_SECONDS, lambda: tidy(runtime), in_one_process=True),
        Periodic("auto-close", CLOSING_SECONDS, lambda: close_resolved_tickets(runtime), in_one_process=True),
        Periodic("statistics", STATISTICS_SECONDS, lambda: statistics.count_days(runtime.storage), in_one_process=True),
        Periodic("silent chats", CHATS_SECONDS, lambda: close_silent_chats(runtime), in_one_process=True),
        Periodic("agreed times", AGREED_SECONDS, agreed_times.Sweep(lambda: runtime.storage), in_one_process=True),
        Periodic("snoozed tickets", AGREED_SECONDS, lambda: snoozed.wake(runtime.storage), in_one_process=True),
        Periodic(
            "assignment", ASSIGNMENT_SECONDS, lambda: routing.assign_waiting(runtime.storage), in_one_process=True
        ),
        Periodic("escalation", ESCALATION_SECONDS, routing.Escalation(lambda: runtime.storage), in_one_process=True),
        Periodic("digests", DIGEST_SECONDS, lambda: notices.send_digests(runtime.storage), in_one_process=True),
        Periodic("incidents", INCIDENTS_SECONDS, search, in_one_process=True),
        *([mailbox] if runtime.mailbox else []),
        Periodic("model sync", SYNC_SECONDS, ModelSync(runtime)),
        Periodic("count of model calls", SYNC_SECONDS, lambda: runtime.usage.flush(runtime.storage)),
        Periodic("presence", SYNC_SECONDS, lambda: runtime.presence.flush(runtime.storage)),
        Periodic("chat presence", SYNC_SECONDS, lambda: runtime.chat_presence.flush(runtime.storage)),
    ]


def tidy(runtime: Server) -> None:
    """Deletes expired rows, such as stored answers, done jobs, lock-outs and deliveries; applies retention periods."""
    with runtime.storage.unit_of_work(None, write=True) as uow:
        for service in PURGED:
            service.purge(uow)
    apply_retention(runtime.storage)


def close_resolved_tickets(runtime: Server) -> None:
    """Closes the tickets that were resolved `auto_close_days` ago."""
    with runtime.storage.unit_of_work(None) as uow:
        company_ids = closing.company_ids(uow)
    for company_id in company_ids:
        close_all = partial(in_batches, runtime.storage, Actor.system(company_id), closing.close_some)
        alone("The resolved tickets of a company", close_all)


def close_silent_chats(runtime: Server) -> None:
    """Warns or ends each conversation whose customer has been silent for long enough."""
    with runtime.storage.unit_of_work(None) as uow:
        rows = idle.due(uow)
    for row in rows:
        alone(f"The conversation {row['id']}", partial(_follow_silence, runtime, row))


def _follow_silence(runtime: Server, row: Row) -> None:
    with runtime.storage.unit_of_work(Actor.system(row["company_id"]), write=True) as uow:
        idle.take_step(uow, row["id"])


def _write_answer(runtime: Server, job: Row) -> None:
    open_uow = partial(runtime.storage.unit_of_work, Actor.system(job["company_id"]))
    ai_answers.answer_new_ticket(open_uow, job["ticket_id"], runtime.model, runtime.trained_models, runtime.knowledge)


def _transfer(runtime: Server, job: Row) -> None:
    if job["kind"] == requests.IMPORT:
        quota = runtime.settings.attachment_quota
        server = importing.Server(runtime.storage, runtime.files, quota, runtime.transfer_checks, runtime.erasure_marks)
        transfer_imports.run(server, job)
    else:
        transfers.run(runtime.storage, runtime.files, job)


def _train(runtime: Server, company_id: str) -> None:
    runtime.trained_models.train_all(lambda: runtime.storage.unit_of_work(Actor.system(company_id)))


class ModelSync:
    """Trains the models that are missing in this process, or that another process has retrained; encodes new passages."""

    def __init__(self, runtime: Server) -> None:
        self._runtime = runtime
        self._known_jobs: set[str] = set()  # training jobs of other processes that were followed
        self._started = False

    def __call__(self) -> None:
        with self._runtime.storage.unit_of_work(None) as uow:
            training_jobs = outbox.recently_done(uow, training_examples.QUEUE, seconds=RECENT_SECONDS)
            initial = [] if self._started else training_examples.recently_trained(uow, most=COMPANIES_AT_START)
        self._started = True
        trained_models = self._runtime.trained_models
        companies = trained_models.companies()
        retrained = [
            company
            for job_id, company in training_jobs.items()
            if job_id not in self._known_jobs and company in companies
        ]
        for company in dict.fromkeys([*initial, *trained_models.pop_missing_companies(), *retrained]):
            _train(self._runtime, company)
        for company in companies:
            if trained_models.resolution_times.is_due(company):
                with self._runtime.storage.unit_of_work(Actor.system(company)) as uow:
                    trained_models.resolution_times.learn(uow)
        self._known_jobs = set(training_jobs)
        self._runtime.knowledge.catch_up(
            lambda company_id: self._runtime.storage.unit_of_work(Actor.system(company_id))
        )
        self._runtime.past_tickets.encode()
