"""The end of every way to sign in: a session begins, the audit says so, and the caller gets tokens."""

from dataclasses import dataclass

from auth.tokens import ACCESS_SECONDS, Tokens
from services.accounts import sessions
from services.accounts import users as people
from services.history import Change, record
from storage import Row, UnitOfWork


@dataclass(frozen=True, slots=True)
class Entry:
    """From where somebody signs in: network address, browser and system, and whether they stay signed in for long."""

    address: str = ""
    device: str = ""
    remember: bool = False


def admit(uow: UnitOfWork, tokens: Tokens, user: Row, entry: Entry, *, way: str = "") -> Row:
    """Signs a user in, in a unit of work of their company; `way` is code, reset or invitation, "" of a password."""
    session = sessions.start(uow, user["id"], remember=entry.remember, device=entry.device)
    record(uow, user["id"], [Change("signed_in", "way" if way else "", "", way)], subject="user")
    return signed_in(uow, tokens, user, session)


def signed_in(uow: UnitOfWork, tokens: Tokens, user: Row, session: Row) -> Row:
    """What signing in answers: user, access_token, refresh_token and expires_in_seconds."""
    return {
        "user": people.user_shape(user),
        "access_token": tokens.access(user["id"], session["id"], now=uow.real_now),
        "refresh_token": tokens.refresh(
            user["id"], session["id"], session["generation"], expires=session["expires_at"]
        ),
        "expires_in_seconds": ACCESS_SECONDS,
    }
