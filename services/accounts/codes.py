"""Signing in with a code that was mailed, or with the token of the mail's link. One of a registration makes its account first.

Each try of a code is counted before the code is checked, in a commit of its own: for the account, and for the code if there is
one. So anybody may use up a code by wrong guesses. The token cannot be guessed: it is not counted, and still opens then.
"""

from dataclasses import replace

from auth.one_time import TOKEN_LENGTH, OneTime
from auth.tokens import Tokens
from core.errors import AppError, unauthorized
from core.models import Actor
from database.tables import companies as companies_table
from database.tables import sign_in_tokens
from database.tables import users as users_table
from services.accounts import companies, invitations, lockout, mailed_access, one_time, users
from services.accounts.admission import Admission, Entry, admit
from services.history import Change, record
from storage import Row, Storage, UnitOfWork

t = sign_in_tokens.c


def confirm(
    storage: Storage,
    tokens: Tokens,
    one_time_tokens: OneTime,
    email: str,
    code: str,
    entry: Entry,
    *,
    company: str = "",
) -> Admission:
    """Signs in with a code of that address, at the named company or at the one whose code it is. `code` may be the token.

    Raises AppError 401 with one message for a wrong, used or expired code and an unknown address, 429 after too many tries.
    """
    place, is_guessable = mailed_access.place_of(entry.address), len(code) < TOKEN_LENGTH
    account = lockout.of_codes(email)
    of_address = [t.email == email, t.kind == one_time.CODE]
    with storage.unit_of_work(None, write=True) as uow:
        if is_guessable:
            lockout.count_attempt(uow, account, place)
        if company:
            row = companies.find_by_name(uow, company)
            of_address.append(t.company_id == (row["id"] if row else ""))
        if is_guessable:
            uow.update_where(sign_in_tokens, *of_address, tries=t.tries + 1)
    with storage.unit_of_work(None, write=True) as uow:
        is_open = [t.expires_at > uow.real_now, *([t.tries <= one_time.MOST_TRIES] if is_guessable else [])]
        rows = uow.find(uow.query(sign_in_tokens).where(*of_address, *is_open).limit(mailed_access.MOST_ACCOUNTS))
        matches = [row for row in rows or [_NOBODY] if _opens(one_time_tokens, row, code, is_guessable=is_guessable)]
        if not matches:
            raise wrong_code()
        company_uow = uow.as_actor(Actor(matches[0]["company_id"], "admin", email, address=entry.address))
        if is_guessable:
            lockout.clear(uow, account, place)  # tries are locked before codes everywhere: no deadlock
        if not one_time.use(company_uow, matches[0]):
            raise wrong_code()
        user = _user(company_uow, matches[0], place)
        return admit(company_uow, tokens, user, entry, way="code")


_NOBODY: Row = {"id": "", "token_hash": "", "code_hash": ""}


def _opens(secrets: OneTime, row: Row, code: str, *, is_guessable: bool) -> bool:
    if is_guessable:
        return secrets.is_code(row["code_hash"], row["id"], code)
    return secrets.is_token(row["token_hash"], one_time.CODE, code)


def _user(uow: UnitOfWork, row: Row, place: str) -> Row:
    """Whose code it is; of a registration the new customer, or whoever has the address by now. Raises AppError 401."""
    user = uow.get(users_table, row["user_id"]) if row["user_id"] else invitations.find(uow, row["email"])
    if user is None and not row["user_id"]:
        return _registered(uow, row, place)
    if user is None or user["email"] != row["email"] or not mailed_access.may_come(user):
        raise wrong_code()
    return user


def _registered(uow: UnitOfWork, row: Row, place: str) -> Row:
    """The new customer. A password counts only at the place where it was chosen: a stranger may register any address, and
    whoever reads its mail may take the stranger's code for their own.
    """
    company = uow.get(companies_table, uow.actor.company_id)
    if company is None or not mailed_access.takes_registrations(company):
        raise wrong_code()
    fields = {"name": row["fields"].get("name", ""), "password_hash": ""}
    if row["fields"].get("place") == place:
        fields["password_hash"] = row["fields"].get("password_hash", "")
    user = users.create(uow, {**fields, "email": row["email"], "role": "customer"})
    record(uow, user["id"], [Change("registered")], subject="user")
    return user


def wrong_code() -> AppError:
    """401: the code does not open anything."""
    message = "The code or link is wrong or not valid any more. Ask for a new one."
    return replace(unauthorized(), message=message, code="wrong_code")
