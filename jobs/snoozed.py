"""The periodic job that wakes snoozed tickets whose time has come."""

from functools import partial

from core.models import Actor
from jobs.runner import alone
from services.tickets import snooze
from storage import Storage

MOST_ROUNDS = 10  # of one run, so that a server that stops does not wait long


def wake(storage: Storage) -> None:
    """Wakes what is due, each ticket in a unit of work of its own."""
    for _ in range(MOST_ROUNDS):
        with storage.unit_of_work(None) as uow:
            rows = snooze.due(uow)
        for row in rows:
            alone(f"The snoozed ticket {row['id']}", partial(_wake_one, storage, row["id"], row["company_id"]))
        if len(rows) < snooze.MOST_AT_ONCE:
            break


def _wake_one(storage: Storage, ticket_id: str, company_id: str) -> None:
    with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
        snooze.wake(uow, ticket_id)
