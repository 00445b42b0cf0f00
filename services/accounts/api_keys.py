"""API keys of a company: made, listed, rotated and revoked; of a key only its hash is kept, so it is shown once."""

import hashlib
import secrets

from core import timestamps
from core.errors import conflict, invalid_field, not_found, unauthorized
from core.models import KEY_FIELDS, shape
from database.tables import api_keys
from services.accounts import admins
from services.history import Change, record
from storage import Row, UnitOfWork

FROM_ENVIRONMENT = "API_KEY"  # the name of the key that the environment gives
OVERLAP_SECONDS = 24 * 3600
_PREFIX = 8


def new_key() -> str:
    """A key: `fk_` and 256 random bits."""
    return f"fk_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """What is kept of a key (SHA-256: the key is random, so a slow hash would add nothing)."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def prefix_of(key: str) -> str:
    """What may be shown of a key, "" of one that we did not make."""
    return key[:_PREFIX] if key.startswith("fk_") else ""


def key_shape(row: Row) -> Row:
    """A key as admins may see it: never the key, never its hash."""
    return shape(row, KEY_FIELDS)


def find(uow: UnitOfWork, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The company's keys, the newest first, and how many there are; those whose time is over are shown for a month."""
    month_ago = timestamps.later(uow.real_now, seconds=-30 * 24 * 3600)
    keys = uow.query(api_keys).where(api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > month_ago))
    page = keys.order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc()).limit(limit).offset(offset)
    return uow.find(page), uow.count(keys)


def create(uow: UnitOfWork, fields: Row) -> tuple[Row, str]:
    """A new key with name, role, scopes and perhaps expires_at: its row and, this once, the key. Raises AppError 400, 401.

    A key made with a key that expires ends no later than that one; without expires_at it ends at the same time.
    """
    if fields["name"] == FROM_ENVIRONMENT:
        raise invalid_field("name", f"{FROM_ENVIRONMENT} is the name of the key in the environment. Take another one.")
    if fields.get("expires_at", timestamps.LAST) <= uow.real_now:
        raise invalid_field("expires_at", "expires_at must be in the future.")
    caller_expiry = _caller_expiry(uow)
    if caller_expiry and fields.get("expires_at", caller_expiry) > caller_expiry:
        raise invalid_field("expires_at", f"The key you use ends at {caller_expiry}. expires_at must not be later.")
    row, key = _insert(uow, {**({"expires_at": caller_expiry} if caller_expiry else {}), **fields})
    record(uow, row["id"], [Change("key_created", "role", "", row["role"])], subject="key")
    return row, key


def rotate(uow: UnitOfWork, key_id: str) -> tuple[Row, str]:
    """A new key like this one, which goes on working for a day more. Raises AppError 401, 404, 409.

    Rotated with a key that expires, the new one ends no later than that key.
    """
    old = _get_for_update(uow, key_id)
    last_day = timestamps.later(uow.real_now, seconds=OVERLAP_SECONDS)
    until = min(old["expires_at"] or last_day, last_day)
    if until <= uow.real_now:
        raise conflict("key_expired", "This key is not valid any more. Make a new one.")
    ends = [end for end in (old["expires_at"], _caller_expiry(uow)) if end]
    row, key = _insert(
        uow, {name: old[name] for name in ("name", "role", "scopes")} | {"expires_at": min(ends, default=None)}
    )
    uow.update(api_keys, key_id, {"expires_at": until})
    if old["role"] == "admin" and not old["expires_at"] and ends:
        admins.check_one_remains(uow)
    record(uow, key_id, [Change("key_rotated", "expires_at", old["expires_at"], until)], subject="key")
    record(uow, row["id"], [Change("key_created", "role", "", row["role"])], subject="key")
    return row, key


def revoke(uow: UnitOfWork, key_id: str) -> None:
    """Ends a key from the next request on. Raises AppError 404, 409 for the last admin."""
    key = _get_for_update(uow, key_id)
    uow.delete(api_keys, api_keys.c.id == key_id)
    record(uow, key_id, [Change("key_revoked", "name", key["name"], "")], subject="key")
    if key["role"] == "admin":
        admins.check_one_remains(uow)


def _caller_expiry(uow: UnitOfWork) -> str:
    """When the key that makes this call ends, "" when it does not or a person calls. Raises AppError 401 when it is gone."""
    if not uow.actor.key_id:
        return ""
    maker = uow.get(api_keys, uow.actor.key_id)
    if maker is None:
        raise unauthorized()
    return maker["expires_at"] or ""


def _insert(uow: UnitOfWork, values: Row) -> tuple[Row, str]:
    key = new_key()
    stored = {"prefix": prefix_of(key), "key_hash": hash_key(key), "created_at": uow.now}
    return uow.insert(api_keys, {**values, **stored}), key


def get(uow: UnitOfWork, key_id: str, *, lock: bool = False) -> Row:
    """One key. Raises AppError 404."""
    key = uow.get(api_keys, key_id, lock=lock)
    if key is None:
        raise not_found()
    return key


def _get_for_update(uow: UnitOfWork, key_id: str) -> Row:
    key = get(uow, key_id, lock=True)
    if key["name"] == FROM_ENVIRONMENT:
        raise conflict("key_in_environment", "This key is the variable API_KEY of the server. Change it there.")
    return key
