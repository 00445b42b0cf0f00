"""A person's own sessions: list them, end one or all others. A key has none."""

from dataclasses import replace

from core.errors import not_found
from core.models import Actor
from database.tables import sessions as table
from services.accounts import sessions
from services.history import Change, record
from storage import Row, Storage, UnitOfWork


def find(storage: Storage, actor: Actor, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the caller's sessions, newest first, and the total."""
    with storage.unit_of_work(_seeing_sessions(actor)) as uow:
        query = uow.query(table).where(table.c.user_id == actor.user_id, table.c.expires_at > uow.real_now)
        page = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit).offset(offset)
        return [_shape(row, actor.session_id) for row in uow.find(page)], uow.count(query)


def of_user(uow: UnitOfWork, user_id: str) -> list[Row]:
    """The sessions of a user, oldest first, for an export of what is held about them."""
    query = uow.query(table).where(table.c.user_id == user_id)
    rows = uow.find(query.order_by(table.c.created_at, table.c.id))
    return [{name: value for name, value in _shape(row, "").items() if name not in ("id", "current")} for row in rows]


def end(storage: Storage, actor: Actor, session_id: str) -> None:
    """Ends one of the caller's sessions. Raises AppError 404."""
    with storage.unit_of_work(_seeing_sessions(actor), write=True) as uow:
        session = uow.get(table, session_id, lock=True)
        if session is None or not actor.user_id or session["user_id"] != actor.user_id:
            raise not_found()
        sessions.end(uow, session_id)
        _record(uow, Change("session_ended", "device", session["device"], ""))


def end_others(storage: Storage, actor: Actor) -> int:
    """Ends the caller's sessions but the one of this call; returns how many."""
    with storage.unit_of_work(_seeing_sessions(actor), write=True) as uow:
        count = sessions.end_all(uow, actor.user_id, but=actor.session_id)
        if count:
            _record(uow, Change("session_ended", "sessions", count, ""))
        return count


def _seeing_sessions(actor: Actor) -> Actor:
    """The same person where sessions are seen, which customers do not see by themselves."""
    return replace(actor, role="admin")


def _record(uow: UnitOfWork, change: Change) -> None:
    record(uow, uow.actor.user_id, [change], subject="user")


def _shape(row: Row, current: str) -> Row:
    return {
        "id": row["id"],
        "device": row["device"],
        "remember": row["remember"],
        "current": row["id"] == current,
        "created_at": row["created_at"],
        "last_used_at": row["rotated_at"],
        "expires_at": row["expires_at"],
    }
