"""Lock-out after repeated wrong passwords: attempts are counted per account and place, and per account.

A place is the network address of the caller, or the session of a signed-in user. Counts are stored in the database.
"""

import hashlib

from core import timestamps
from core.errors import AppError
from database.tables import sign_in_tries as tries
from storage import Row, UnitOfWork

# Attempts for one account from one place. Wrong attempts from other places lock nobody out here.
MAX_ATTEMPTS = 10
# After this many wrong attempts for one account from all places, each place gets fewer. Many places together cannot guess
# fast, and a user with the right password can still sign in.
MOST_OF_ACCOUNT = 100
MOST_UNDER_ATTACK = 3
WINDOW_SECONDS = 900


def count_attempt(uow: UnitOfWork, account: str, place: str, *, most: int = MAX_ATTEMPTS) -> None:
    """Counts an attempt before the password is checked, so that parallel attempts count too.

    Raises AppError 429 after more than `most` attempts from this place.
    """
    account_id, place_id = _ids(account, place)
    account_row = _locked(uow, account_id, account=account_id)  # always locked first, so that no deadlock arises
    place_row = _locked(uow, place_id, account=account_id)
    limit = most if account_row["tries"] < MOST_OF_ACCOUNT else MOST_UNDER_ATTACK
    if place_row["tries"] >= limit:
        raise _too_many(timestamps.seconds_between(uow.real_now, place_row["tries_until"]))
    for row in (account_row, place_row):
        until = row["tries_until"] or timestamps.later(uow.real_now, seconds=WINDOW_SECONDS)
        uow.update(tries, row["id"], {"tries": row["tries"] + 1, "tries_until": until})


def clear(uow: UnitOfWork, account: str, place: str) -> None:
    """Resets the count of this place after a right password; the attempt does not count for the account."""
    account_id, place_id = _ids(account, place)
    uow.update_where(tries, tries.c.id == account_id, tries.c.tries > 0, tries=tries.c.tries - 1)
    uow.delete(tries, tries.c.id == place_id)
    uow.delete(tries, tries.c.id == account_id, tries.c.tries == 0)


def forget_account(uow: UnitOfWork, account: str) -> None:
    """Removes all counts of a deleted account."""
    for name in (account, of_codes(account)):
        account_id, _ = _ids(name, "")
        uow.delete(tries, tries.c.id == account_id)
        uow.delete(tries, tries.c.account == account_id)


def of_codes(account: str) -> str:
    """The account under which wrong codes are counted, apart from wrong passwords."""
    return f"code {account}"


def purge(uow: UnitOfWork) -> int:
    """Deletes expired counts; returns how many."""
    return uow.delete(tries, tries.c.tries_until <= uow.real_now)


def _ids(account: str, place: str) -> tuple[str, str]:
    """Row ids for an account and for an account at a place: hashes, so that the table holds no addresses."""
    account_id = hashlib.sha256(f"sign in {account}".encode()).hexdigest()
    return account_id, hashlib.sha256(f"{account_id} {place}".encode("utf-8", "surrogateescape")).hexdigest()


def _locked(uow: UnitOfWork, row_id: str, *, account: str) -> Row:
    """The row of that id, locked; expired attempts count as none."""
    uow.insert_new(tries, {"id": row_id, "account": account})
    row = uow.get(tries, row_id, lock=True) or {"id": row_id, "tries": 0, "tries_until": None}
    # An end too far in the future was written while the clock was wrong; it is ignored.
    latest = timestamps.later(uow.real_now, seconds=2 * WINDOW_SECONDS)
    if row["tries_until"] and uow.real_now < row["tries_until"] <= latest:
        return row
    return {**row, "tries": 0, "tries_until": None}


def _too_many(seconds: int) -> AppError:
    message = "Too many wrong attempts from your address. Please wait a few minutes."
    return AppError(message, "locked_out", 429, headers={"Retry-After": str(max(1, seconds))})
