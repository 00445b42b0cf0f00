"""The last step of every way to sign in: a challenge for the second factor, or a session and its tokens."""

import hashlib
from dataclasses import dataclass

from auth.tokens import ACCESS_SECONDS, Tokens
from services.accounts import sessions, users
from services.history import Change, record
from storage import Row, UnitOfWork


@dataclass(frozen=True, slots=True)
class Entry:
    """From where somebody signs in: network address, browser and system, and whether they stay signed in for long."""

    address: str = ""
    device: str = ""
    remember: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """The result of a right first factor: `signed_in` (see `signed_in` below), or the `challenge` for a second factor."""

    signed_in: Row | None = None
    challenge: str = ""


def admit(uow: UnitOfWork, tokens: Tokens, user: Row, entry: Entry, *, way: str = "") -> Admission:
    """Signs a user in whose first factor is right, or makes the challenge when they have a second one.

    `way` is how they came: code, reset, invitation, oidc, "" by password. The unit of work is one of their company.
    After its commit pass the result to challenges.finish, which asks for the code.
    """
    if user["second_factor"]:
        return Admission(challenge=tokens.challenge(user["id"], mark_of(user), way, now=uow.real_now))
    return Admission(start_session(uow, tokens, user, entry, way=way))


def start_session(uow: UnitOfWork, tokens: Tokens, user: Row, entry: Entry, *, way: str = "") -> Row:
    """Signs a user in whose factors were all checked. Returns what `signed_in` returns."""
    session = sessions.start(uow, user["id"], remember=entry.remember, device=entry.device)
    record(uow, user["id"], [Change("signed_in", "way" if way else "", "", way)], subject="user")
    return signed_in(uow, tokens, user, session)


def signed_in(uow: UnitOfWork, tokens: Tokens, user: Row, session: Row) -> Row:
    """The answer of a sign-in: user, access_token, refresh_token and expires_in_seconds."""
    return {
        "user": users.user_shape(user),
        "access_token": tokens.access(user["id"], session["id"], now=uow.real_now),
        "refresh_token": tokens.refresh(
            user["id"], session["id"], session["generation"], expires=session["expires_at"]
        ),
        "expires_in_seconds": ACCESS_SECONDS,
    }


def mark_of(user: Row) -> str:
    """A hash of the user's first factor, 32 characters. A change of address or password makes older challenges invalid."""
    first_factor = f"{user['id']} {user['email']} {user['identity']} {user['password_hash']}"
    return hashlib.sha256(first_factor.encode()).hexdigest()[:32]


def name_of(user: Row) -> str:
    """The name of a user as an actor."""
    name: str = user["email"] or user["name"] or user["identity"].rpartition("|")[2]
    return name
