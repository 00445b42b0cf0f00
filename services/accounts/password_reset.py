"""A new password by mail: whoever reads the address of an account sets it, and every other way in ends."""

from auth import passwords
from auth.one_time import OneTime
from auth.tokens import Tokens
from core.models import Actor
from database.tables import users
from services.accounts import mailed_access, one_time, sessions
from services.accounts.admission import Admission, Entry, admit
from services.accounts.invitations import over
from services.history import Change, record
from storage import Storage


def confirm(
    storage: Storage, tokens: Tokens, one_time_tokens: OneTime, token: str, password: str, entry: Entry
) -> Admission:
    """Sets the password with the token of the link, ends all sessions, links and codes, and signs in. Raises AppError 400."""
    with storage.unit_of_work(None) as uow:
        row = one_time.find_link(uow, one_time.RESET, token, one_time_tokens)
    if row is None:
        raise over()
    passwords.check(password, email=row["email"])
    password_hash = passwords.hashed(password)
    with storage.unit_of_work(None, write=True) as uow:
        row = one_time.find_link(uow, one_time.RESET, token, one_time_tokens)
        user = uow.get(users, row["user_id"]) if row else None
        if row is None or user is None or not mailed_access.may_come(user) or user["email"] != row["email"]:
            raise over()
        company_uow = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=entry.address))
        if not one_time.use(company_uow, row):
            raise over()
        one_time.end_all(company_uow, user["id"], user["email"])
        sessions.end_all(company_uow, user["id"])
        user = company_uow.update(users, user["id"], {"password_hash": password_hash}) or user
        record(company_uow, user["id"], [Change("password_reset")], subject="user")
        return admit(company_uow, tokens, user, entry, way="reset")
