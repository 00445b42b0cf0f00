"""The work of each kind of job, such as sending mail or writing an AI answer, and the periodic work of a server.

jobs/runner.py calls these functions outside any transaction. Each opens its own units of work, as the job's company.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from ai.model_call import Completes
from auth.references import References
from auth.tokens import Tokens
from channels.imap_poller import Mailbox
from channels.sns import Publishes
from config import Settings
from core.models import DEFAULT_COMPANY, Actor
from core.redaction import mask
from database.file_store.contract import FileStore
from database.tables import tickets
from jobs import agreed_times, inbound_mail, incidents, routing, snoozed, transfers
from jobs.runner import Periodic, PermanentFailure, alone, is_last_try
from notifier import NOTICES, ConsoleMailer, Mailer, MailFailed, Notice, confirm_address, urgent_digest
from services import idempotency, outbox, outgoing_mail
from services.accounts import lockout, sessions
from services.ai_usage import UsageLog
from services.attachments import removal
from services.chat import idle
from services.chat.presence import Presence as ChatPresence
from services.copilot.past_tickets import PastTickets
from services.inbound import records, thread_headers
from services.incidents import actions
from services.knowledge.search import Knowledge
from services.notices import digest, unsubscribing, wording
from services.privacy import erasure
from services.privacy.retention import apply_retention, scrub
from services.routing import departures
from services.sla import recomputing
from services.tickets import ai_answers, bulk, closing, notifications, presence
from services.tickets.presence import Presence
from services.transfers import requests
from services.triage import training_examples
from services.triage.trained_models import TrainedModels
from services.webhooks import deliveries, subscriptions
from storage import DirectJobs, Row, Storage, UnitOfWork

log = logging.getLogger("foyer.jobs")

COMPANIES_AT_START = 20  # models of so many companies, those with the newest examples, are trained at the start
TIDY_SECONDS, CLOSING_SECONDS, DIGEST_SECONDS = 3600.0, 600.0, 30.0
AGREED_SECONDS, ESCALATION_SECONDS, MAILBOX_SECONDS = 10.0, 20.0, 20.0
SYNC_SECONDS, CHATS_SECONDS, INCIDENTS_SECONDS, ASSIGNMENT_SECONDS = 3.0, 5.0, 5.0, 5.0
PURGED = (
    idempotency,
    outbox,
    lockout,
    outgoing_mail,
    sessions,
    bulk,
    presence,
    records,
    deliveries,
    subscriptions,
    requests,
)
RECENT_SECONDS = 120  # more than the clocks of the processes may differ


class Server(Protocol):
    """The parts of a running server that jobs use."""

    settings: Settings
    mailer: Mailer
    model: Completes | None
    topic: Publishes | None
    mailbox: Mailbox | None
    presence: ChatPresence
    agents: Presence
    usage: UsageLog

    @property
    def storage(self) -> Storage: ...

    @property
    def files(self) -> FileStore: ...

    @property
    def trained_models(self) -> TrainedModels: ...

    @property
    def knowledge(self) -> Knowledge: ...

    @property
    def past_tickets(self) -> PastTickets: ...

    @property
    def tokens(self) -> Tokens: ...

    @property
    def references(self) -> References: ...


def workers(runtime: Server) -> dict[str, Callable[[Row], None]]:
    """The function that runs the jobs of each queue."""
    return {
        "mail": lambda job: _send_notice(runtime, job),
        "ai": lambda job: _write_answer(runtime, job),
        notifications.ALERTS: lambda job: _publish(runtime, job),
        erasure.QUEUE: lambda job: scrub(runtime.storage),
        requests.QUEUE: lambda job: transfers.run(runtime.storage, runtime.files, job),
        removal.QUEUE: lambda job: removal.remove_files(runtime.storage, runtime.files, job),
        training_examples.QUEUE: lambda job: _train(runtime, job["company_id"]),
        records.QUEUE: lambda job: inbound_mail.read(runtime, job),
        recomputing.QUEUE: lambda job: agreed_times.recompute(runtime.storage, job["company_id"]),
        departures.QUEUE: lambda job: routing.return_tickets(runtime.storage, job),
        actions.QUEUE: lambda job: incidents.resume(runtime.storage, job),
    }


def direct_jobs(runtime: Server) -> DirectJobs:
    """The jobs that need no runner: without a mail server a notice is a log line, and without a topic an alert is nothing."""
    mailer = runtime.mailer
    alerts: DirectJobs = {} if runtime.topic else {(notifications.ALERTS, "handoff"): lambda company, job: None}
    if not isinstance(mailer, ConsoleMailer):
        return alerts

    def note(company: str, job: outbox.Job) -> None:
        own = job.payload["support_email"]
        support_email = own or (runtime.settings.support_email if company == DEFAULT_COMPANY else "")
        mailer.note(job.kind, job.payload["ticket"], reply=job.payload.get("reply"), support_email=support_email)

    return alerts | {(notifications.QUEUE, kind): note for kind in NOTICES}


def periodic(runtime: Server) -> list[Periodic]:
    """The work that a running server repeats."""
    search = incidents.Search(lambda: runtime.storage, lambda: runtime.trained_models.embeddings)
    return [
        Periodic("tidy", TIDY_SECONDS, lambda: tidy(runtime), in_one_process=True),
        Periodic("auto-close", CLOSING_SECONDS, lambda: close_resolved_tickets(runtime), in_one_process=True),
        Periodic("silent chats", CHATS_SECONDS, lambda: close_silent_chats(runtime), in_one_process=True),
        Periodic("agreed times", AGREED_SECONDS, agreed_times.Sweep(lambda: runtime.storage), in_one_process=True),
        Periodic("snoozed tickets", AGREED_SECONDS, lambda: snoozed.wake(runtime.storage), in_one_process=True),
        Periodic(
            "assignment", ASSIGNMENT_SECONDS, lambda: routing.assign_waiting(runtime.storage), in_one_process=True
        ),
        Periodic("escalation", ESCALATION_SECONDS, routing.Escalation(lambda: runtime.storage), in_one_process=True),
        Periodic("digests", DIGEST_SECONDS, lambda: send_digests(runtime.storage), in_one_process=True),
        Periodic("incidents", INCIDENTS_SECONDS, search, in_one_process=True),
        Periodic("mailbox", MAILBOX_SECONDS, lambda: inbound_mail.poll(runtime), in_one_process=True),
        Periodic("model sync", SYNC_SECONDS, ModelSync(runtime)),
        Periodic("count of model calls", SYNC_SECONDS, lambda: runtime.usage.flush(runtime.storage)),
        Periodic("presence", SYNC_SECONDS, lambda: runtime.agents.flush(runtime.storage)),
        Periodic("chat presence", SYNC_SECONDS, lambda: runtime.presence.flush(runtime.storage)),
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
        alone("The resolved tickets of a company", partial(_close_resolved, runtime, company_id))


def _close_resolved(runtime: Server, company_id: str) -> None:
    more = True
    while more:
        with runtime.storage.unit_of_work(Actor.system(company_id), write=True) as uow:
            more = closing.close_some(uow)


def send_digests(storage: Storage) -> None:
    """Sends the digests of urgent tickets that are due."""
    with storage.unit_of_work(None) as uow:
        company_ids = digest.company_ids(uow)
    for company_id in company_ids:
        alone("The digest of a company", partial(_send_digest, storage, company_id))


def _send_digest(storage: Storage, company_id: str) -> None:
    with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
        digest.send(uow)


def close_silent_chats(runtime: Server) -> None:
    """Warns or ends each conversation whose customer has been silent for long enough."""
    with runtime.storage.unit_of_work(None) as uow:
        rows = idle.due(uow)
    for row in rows:
        alone(f"The conversation {row['id']}", partial(_follow_silence, runtime, row))


def _follow_silence(runtime: Server, row: Row) -> None:
    with runtime.storage.unit_of_work(Actor.system(row["company_id"]), write=True) as uow:
        idle.take_step(uow, row["id"])


def _send_notice(runtime: Server, job: Row) -> None:
    settings = runtime.settings
    try:
        with runtime.storage.unit_of_work(Actor.system(job["company_id"])) as uow:
            own = settings.sender
            sender = outgoing_mail.sender(uow, job["payload"], from_name=own.name, support_email=settings.support_email)
            header = {"job_id": job["id"], "domain": own.domain, "public_url": settings.public_url} | sender
            notice = (
                _confirmation(runtime, uow, job, header)
                if job["kind"] == notifications.CONFIRM
                else _digest(uow, job, header | wording.of_mail(uow))
                if job["kind"] == digest.DIGEST
                else _about_ticket(runtime, uow, job, header)
            )
            notice = notice and _to_subscribers(runtime, uow, job, notice)
        if notice is not None and _may_send(runtime, job, notice.to, sender["support_email"]):
            runtime.mailer.send(notice)
    except MailFailed as error:
        if job["ticket_id"] and (error.permanent or is_last_try(job)):
            with runtime.storage.unit_of_work(Actor.system(job["company_id"]), write=True) as uow:
                notifications.record_unsent(uow, job, error.reason)
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise


def _about_ticket(runtime: Server, uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    content = notifications.load_notice(uow, job)
    if content is None:
        return None
    ticket, reply = content
    header |= thread_headers.header_fields(uow, runtime.references, job)
    if job["kind"] == "resolved" and runtime.settings.public_url:  # the token is not stored with the job
        header |= {"rating_token": runtime.tokens.rating(ticket["id"], job["company_id"], now=uow.real_now)}
    return NOTICES[job["kind"]](ticket, reply=reply, **header, **wording.of_mail(uow, ticket))


def _digest(uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    to, rows, count = digest.content(uow, job, support_email=header["support_email"])
    masked = [{**row, "title": mask(row["title"])} for row in rows]
    return urgent_digest(to, masked, count, **header)


def _to_subscribers(runtime: Server, uow: UnitOfWork, job: Row, notice: Notice) -> Notice | None:
    """The notice without those who ended its kind, with a link to end it where one person gets it."""
    kind, url = unsubscribing.kind_of(job), runtime.settings.public_url.rstrip("/")
    left, user_id = unsubscribing.addressed(uow, notice, kind)
    if left is None or not user_id or not url:
        return left
    token = runtime.tokens.unsubscribe(user_id, job["company_id"], kind, now=uow.real_now)
    return replace(left, unsubscribe_url=f"{url}/api/notices/unsubscribe/{token}")


def _confirmation(runtime: Server, uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    request = notifications.to_confirm(uow, job)
    if request is None:
        return None
    user, company = request
    token = runtime.tokens.confirmation(user["id"], user["email"], company["name"], now=uow.real_now)
    return confirm_address(user["email"], token, **header)


def _may_send(runtime: Server, job: Row, to: str, support_email: str) -> bool:
    if runtime.mailer.mode == "console":
        return True  # the mail is only logged
    with runtime.storage.unit_of_work(None, write=True) as uow:
        own = uow.as_actor(Actor.system(job["company_id"]))
        operators = partial(uow.as_actor, Actor.system(DEFAULT_COMPANY))
        return outgoing_mail.may_send(own, job, to, support_email=support_email, operators=operators)


def _publish(runtime: Server, job: Row) -> None:
    """Publishes an alert to the topic. It holds no words of the customer."""
    if runtime.topic is None:
        return
    with runtime.storage.unit_of_work(Actor.system(job["company_id"])) as uow:
        ticket = uow.get(tickets, job["ticket_id"])
    if ticket is None or ticket["erased_at"]:
        return
    alert = {"event": "ticket.handoff", "alert_id": job["id"], "ticket_id": ticket["id"], **job["payload"]}
    runtime.topic.publish(f"A person is needed: conversation #{ticket['number']}", alert)


def _write_answer(runtime: Server, job: Row) -> None:
    open_uow = partial(runtime.storage.unit_of_work, Actor.system(job["company_id"]))
    ai_answers.answer_new_ticket(open_uow, job["ticket_id"], runtime.model, runtime.trained_models, runtime.knowledge)


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
