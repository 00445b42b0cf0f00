"""Signing in: registering a company, passwords, sessions, and who a bearer token stands for.

Each function opens the units of work it needs; a password is never hashed inside one, since others would wait.
"""

from dataclasses import replace

from auth import passwords
from auth.oidc import Person
from auth.tokens import ACCESS_SECONDS, Tokens
from core.errors import AppError, forbidden, unauthorized
from core.models import Actor
from database.tables import sessions as sessions_table
from database.tables import users
from services.accounts import companies, key_login, lockout, sessions
from services.accounts import users as people
from services.history import Change, changed, record
from storage import Row, Storage, UnitOfWork


def register(storage: Storage, tokens: Tokens, given: Row, *, address: str, confirmed: bool = False) -> Row:
    """Makes a company with its first admin and signs them in: company, user and tokens. Raises AppError 400, 409.

    A company that the operator makes is `confirmed` from the start.
    """
    passwords.check(given["password"], email=given["email"])
    password_hash = passwords.hashed(given["password"])
    with storage.unit_of_work(None, write=True) as uow:
        company = companies.make(uow, given["company"], confirmed=confirmed)
        own = uow.as_actor(Actor(company["id"], "admin", given["email"], address=address))
        record(own, company["id"], [Change("company_created", "name", "", company["name"])], subject="company")
        person = {"name": given["name"], "email": given["email"], "role": "admin", "password_hash": password_hash}
        user = people.make(own, person)
        session = sessions.start(own, user["id"])
        return {"company": {"id": company["id"], "name": company["name"]}, **_signed_in(own, tokens, user, session)}


def add_person(storage: Storage, company: str, given: Row, *, address: str) -> None:
    """Adds a person to the company of that name. Raises AppError 400, 404, 409."""
    with storage.unit_of_work(None, write=True) as uow:
        row = companies.named(uow, company)
        if row is None:
            raise AppError(f"There is no company {company} here.", "not_found", 404)
        own = uow.as_actor(Actor(row["id"], "admin", "command line", address=address))
        people.make(own, given)


def log_in(storage: Storage, tokens: Tokens, email: str, password: str, *, address: str) -> Row:
    """Signs a person in: user and tokens. Raises AppError 401 in the same words whoever it is, 429 after too many tries."""
    with storage.unit_of_work(None, write=True) as uow:
        lockout.take_try(uow, email)
    with storage.unit_of_work(None) as uow:
        user = _by_email(uow, email)
    kept = user["password_hash"] if user else ""
    if not passwords.matches(kept, password):
        raise _wrong()
    with storage.unit_of_work(None, write=True) as uow:
        user = _by_email(uow, email)
        if user is None or user["disabled"] or user["password_hash"] != kept:  # changed while it was checked
            raise _wrong()
        own = uow.as_actor(Actor(user["company_id"], "admin", email, address=address))
        lockout.forget(uow, email)  # the company's turn first, the tries second, everywhere: nobody waits in a ring
        session = sessions.start(own, user["id"])
        record(own, user["id"], [Change("signed_in")], subject="user")
        return _signed_in(own, tokens, user, session)


def go_on(storage: Storage, tokens: Tokens, token: str, *, address: str) -> Row:
    """Continues a session with its refresh token: user and new tokens. Raises AppError 401."""
    claims = tokens.read_refresh(token, now=storage.real_now())
    if claims is None:
        raise _over()
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users, claims["sub"])
        if user is not None and not user["disabled"]:
            own = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=address))
            continued = sessions.go_on(own, claims["sid"], claims["gen"])
            if continued.session is not None:
                return _signed_in(own, tokens, user, continued.session)
            if continued.reason == "reused":
                record(own, user["id"], [Change("session_ended", "", "", "token used twice")], subject="user")
    raise _over()


def log_out(storage: Storage, tokens: Tokens, token: str, *, address: str) -> None:
    """Ends the session of a refresh token; one that is over is over."""
    claims = tokens.read_refresh(token, now=storage.real_now())
    if claims is None:
        return
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users, claims["sub"])
        if user is not None:
            own = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=address))
            if sessions.end(own, claims["sid"]):
                record(own, user["id"], [Change("signed_out")], subject="user")


def change_password(storage: Storage, actor: Actor, old: str, new: str) -> None:
    """Gives the signed-in person a new password and ends their other sessions. Raises AppError 400, 401, 403, 429."""
    if not actor.user_id or not actor.session_id:
        raise forbidden("Only people who signed in with a password can change it.")
    passwords.check(new, email=actor.name, field="new")
    with storage.unit_of_work(None, write=True) as uow:
        user = people.get(uow.as_actor(replace(actor, role="admin")), actor.user_id)
        lockout.take_try(uow, user["email"])
    if not passwords.matches(user["password_hash"], old):
        raise replace(_wrong(), message="The old password is wrong.")
    password_hash = passwords.hashed(new)
    with storage.unit_of_work(None, write=True) as uow:
        now = _by_email(uow, user["email"])
        if (
            now is None or now["disabled"] or now["password_hash"] != user["password_hash"]
        ):  # changed while it was checked
            raise replace(_wrong(), message="The old password is wrong.")
        own = uow.as_actor(replace(actor, role="admin"))
        lockout.forget(uow, user["email"])
        own.update(users, actor.user_id, {"password_hash": password_hash})
        sessions.end_all(own, actor.user_id, but=actor.session_id)
        record(own, actor.user_id, [Change("password_changed")], subject="user")


def authenticate_access_token(storage: Storage, tokens: Tokens, token: str) -> Actor | None:
    """The actor of an access token of ours, None when it is not one, is over, or its session or person is gone."""
    now = storage.real_now()
    claims = tokens.read_access(token, now=now)
    if claims is None:
        return None
    session = storage.cached((sessions_table,), ("id", claims["sid"]), lambda: _session(storage, claims["sid"]))
    if session is None or session["user_id"] != claims["sub"] or session["expires_at"] <= now:
        return None
    user = storage.cached((users,), ("id", claims["sub"]), lambda: _user(storage, claims["sub"]))
    return None if user is None else _actor(storage, user, session_id=session["id"])


def authenticate_oidc(storage: Storage, person: Person, *, address: str) -> Actor | None:
    """The actor of a person whom the configured issuer vouches for; their first visit makes them known.

    None when they are disabled here. Raises AppError 403 when their company is not here or their address is another's.
    """
    # Whose company is another one now is somebody else.
    identity = f"{companies.name_key(person.company)} {person.identity}"
    user = storage.cached((users,), ("identity", identity), lambda: _identified(storage, identity))
    if user is not None and user["disabled"]:
        return None
    if user is None or user["role"] != person.role or user["email"] != person.email:
        with storage.unit_of_work(None, write=True) as uow:
            user = _known(uow, person, identity, address=address)
    return _actor(storage, user)


def _known(uow: UnitOfWork, person: Person, identity: str, *, address: str) -> Row:
    company = companies.named(uow, person.company)
    if company is None:
        raise forbidden("Your company is not known here. Ask whoever runs this desk.")
    named = person.email or person.name or person.identity.rpartition("|")[2]
    own = uow.as_actor(Actor(company["id"], "admin", named, address=address))
    user = own.first(own.query(users).where(users.c.identity == identity))
    holder = uow.first(uow.query(users).where(users.c.email == person.email, users.c.email != ""))
    if holder is None or (user is not None and holder["id"] == user["id"]):
        values = {"name": person.name, "email": person.email, "role": person.role, "identity": identity}
        return people.make(own, values) if user is None else _as_said(own, user, person)
    # Somebody an admin added by address alone was waiting for this; whoever signs in another way was not.
    if user is not None or holder["company_id"] != company["id"] or holder["password_hash"] or holder["identity"]:
        raise forbidden("This e-mail address signs in another way here. Ask an admin of your company.")
    own.update(users, holder["id"], {"identity": identity})
    return _as_said(own, holder, person)


def _as_said(uow: UnitOfWork, user: Row, person: Person) -> Row:
    """The person as the issuer says they are, even when that leaves the company without an admin."""
    now = uow.update(users, user["id"], {"role": person.role, "email": person.email}) or user
    record(uow, user["id"], changed("user_changed", user, now, ["role", "email"]), subject="user")
    return now


def _actor(storage: Storage, user: Row, *, session_id: str = "") -> Actor | None:
    if user["disabled"]:
        return None
    name = user["email"] or user["name"] or user["identity"].rpartition("|")[2]
    actor = Actor(user["company_id"], user["role"], name, user_id=user["id"], session_id=session_id)
    return key_login.as_customer(storage, actor, user["email"]) if actor.is_customer else actor


def _signed_in(uow: UnitOfWork, tokens: Tokens, user: Row, session: Row) -> Row:
    return {
        "user": people.user_shape(user),
        "access_token": tokens.access(user["id"], session["id"], now=uow.real_now),
        "refresh_token": tokens.refresh(
            user["id"], session["id"], session["generation"], expires=session["expires_at"]
        ),
        "expires_in_seconds": ACCESS_SECONDS,
    }


def _by_email(uow: UnitOfWork, email: str) -> Row | None:
    return uow.first(uow.query(users).where(users.c.email == email))


def _session(storage: Storage, session_id: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.get(sessions_table, session_id)


def _user(storage: Storage, user_id: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.get(users, user_id)


def _identified(storage: Storage, identity: str) -> Row | None:
    with storage.unit_of_work(None) as uow:
        return uow.first(uow.query(users).where(users.c.identity == identity))


def _wrong() -> AppError:
    return replace(unauthorized(), message="E-mail address or password is wrong.", code="wrong_credentials")


def _over() -> AppError:
    return replace(unauthorized(), message="You are signed out. Please sign in again.", code="signed_out")
