"""Keys at the door: the ones a start makes, and finding out who presents one.

How a company keeps its keys is services/accounts/api_keys.py's matter, what a role may do core/permissions.py's question, and how a key
travels in a request api/http/gate.py's.
"""

import contextlib
import logging
import os
import secrets
from dataclasses import replace
from pathlib import Path

from sqlalchemy import bindparam, select

from config import Settings
from core import normal_form, timestamps
from core.errors import AppError
from core.models import DEFAULT_COMPANY, Actor
from core.permissions import ACT_FOR_CUSTOMERS
from database.tables import api_keys, companies, customers
from services.accounts import admins, lockout
from services.accounts.api_keys import FROM_ENVIRONMENT, hashed, new_key, prefix_of
from services.history import Change, record
from storage import Row, Storage, UnitOfWork

log = logging.getLogger("foyer.keys")

USED_EVERY_SECONDS = 600
_by_hash = select(api_keys).where(api_keys.c.key_hash == bindparam("hash_"))
_from_environment = (api_keys.c.name == FROM_ENVIRONMENT) & (api_keys.c.company_id == DEFAULT_COMPANY)


def key_file(settings: Settings) -> Path:
    """Where the key made at the first start is written."""
    return settings.data_dir / "api_key"


def prepare(storage: Storage, settings: Settings, *, serving: bool = True) -> None:
    """Makes sure the company `default`, an admin key and (outside production) a secret exist.

    The key of API_KEY changes only when the desk is `serving` and API_KEY names another one. A process without API_KEY
    may share the store with one that has it.
    """
    given = settings.api_key.get_secret_value()
    with storage.unit_of_work(None, write=True) as uow:
        first = {"id": DEFAULT_COMPANY, "name": DEFAULT_COMPANY, "name_key": DEFAULT_COMPANY, "oidc_allowed": True}
        uow.insert_new(companies, {**first, "confirmed_at": uow.now, "created_at": uow.now})
        own = uow.as_actor(Actor(DEFAULT_COMPANY, "admin", "start"))  # of several that start at once, one makes the key
        if given and serving:
            _keep_environment_key(uow, given)
        if not given and serving and uow.count(select(api_keys).where(_from_environment)):
            log.warning("API_KEY is not set here. The last one stays valid until `flask remove-api-key` ends it.")
        if not given and not admins.are_there(own):
            key = new_key()
            # Written before it is committed: a key nobody can read would lock everybody out.
            _write_private(key_file(settings), key)
            _insert_key(uow, "first key", key)
    if not settings.secret_key.get_secret_value() and not _secret_file(settings).exists():
        _write_private(_secret_file(settings), secrets.token_urlsafe(48))


def secret(settings: Settings) -> str:
    """What tokens are signed with: SECRET_KEY, or what the first start made."""
    return settings.secret_key.get_secret_value() or _secret_file(settings).read_text().strip()


def _secret_file(settings: Settings) -> Path:
    return settings.data_dir / "secret_key"


def _keep_environment_key(uow: UnitOfWork, key: str) -> None:
    if uow.count(select(api_keys).where(_from_environment, api_keys.c.key_hash == hashed(key))):
        return
    uow.delete(api_keys, _from_environment)
    if uow.count(select(api_keys).where(api_keys.c.key_hash == hashed(key))) == 0:
        _insert_key(uow, FROM_ENVIRONMENT, key)


def remove_environment_key(uow: UnitOfWork) -> bool:
    """Ends the key that API_KEY gave, at a desk of the company `default`; tells whether there was one."""
    key = uow.first(uow.query(api_keys).where(_from_environment))
    if key is None:
        return False
    uow.delete(api_keys, _from_environment)
    record(uow, key["id"], [Change("key_revoked", "name", key["name"], "")], subject="key")
    return True


def _insert_key(uow: UnitOfWork, name: str, key: str) -> None:
    values = {"company_id": DEFAULT_COMPANY, "name": name, "role": "admin"}
    values |= {"prefix": prefix_of(key), "key_hash": hashed(key)}
    uow.insert(api_keys, {**values, "scopes": [ACT_FOR_CUSTOMERS], "created_at": uow.now})


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")


def authenticate_api_key(storage: Storage, key: str) -> Actor | None:
    """The actor of a key, None when there is no such key or its time is over.

    Raises AppError 429 for a key, right or wrong, that begins like one at which too many wrong ones were tried.
    """
    wanted = hashed(key)
    row = storage.cached((api_keys,), ("hash", wanted), lambda: _key_row(storage, wanted))
    now = storage.real_now()
    if row is None:
        _count_wrong(storage, prefix_of(key))
        return None
    if row["tries"]:
        lockout.check(row, now)
    if row["expires_at"] and row["expires_at"] <= now:
        return None
    used = row["last_used_at"]
    if not used or used > now or timestamps.later(used, seconds=USED_EVERY_SECONDS) < now:
        with (
            contextlib.suppress(AppError),
            storage.unit_of_work(None, write=True) as uow,
        ):  # a full disk must not stop a reader
            uow.update(api_keys, row["id"], {"last_used_at": uow.real_now})
    return Actor(
        row["company_id"], row["role"], row["name"], key_id=row["id"], key_name=row["name"], scopes=tuple(row["scopes"])
    )


def _key_row(storage: Storage, key_hash: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.first(_by_hash, hash_=key_hash)


def _count_wrong(storage: Storage, prefix: str) -> None:
    """Notes a wrong key where one of ours begins like it; others leave no trace, so nobody can fill the disk."""
    with storage.unit_of_work(None) as uow:
        begins_like = uow.find(uow.query(api_keys).where(api_keys.c.prefix == prefix, api_keys.c.prefix != ""))
    for row in begins_like:
        lockout.check(row, storage.real_now())
    if begins_like:
        with storage.unit_of_work(None, write=True) as uow:
            lockout.wrong_key(uow, prefix)


def as_customer(storage: Storage, actor: Actor, person: str) -> Actor:
    """`actor` acting as exactly that customer of its company, named by e-mail or customer id; may be unknown yet."""
    mail = normal_form.email(person) if "@" in person else ""
    wanted = mail or person.strip()
    row = storage.cached(
        (customers,),
        ("customer", actor.company_id, wanted),
        lambda: _customer(storage, actor, wanted=wanted, mail=mail),
    )
    email, customer_id = (row["email"], row["customer_id"]) if row else (mail, "" if mail else wanted)
    return replace(
        actor,
        role="customer",
        name=wanted or actor.name,
        scopes=(),
        customer_email=email,
        customer_id=customer_id,
        customer_row=row["id"] if row else "",
    )


def _customer(storage: Storage, actor: Actor, *, wanted: str, mail: str) -> Row | None:
    if not wanted:
        return None
    with storage.unit_of_work(replace(actor, role="admin")) as uow:
        by_name = customers.c.email == mail if mail else customers.c.customer_id == wanted
        return uow.first(uow.query(customers).where(by_name))
