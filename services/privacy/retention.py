"""Apply retention periods, erase a customer, and scrub erased data from the files."""

import logging

from auth.erasure_marks import ErasureMarks
from core.errors import AppError
from core.models import Actor
from database import tables
from services import outbox, settings
from services.accounts import lockout
from services.privacy import erasure
from storage import Storage

log = logging.getLogger("foyer.privacy")

# Kind -> (find due rows, erase them). Tickets come first, because customers without tickets are due next.
_RETENTION = {
    "tickets": (erasure.find_old_tickets, erasure.erase_old_tickets),
    "customers": (erasure.find_old_customers, erasure.erase_old_customers),
}


def erase_customer(storage: Storage, actor: Actor, name: str, marks: ErasureMarks) -> int:
    """Erases a customer, also from the files; returns the number of their tickets. Raises AppError 404."""
    with storage.unit_of_work(None, write=True) as uow:
        result = erasure.erase(uow.as_actor(actor), name, marks)
        same_address = uow.query(tables.users).where(tables.users.c.email == result.account)
        if result.account and not uow.count(same_address):  # tries at another company's account are not ours to forget
            lockout.forget_account(uow, result.account)
    _scrub_now(storage)
    return result.tickets


def scrub(storage: Storage) -> None:
    """Removes erased data from the files and completes waiting scrub jobs. Raises AppError 503."""
    with storage.unit_of_work(None) as uow:
        job_ids = outbox.waiting_ids(uow, erasure.QUEUE, erasure.SCRUB)
    storage.scrub()
    with storage.unit_of_work(None, write=True) as uow:
        outbox.finish(uow, job_ids)


def _scrub_now(storage: Storage) -> None:
    try:
        scrub(storage)
    except AppError as error:  # the rows are erased, and the job tries again
        log.error("Erased data could not be removed from the files yet. This is retried: %s", error)


def apply_retention(storage: Storage) -> None:
    """Erases data past each company's retention period, in batches, then scrubs the files once."""
    with storage.unit_of_work(None) as uow:
        companies = uow.find(uow.query(tables.companies))
    retention_days = {company["id"]: settings.of_company(company)["retention_days"] for company in companies}
    results = [
        _apply_to_company(storage, Actor.system(company), days) for company, days in retention_days.items() if days
    ]
    if any(results):
        _scrub_now(storage)


def _apply_to_company(storage: Storage, actor: Actor, days: int) -> bool:
    counts = {}
    for thing, (find_due, erase) in _RETENTION.items():
        with storage.unit_of_work(actor) as uow:
            ids = find_due(uow, days)
        counts[thing] = 0
        for start in range(0, len(ids), erasure.BATCH):
            with storage.unit_of_work(actor, write=True) as uow:
                counts[thing] += erase(uow, ids[start : start + erasure.BATCH], days)
                erasure.enqueue_scrub(uow)
    if any(counts.values()):
        with storage.unit_of_work(actor, write=True) as uow:
            erasure.record_retention(uow, counts)
    return any(counts.values())
