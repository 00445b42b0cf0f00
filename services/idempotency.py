"""Idempotency keys: a repeated call with the same key, route and body is executed once and gets the stored response."""

from dataclasses import dataclass

from core import timestamps
from core.errors import conflict
from database.tables import idempotency as table
from storage import Row, UnitOfWork

KEPT_SECONDS = 24 * 3600
LEASE_SECONDS = 600  # longer than the model's timeout and the largest import
# A 400 changes nothing, so its key may be used again with a corrected body. The others do not come from the route.
NOT_STORED = frozenset({400, 401, 403, 429})


@dataclass(frozen=True, slots=True)
class Call:
    """Identifies a call: caller, route, key and hash of the body."""

    caller: str
    route: str
    key: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored response."""

    status: int
    answer: str


def claim(uow: UnitOfWork, call: Call, *, lease: bool = False) -> Stored | None:
    """Claims the call for this unit of work, or returns the stored response.

    With `lease` the claim is committed before the work. Raises AppError 409 if the key was used with another body or
    the same call is in progress. The same if its response held a secret, which is shown only once.
    """
    expires = timestamps.later(uow.real_now, seconds=LEASE_SECONDS if lease else KEPT_SECONDS)
    values = {"caller": call.caller, "route": call.route, "key": call.key, "body_hash": call.body_hash}
    values |= {"state": "claimed", "expires_at": expires, "created_at": uow.now}
    if uow.insert_new(table, values):
        return None
    row = _row(uow, call)
    if row is None or row["expires_at"] <= uow.real_now:
        uow.delete(table, *_same(call))
        uow.insert(table, values)
        return None
    if row["body_hash"] != call.body_hash:
        raise conflict("idempotency_key_reused", "This Idempotency-Key was used with another body. Use a new one.")
    if row["state"] == "claimed":
        raise conflict("in_progress", "The same call is in progress. Try again shortly.", retry_after=2)
    if not row["answer"]:
        raise conflict(
            "already_done", "This call was completed already. Its response held a secret, which is shown only once."
        )
    return Stored(row["status"], row["answer"])


def store(uow: UnitOfWork, call: Call, status: int, answer: str) -> None:
    """Stores the response of a claimed call for a day."""
    expires = timestamps.later(uow.real_now, seconds=KEPT_SECONDS)
    uow.update_where(table, *_same(call), state="done", status=status, answer=answer, expires_at=expires)


def release(uow: UnitOfWork, call: Call) -> None:
    """Removes a claim, so that the call can be made again."""
    uow.delete(table, *_same(call))


def purge(uow: UnitOfWork) -> int:
    """Deletes expired responses; returns how many."""
    return uow.delete(table, table.c.expires_at <= uow.real_now)


def _row(uow: UnitOfWork, call: Call) -> Row | None:
    return uow.first(uow.query(table).where(*_same(call)))


def _same(call: Call) -> list:  # type: ignore[type-arg]
    return [table.c.caller == call.caller, table.c.route == call.route, table.c.key == call.key]
