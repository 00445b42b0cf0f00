"""Authenticate API keys, and act as a customer on their behalf."""

import contextlib
import logging
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select

from core import normal_form, timestamps
from core.errors import AppError
from core.models import READ_ONLY_SCOPE, Actor
from database.driver_statements import kept
from database.tables import api_keys, customers
from services.accounts.api_keys import hash_key
from storage import Row, Storage

log = logging.getLogger("foyer.keys")

USED_EVERY_SECONDS = 600
_by_hash = kept(select(api_keys).where(api_keys.c.key_hash == bindparam("hash_")))


@dataclass(frozen=True, slots=True)
class _Key:
    """What is kept of a key's row: who it is, until when, and when its use is to be noted again."""

    actor: Actor
    expires_at: str  # "" for never
    used_at: str  # "" when it was never used
    noted_until: str


def authenticate_api_key(storage: Storage, text: str) -> Actor | None:
    """The actor of a key, or None if the key is unknown or expired."""
    key_hash = hash_key(text)
    key = storage.cached((api_keys,), ("hash", key_hash), lambda: _key(storage, key_hash))
    if key is None:
        return None
    now = storage.real_now()
    if key.expires_at and key.expires_at <= now:
        return None
    if not key.used_at <= now <= key.noted_until:
        # A full disk must not stop a reader.
        with contextlib.suppress(AppError), storage.unit_of_work(None, write=True) as uow:
            uow.update(api_keys, key.actor.key_id, {"last_used_at": uow.real_now})
    return key.actor


def _key(storage: Storage, key_hash: str) -> _Key | None:
    with storage.unit_of_work(None) as uow:
        rows = uow.find(_by_hash, hash_=key_hash)
    if not rows:
        return None
    row = rows[0]
    name, scopes, used_at = row["name"], tuple(row["scopes"]), row["last_used_at"] or ""
    actor = Actor(row["company_id"], row["role"], name, key_id=row["id"], key_name=name, scopes=scopes)
    until = timestamps.later(used_at, seconds=USED_EVERY_SECONDS) if used_at else ""
    return _Key(actor, row["expires_at"] or "", used_at, until)


def as_customer(storage: Storage, actor: Actor, person: str) -> Actor:
    """`actor` with the role and identity of one customer of its company, by e-mail or customer id.

    The customer need not exist yet. A key that only reads goes on reading only.
    """
    email = normal_form.email(person) if "@" in person else ""
    name = email or person.strip()
    row = storage.cached(
        (customers,),
        ("customer", actor.company_id, name),
        lambda: _customer(storage, actor, name=name, email=email),
    )
    email, customer_id = (row["email"], row["customer_id"]) if row else (email, "" if email else name)
    return replace(
        actor,
        role="customer",
        name=name or actor.name,
        scopes=(READ_ONLY_SCOPE,) if actor.reads_only else (),
        customer_email=email,
        customer_id=customer_id,
        customer_row=row["id"] if row else "",
    )


def _customer(storage: Storage, actor: Actor, *, name: str, email: str) -> Row | None:
    if not name:
        return None
    with storage.unit_of_work(replace(actor, role="admin")) as uow:
        by_name = customers.c.email == email if email else customers.c.customer_id == name
        return uow.first(uow.query(customers).where(by_name))
