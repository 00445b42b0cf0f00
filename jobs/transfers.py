"""The job that exports everything of a company: the file is made on this host's disk, then kept in the store of files."""

import logging
import time
from tempfile import TemporaryFile

from core.errors import StoreUnavailable
from core.models import Actor
from database.file_store.contract import FileStore
from jobs.runner import is_last_try
from services.transfers import exporting, requests
from services.transfers.requests import NotWanted
from storage import Row, Storage

log = logging.getLogger("foyer.jobs")

NOTED_SECONDS = 2.0  # how often a running export notes how far it is


def run(storage: Storage, files: FileStore, job: Row) -> None:
    """Makes an export. A job that is stopped midway begins anew; the transfer gets its file once. Raises any failure."""
    actor, transfer_id = Actor.system(job["company_id"]), job["payload"]["transfer_id"]
    try:
        _export(storage, files, actor, transfer_id)
    except NotWanted:
        files.delete(actor.company_id, transfer_id)
    except StoreUnavailable:
        raise
    except Exception as error:
        if is_last_try(job):
            log.error("An export failed: %s", error)
            with storage.unit_of_work(actor, write=True) as uow:
                requests.fail(uow, transfer_id, "The export failed. Please ask for a new one, or look into the log.")
        raise


def _export(storage: Storage, files: FileStore, actor: Actor, transfer_id: str) -> None:
    with storage.unit_of_work(actor, write=True) as uow:
        is_wanted = requests.progress(uow, transfer_id, state="running", done=0, total=exporting.total(uow))
    if not is_wanted:
        raise NotWanted
    progress = _Progress(storage, actor, transfer_id)
    with TemporaryFile() as target:
        exported = exporting.write(lambda: storage.unit_of_work(actor), files, target, step=progress.step)
        size = target.tell()
        target.seek(0)
        files.put(actor.company_id, transfer_id, target)
    with storage.unit_of_work(actor, write=True) as uow:
        is_wanted = requests.finish(uow, transfer_id, size=size, done=exported.things, errors=exported.errors)
    if not is_wanted:
        raise NotWanted


class _Progress:
    """Notes how far an export is, every NOTED_SECONDS. Raises NotWanted."""

    def __init__(self, storage: Storage, actor: Actor, transfer_id: str) -> None:
        self._storage, self._actor, self._transfer_id = storage, actor, transfer_id
        self._done = 0
        self._noted = time.monotonic()

    def step(self, count: int) -> None:
        """Counts rows and files that were just written."""
        self._done += count
        if time.monotonic() - self._noted < NOTED_SECONDS:
            return
        self._noted = time.monotonic()
        with self._storage.unit_of_work(self._actor, write=True) as uow:
            if not requests.progress(uow, self._transfer_id, done=self._done):
                raise NotWanted
