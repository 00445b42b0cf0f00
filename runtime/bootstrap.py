"""The parts of one running server, held together: settings, clock, store, model, mailer, jobs.

Opens nothing until it is started or first asked; knows no HTTP and no rule.
"""

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

from ai.embeddings import Embeddings, open_embeddings
from ai.embeddings.remote import RemoteEmbeddings
from ai.llm import Model, open_model
from ai.model_call import Completes
from auth.erasure_marks import ErasureMarks
from auth.oidc import Issuer
from auth.oidc_client import OidcClient
from auth.one_time import OneTime
from auth.references import References
from auth.tokens import Tokens
from channels.imap_poller import Mailbox, open_mailbox
from channels.sns import Publishes, Topic
from channels.webhook_sender import Sender
from config import Settings
from core import timestamps
from core.errors import StorageError, unavailable
from core.models import DEFAULT_COMPANY, Actor
from database.file_store.contract import FileStore
from database.file_store.opening import open_file_store
from database.json_store.document import Where
from database.tables import companies
from database.vector_file import VectorFile
from jobs.handlers import periodic, workers
from jobs.notices import direct_jobs
from jobs.one_run import OneRun
from jobs.runner import THREADS, Runner
from jobs.webhook_runner import WebhookRunner
from notifier import Mailer, open_mailer
from runtime import first_start
from runtime.host_disk import is_on_persistent_disk
from services import health
from services import settings as company_settings
from services.accounts.companies import find_by_name
from services.ai_usage import UsageLog
from services.chat.presence import Presence as ChatPresence
from services.copilot.past_tickets import PastTickets
from services.import_export import demo
from services.knowledge.search import Knowledge
from services.model_access import ModelAccess
from services.tickets.presence import Presence
from services.triage.trained_models import TrainedModels
from services.webhooks.outgoing import Outgoing
from storage import Clock, Row, Storage, open_storage

log = logging.getLogger("foyer")

WAITING_SHARE = 4  # at most one in four of the server's threads may wait for a model


def _model(settings: Settings, *, concurrency: int) -> Completes | None:
    return open_model(
        settings.openai_api_key.get_secret_value(),
        settings.openai_base_url,
        settings.openai_model,
        settings.ai_timeout_seconds,
        concurrency=concurrency,
    )


def _mailer(settings: Settings) -> Mailer:
    return open_mailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        security=settings.smtp_security,
        mail_from=settings.mail_from,
    )


def _mailbox(settings: Settings) -> Mailbox | None:
    return open_mailbox(
        host=settings.imap_host,
        port=settings.imap_port,
        username=settings.imap_username,
        password=settings.imap_password.get_secret_value(),
        security=settings.imap_security,
        folder=settings.imap_folder,
        done_folder=settings.imap_done_folder,
    )


class Runtime:
    """One server. Tests hand in their own clock, model or mailer; what is not given is made from the settings."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = timestamps.now,
        model: Completes | None = None,
        mailer: Mailer | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        places = max(1, settings.threads // WAITING_SHARE)
        # One line for each who may ask: a job is never told "busy".
        self.model = model or _model(settings, concurrency=places + THREADS["ai"])
        self.mailer = mailer or _mailer(settings)
        self.mailbox = _mailbox(settings)
        self.issuer = Issuer(settings.oidc_issuer, settings.oidc_audience) if settings.oidc_issuer else None
        self.wait_slots = threading.BoundedSemaphore(places)
        self.topic: Publishes | None = Topic(settings.sns_topic_arn) if settings.sns_topic_arn else None
        self.presence = Presence()
        self.chat_presence = ChatPresence()
        self.usage = UsageLog()
        # Set by app.py: the rules of input live in the API.
        self.transfer_checks: Mapping[str, Callable[[Row], Row]] = {}
        if isinstance(self.model, Model):
            self.model.count = self.usage.note
        self.runner = Runner(lambda: self.storage, workers(self), periodic(self))
        self.webhook_sender = Sender(settings.webhook_allow_host_list)
        self.webhooks = WebhookRunner(lambda: self.storage, lambda: self.secret, self.webhook_sender)
        self.run_once = OneRun(self.runner, self.webhooks)
        self.opened_empty_at = ""  # when the store was opened with nothing in it, "" when there was something
        self.serving = True  # False in a command, which leaves the key of API_KEY as it is
        self.note_secret = secrets.token_urlsafe(32)  # in the note of the lock: whoever knows it is this process
        self._opening = threading.Lock()
        self._storage: Storage | None = None
        self._stopped = False

    @property
    def storage(self) -> Storage:
        """The store, opened at the first use. Raises StorageError, and AppError 503 after `stop`."""
        if self._storage is None:
            with self._opening:
                if self._stopped:
                    raise unavailable("The server is stopping. Please try again shortly.")
                if self._storage is None:
                    self._storage = self._open()
        return self._storage

    @cached_property
    def tokens(self) -> Tokens:
        """Signs and reads what signed-in people carry."""
        return Tokens(self.secret)

    @cached_property
    def oidc_client(self) -> OidcClient | None:
        """Signs people in at the issuer, where OIDC_CLIENT_ID names this server to it."""
        settings = self.settings
        if self.issuer is None or not settings.oidc_client_id:
            return None
        return OidcClient(
            self.issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            return_to=f"{settings.public_url}/api/auth/oidc/callback",
            server_secret=self.secret,
        )

    @cached_property
    def references(self) -> References:
        """Signs and reads the references to tickets in mail."""
        return References(self.secret)

    @cached_property
    def erasure_marks(self) -> ErasureMarks:
        """Knows who was erased here."""
        return ErasureMarks(self.secret)

    @cached_property
    def one_time(self) -> OneTime:
        """Makes and checks links and codes to sign in with."""
        return OneTime(self.secret)

    @cached_property
    def secret(self) -> str:
        """What only this server knows."""
        _ = self.storage  # whose opening sees to it
        return first_start.secret(self.settings)

    @cached_property
    def knowledge(self) -> Knowledge:
        """The indexes of the companies' articles."""
        return Knowledge(self.embeddings, self.remote_embeddings)

    @cached_property
    def remote_embeddings(self) -> RemoteEmbeddings | None:
        """The embeddings of the provider, where OPENAI_EMBEDDING_MODEL names a model."""
        settings = self.settings
        key, url, name = (
            settings.openai_api_key.get_secret_value(),
            settings.openai_base_url,
            settings.openai_embedding_model,
        )
        model = open_model(key, url, name, settings.ai_timeout_seconds) if name else None
        return RemoteEmbeddings(model, VectorFile(settings.data_dir / "vectors.sqlite")) if model else None

    @cached_property
    def past_tickets(self) -> PastTickets:
        """The indexes of the companies' resolved tickets."""
        return PastTickets(self.embeddings)

    def model_access(self, actor: Actor) -> ModelAccess:
        """What an AI feature uses on behalf of an actor."""
        return ModelAccess(
            partial(self.storage.unit_of_work, actor),
            self.model,
            self.trained_models,
            self.knowledge,
            self.past_tickets,
            self.wait_slots,
            mails=self.mailer.mode != "console",
        )

    @cached_property
    def files(self) -> FileStore:
        """Keeps the bytes of attachments, by the setting ATTACHMENTS_URL."""
        return open_file_store(self.settings.attachments_url, self.settings.attachments_folder)

    @property
    def files_note(self) -> str:
        """Why attached files may be missing on another host or after a restart, "" when they are not."""
        settings = self.settings
        if settings.attachments_url:
            return ""
        ephemeral = bool(settings.render or settings.dyno)
        if not is_on_persistent_disk(settings.attachments_folder, host_is_ephemeral=ephemeral):
            return "LOST AT THE NEXT RESTART; set ATTACHMENTS_URL=s3://…"
        return "" if self.storage.exclusive else "on this host only; for several hosts set ATTACHMENTS_URL=s3://…"

    @property
    def ai_mode(self) -> str:
        """`model` when a language model is configured, else `canned`."""
        return "model" if self.model else "canned"

    @cached_property
    def embeddings(self) -> Embeddings:
        """The embeddings of this server, by the setting EMBEDDINGS."""
        return open_embeddings(self.settings.embeddings)

    @cached_property
    def trained_models(self) -> TrainedModels:
        """The models trained on the examples of companies."""
        return TrainedModels(self.embeddings)

    @cached_property
    def survives_restart(self) -> bool:
        """Whether what is written now is there after a restart, a sleep and a deploy of this host."""
        storage = self.storage
        if storage.path is None:
            return storage.durable
        return is_on_persistent_disk(storage.path, host_is_ephemeral=bool(self.settings.render or self.settings.dyno))

    @property
    def storage_note(self) -> str:
        """Whether the data stays, in sentences for a person: what would be lost, what was, and what to do."""
        durable = self.survives_restart
        ahead = self.storage.clocks.ahead_seconds()
        return health.storage_note(durable=durable, opened_empty_at=self.opened_empty_at, ahead_seconds=ahead)

    def start(self, *, url: str = "") -> None:
        """Opens the server and starts the threads of its jobs. Raises StorageError.

        `url` is where commands of this machine reach the server, "" when they cannot.
        """
        if self.settings.aws_lambda_function_name:
            raise StorageError(
                "AWS Lambda stops every thread after an answer, so jobs would not run. Set the handler of the function to "
                "deploy.aws.entry.handler, as docs/aws.md says."
            )
        self.open(url=url)
        self.runner.start()
        self.webhooks.start()

    def open(self, *, url: str = "") -> None:
        """Opens the store; with DEMO a new server is filled. Nothing runs in the background. Raises StorageError."""
        self._stopped = False
        storage = self.storage
        storage.announce(url, self.note_secret)
        self._check_company_of_issuer()
        if self.settings.demo and self.opened_empty_at:
            with storage.unit_of_work(Actor(DEFAULT_COMPANY, "admin", "demo"), write=True) as uow:
                demo.fill(uow, self.trained_models)
        if classifier := self.trained_models.text_classifier:
            classifier.warm_up()

    def _check_company_of_issuer(self) -> None:
        """Says so when the company of OIDC_COMPANY is not allowed to take the issuer's people."""
        name = self.settings.oidc_company
        if self.issuer is None or self.settings.oidc_company_claim:
            return
        with self.storage.unit_of_work(None) as uow:
            company = find_by_name(uow, name)
        if company is None or not company["oidc_allowed"]:
            log.warning("Nobody signs in by OIDC_ISSUER: OIDC_COMPANY is %s; run flask allow-company with --oidc", name)

    def stop(self) -> None:
        """Finishes the jobs at hand and leaves everything on disk. Only `start` opens the store again."""
        self.runner.stop()
        self.webhooks.stop()
        if isinstance(self.model, Model):
            self.model.close()
        if "remote_embeddings" in self.__dict__ and self.remote_embeddings:
            self.remote_embeddings.close()
        with self._opening:
            self._stopped = True
            if self._storage is not None:
                self._storage.close()
                self._storage = None

    def _open(self) -> Storage:
        self.trained_models.clear()
        storage = open_storage(self.settings.database_url.get_secret_value(), self.settings.data_dir, clock=self.clock)
        with contextlib.ExitStack() as undo:
            undo.callback(storage.close)
            with storage.unit_of_work(None) as uow:
                self.opened_empty_at = "" if uow.get(companies, DEFAULT_COMPANY) else uow.real_now
                rows = uow.find(uow.query(companies))
            _check_settings(storage, rows)
            first_start.prepare(storage, self.settings, serving=self.serving)
            if self.serving:  # a command may not know the server's mail server, so its notices stay jobs
                storage.direct_jobs = direct_jobs(self)
                storage.before_commit = Outgoing(storage, self.webhooks.wake)
            undo.pop_all()
        return storage


def _check_settings(storage: Storage, rows: Sequence[Row]) -> None:
    """Raises StorageError for settings of a company that no program of ours wrote."""
    for company in rows:
        if fault := company_settings.fault(company):
            location = Where(storage.place, storage.path if storage.name == "json" else None)
            raise StorageError(
                f"{location.row('companies', company['id'])}: field settings: {fault}. Correct it and start again."
            )
