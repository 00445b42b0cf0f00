"""Sessions of signed-in users: one row each, refreshed by tokens with a generation number.

A refresh token of an earlier generation was copied, so the session ends. Within 30 seconds it counts as a retry.
"""

from dataclasses import dataclass
from typing import Literal

from core import timestamps
from database.tables import sessions
from storage import Row, UnitOfWork

LASTS_SECONDS, REMEMBER_SECONDS = 14 * 24 * 3600, 30 * 24 * 3600  # without a refresh; who asked to be remembered
GRACE_SECONDS = 30
CLOCKS_APART_SECONDS = 60  # tolerated difference between the clocks of two servers


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """Result of a refresh: the session's row, or the reason why there is none."""

    session: Row | None
    reason: Literal["", "unknown", "reused"] = ""


def start(uow: UnitOfWork, user_id: str, *, remember: bool = False, device: str = "") -> Row:
    """Creates a session for a user on that device; returns its row."""
    values = {"user_id": user_id, "remember": remember, "device": device, "created_at": uow.now}
    return uow.insert(sessions, {**values, "rotated_at": uow.real_now, "expires_at": _until(uow, remember)})


def _until(uow: UnitOfWork, remember: bool) -> str:
    return timestamps.later(uow.real_now, seconds=REMEMBER_SECONDS if remember else LASTS_SECONDS)


def refresh(uow: UnitOfWork, session_id: str, generation: int) -> RefreshResult:
    """Refreshes a session with the token of that generation; ends the session if the token was used before."""
    session = uow.get(sessions, session_id, lock=True)
    if session is None or session["expires_at"] <= uow.real_now:
        return RefreshResult(None, "unknown")
    if generation == session["generation"]:
        expires = _until(uow, session["remember"])
        news = {"generation": generation + 1, "rotated_at": uow.real_now, "expires_at": expires}
        return RefreshResult(uow.update(sessions, session_id, news))
    rotated = session["rotated_at"]
    earliest, latest = (
        timestamps.later(rotated, seconds=seconds) for seconds in (-CLOCKS_APART_SECONDS, GRACE_SECONDS)
    )
    just_now = earliest <= uow.real_now <= latest
    if generation == session["generation"] - 1 and just_now:
        return RefreshResult(session)  # a retry: same result
    end(uow, session_id)
    return RefreshResult(None, "reused")


def end(uow: UnitOfWork, session_id: str) -> bool:
    """Deletes a session; returns whether it existed."""
    return bool(uow.delete(sessions, sessions.c.id == session_id))


def end_all(uow: UnitOfWork, user_id: str, *, but: str = "") -> int:
    """Deletes all sessions of a user except `but`; returns how many."""
    return uow.delete(sessions, sessions.c.user_id == user_id, sessions.c.id != but)


def purge(uow: UnitOfWork) -> int:
    """Deletes expired sessions; returns how many."""
    return uow.delete(sessions, sessions.c.expires_at <= uow.real_now)
