"""The periodic job that counts days for statistics. Until it has run, their tickets are read for each answer."""

from functools import partial

from core.models import Actor
from jobs.runner import alone
from services.stats import counting
from storage import Storage


def count_days(storage: Storage) -> None:
    """Counts each stale day but today, in a unit of work of its own so that other writers wait little."""
    with storage.unit_of_work(None) as uow:
        rows = counting.days_to_count(uow)
    for row in rows:
        alone(f"The tickets of {row['day']}", partial(_count, storage, row["company_id"], row["day"]))


def _count(storage: Storage, company_id: str, day: str) -> None:
    with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
        uow.count_day(day)
