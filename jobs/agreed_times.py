"""Jobs about agreed times: the sweep over tickets whose status may change, and recomputing after the settings changed."""

import logging
from collections.abc import Callable
from functools import partial

from core import timestamps
from core.models import Actor
from database.tables import companies
from jobs.runner import alone
from services.sla import recomputing, sweep
from storage import Storage

log = logging.getLogger("foyer.jobs")

MOST_ROUNDS = 10  # of one sweep, so that a server that stops does not wait long
BACK_SECONDS = 60  # a clock set back by more may have marked tickets as overdue that are not


class Sweep:
    """Stores and tells what has become at risk or overdue. After the clock went back, all open tickets are recomputed."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage
        self._latest = ""

    def __call__(self) -> None:
        storage = self._storage()
        now = storage.real_now()
        if self._latest and timestamps.seconds_between(now, self._latest) > BACK_SECONDS:
            self._recompute_all(storage)
        self._latest = now
        for _ in range(MOST_ROUNDS):
            with storage.unit_of_work(None) as uow:
                rows = sweep.due(uow)
            for row in rows:
                step = partial(_take_step, storage, row["id"], row["company_id"])
                alone(f"The agreed times of ticket {row['id']}", step)
            if len(rows) < sweep.MOST_AT_ONCE:
                break

    def _recompute_all(self, storage: Storage) -> None:
        log.warning("The clock went back. The agreed times of open tickets are computed again")
        with storage.unit_of_work(None) as uow:
            ids = [row["id"] for row in uow.find(uow.query(companies, companies.c.id))]
        for company_id in ids:
            with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
                recomputing.enqueue(uow)


def _take_step(storage: Storage, ticket_id: str, company_id: str) -> None:
    with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
        sweep.take_step(uow, ticket_id)


def recompute(storage: Storage, company_id: str) -> None:
    """Recomputes the open tickets of a company in batches."""
    actor = Actor.system(company_id)
    with storage.unit_of_work(actor) as uow:
        ids = sweep.open_ids(uow)
    for position in range(0, len(ids), recomputing.BATCH):
        with storage.unit_of_work(actor, write=True) as uow:
            sweep.recompute(uow, ids[position : position + recomputing.BATCH])
