"""Sessions of signed-in people: one row each, from signing in to signing out, continued by tokens that count up.

A token of an earlier count that comes back was copied: the session ends. Within 30 seconds it is a call sent again.
"""

from dataclasses import dataclass
from typing import Literal

from core import timestamps
from database.tables import sessions
from storage import Row, UnitOfWork

LASTS_SECONDS = 14 * 24 * 3600
GRACE_SECONDS = 30
CLOCKS_APART_SECONDS = 60  # the clock of the server that rotated the token may be ahead by this much


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """A session after it was asked to go on: the row to go on with, or why it does not."""

    session: Row | None
    reason: Literal["", "unknown", "reused"] = ""


def start(uow: UnitOfWork, user_id: str) -> Row:
    """A new session of a person; gives its row."""
    expires = timestamps.later(uow.real_now, seconds=LASTS_SECONDS)
    values = {"user_id": user_id, "rotated_at": uow.real_now, "expires_at": expires, "created_at": uow.now}
    return uow.insert(sessions, values)


def refresh(uow: UnitOfWork, session_id: str, generation: int) -> RefreshResult:
    """Continues a session with the token of that count, or ends it when that token was used before."""
    session = uow.get(sessions, session_id, lock=True)
    if session is None or session["expires_at"] <= uow.real_now:
        return RefreshResult(None, "unknown")
    if generation == session["generation"]:
        expires = timestamps.later(uow.real_now, seconds=LASTS_SECONDS)
        news = {"generation": generation + 1, "rotated_at": uow.real_now, "expires_at": expires}
        return RefreshResult(uow.update(sessions, session_id, news))
    rotated = session["rotated_at"]
    earliest, latest = (
        timestamps.later(rotated, seconds=seconds) for seconds in (-CLOCKS_APART_SECONDS, GRACE_SECONDS)
    )
    just_now = earliest <= uow.real_now <= latest
    if generation == session["generation"] - 1 and just_now:
        return RefreshResult(session)  # the answer did not arrive and the call was sent again: the same answer
    end(uow, session_id)
    return RefreshResult(None, "reused")


def end(uow: UnitOfWork, session_id: str) -> bool:
    """Ends a session; tells whether there was one."""
    return bool(uow.delete(sessions, sessions.c.id == session_id))


def end_all(uow: UnitOfWork, user_id: str, *, but: str = "") -> None:
    """Ends every session of a person but one."""
    uow.delete(sessions, sessions.c.user_id == user_id, sessions.c.id != but)


def purge(uow: UnitOfWork) -> int:
    """Forgets sessions whose time is over; tells how many."""
    return uow.delete(sessions, sessions.c.expires_at <= uow.real_now)
