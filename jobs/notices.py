"""Notices: the jobs that send mail and alerts, and the periodic digests of urgent tickets."""

from dataclasses import replace
from functools import partial
from typing import Protocol

from auth.one_time import OneTime
from auth.references import References
from auth.tokens import Tokens
from channels.sns import Publishes
from config import Settings
from core.models import DEFAULT_COMPANY, Actor
from core.redaction import mask
from database.tables import tickets
from jobs import sign_in_mails
from jobs.runner import PermanentFailure, alone, is_last_try
from notifier import NOTICES, ConsoleMailer, Mailer, MailFailed, Notice, confirm_address, urgent_digest
from services import outbox, outgoing_mail
from services.inbound import thread_headers
from services.notices import digest, unsubscribing, wording
from services.tickets import notifications
from storage import DirectJobs, Row, Storage, UnitOfWork


class Server(Protocol):
    """The parts of a running server that notices use."""

    settings: Settings
    mailer: Mailer
    topic: Publishes | None

    @property
    def storage(self) -> Storage: ...

    @property
    def tokens(self) -> Tokens: ...

    @property
    def references(self) -> References: ...

    @property
    def one_time(self) -> OneTime: ...


def direct_jobs(server: Server) -> DirectJobs:
    """The jobs that need no runner: without a mail server a notice is a log line, and without a topic an alert is nothing."""
    mailer = server.mailer
    alerts: DirectJobs = {} if server.topic else {(notifications.ALERTS, "handoff"): lambda company, job: None}
    if not isinstance(mailer, ConsoleMailer):
        return alerts

    def note(company: str, job: outbox.Job) -> None:
        own = job.payload["support_email"]
        support_email = own or (server.settings.support_email if company == DEFAULT_COMPANY else "")
        mailer.note(job.kind, job.payload["ticket"], reply=job.payload.get("reply"), support_email=support_email)

    return alerts | {(notifications.QUEUE, kind): note for kind in NOTICES}


def send(server: Server, job: Row) -> None:
    """Sends the mail of a job. Raises PermanentFailure when no retry can help, MailFailed otherwise."""
    try:
        if job["kind"] in sign_in_mails.KINDS:
            _send_sign_in_mail(server, job)
            return
        with server.storage.unit_of_work(Actor.system(job["company_id"])) as uow:
            header = _header(server, uow, job)
            notice = _notice(server, uow, job, header)
            notice = notice and _to_subscribers(server, uow, job, notice)
        if notice is not None and _may_send(server, job, notice.to, header["support_email"]):
            server.mailer.send(notice)
    except MailFailed as error:
        if job["ticket_id"] and (error.permanent or is_last_try(job)):
            with server.storage.unit_of_work(Actor.system(job["company_id"]), write=True) as uow:
                notifications.record_unsent(uow, job, error.reason)
        if error.permanent:
            raise PermanentFailure(str(error)) from error
        raise


def _header(server: Server, uow: UnitOfWork, job: Row) -> Row:
    """What every notice is told: the sender and where the server is."""
    settings = server.settings
    own = settings.sender
    sender = outgoing_mail.sender(uow, job["payload"], from_name=own.name, support_email=settings.support_email)
    return {"job_id": job["id"], "domain": own.domain, "public_url": settings.public_url} | sender


def _send_sign_in_mail(server: Server, job: Row) -> None:
    """Mails a link or a code, whose token is made now and written before it is sent."""
    with server.storage.unit_of_work(Actor.system(job["company_id"])) as uow:
        header = _header(server, uow, job)
    may_send = partial(_may_send, server, job, support_email=header["support_email"])
    notice = sign_in_mails.notice(server.storage, server.one_time, job, header, may_send)
    if notice is not None:
        server.mailer.send(notice)


def _notice(server: Server, uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    """The mail of a job, None when it is obsolete."""
    if job["kind"] == notifications.CONFIRM:
        return _confirmation(server, uow, job, header)
    if job["kind"] == digest.DIGEST:
        return _digest(uow, job, header | wording.of_mail(uow))
    return _about_ticket(server, uow, job, header)


def _about_ticket(server: Server, uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    content = notifications.load_notice(uow, job)
    if content is None:
        return None
    ticket, reply = content
    header |= thread_headers.header_fields(uow, server.references, job)
    if job["kind"] == "resolved" and server.settings.public_url:  # the token is not stored with the job
        header |= {"rating_token": server.tokens.rating(ticket["id"], job["company_id"], now=uow.real_now)}
    return NOTICES[job["kind"]](ticket, reply=reply, **header, **wording.of_mail(uow, ticket))


def _digest(uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    to, rows, count = digest.content(uow, job, support_email=header["support_email"])
    masked = [{**row, "title": mask(row["title"])} for row in rows]
    return urgent_digest(to, masked, count, **header)


def _to_subscribers(server: Server, uow: UnitOfWork, job: Row, notice: Notice) -> Notice | None:
    """The notice without those who ended its kind, with a link to end it where one person gets it."""
    kind, url = unsubscribing.kind_of(job), server.settings.public_url.rstrip("/")
    left, user_id = unsubscribing.addressed(uow, notice, kind)
    if left is None or not user_id or not url:
        return left
    token = server.tokens.unsubscribe(user_id, job["company_id"], kind, now=uow.real_now)
    return replace(left, unsubscribe_url=f"{url}/api/notices/unsubscribe/{token}")


def _confirmation(server: Server, uow: UnitOfWork, job: Row, header: Row) -> Notice | None:
    request = notifications.to_confirm(uow, job)
    if request is None:
        return None
    user, company = request
    token = server.tokens.confirmation(user["id"], user["email"], company["name"], now=uow.real_now)
    return confirm_address(user["email"], token, **header)


def _may_send(server: Server, job: Row, to: str, support_email: str) -> bool:
    if server.mailer.mode == "console":
        return True  # the mail is only logged
    with server.storage.unit_of_work(None, write=True) as uow:
        own = uow.as_actor(Actor.system(job["company_id"]))
        operators = partial(uow.as_actor, Actor.system(DEFAULT_COMPANY))
        return outgoing_mail.may_send(own, job, to, support_email=support_email, operators=operators)


def publish(server: Server, job: Row) -> None:
    """Publishes an alert to the topic. It holds no words of the customer."""
    if server.topic is None:
        return
    with server.storage.unit_of_work(Actor.system(job["company_id"])) as uow:
        ticket = uow.get(tickets, job["ticket_id"])
    if ticket is None or ticket["erased_at"]:
        return
    alert = {"event": "ticket.handoff", "alert_id": job["id"], "ticket_id": ticket["id"], **job["payload"]}
    server.topic.publish(f"A person is needed: conversation #{ticket['number']}", alert)


def send_digests(storage: Storage) -> None:
    """Sends the digests of urgent tickets that are due."""
    with storage.unit_of_work(None) as uow:
        company_ids = digest.company_ids(uow)
    for company_id in company_ids:
        alone("The digest of a company", partial(_send_digest, storage, company_id))


def _send_digest(storage: Storage, company_id: str) -> None:
    with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
        digest.send(uow)
