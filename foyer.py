"""The parts of one running desk, held together: settings, clock, store, model, mailer, jobs.

Opens nothing until it is started or first asked; knows no HTTP and no rule.
"""

import threading

import credentials
import times
from ai_responder import Completes
from config import Settings
from jobs import THREADS, Runner
from llm import Model, open_model
from notifier import Mailer, open_mailer
from storage import Clock, Storage, open_storage
from workers import tidy, workers

WAITING_SHARE = 4  # at most one in four of the server's threads may wait for a model


class Foyer:
    """One desk. Tests hand in their own clock, model or mailer; what is not given is made from the settings."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = times.now,
        model: Completes | None = None,
        mailer: Mailer | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        places = max(1, settings.threads // WAITING_SHARE)
        self.model = model or open_model(
            settings.openai_api_key.get_secret_value(),
            settings.openai_base_url,
            settings.openai_model,
            settings.ai_timeout_seconds,
            concurrency=places + THREADS["ai"],  # one line for each who may ask: a job is never told "busy"
        )
        self.mailer = mailer or open_mailer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value(),
            security=settings.smtp_security,
            mail_from=settings.mail_from,
        )
        self.waiting = threading.BoundedSemaphore(places)
        self.runner = Runner(lambda: self.storage, workers(self), tidy=lambda: tidy(self))
        if self.mailer.mode == "console":
            self.runner.settled_together = frozenset({"mail"})
        self._opening = threading.Lock()
        self._storage: Storage | None = None

    @property
    def storage(self) -> Storage:
        """The store, opened at the first use. Raises StorageError."""
        if self._storage is None:
            with self._opening:
                if self._storage is None:
                    self._storage = self._open()
        return self._storage

    @property
    def ai_mode(self) -> str:
        """`model` when a language model is configured, else `canned`."""
        return "model" if self.model else "canned"

    @property
    def survives_restart(self) -> bool:
        """Whether what is written now is there after a restart. Render keeps only mounted disks."""
        return self.storage.durable and not (self.settings.render and not _on_mounted_disk(self.settings))

    def start(self) -> None:
        """Opens the store and starts the jobs. Raises StorageError."""
        _ = self.storage
        self.runner.start()

    def stop(self) -> None:
        """Finishes the jobs at hand and leaves everything on disk."""
        self.runner.stop()
        if isinstance(self.model, Model):
            self.model.close()
        with self._opening:
            if self._storage is not None:
                self._storage.close()
                self._storage = None

    def _open(self) -> Storage:
        storage = open_storage(self.settings.database_url.get_secret_value(), self.settings.data_dir, clock=self.clock)
        credentials.prepare(storage, self.settings)
        return storage


def _on_mounted_disk(settings: Settings) -> bool:
    folder = settings.data_dir.resolve()
    return any(place.is_mount() for place in (folder, *folder.parents) if place != place.parent)
