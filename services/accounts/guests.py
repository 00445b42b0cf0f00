"""Guests of chat and portal: customers whom nobody knows. Their tokens carry who they are, so a guest needs no row.

A guest is the customer with the id `guest:<uuid>`. Their tokens end when the company switches guests off, or the guest signs
out. They end too when the customer's row gets an e-mail address: the holder of the token did not prove that it is theirs.
"""

import hashlib
from dataclasses import replace
from typing import Any

from uuid_utils import uuid7

from auth.tokens import ACCESS_SECONDS, GUEST_SECONDS, Tokens
from core import timestamps
from core.errors import forbidden, unauthorized
from core.models import Actor
from database.tables import companies as companies_table
from database.tables import sign_in_tokens
from services import settings
from services.accounts import companies, key_login
from storage import Row, Storage

PREFIX, ENDED = "guest:", "ended_guest"


def enter(storage: Storage, tokens: Tokens, company: str, name: str) -> Row:
    """A new guest of that company: the answer of a sign-in, and customer_id. Raises AppError 403, 404."""
    with storage.unit_of_work(None) as uow:
        row = companies.get_by_name(uow, company)
        if not settings.of_company(row)["chat_guests"]:
            raise forbidden("This company takes no guests in its chat. Please sign in.")
        claims = {"sub": f"{PREFIX}{uuid7()}", "company": row["id"], "name": name}
        claims |= {"stamp": row["guest_stamp"], "since": uow.real_now}
    return _signed_in(tokens, claims, now=storage.real_now())


def refresh(storage: Storage, tokens: Tokens, token: str) -> Row | None:
    """New tokens for the same guest. None for what is no token of a guest. Raises AppError 401 for one that is over."""
    claims = tokens.read_guest_refresh(token, now=storage.real_now())
    if claims is None:
        return None
    if _actor(storage, claims) is None:
        raise replace(unauthorized(), message="You are signed out. Please start again.", code="signed_out")
    return _signed_in(tokens, {name: claims[name] for name in _CLAIMS}, now=storage.real_now())


def log_out(storage: Storage, tokens: Tokens, token: str) -> bool:
    """Ends all tokens of a guest. Returns whether it was a guest's token."""
    claims = tokens.read_guest_refresh(token, now=storage.real_now())
    if claims is None:
        return False
    if _actor(storage, claims) is not None:
        with storage.unit_of_work(Actor.system(claims["company"]), write=True) as uow:
            until = timestamps.later(uow.real_now, seconds=GUEST_SECONDS)
            values = {"kind": ENDED, "token_hash": _hash(claims["sub"]), "expires_at": until, "created_at": uow.now}
            uow.insert(sign_in_tokens, values)
    return True


def authenticate(storage: Storage, tokens: Tokens, token: str) -> Actor | None:
    """The actor of a guest's access token. None if it is invalid, expired or over."""
    claims = tokens.read_guest(token, now=storage.real_now())
    return _actor(storage, claims) if claims else None


_CLAIMS = ("sub", "company", "name", "stamp", "since")


def _actor(storage: Storage, claims: dict[str, Any]) -> Actor | None:
    company_id, guest = claims["company"], claims["sub"]
    company = storage.cached((companies_table,), ("id", company_id), lambda: _company(storage, company_id))
    if company is None or not settings.of_company(company)["chat_guests"] or company["guest_stamp"] != claims["stamp"]:
        return None
    if storage.cached((sign_in_tokens,), ("ended", guest), lambda: _has_ended(storage, guest)):
        return None
    actor = Actor(company_id, "customer", guest, guest=True, guest_name=claims["name"])
    actor = key_login.as_customer(storage, actor, guest)
    return None if actor.customer_email else actor


def _signed_in(tokens: Tokens, claims: dict[str, str], *, now: str) -> Row:
    access, refresh_token = tokens.guest(claims, now=now)
    user = {"id": claims["sub"], "name": claims["name"], "email": "", "role": "customer", "team": ""}
    return {
        "user": {**user, "available": False, "disabled": False, "second_factor": False, "created_at": claims["since"]},
        "customer_id": claims["sub"],
        "access_token": access,
        "refresh_token": refresh_token,
        "expires_in_seconds": ACCESS_SECONDS,
    }


def _company(storage: Storage, company_id: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.get(companies_table, company_id)


def _has_ended(storage: Storage, guest: str) -> bool:
    c = sign_in_tokens.c
    with storage.unit_of_work(None) as uow:
        return uow.count(uow.query(sign_in_tokens).where(c.token_hash == _hash(guest), c.kind == ENDED)) > 0


def _hash(guest: str) -> str:
    return hashlib.sha256(f"ended {guest}".encode()).hexdigest()
