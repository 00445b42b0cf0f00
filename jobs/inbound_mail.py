"""Mail that came in: the job that reads a kept mail, and the poll of the mailbox."""

import logging
from functools import partial
from typing import Protocol

from ai.model_call import Completes
from auth.references import References
from channels import mail_parser
from channels.imap_poller import Mailbox, MailboxFailed
from config import Settings
from core.errors import AppError
from core.models import Actor
from database.file_store.contract import FileStore
from jobs.runner import PermanentFailure, is_last_try
from services import ai_usage
from services.inbound import attached_files, email, intake, records
from services.knowledge.search import Knowledge, good_enough
from services.triage import decide
from services.triage.trained_models import TrainedModels
from storage import OpenUnitOfWork, Row, Storage

log = logging.getLogger("foyer.inbound")

MOST_STARTS = 5  # readings that ended with the process: the mail itself may be the cause


class Server(Protocol):
    """The parts of a running server that the reading of mail uses."""

    settings: Settings
    model: Completes | None
    mailbox: Mailbox | None

    @property
    def storage(self) -> Storage: ...

    @property
    def trained_models(self) -> TrainedModels: ...

    @property
    def knowledge(self) -> Knowledge: ...

    @property
    def references(self) -> References: ...

    @property
    def files(self) -> FileStore: ...


def read(server: Server, job: Row) -> None:
    """Turns a stored mail into a ticket, a reply or a note. A mail that fails for good is marked, and its job stays as dead."""
    actor, mail_id = Actor.system(job["company_id"]), job["payload"]["mail_id"]
    open_uow = partial(server.storage.unit_of_work, actor)
    try:
        if job["attempts"] > MOST_STARTS and not job["last_error"]:
            raise PermanentFailure("the server ended each time while it read this mail")
        _read(server, mail_id, open_uow)
    except Exception as error:
        if isinstance(error, PermanentFailure) or is_last_try(job):
            with open_uow(write=True) as uow:
                records.settle(uow, mail_id, "failed", note=f"it could not be read ({type(error).__name__})")
        raise


def _read(server: Server, mail_id: str, open_uow: OpenUnitOfWork) -> None:
    with open_uow() as uow:
        try:
            row = records.get(uow, mail_id)
            if row["state"] not in ("received", "failed"):
                return  # read before
            body = records.original(uow, mail_id)
        except AppError:  # erased meanwhile
            return
    mail = mail_parser.parse(row["media"], body)
    files = attached_files.keep(
        server.storage, server.files, row["company_id"], mail.files, quota=server.settings.attachment_quota
    )
    fields = email.fields_of(mail, files)
    decide.prepare(server.trained_models, [fields])
    with open_uow() as uow:
        asks_model = server.model is not None and not ai_usage.refusal(uow)
        article = None if asks_model else good_enough(server.knowledge.for_ticket(uow, fields, wait=False))
    settings = server.settings
    own = {settings.sender.address.lower(), settings.imap_username.lower()} - {""}
    context = email.MailContext(
        server.references, server.trained_models, server.model is not None, frozenset(own), settings.attachment_quota
    )
    with open_uow(write=True) as uow:
        email.receive(uow, context, mail_id, mail, files, article)


def poll(server: Server) -> None:
    """Takes what is new in the mailbox. Each mail is committed before the mailbox is told, so a crash loses and doubles none."""
    mailbox = server.mailbox
    if mailbox is None:
        return
    try:
        count = mailbox.take_new(lambda media, body: intake.take(server.storage, media, body))
    except MailboxFailed as error:
        if mailbox.note_failure(str(error)):
            log.warning("No mail comes in: %s", error)
        return
    if mailbox.note_success():
        log.info("Mail comes in from the mailbox again")
    if count:
        log.info("%d mails were taken from the mailbox", count)
