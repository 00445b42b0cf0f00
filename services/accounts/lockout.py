"""How often somebody may be wrong: wrong tries at one address or key prefix are counted, and then nothing is tried any more.

Counted in the database, whoever asks from wherever; nobody is made to wait.
"""

import hashlib

from sqlalchemy import Table

from core import timestamps
from core.errors import AppError
from database.tables import api_keys, sign_in_tries
from storage import Row, UnitOfWork

MOST = 10
FORGOTTEN_AFTER_SECONDS = 900


def subject(email: str) -> str:
    """What stands for an address among the tries: nothing that could be read back by looking."""
    return hashlib.sha256(f"sign in {email}".encode()).hexdigest()


def check(row: Row | None, now: str) -> None:
    """Raises AppError 429 when there were too many wrong tries. `row` has tries and tries_until."""
    if row is None or row["tries"] < MOST or not _still_counts(row, now):
        return
    seconds = max(1, timestamps.seconds_between(now, row["tries_until"]))
    raise AppError(
        "There were too many wrong tries. Please wait a few minutes.",
        "locked_out",
        429,
        headers={"Retry-After": str(seconds)},
    )


def take_try(uow: UnitOfWork, email: str) -> None:
    """Counts a try at signing in before it is made, so that many at once are no more than one after the other.

    Raises AppError 429 when there were too many wrong ones.
    """
    place = subject(email)
    row = uow.get(sign_in_tries, place, lock=True)
    check(row, uow.real_now)
    if row is None and uow.insert_new(sign_in_tries, {"id": place, **_first(uow.real_now)}):
        return
    _count(uow, sign_in_tries, row or uow.get(sign_in_tries, place, lock=True) or {"id": place, "tries": 0})


def forget(uow: UnitOfWork, email: str) -> None:
    """The tries were right in the end."""
    uow.delete(sign_in_tries, sign_in_tries.c.id == subject(email))


def wrong_key(uow: UnitOfWork, prefix: str) -> None:
    """Counts a wrong key against the keys it begins like. Raises AppError 429 when there were too many."""
    begins_like = uow.query(api_keys).where(api_keys.c.prefix == prefix).order_by(api_keys.c.id)
    for row in uow.find(begins_like.with_for_update()):  # tried at the same moment, each counts
        check(row, uow.real_now)
        _count(uow, api_keys, row)


def purge(uow: UnitOfWork) -> int:
    """Forgets tries whose time is over; tells how many."""
    return uow.delete(sign_in_tries, sign_in_tries.c.tries_until <= uow.real_now)


def _first(now: str) -> Row:
    return {"tries": 1, "tries_until": timestamps.later(now, seconds=FORGOTTEN_AFTER_SECONDS)}


def _count(uow: UnitOfWork, table: Table, row: Row) -> None:
    news = {"tries": row["tries"] + 1} if _still_counts(row, uow.real_now) else _first(uow.real_now)
    uow.update(table, row["id"], news)


def _still_counts(row: Row, now: str) -> bool:
    """Whether earlier tries count. An end too far away was written while the clock was ahead: nobody is locked for so long."""
    until = row.get("tries_until") or ""
    return now < until <= timestamps.later(now, seconds=2 * FORGOTTEN_AFTER_SECONDS)
