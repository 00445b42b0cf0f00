"""Lock-out after repeated wrong passwords: tries are counted for an account and a place together, and for the account.

A place is where the caller is: the holder of the address, or the session of somebody signed in. Counted in the database.
"""

import hashlib

import times
from errors import AppError
from storage import Desk, Row
from tables import sign_in_tries as tries

# Tries at one account from one place. Wrong tries elsewhere lock nobody out here.
MOST = 10
# After so many wrong tries at one account, wherever they came from, each place has fewer: many places cannot guess fast,
# and whoever knows the password still signs in.
MOST_OF_ACCOUNT = 100
MOST_UNDER_ATTACK = 3
FORGOTTEN_AFTER_SECONDS = 900


def take_try(desk: Desk, account: str, place: str) -> None:
    """Counts a try before it is made, so that many at once are no more than one after the other.

    Raises AppError 429 when there were too many from this place.
    """
    whole, part = _ids(account, place)
    of_account = _locked(desk, whole, account=whole)  # always the first to be locked, so nobody waits in a ring
    of_place = _locked(desk, part, account=whole)
    most = MOST if of_account["tries"] < MOST_OF_ACCOUNT else MOST_UNDER_ATTACK
    if of_place["tries"] >= most:
        raise _too_many(times.seconds_between(desk.real_now, of_place["tries_until"]))
    for row in (of_account, of_place):
        until = row["tries_until"] or times.later(desk.real_now, seconds=FORGOTTEN_AFTER_SECONDS)
        desk.update(tries, row["id"], {"tries": row["tries"] + 1, "tries_until": until})


def forget(desk: Desk, account: str, place: str) -> None:
    """The password was right: this place starts anew, and the try does not count against the account."""
    whole, part = _ids(account, place)
    desk.update_where(tries, tries.c.id == whole, tries.c.tries > 0, tries=tries.c.tries - 1)
    desk.delete(tries, tries.c.id == part)
    desk.delete(tries, tries.c.id == whole, tries.c.tries == 0)


def forget_account(desk: Desk, account: str) -> None:
    """Removes every trace of tries at an account that is gone."""
    whole, _ = _ids(account, "")
    desk.delete(tries, tries.c.id == whole)
    desk.delete(tries, tries.c.account == whole)


def purge(desk: Desk) -> int:
    """Forgets tries whose time is over; tells how many."""
    return desk.delete(tries, tries.c.tries_until <= desk.real_now)


def _ids(account: str, place: str) -> tuple[str, str]:
    """What stands for an account, and for it at a place: nothing that could be read back by looking."""
    whole = hashlib.sha256(f"sign in {account}".encode()).hexdigest()
    return whole, hashlib.sha256(f"{whole} {place}".encode("utf-8", "surrogateescape")).hexdigest()


def _locked(desk: Desk, row_id: str, *, account: str) -> Row:
    """The row of that id, locked, with no tries once their time is over."""
    desk.insert_new(tries, {"id": row_id, "account": account})
    row = desk.get(tries, row_id, lock=True) or {"id": row_id, "tries": 0, "tries_until": None}
    # An end too far away was written while the clock was ahead: nobody is locked for so long.
    latest = times.later(desk.real_now, seconds=2 * FORGOTTEN_AFTER_SECONDS)
    if row["tries_until"] and desk.real_now < row["tries_until"] <= latest:
        return row
    return {**row, "tries": 0, "tries_until": None}


def _too_many(seconds: int) -> AppError:
    message = "There were too many wrong tries from your address. Please wait a few minutes."
    return AppError(message, "locked_out", 429, headers={"Retry-After": str(max(1, seconds))})
