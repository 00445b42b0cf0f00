"""Lock-out after repeated wrong passwords: tries are counted for an account and a place together, and for the account.

A place is where the caller is: the holder of the address, or the session of somebody signed in. Counted in the database.
"""

import hashlib

from core import timestamps
from core.errors import AppError
from database.tables import sign_in_tries as tries
from storage import Row, UnitOfWork

# Tries at one account from one place. Wrong tries elsewhere lock nobody out here.
MAX_ATTEMPTS = 10
# After so many wrong tries at one account, wherever they came from, each place has fewer: many places cannot guess fast,
# and whoever knows the password still signs in.
MOST_OF_ACCOUNT = 100
MOST_UNDER_ATTACK = 3
WINDOW_SECONDS = 900


def count_attempt(uow: UnitOfWork, account: str, place: str) -> None:
    """Counts a try before it is made, so that many at once are no more than one after the other.

    Raises AppError 429 when there were too many from this place.
    """
    whole, part = _ids(account, place)
    of_account = _locked(uow, whole, account=whole)  # always the first to be locked, so nobody waits in a ring
    of_place = _locked(uow, part, account=whole)
    most = MAX_ATTEMPTS if of_account["tries"] < MOST_OF_ACCOUNT else MOST_UNDER_ATTACK
    if of_place["tries"] >= most:
        raise _too_many(timestamps.seconds_between(uow.real_now, of_place["tries_until"]))
    for row in (of_account, of_place):
        until = row["tries_until"] or timestamps.later(uow.real_now, seconds=WINDOW_SECONDS)
        uow.update(tries, row["id"], {"tries": row["tries"] + 1, "tries_until": until})


def clear(uow: UnitOfWork, account: str, place: str) -> None:
    """The password was right: this place starts anew, and the try does not count against the account."""
    whole, part = _ids(account, place)
    uow.update_where(tries, tries.c.id == whole, tries.c.tries > 0, tries=tries.c.tries - 1)
    uow.delete(tries, tries.c.id == part)
    uow.delete(tries, tries.c.id == whole, tries.c.tries == 0)


def forget_account(uow: UnitOfWork, account: str) -> None:
    """Removes every trace of tries at an account that is gone."""
    whole, _ = _ids(account, "")
    uow.delete(tries, tries.c.id == whole)
    uow.delete(tries, tries.c.account == whole)


def purge(uow: UnitOfWork) -> int:
    """Forgets tries whose time is over; tells how many."""
    return uow.delete(tries, tries.c.tries_until <= uow.real_now)


def _ids(account: str, place: str) -> tuple[str, str]:
    """What stands for an account, and for it at a place: nothing that could be read back by looking."""
    whole = hashlib.sha256(f"sign in {account}".encode()).hexdigest()
    return whole, hashlib.sha256(f"{whole} {place}".encode("utf-8", "surrogateescape")).hexdigest()


def _locked(uow: UnitOfWork, row_id: str, *, account: str) -> Row:
    """The row of that id, locked, with no tries once their time is over."""
    uow.insert_new(tries, {"id": row_id, "account": account})
    row = uow.get(tries, row_id, lock=True) or {"id": row_id, "tries": 0, "tries_until": None}
    # An end too far away was written while the clock was ahead: nobody is locked for so long.
    latest = timestamps.later(uow.real_now, seconds=2 * WINDOW_SECONDS)
    if row["tries_until"] and uow.real_now < row["tries_until"] <= latest:
        return row
    return {**row, "tries": 0, "tries_until": None}


def _too_many(seconds: int) -> AppError:
    message = "There were too many wrong tries from your address. Please wait a few minutes."
    return AppError(message, "locked_out", 429, headers={"Retry-After": str(max(1, seconds))})
