"""The rows of mailed links and codes: opened, given a token when the mail is made, used up, ended.

Every mail's link has a long token. Of a code it opens the same as the six digits, and guesses cannot use it up.

One kind for one address of a company is open at a time: a new one ends the old. What anybody may ask for ends the old
one only when its mail is made. So requests that cause no mail leave the last one valid.
"""

from typing import Literal

from auth.one_time import OneTime
from core import timestamps
from database.tables import sign_in_tokens as table
from storage import Row, UnitOfWork

Kind = Literal["invite", "reset", "code"]
INVITE: Kind = "invite"
RESET: Kind = "reset"
CODE: Kind = "code"
LASTS_SECONDS: dict[str, int] = {INVITE: 7 * 24 * 3600, RESET: 3600, CODE: 600}
MOST_TRIES = 5  # wrong codes, then a new one is needed
t = table.c


def start(uow: UnitOfWork, kind: Kind, email: str, *, user_id: str = "", fields: Row | None = None) -> Row:
    """Opens a row for that address. It opens nothing until it has a token; an invitation ends those before it at once."""
    uow.delete(table, t.email == email, t.kind == kind, *([] if kind == INVITE else [t.token_hash == ""]))
    values: Row = {"kind": kind, "email": email, "user_id": user_id or None, "fields": fields or {}}
    until = timestamps.later(uow.real_now, seconds=LASTS_SECONDS[kind])
    return uow.insert(table, {**values, "expires_at": until, "created_at": uow.now})


def give_token(uow: UnitOfWork, row: Row, one_time: OneTime) -> tuple[str, str]:
    """A new token for the row, and a new code ("" of other kinds), valid from now on; those before them are over."""
    uow.delete(table, t.email == row["email"], t.kind == row["kind"], t.id != row["id"])
    token, code = one_time.new_token(), one_time.new_code() if row["kind"] == CODE else ""
    hashes = {
        "token_hash": one_time.token_hash(row["kind"], token),
        "code_hash": one_time.code_hash(row["id"], code) if code else "",
    }
    until = timestamps.later(uow.real_now, seconds=LASTS_SECONDS[row["kind"]])
    uow.update(table, row["id"], {**hashes, "tries": 0, "expires_at": until})
    return token, code


def find_link(uow: UnitOfWork, kind: Kind, token: str, one_time: OneTime) -> Row | None:
    """The row of the token of a link, None when it is wrong, over or used. Needs a unit of work without an actor."""
    same = (t.token_hash == one_time.token_hash(kind, token), t.kind == kind, t.expires_at > uow.real_now)
    return uow.first(uow.query(table).where(*same))


def use(uow: UnitOfWork, row: Row) -> bool:
    """Uses the row up. False when somebody else just did."""
    return bool(uow.delete(table, t.id == row["id"], t.token_hash == row["token_hash"]))


def end_all(uow: UnitOfWork, user_id: str, email: str) -> None:
    """Ends every link and code of a person: they have a new password or another address, or are kept out.

    Somebody without an address has none; the guests who signed out have rows without one too, which stay.
    """
    uow.delete(table, (t.user_id == user_id) | ((t.email == email) & (t.email != "")))


def purge(uow: UnitOfWork) -> int:
    """Deletes what is over; returns how many."""
    return uow.delete(table, t.expires_at <= uow.real_now)
