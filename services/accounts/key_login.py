"""Authenticate API keys, and act as a customer on their behalf."""

import contextlib
import logging
from dataclasses import replace

from sqlalchemy import bindparam, select

from core import normal_form, timestamps
from core.errors import AppError
from core.models import READ_ONLY_SCOPE, Actor
from database.tables import api_keys, customers
from services.accounts.api_keys import hash_key
from storage import Row, Storage

log = logging.getLogger("foyer.keys")

USED_EVERY_SECONDS = 600
_by_hash = select(api_keys).where(api_keys.c.key_hash == bindparam("hash_"))


def authenticate_api_key(storage: Storage, key: str) -> Actor | None:
    """The actor of a key, or None if the key is unknown or expired."""
    key_hash = hash_key(key)
    row = storage.cached((api_keys,), ("hash", key_hash), lambda: _key_row(storage, key_hash))
    now = storage.real_now()
    if row is None:
        return None
    if row["expires_at"] and row["expires_at"] <= now:
        return None
    last_used_at = row["last_used_at"]
    if not last_used_at or last_used_at > now or timestamps.later(last_used_at, seconds=USED_EVERY_SECONDS) < now:
        # A full disk must not stop a reader.
        with contextlib.suppress(AppError), storage.unit_of_work(None, write=True) as uow:
            uow.update(api_keys, row["id"], {"last_used_at": uow.real_now})
    return Actor(
        row["company_id"], row["role"], row["name"], key_id=row["id"], key_name=row["name"], scopes=tuple(row["scopes"])
    )


def _key_row(storage: Storage, key_hash: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.first(_by_hash, hash_=key_hash)


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
