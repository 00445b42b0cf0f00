"""API keys of a company: create, list, rotate, revoke. Only the hash of a key is stored, so the key is shown once."""

import hashlib
import secrets

from core import timestamps
from core.errors import conflict, invalid_field, not_found, unauthorized
from core.models import KEY_FIELDS, shape
from database.tables import api_keys
from services.accounts import admins
from services.history import Change, record
from storage import Row, UnitOfWork

FROM_ENVIRONMENT = "API_KEY"  # name of the key that the environment variable API_KEY sets
OVERLAP_SECONDS = 24 * 3600
_PREFIX = 8


def new_key() -> str:
    """Returns a new key: `fk_` and 256 random bits."""
    return f"fk_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """SHA-256 of a key. Keys are random, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def prefix_of(key: str) -> str:
    """The first characters of a key, which may be shown; "" for a key that this program did not create."""
    return key[:_PREFIX] if key.startswith("fk_") else ""


def key_shape(row: Row) -> Row:
    """The public fields of a key, without the key and its hash."""
    return shape(row, KEY_FIELDS)


def find(uow: UnitOfWork, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the company's keys, newest first, and the total. Expired keys are listed for 30 days."""
    month_ago = timestamps.later(uow.real_now, seconds=-30 * 24 * 3600)
    keys = uow.query(api_keys).where(api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > month_ago))
    page = keys.order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc()).limit(limit).offset(offset)
    return uow.find(page), uow.count(keys)


def create(uow: UnitOfWork, fields: Row) -> tuple[Row, str]:
    """Creates a key from name, role, scopes and optional expires_at; returns its row and the key. Raises AppError 400, 401.

    If the caller's own key expires, the new key expires at the same time or earlier.
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
    """Creates a key with the same role and scopes; the old key works for one more day. Raises AppError 401, 404, 409.

    If the caller's own key expires, the new key expires no later.
    """
    old_key = _get_for_update(uow, key_id)
    last_day = timestamps.later(uow.real_now, seconds=OVERLAP_SECONDS)
    until = min(old_key["expires_at"] or last_day, last_day)
    if until <= uow.real_now:
        raise conflict("key_expired", "This key has expired. Create a new one.")
    ends = [end for end in (old_key["expires_at"], _caller_expiry(uow)) if end]
    row, key = _insert(
        uow, {name: old_key[name] for name in ("name", "role", "scopes")} | {"expires_at": min(ends, default=None)}
    )
    uow.update(api_keys, key_id, {"expires_at": until})
    if old_key["role"] == "admin" and not old_key["expires_at"] and ends:
        admins.check_one_remains(uow)
    record(uow, key_id, [Change("key_rotated", "expires_at", old_key["expires_at"], until)], subject="key")
    record(uow, row["id"], [Change("key_created", "role", "", row["role"])], subject="key")
    return row, key


def revoke(uow: UnitOfWork, key_id: str) -> None:
    """Revokes a key at once. Raises AppError 404, and 409 for the last admin."""
    key = _get_for_update(uow, key_id)
    uow.delete(api_keys, api_keys.c.id == key_id)
    record(uow, key_id, [Change("key_revoked", "name", key["name"], "")], subject="key")
    if key["role"] == "admin":
        admins.check_one_remains(uow)


def _caller_expiry(uow: UnitOfWork) -> str:
    """Expiry of the caller's own key; "" without an expiry or for a user. Raises AppError 401 if the key was deleted."""
    if not uow.actor.key_id:
        return ""
    maker = uow.get(api_keys, uow.actor.key_id)
    if maker is None:
        raise unauthorized()
    return maker["expires_at"] or ""


def _insert(uow: UnitOfWork, values: Row) -> tuple[Row, str]:
    key = new_key()
    columns = {"prefix": prefix_of(key), "key_hash": hash_key(key), "created_at": uow.now}
    return uow.insert(api_keys, {**values, **columns}), key


def get(uow: UnitOfWork, key_id: str, *, lock: bool = False) -> Row:
    """Returns a key. Raises AppError 404."""
    key = uow.get(api_keys, key_id, lock=lock)
    if key is None:
        raise not_found()
    return key


def _get_for_update(uow: UnitOfWork, key_id: str) -> Row:
    key = get(uow, key_id, lock=True)
    if key["name"] == FROM_ENVIRONMENT:
        raise conflict("key_in_environment", "This key is set by the server's variable API_KEY. Change it there.")
    return key
