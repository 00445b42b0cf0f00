"""Signing in at an OpenID Connect issuer: a person who came back gets a code, which the browser exchanges for a session.

A code works once, for a minute, and only together with the cookie of the same browser.
"""

import hashlib
import secrets
from dataclasses import replace

from auth.oidc import Person
from auth.tokens import Tokens
from core import timestamps
from core.errors import AppError, forbidden, unauthorized
from core.models import Actor
from database.tables import exchange_codes, users
from services.accounts import admission, sign_in
from services.accounts.admission import Admission, Entry
from storage import Storage, UnitOfWork

LASTS_SECONDS = 60


def code_for(storage: Storage, person: Person, *, binding: str, address: str) -> str:
    """A code for a person whom the issuer authenticated; the first sign-in creates the user. `binding` is the browser's.

    Raises AppError 403 for who may not sign in here.
    """
    actor = sign_in.authenticate_oidc(storage, person, address=address)
    if actor is None or (actor.is_customer and not actor.customer_email):
        raise forbidden("Your account may not sign in here. Ask an admin of your company.")
    code = secrets.token_urlsafe(32)
    with storage.unit_of_work(replace(actor, role="admin"), write=True) as uow:
        expires = timestamps.later(uow.real_now, seconds=LASTS_SECONDS)
        values = {"id": _id(code, binding), "user_id": actor.user_id, "expires_at": expires, "created_at": uow.now}
        uow.insert(exchange_codes, values)
    return code


def exchange(storage: Storage, tokens: Tokens, code: str, entry: Entry, *, binding: str) -> Admission:
    """Uses a code up and lets the person in. Raises AppError 401."""
    with storage.unit_of_work(None, write=True) as uow:
        row = uow.get(exchange_codes, _id(code, binding))
        user = uow.get(users, row["user_id"]) if row else None
        if row is None or row["expires_at"] <= uow.real_now or user is None or user["disabled"]:
            raise _over()
        actor = Actor(user["company_id"], "admin", admission.name_of(user), address=entry.address)
        company_uow = uow.as_actor(actor)
        if not company_uow.delete(exchange_codes, exchange_codes.c.id == row["id"]):
            raise _over()  # somebody else just used it
        return admission.admit(company_uow, tokens, user, entry, way="oidc")


def purge(uow: UnitOfWork) -> int:
    """Deletes expired codes; returns how many."""
    return uow.delete(exchange_codes, exchange_codes.c.expires_at <= uow.real_now)


def _id(code: str, binding: str) -> str:
    return hashlib.sha256(f"exchange {code} {binding}".encode("utf-8", "surrogateescape")).hexdigest()


def _over() -> AppError:
    return replace(unauthorized(), message="This sign-in is over. Please begin again.", code="sign_in_over")
