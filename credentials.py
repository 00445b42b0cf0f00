"""Keys at the door: the ones a start makes, and finding out who presents one.

How a company keeps its keys is services/keys.py's matter, what a role may do permissions.py's question, and how a key
travels in a request api/gate.py's.
"""

import contextlib
import logging
import os
import secrets
from dataclasses import replace
from pathlib import Path

from sqlalchemy import bindparam, select

import normal_form
import times
from company_names import look_key, name_key
from config import Settings
from errors import AppError
from models import DEFAULT_COMPANY, Actor
from permissions import ACT_FOR_CUSTOMERS
from services import admins
from services.history import Change, record
from services.keys import FROM_ENVIRONMENT, hashed, new_key, prefix_of
from storage import Desk, Row, Storage
from tables import api_keys, companies, customers

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
    with storage.desk(None, write=True) as desk:
        name = DEFAULT_COMPANY
        first = {"id": name, "name": name, "name_key": name_key(name), "look_key": look_key(name), "oidc_allowed": True}
        desk.insert_new(companies, {**first, "confirmed_at": desk.real_now, "created_at": desk.now})
        own = desk.within(Actor(DEFAULT_COMPANY, "admin", "start"))  # of several that start at once, one makes the key
        if given and serving:
            _keep_environment_key(desk, given)
        if not given and serving and desk.count(select(api_keys).where(_from_environment)):
            log.warning("API_KEY is not set here. The last one stays valid until `flask remove-api-key` ends it.")
        if not given and not admins.are_there(own):
            key = new_key()
            # Written before it is committed: a key nobody can read would lock everybody out.
            _write_private(key_file(settings), key)
            _insert_key(desk, "first key", key)
    if not settings.secret_key.get_secret_value() and not _secret_file(settings).exists():
        _write_private(_secret_file(settings), secrets.token_urlsafe(48))


def secret(settings: Settings) -> str:
    """What tokens are signed with: SECRET_KEY, or what the first start made."""
    return settings.secret_key.get_secret_value() or _secret_file(settings).read_text().strip()


def _secret_file(settings: Settings) -> Path:
    return settings.data_dir / "secret_key"


def _keep_environment_key(desk: Desk, key: str) -> None:
    if desk.count(select(api_keys).where(_from_environment, api_keys.c.key_hash == hashed(key))):
        return
    desk.delete(api_keys, _from_environment)
    if desk.count(select(api_keys).where(api_keys.c.key_hash == hashed(key))) == 0:
        _insert_key(desk, FROM_ENVIRONMENT, key)


def remove_environment_key(desk: Desk) -> bool:
    """Ends the key that API_KEY gave, at a desk of the company `default`; tells whether there was one."""
    key = desk.first(desk.rows(api_keys).where(_from_environment))
    if key is None:
        return False
    desk.delete(api_keys, _from_environment)
    record(desk, key["id"], [Change("key_revoked", "name", key["name"], "")], subject="key")
    return True


def _insert_key(desk: Desk, name: str, key: str) -> None:
    values = {"company_id": DEFAULT_COMPANY, "name": name, "role": "admin"}
    values |= {"prefix": prefix_of(key), "key_hash": hashed(key)}
    desk.insert(api_keys, {**values, "scopes": [ACT_FOR_CUSTOMERS], "created_at": desk.now})


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")


def who_presents(storage: Storage, key: str) -> Actor | None:
    """The actor of a key, None when there is no such key or its time is over."""
    wanted = hashed(key)
    row = storage.remembered((api_keys,), ("hash", wanted), lambda: _key_row(storage, wanted))
    now = storage.real_now()
    if row is None:
        return None
    if row["expires_at"] and row["expires_at"] <= now:
        return None
    used = row["last_used_at"]
    if not used or used > now or times.later(used, seconds=USED_EVERY_SECONDS) < now:
        with (
            contextlib.suppress(AppError),
            storage.desk(None, write=True) as desk,
        ):  # a full disk must not stop a reader
            desk.update(api_keys, row["id"], {"last_used_at": desk.real_now})
    return Actor(
        row["company_id"], row["role"], row["name"], key_id=row["id"], key_name=row["name"], scopes=tuple(row["scopes"])
    )


def _key_row(storage: Storage, key_hash: str) -> Row | None:
    with storage.desk(None) as desk:
        return desk.first(_by_hash, hash_=key_hash)


def as_customer(storage: Storage, actor: Actor, person: str) -> Actor:
    """`actor` acting as exactly that customer of its company, named by e-mail or customer id; may be unknown yet."""
    mail = normal_form.email(person) if "@" in person else ""
    wanted = mail or person.strip()
    row = storage.remembered(
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
    with storage.desk(replace(actor, role="admin")) as desk:
        by_name = customers.c.email == mail if mail else customers.c.customer_id == wanted
        return desk.first(desk.rows(customers).where(by_name))
