"""Signing in: passwords, sessions, and who a bearer token stands for.

Each function opens the units of work it needs; a password is never hashed inside one, since others would wait.
"""

from dataclasses import replace
from typing import TypeGuard

import credentials
import networks
import passwords
from company_names import name_key
from errors import AppError, forbidden, invalid_field, unauthorized
from models import Actor
from oidc import Person
from services import companies, lockout, people, sessions
from services.history import Change, changed, not_lately, record
from storage import Desk, Row, Storage
from tables import companies as companies_table
from tables import sessions as sessions_table
from tables import users
from tokens import ACCESS_SECONDS, Tokens

MOST_ACCOUNTS = 3  # of one address whose password is tested when no company is named; each takes about 20 ms


def log_in(storage: Storage, tokens: Tokens, email: str, password: str, *, company: str = "", address: str = "") -> Row:
    """Signs a person in, at the company of that name or else where the password fits: user and tokens.

    Raises AppError 401 in the same words whoever it is, 429 after too many tries from this address, and 400 with the names
    of the companies when the password fits in several.
    """
    place = networks.holder(address, ipv6_bits=networks.SITE_BITS)
    with storage.desk(None, write=True) as desk:
        lockout.take_try(desk, email, place)
    with storage.desk(None) as desk:
        accounts = _accounts(desk, email, company)
    fitting = _fitting(accounts, password, tested=1 if company else MOST_ACCOUNTS)
    if not fitting:
        raise _wrong()
    if len(fitting) > 1:
        raise _several(storage, fitting)
    with storage.desk(None, write=True) as desk:
        user = desk.get(users, fitting[0]["id"])
        if not _is_still(user, fitting[0], email):
            raise _wrong()
        own = desk.within(Actor(user["company_id"], "admin", email, address=address))
        lockout.forget(desk, email, place)  # the company's turn first, the tries second, everywhere: no ring of waiters
        companies.ask_to_confirm(own, user)
        session = sessions.start(own, user["id"])
        record(own, user["id"], [Change("signed_in")], subject="user")
        return signed_in(own, tokens, user, session)


def go_on(storage: Storage, tokens: Tokens, token: str, *, address: str) -> Row:
    """Continues a session with its refresh token: user and new tokens. Raises AppError 401."""
    claims = tokens.read_refresh(token, now=storage.real_now())
    if claims is None:
        raise _over()
    with storage.desk(None, write=True) as desk:
        user = desk.get(users, claims["sub"])
        if user is not None and not user["disabled"]:
            own = desk.within(Actor(user["company_id"], "admin", user["email"], address=address))
            continued = sessions.go_on(own, claims["sid"], claims["gen"])
            if continued.session is not None:
                return signed_in(own, tokens, user, continued.session)
            if continued.reason == "reused":
                record(own, user["id"], [Change("session_ended", "", "", "token used twice")], subject="user")
    raise _over()


def log_out(storage: Storage, tokens: Tokens, token: str, *, address: str) -> None:
    """Ends the session of a refresh token; one that is over is over."""
    claims = tokens.read_refresh(token, now=storage.real_now())
    if claims is None:
        return
    with storage.desk(None, write=True) as desk:
        user = desk.get(users, claims["sub"])
        if user is not None:
            own = desk.within(Actor(user["company_id"], "admin", user["email"], address=address))
            if sessions.end(own, claims["sid"]):
                record(own, user["id"], [Change("signed_out")], subject="user")


def change_password(storage: Storage, actor: Actor, old: str, new: str) -> None:
    """Gives the signed-in person a new password and ends their other sessions. Raises AppError 400, 401, 403, 429."""
    if not actor.user_id or not actor.session_id:
        raise forbidden("Only people who signed in with a password can change it.")
    passwords.check(new, email=actor.name, field="new")
    # Counted for the session: nobody who is not signed in can use the tries up.
    account, place = f"password {actor.user_id}", actor.session_id
    with storage.desk(None, write=True) as desk:
        user = people.get(desk.within(replace(actor, role="admin")), actor.user_id)
        lockout.take_try(desk, account, place)
    if not passwords.matches(user["password_hash"], old):
        raise _wrong_old()
    password_hash = passwords.hashed(new)
    with storage.desk(None, write=True) as desk:
        if not _is_still(desk.get(users, actor.user_id), user, user["email"]):
            raise _wrong_old()
        own = desk.within(replace(actor, role="admin"))
        lockout.forget(desk, account, place)
        own.update(users, actor.user_id, {"password_hash": password_hash})
        sessions.end_all(own, actor.user_id, but=actor.session_id)
        record(own, actor.user_id, [Change("password_changed")], subject="user")


def who_bears(storage: Storage, tokens: Tokens, token: str) -> Actor | None:
    """The actor of an access token of ours, None when it is not one, is over, or its session or person is gone."""
    now = storage.real_now()
    claims = tokens.read_access(token, now=now)
    if claims is None:
        return None
    session = storage.remembered((sessions_table,), ("id", claims["sid"]), lambda: _session(storage, claims["sid"]))
    if session is None or session["user_id"] != claims["sub"] or session["expires_at"] <= now:
        return None
    user = storage.remembered((users,), ("id", claims["sub"]), lambda: _user(storage, claims["sub"]))
    return None if user is None else _actor(storage, user, session_id=session["id"])


def who_is_known(storage: Storage, person: Person, *, address: str) -> Actor | None:
    """The actor of a person whom the configured issuer vouches for; their first visit makes them known.

    None when they are disabled here. Raises AppError 403 when their company is not here, or the operator did not allow it
    to take the issuer's people, or their address is another's.
    """
    key = name_key(person.company)
    company = storage.remembered((companies_table,), ("company", key), lambda: _company(storage, person.company))
    if company is None or not company["oidc_allowed"]:
        raise forbidden("Your company does not take sign-ins of this issuer. Whoever runs this server can allow them.")
    # Whose company is another one now is somebody else.
    whole = (company["id"], person.identity)
    user = storage.remembered((users,), ("identity", *whole), lambda: _identified(storage, *whole))
    if user is not None and user["disabled"]:
        return None
    if user is None or user["role"] != person.role or user["email"] != person.email:
        with storage.desk(None, write=True) as desk:
            user = _known(desk, person, company["id"], address=address)
    return _actor(storage, user)


def _known(desk: Desk, person: Person, company_id: str, *, address: str) -> Row:
    named = person.email or person.name or person.identity.rpartition("|")[2]
    own = desk.within(Actor(company_id, "admin", named, address=address))
    user = own.first(own.rows(users).where(users.c.identity == person.identity))
    holder = own.first(own.rows(users).where(users.c.email == person.email, users.c.email != ""))
    if holder is None or (user is not None and holder["id"] == user["id"]):
        values = {"name": person.name, "email": person.email, "role": person.role, "identity": person.identity}
        return people.make(own, values) if user is None else _as_said(own, user, person)
    # Somebody an admin added by address alone was waiting for this; whoever signs in another way was not.
    if user is not None or holder["password_hash"] or holder["identity"]:
        raise forbidden("This e-mail address signs in another way here. Ask an admin of your company.")
    own.update(users, holder["id"], {"identity": person.identity})
    return _as_said(own, holder, person)


def _as_said(desk: Desk, user: Row, person: Person) -> Row:
    """The person as the issuer says they are, even when that leaves the company without an admin.

    Tokens whose claims differ may come in turns: the same change is recorded once a minute.
    """
    now = desk.update(users, user["id"], {"role": person.role, "email": person.email}) or user
    changes = changed("user_changed", user, now, ["role", "email"])
    record(desk, user["id"], not_lately(desk, user["id"], changes, seconds=60), subject="user")
    return now


def _actor(storage: Storage, user: Row, *, session_id: str = "") -> Actor | None:
    if user["disabled"]:
        return None
    name = user["email"] or user["name"] or user["identity"].rpartition("|")[2]
    actor = Actor(user["company_id"], user["role"], name, user_id=user["id"], session_id=session_id)
    return credentials.as_customer(storage, actor, user["email"]) if actor.is_customer else actor


def signed_in(desk: Desk, tokens: Tokens, user: Row, session: Row) -> Row:
    """What signing in answers: user, access_token, refresh_token and expires_in_seconds."""
    return {
        "user": people.user_shape(user),
        "access_token": tokens.access(user["id"], session["id"], now=desk.real_now),
        "refresh_token": tokens.refresh(
            user["id"], session["id"], session["generation"], expires=session["expires_at"]
        ),
        "expires_in_seconds": ACCESS_SECONDS,
    }


def _accounts(desk: Desk, email: str, company: str) -> list[Row]:
    """Who may sign in with that address: at the company of that name, or else the first few.

    Confirmed companies come first, then older accounts: a company that a stranger registers takes nobody's place.
    """
    u, c = users.c, companies_table.c
    chosen = desk.rows(users).join(companies_table, c.id == u.company_id)
    chosen = chosen.where(u.email == email, u.password_hash != "", ~u.disabled)
    if company:
        chosen = chosen.where(c.name_key == name_key(company), c.name_key != "")
    first = chosen.order_by(c.confirmed_at.is_(None), u.created_at, u.id)
    return desk.find(first.limit(MOST_ACCOUNTS))


def _fitting(accounts: list[Row], password: str, *, tested: int) -> list[Row]:
    """The accounts whose password it is. As many are tested whoever asks for whom, so the time tells nothing."""
    hashes = [account["password_hash"] for account in accounts[:tested]]
    fits = [passwords.matches(kept, password) for kept in [*hashes, *[""] * (tested - len(hashes))]]
    return [account for account, fit in zip(accounts, fits, strict=False) if fit]


def _is_still(user: Row | None, before: Row, email: str) -> TypeGuard[Row]:
    """Whether an account is as it was when its password was checked."""
    return (
        user is not None
        and not user["disabled"]
        and user["email"] == email
        and user["password_hash"] == before["password_hash"]
    )


def _company(storage: Storage, name: str) -> Row | None:
    with storage.desk(None) as desk:
        return companies.named(desk, name)


def _session(storage: Storage, session_id: str) -> Row | None:
    with storage.desk(None) as desk:
        return desk.get(sessions_table, session_id)


def _user(storage: Storage, user_id: str) -> Row | None:
    with storage.desk(None) as desk:
        return desk.get(users, user_id)


def _identified(storage: Storage, company_id: str, identity: str) -> Row | None:
    with storage.desk(None) as desk:
        same = (users.c.company_id == company_id, users.c.identity == identity)
        return desk.first(desk.rows(users).where(*same))


def _wrong() -> AppError:
    message = (
        "E-mail address or password is wrong. Whoever has an account in several companies may have to name the company."
    )
    return replace(unauthorized(), message=message, code="wrong_credentials")


def _wrong_old() -> AppError:
    return replace(_wrong(), message="The old password is wrong.")


def _several(storage: Storage, fitting: list[Row]) -> AppError:
    with storage.desk(None) as desk:
        of_them = companies_table.c.id.in_([user["company_id"] for user in fitting])
        names = sorted(row["name"] for row in desk.find(desk.rows(companies_table).where(of_them)))
    problem = invalid_field("company", f"company must be one of those this password opens: {', '.join(names)}.")
    return replace(problem, message="You have this password in several companies. Send company with the name of one.")


def _over() -> AppError:
    return replace(unauthorized(), message="You are signed out. Please sign in again.", code="signed_out")
