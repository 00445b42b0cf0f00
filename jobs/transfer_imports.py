"""The job that imports everything of a company. It copies the file to this host's disk, since a ZIP is read from its end."""

from tempfile import TemporaryFile
from typing import IO

from core.errors import StoreUnavailable
from core.models import Actor
from database.file_store.contract import FileMissing, FileStore
from jobs.runner import is_last_try
from services.transfers import importing, requests
from services.transfers.archive import Archive, Unusable
from services.transfers.requests import NotWanted
from storage import Row


def run(server: importing.Server, job: Row) -> None:
    """Does what is left of an import. A job that is stopped midway goes on where it was. Raises what a retry may fix."""
    actor, transfer_id = Actor.system(job["company_id"]), job["payload"]["transfer_id"]
    try:
        _import(server, actor, transfer_id)
    except NotWanted:
        return
    except (Unusable, FileMissing) as error:
        _fail(server, actor, transfer_id, str(error) or "The file of this import is no longer on the server.")
    except StoreUnavailable:
        raise
    except Exception:
        if is_last_try(job):
            _fail(server, actor, transfer_id, "The import failed. Send the file again: it goes on where it was.")
        raise


def _import(server: importing.Server, actor: Actor, transfer_id: str) -> None:
    with server.storage.unit_of_work(actor, write=True) as uow:
        row = requests.progress_of(uow, transfer_id)
        if row is None or not requests.progress(uow, transfer_id, state="running"):
            raise NotWanted
    with TemporaryFile() as file:
        _copy(server.files, actor.company_id, row["parts"], file)
        importing.Import(server, actor, transfer_id, Archive(file)).run()


def _copy(files: FileStore, company_id: str, parts: list[str], target: IO[bytes]) -> None:
    for part in parts:
        with files.open(company_id, part) as pieces:
            for piece in pieces:
                target.write(piece)


def _fail(server: importing.Server, actor: Actor, transfer_id: str, reason: str) -> None:
    with server.storage.unit_of_work(actor, write=True) as uow:
        requests.fail(uow, transfer_id, reason)
