"""Keys: making them, keeping them as hashes, and finding out who presents one.

What a role may do is permissions.py's question; how a key travels in a request is api/gate.py's.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from sqlalchemy import bindparam, select

import times
from config import Settings
from errors import AppError
from models import Actor
from permissions import ACT_FOR_CUSTOMERS
from storage import Desk, Row, Storage
from tables import api_keys, companies, customers

DEFAULT_COMPANY = "default"
USED_EVERY_SECONDS = 600
_FROM_ENVIRONMENT = "API_KEY"
_MADE_AT_START = "first key"

_by_hash = select(api_keys).where(api_keys.c.key_hash == bindparam("hash_"))


def new_key() -> str:
    """A key: `fk_` and 256 random bits."""
    return f"fk_{secrets.token_urlsafe(32)}"


def hashed(key: str) -> str:
    """What is kept of a key (SHA-256: the key is random, so a slow hash would add nothing)."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def key_file(settings: Settings) -> Path:
    """Where the key made at the first start is written."""
    return settings.data_dir / "api_key"


def prepare(storage: Storage, settings: Settings) -> None:
    """Makes sure the company `default`, an admin key and (outside production) a secret exist."""
    given = settings.api_key.get_secret_value()
    with storage.desk(None, write=True) as desk:
        if desk.get(companies, DEFAULT_COMPANY) is None:
            desk.insert(companies, {"id": DEFAULT_COMPANY, "name": DEFAULT_COMPANY, "created_at": desk.now})
        if given:
            _keep_environment_key(desk, given)
        elif not desk.count(select(api_keys).where(api_keys.c.role == "admin", api_keys.c.name != _FROM_ENVIRONMENT)):
            key = new_key()
            # Written before it is committed: a key nobody can read would lock everybody out.
            _write_private(key_file(settings), key)
            _insert_key(desk, _MADE_AT_START, key)
        if not given:
            desk.delete(api_keys, api_keys.c.name == _FROM_ENVIRONMENT)
    if not settings.secret_key.get_secret_value() and not (settings.data_dir / "secret_key").exists():
        _write_private(settings.data_dir / "secret_key", secrets.token_urlsafe(48))


def _keep_environment_key(desk: Desk, key: str) -> None:
    named = api_keys.c.name == _FROM_ENVIRONMENT
    if desk.count(select(api_keys).where(named, api_keys.c.key_hash == hashed(key))):
        return
    desk.delete(api_keys, named)
    if desk.count(select(api_keys).where(api_keys.c.key_hash == hashed(key))) == 0:
        _insert_key(desk, _FROM_ENVIRONMENT, key)


def _insert_key(desk: Desk, name: str, key: str) -> None:
    prefix = key[:8] if key.startswith("fk_") else ""
    values = {"company_id": DEFAULT_COMPANY, "name": name, "prefix": prefix, "key_hash": hashed(key), "role": "admin"}
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
    row = storage.remembered(api_keys, wanted, lambda: _key_row(storage, wanted))
    now = storage.now()
    if row is None or (row["expires_at"] and row["expires_at"] <= now):
        return None
    used = row["last_used_at"]
    if not used or times.later(used, seconds=USED_EVERY_SECONDS) < now:
        with (
            contextlib.suppress(AppError),
            storage.desk(None, write=True) as desk,
        ):  # a full disk must not stop a reader
            desk.update(api_keys, row["id"], {"last_used_at": desk.now})
    return Actor(row["company_id"], row["role"], row["name"], key_id=row["id"], scopes=tuple(row["scopes"]))


def _key_row(storage: Storage, key_hash: str) -> Row | None:
    with storage.desk(None) as desk:
        return desk.first(_by_hash, hash_=key_hash)


def as_customer(storage: Storage, actor: Actor, person: str) -> Actor:
    """`actor` acting as exactly that customer of its company, named by e-mail or customer id; may be unknown yet."""
    wanted = person.strip()
    mail = wanted.lower() if "@" in wanted else ""
    with storage.desk(actor) as desk:
        by_name = customers.c.email == mail if mail else customers.c.customer_id == wanted
        row = desk.first(desk.rows(customers).where(by_name))
    email, customer_id = (row["email"], row["customer_id"]) if row else (mail, "" if mail else wanted)
    return Actor(
        actor.company_id,
        "customer",
        wanted,
        key_id=actor.key_id,
        customer_email=email,
        customer_id=customer_id,
        customer_row=row["id"] if row else "",
    )
