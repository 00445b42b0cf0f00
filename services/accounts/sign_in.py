"""Sign-in: check passwords, refresh sessions, authenticate bearer tokens.

Each function opens its own units of work. Passwords are hashed outside of them, because others would wait.
"""

from dataclasses import replace
from typing import TypeGuard

from auth import passwords
from auth.oidc import Person
from auth.tokens import Tokens
from core import networks
from core.company_names import name_key
from core.errors import AppError, forbidden, invalid_field, unauthorized
from core.models import Actor
from database.tables import companies as companies_table
from database.tables import sessions as sessions_table
from database.tables import users as users_table
from services.accounts import companies, key_login, lockout, one_time, second_factor, sessions, users
from services.accounts.admission import Admission, Entry, admit, name_of, signed_in
from services.history import Change, differences, not_lately, record
from services.routing import departures
from storage import Row, Storage, UnitOfWork

MOST_ACCOUNTS = 3  # accounts whose password is checked if no company is named; about 20 ms each


def log_in(
    storage: Storage, tokens: Tokens, email: str, password: str, entry: Entry, *, company: str = ""
) -> Admission:
    """Signs a user in, at the named company or else where the password matches.

    Raises AppError 401 with the same message for unknown users and wrong passwords, and 429 after too many attempts. A
    password that matches in several companies raises 400 with their names.
    """
    place = networks.holder(entry.address, ipv6_bits=networks.SITE_BITS)
    with storage.unit_of_work(None, write=True) as uow:
        lockout.count_attempt(uow, email, place)
    with storage.unit_of_work(None) as uow:
        accounts = _accounts(uow, email, company)
    matches = _matching_accounts(accounts, password, tested=1 if company else MOST_ACCOUNTS)
    if not matches:
        raise _wrong_credentials()
    if len(matches) > 1:
        raise _several_companies(storage, matches)
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users_table, matches[0]["id"])
        if not _is_still(user, matches[0], email):
            raise _wrong_credentials()
        company_uow = uow.as_actor(Actor(user["company_id"], "admin", email, address=entry.address))
        lockout.clear(uow, email, place)  # everywhere the company is locked first and the attempts second: no deadlock
        companies.ask_to_confirm(company_uow, user)
        return admit(company_uow, tokens, user, entry)


def refresh(storage: Storage, tokens: Tokens, token: str, *, address: str) -> Row:
    """Refreshes a session with its refresh token. Returns user and new tokens. Raises AppError 401."""
    claims = tokens.read_refresh(token, now=storage.real_now())
    if claims is None:
        raise _signed_out_error()
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users_table, claims["sub"])
        if user is not None and not user["disabled"]:
            company_uow = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=address))
            continued = sessions.refresh(company_uow, claims["sid"], claims["gen"])
            if continued.session is not None:
                return signed_in(company_uow, tokens, user, continued.session)
            if continued.reason == "reused":
                record(company_uow, user["id"], [Change("session_ended", "", "", "token used twice")], subject="user")
    raise _signed_out_error()


def log_out(storage: Storage, tokens: Tokens, token: str, *, address: str) -> None:
    """Ends the session of a refresh token; does nothing if it has ended."""
    claims = tokens.read_refresh(token, now=storage.real_now())
    if claims is None:
        return
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users_table, claims["sub"])
        if user is not None:
            company_uow = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=address))
            if sessions.end(company_uow, claims["sid"]):
                record(company_uow, user["id"], [Change("signed_out")], subject="user")


def change_password(storage: Storage, actor: Actor, old_password: str, new_password: str) -> None:
    """Changes the password of the signed-in user and ends their other sessions. Raises AppError 400, 401, 403, 429."""
    if not actor.user_id or not actor.session_id:
        raise forbidden("Only people who signed in with a password can change it.")
    passwords.check(new_password, email=actor.name, field="new")
    # Counted per session, so that nobody else can use up the attempts.
    account, place = f"password {actor.user_id}", actor.session_id
    with storage.unit_of_work(None, write=True) as uow:
        user = users.get(uow.as_actor(replace(actor, role="admin")), actor.user_id)
        lockout.count_attempt(uow, account, place)
    if not passwords.matches(user["password_hash"], old_password):
        raise _wrong_old()
    password_hash = passwords.hashed(new_password)
    with storage.unit_of_work(None, write=True) as uow:
        if not _is_still(uow.get(users_table, actor.user_id), user, user["email"]):
            raise _wrong_old()
        admin_uow = uow.as_actor(replace(actor, role="admin"))
        lockout.clear(uow, account, place)
        admin_uow.update(users_table, actor.user_id, {"password_hash": password_hash})
        sessions.end_all(admin_uow, actor.user_id, but=actor.session_id)
        one_time.end_all(admin_uow, actor.user_id, user["email"])
        record(admin_uow, actor.user_id, [Change("password_changed")], subject="user")


def authenticate_access_token(storage: Storage, tokens: Tokens, token: str) -> Actor | None:
    """The actor of an access token. None if the token is invalid or expired, or its session or user is gone."""
    now = storage.real_now()
    claims = tokens.read_access(token, now=now)
    if claims is None:
        return None
    session = storage.cached((sessions_table,), ("id", claims["sid"]), lambda: _session(storage, claims["sid"]))
    if session is None or session["user_id"] != claims["sub"] or session["expires_at"] <= now:
        return None
    user = storage.cached((users_table,), ("id", claims["sub"]), lambda: _user(storage, claims["sub"]))
    return None if user is None else _actor(storage, user, session_id=session["id"])


def authenticate_oidc(storage: Storage, person: Person, *, address: str) -> Actor | None:
    """The actor of a user whom the configured issuer authenticated; the first sign-in creates the user.

    None if the user is disabled. Raises AppError 403 for an unknown company and one that may not use the issuer. The
    same for an address of another user.
    """
    key = name_key(person.company)
    company = storage.cached((companies_table,), ("company", key), lambda: _company(storage, person.company))
    if company is None or not company["oidc_allowed"]:
        raise forbidden(
            "Your company does not accept sign-ins from this issuer. Ask the operator of this server to allow them."
        )
    # A user whose company changed at the issuer is a different user here.
    identity = (company["id"], person.identity)
    user = storage.cached((users_table,), ("identity", *identity), lambda: _user_by_identity(storage, *identity))
    if user is not None and user["disabled"]:
        return None
    if user is None or user["role"] != person.role or user["email"] != person.email:
        with storage.unit_of_work(None, write=True) as uow:
            user = _sign_in_oidc_user(uow, person, company["id"], address=address)
    return _actor(storage, user)


def _sign_in_oidc_user(uow: UnitOfWork, person: Person, company_id: str, *, address: str) -> Row:
    name = person.email or person.name or person.identity.rpartition("|")[2]
    company_uow = uow.as_actor(Actor(company_id, "admin", name, address=address))
    user = company_uow.first(company_uow.query(users_table).where(users_table.c.identity == person.identity))
    holder = company_uow.first(
        company_uow.query(users_table).where(users_table.c.email == person.email, users_table.c.email != "")
    )
    if holder is None or (user is not None and holder["id"] == user["id"]):
        values = {"name": person.name, "email": person.email, "role": person.role, "identity": person.identity}
        return users.create(company_uow, values) if user is None else _apply_issuer_data(company_uow, user, person)
    # An account that an admin added by address alone is linked now; an account with another way to sign in is not.
    if user is not None or holder["password_hash"] or holder["identity"]:
        raise forbidden("This e-mail address already signs in another way. Ask an admin of your company.")
    company_uow.update(users_table, holder["id"], {"identity": person.identity, "invited_at": None})
    return _apply_issuer_data(company_uow, holder, person)


def _apply_issuer_data(uow: UnitOfWork, user: Row, person: Person) -> Row:
    """Updates role and address from the issuer, even if the company then has no admin.

    Tokens with different claims may alternate, so the same change is recorded at most once a minute.
    """
    now = uow.update(users_table, user["id"], {"role": person.role, "email": person.email}) or user
    changes = differences("user_changed", user, now, ["role", "email"])
    record(uow, user["id"], not_lately(uow, user["id"], changes, seconds=60), subject="user")
    departures.after_change(uow, user, now)
    return now


def _actor(storage: Storage, user: Row, *, session_id: str = "") -> Actor | None:
    if user["disabled"]:
        return None
    actor = Actor(
        user["company_id"],
        user["role"],
        name_of(user),
        user_id=user["id"],
        session_id=session_id,
        lacks_second_factor=second_factor.is_missing(storage, user),
    )
    return key_login.as_customer(storage, actor, user["email"]) if actor.is_customer else actor


def _accounts(uow: UnitOfWork, email: str, company: str) -> list[Row]:
    """The accounts with that address: at the named company, or else the first few.

    Confirmed companies come first, then older accounts, so that a newly registered company displaces nobody.
    """
    u, c = users_table.c, companies_table.c
    accounts = uow.query(users_table).join(companies_table, c.id == u.company_id)
    accounts = accounts.where(u.email == email, u.password_hash != "", ~u.disabled)
    if company:
        accounts = accounts.where(c.name_key == name_key(company), c.name_key != "")
    first = accounts.order_by(c.confirmed_at.is_(None), u.created_at, u.id)
    return uow.find(first.limit(MOST_ACCOUNTS))


def _matching_accounts(accounts: list[Row], password: str, *, tested: int) -> list[Row]:
    """The accounts with this password. The number of checks is constant, so the time tells nothing."""
    hashes = [account["password_hash"] for account in accounts[:tested]]
    fits = [passwords.matches(password_hash, password) for password_hash in [*hashes, *[""] * (tested - len(hashes))]]
    return [account for account, fit in zip(accounts, fits, strict=False) if fit]


def _is_still(user: Row | None, before: Row, email: str) -> TypeGuard[Row]:
    """Whether the account is unchanged since its password was checked."""
    return (
        user is not None
        and not user["disabled"]
        and user["email"] == email
        and user["password_hash"] == before["password_hash"]
    )


def _company(storage: Storage, name: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return companies.find_by_name(uow, name)


def _session(storage: Storage, session_id: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.get(sessions_table, session_id)


def _user(storage: Storage, user_id: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.get(users_table, user_id)


def _user_by_identity(storage: Storage, company_id: str, identity: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        same = (users_table.c.company_id == company_id, users_table.c.identity == identity)
        return uow.first(uow.query(users_table).where(*same))


def _wrong_credentials() -> AppError:
    message = "E-mail address or password is wrong. If you have accounts in several companies, send company as well."
    return replace(unauthorized(), message=message, code="wrong_credentials")


def _wrong_old() -> AppError:
    return replace(_wrong_credentials(), message="The old password is wrong.")


def _several_companies(storage: Storage, accounts: list[Row]) -> AppError:
    with storage.unit_of_work(None) as uow:
        companies_of_accounts = companies_table.c.id.in_([user["company_id"] for user in accounts])
        names = sorted(row["name"] for row in uow.find(uow.query(companies_table).where(companies_of_accounts)))
    problem = invalid_field("company", f"company must be one of: {', '.join(names)}.")
    return replace(
        problem, message="You have accounts with this password in several companies. Send company with the name of one."
    )


def _signed_out_error() -> AppError:
    return replace(unauthorized(), message="You are signed out. Please sign in again.", code="signed_out")
