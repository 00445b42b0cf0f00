"""What a start makes: the company default, its admin key, and the secret that signs tokens."""

import contextlib
import logging
import os
import secrets
from pathlib import Path

from sqlalchemy import select

from config import Settings
from core.company_names import look_key, name_key
from core.models import DEFAULT_COMPANY, Actor
from core.permissions import ACT_FOR_CUSTOMERS
from database.tables import api_keys, companies
from services.accounts import admins
from services.accounts.api_keys import FROM_ENVIRONMENT, hash_key, new_key, prefix_of
from services.history import Change, record
from storage import Storage, UnitOfWork

log = logging.getLogger("foyer.keys")

_from_environment = (api_keys.c.name == FROM_ENVIRONMENT) & (api_keys.c.company_id == DEFAULT_COMPANY)


def key_file(settings: Settings) -> Path:
    """Where the key made at the first start is written."""
    return settings.data_dir / "api_key"


def prepare(storage: Storage, settings: Settings, *, serving: bool = True) -> None:
    """Makes sure the company `default`, an admin key and (outside production) a secret exist.

    The key of API_KEY changes only when the server is `serving` and API_KEY names another one. A process without API_KEY
    may share the store with one that has it.
    """
    configured_key = settings.api_key.get_secret_value()
    with storage.unit_of_work(None, write=True) as uow:
        name = DEFAULT_COMPANY
        first = {"id": name, "name": name, "name_key": name_key(name), "look_key": look_key(name)}
        allowed = {"oidc_allowed": True, "inbound_allowed": True}
        uow.insert_new(companies, {**first, **allowed, "confirmed_at": uow.real_now, "created_at": uow.now})
        # as_actor locks the company: of several servers that start at once, one creates the key.
        admin_uow = uow.as_actor(Actor(DEFAULT_COMPANY, "admin", "start"))
        if configured_key and serving:
            _keep_environment_key(uow, configured_key)
        if not configured_key and serving and uow.count(select(api_keys).where(_from_environment)):
            log.warning("API_KEY is not set here. The last one stays valid until `flask remove-api-key` ends it.")
        if not configured_key and not admins.exist(admin_uow):
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
    if uow.count(select(api_keys).where(_from_environment, api_keys.c.key_hash == hash_key(key))):
        return
    uow.delete(api_keys, _from_environment)
    if uow.count(select(api_keys).where(api_keys.c.key_hash == hash_key(key))) == 0:
        _insert_key(uow, FROM_ENVIRONMENT, key)


def remove_environment_key(uow: UnitOfWork) -> bool:
    """Ends the key that API_KEY gave, in a unit of work of the company `default`; tells whether there was one."""
    key = uow.first(uow.query(api_keys).where(_from_environment))
    if key is None:
        return False
    uow.delete(api_keys, _from_environment)
    record(uow, key["id"], [Change("key_revoked", "name", key["name"], "")], subject="key")
    return True


def _insert_key(uow: UnitOfWork, name: str, key: str) -> None:
    values = {"company_id": DEFAULT_COMPANY, "name": name, "role": "admin"}
    values |= {"prefix": prefix_of(key), "key_hash": hash_key(key)}
    uow.insert(api_keys, {**values, "scopes": [ACT_FOR_CUSTOMERS], "created_at": uow.now})


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
