"""Invitations: an admin names a person, who chooses a password with the mailed link and is signed in."""

from auth import passwords
from auth.one_time import OneTime
from auth.tokens import Tokens
from core.errors import AppError, invalid_field
from core.models import Actor
from database.tables import companies
from database.tables import users as users_table
from services.accounts import mailed_access, one_time, users
from services.accounts.admission import Admission, Entry, admit
from services.history import Change, record
from storage import Row, Storage, UnitOfWork


def find(uow: UnitOfWork, email: str) -> Row | None:
    """The person of that address in the company, invited or not."""
    return uow.first(uow.query(users_table).where(users_table.c.email == email, users_table.c.email != ""))


def invite(uow: UnitOfWork, one_time_tokens: OneTime, fields: Row, *, mails: bool, language: str) -> tuple[Row, str]:
    """Adds an invited person, or invites them again; a new link ends the one before.

    Returns the person, and the token of the link where it is not mailed, "" otherwise. `fields` are email, role, name and team.
    Raises AppError 400, 409.
    """
    user = find(uow, fields["email"])
    if user is None:
        values = {"name": "", **fields, "invited_at": uow.real_now, "available": False}
        user = users.create(uow, values)
    elif user["invited_at"] is None:
        raise AppError("This e-mail address signs in already. Take another one.", "email_taken", 409)
    else:
        user = users.change(uow, user["id"], dict(fields)) if fields else user
        user = uow.update(users_table, user["id"], {"invited_at": uow.real_now}) or user
    record(uow, user["id"], [Change("invited", "role", "", user["role"])], subject="user")
    row = one_time.start(uow, one_time.INVITE, user["email"], user_id=user["id"])
    if mails and _is_confirmed(uow):
        mailed_access.enqueue_mail(uow, "invitation", row, language)
        return user, ""
    return user, one_time.give_token(uow, row, one_time_tokens)[0]


def _is_confirmed(uow: UnitOfWork) -> bool:
    company = uow.get(companies, uow.actor.company_id)
    return company is not None and company["confirmed_at"] is not None


def accept(
    storage: Storage, tokens: Tokens, one_time_tokens: OneTime, token: str, password: str, entry: Entry, *, name: str
) -> Admission:
    """Accepts an invitation with a password, and signs in. Raises AppError 400."""
    _check(storage, one_time_tokens, token, password)
    password_hash = passwords.hashed(password)
    with storage.unit_of_work(None, write=True) as uow:
        row = one_time.find_link(uow, one_time.INVITE, token, one_time_tokens)
        user = uow.get(users_table, row["user_id"]) if row else None
        if row is None or user is None or not _may_accept(user, row):
            raise over()
        company_uow = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=entry.address))
        if not one_time.use(company_uow, row):
            raise over()
        one_time.end_all(company_uow, user["id"], user["email"])
        values = {"password_hash": password_hash, "invited_at": None, "available": True}
        user = company_uow.update(users_table, user["id"], values | ({"name": name} if name else {})) or user
        record(company_uow, user["id"], [Change("invitation_accepted")], subject="user")
        return admit(company_uow, tokens, user, entry, way="invitation")


def _check(storage: Storage, one_time_tokens: OneTime, token: str, password: str) -> None:
    """Raises AppError 400 for a token that is not valid, or a weak password. No password is hashed for nothing."""
    with storage.unit_of_work(None) as uow:
        row = one_time.find_link(uow, one_time.INVITE, token, one_time_tokens)
    if row is None:
        raise over()
    passwords.check(password, email=row["email"])


def _may_accept(user: Row, row: Row) -> bool:
    return user["invited_at"] is not None and not user["disabled"] and user["email"] == row["email"]


def over() -> AppError:
    """400: the token of a link is wrong, over or used."""
    return invalid_field("token", "This link is not valid any more. Ask for a new one.")
