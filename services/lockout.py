"""How often somebody may be wrong: wrong tries at one address or key prefix are counted, and then nothing is tried any more.

Counted in the database, whoever asks from wherever; nobody is made to wait.
"""

import hashlib

from sqlalchemy import Table

import times
from errors import AppError
from storage import Desk, Row
from tables import api_keys, sign_in_tries

MOST = 10
FORGOTTEN_AFTER_SECONDS = 900


def subject(email: str) -> str:
    """What stands for an address among the tries: nothing that could be read back by looking."""
    return hashlib.sha256(f"sign in {email}".encode()).hexdigest()


def check(row: Row | None, now: str) -> None:
    """Raises AppError 429 when there were too many wrong tries. `row` has tries and tries_until."""
    if row is None or row["tries"] < MOST or not _still_counts(row, now):
        return
    seconds = max(1, times.seconds_between(now, row["tries_until"]))
    raise AppError(
        "There were too many wrong tries. Please wait a few minutes.",
        "locked_out",
        429,
        headers={"Retry-After": str(seconds)},
    )


def take_try(desk: Desk, email: str) -> None:
    """Counts a try at signing in before it is made, so that many at once are no more than one after the other.

    Raises AppError 429 when there were too many wrong ones.
    """
    place = subject(email)
    row = desk.get(sign_in_tries, place, lock=True)
    check(row, desk.real_now)
    if row is None and desk.insert_new(sign_in_tries, {"id": place, **_first(desk.real_now)}):
        return
    _count(desk, sign_in_tries, row or desk.get(sign_in_tries, place, lock=True) or {"id": place, "tries": 0})


def forget(desk: Desk, email: str) -> None:
    """The tries were right in the end."""
    desk.delete(sign_in_tries, sign_in_tries.c.id == subject(email))


def wrong_key(desk: Desk, prefix: str) -> None:
    """Counts a wrong key against the keys it begins like. Raises AppError 429 when there were too many."""
    begins_like = desk.rows(api_keys).where(api_keys.c.prefix == prefix).order_by(api_keys.c.id)
    for row in desk.find(begins_like.with_for_update()):  # tried at the same moment, each counts
        check(row, desk.real_now)
        _count(desk, api_keys, row)


def purge(desk: Desk) -> int:
    """Forgets tries whose time is over; tells how many."""
    return desk.delete(sign_in_tries, sign_in_tries.c.tries_until <= desk.real_now)


def _first(now: str) -> Row:
    return {"tries": 1, "tries_until": times.later(now, seconds=FORGOTTEN_AFTER_SECONDS)}


def _count(desk: Desk, table: Table, row: Row) -> None:
    news = {"tries": row["tries"] + 1} if _still_counts(row, desk.real_now) else _first(desk.real_now)
    desk.update(table, row["id"], news)


def _still_counts(row: Row, now: str) -> bool:
    """Whether earlier tries count. An end too far away was written while the clock was ahead: nobody is locked for so long."""
    until = row.get("tries_until") or ""
    return now < until <= times.later(now, seconds=2 * FORGOTTEN_AFTER_SECONDS)
