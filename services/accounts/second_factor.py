"""The second factor of a user: codes of an authenticator app, recovery codes, and who must have one.

A code is tried in two units of work. The first counts the attempt, so that parallel attempts count too.
"""

from dataclasses import replace
from functools import partial

from auth import passwords, totp
from core import normal_form, timestamps
from core.errors import AppError, conflict, forbidden, invalid_field, not_found
from core.models import DEFAULT_COMPANY, Actor
from database.tables import companies, second_factors, users
from services import settings
from services.accounts import companies as companies_of_server
from services.accounts import lockout, sessions, staff
from services.history import Change, record
from storage import Row, Storage, UnitOfWork

MOST_WRONG = 5  # codes of one account in a quarter of an hour; a guess is right 3 times in 1,000,000


def status(storage: Storage, actor: Actor) -> Row:
    """The second factor of the signed-in user: enabled, recovery_codes_left, and required. Raises AppError 403, 404."""
    _check_person(actor)
    with storage.unit_of_work(None) as uow:
        user = uow.get(users, actor.user_id)
        company = uow.get(companies, actor.company_id)
        factor = uow.get(second_factors, actor.user_id)
    if user is None or company is None:
        raise not_found()
    left = len(factor["recovery_hashes"]) if factor and user["second_factor"] else 0
    required = _is_required_of(user, settings.of_company(company)["require_second_factor"])
    return {"enabled": user["second_factor"], "recovery_codes_left": left, "required": required}


def start(storage: Storage, server_secret: str, actor: Actor) -> Row:
    """Makes a secret for the signed-in user's app: secret, uri, qr_path and qr_size. Only `confirm` switches it on.

    Raises AppError 403, 409.
    """
    _check_person(actor)
    salt = totp.new_salt()
    with storage.unit_of_work(None, write=True) as uow:
        own_uow, user = _own(uow, actor)
        if user["second_factor"]:
            raise conflict("second_factor_on", "Your second factor is on. Switch it off first to use another app.")
        values = {"salt": salt, "last_step": 0, "recovery_hashes": []}
        if own_uow.update(second_factors, user["id"], values) is None:
            own_uow.insert(second_factors, {"id": user["id"], **values, "created_at": own_uow.now})
        issuer = _name_in_app(own_uow)
    secret = totp.secret_of(server_secret, user["id"], salt)
    address = totp.uri(secret, account=user["email"] or user["name"], issuer=issuer)
    path, side = totp.qr_path(address)
    return {"secret": secret, "uri": address, "qr_path": path, "qr_size": side}


def confirm(storage: Storage, server_secret: str, actor: Actor, code: str) -> list[str]:
    """Switches the second factor on with a first code of the app; returns the recovery codes.

    The user's other sessions end, because nobody asked them for a code. Raises AppError 400, 403, 409, 429.
    """
    _check_person(actor)
    count_attempt(storage, actor.user_id)
    with storage.unit_of_work(None, write=True) as uow:
        own_uow, user = _own(uow, actor)
        factor = own_uow.get(second_factors, user["id"], lock=True)
        if user["second_factor"] or factor is None:
            raise conflict("second_factor_not_started", "Start with a new secret first.")
        step = _step_of(own_uow, server_secret, factor, code)
        if step is not None:
            own_uow.update(users, user["id"], {"second_factor": True})
            sessions.end_all(own_uow, user["id"], but=actor.session_id)
            record(own_uow, user["id"], [Change("second_factor_on")], subject="user")
            clear_attempts(uow, user["id"])
            return _renew(own_uow, user["id"], last_step=step)
    raise _wrong_code()


def renew_recovery_codes(storage: Storage, server_secret: str, actor: Actor, code: str) -> list[str]:
    """Replaces the recovery codes of the signed-in user, who shows a code. Raises AppError 400, 403, 409, 429."""
    _check_person(actor)
    count_attempt(storage, actor.user_id)
    with storage.unit_of_work(None, write=True) as uow:
        own_uow, user = _own(uow, actor)
        _check_on(user)
        if accept(own_uow, server_secret, user, code):
            clear_attempts(uow, user["id"])
            record(own_uow, user["id"], [Change("recovery_codes_made")], subject="user")
            return _renew(own_uow, user["id"])
    raise _wrong_code()


def switch_off(storage: Storage, server_secret: str, actor: Actor, *, code: str = "", password: str = "") -> None:
    """Switches the second factor of the signed-in user off, who shows a code or the password.

    Raises AppError 400, 403, 409, 429.
    """
    _check_person(actor)
    if bool(code) == bool(password):
        raise invalid_field("code", "Send code or password, one of them.")
    if password:
        _check_password(storage, actor, password)
    else:
        count_attempt(storage, actor.user_id)
    with storage.unit_of_work(None, write=True) as uow:
        own_uow, user = _own(uow, actor)
        _check_on(user)
        if password or accept(own_uow, server_secret, user, code):
            _remove(own_uow, user["id"], "second_factor_off")
            clear_attempts(uow, user["id"])
            return
    raise _wrong_code()


def reset(uow: UnitOfWork, user_id: str) -> bool:
    """Removes the second factor of a user of the company, who lost it; returns whether it was on. Raises AppError 404."""
    user = uow.get(users, user_id, lock=True)
    if user is None:
        raise not_found()
    if user["second_factor"]:
        _remove(uow, user_id, "second_factor_reset")
    return bool(user["second_factor"])


def reset_of(storage: Storage, operator: Actor, company: str, email: str) -> bool:
    """Removes the second factor of the user with that address at the named company, as the operator.

    Returns whether it was on. Raises AppError 404.
    """
    with storage.unit_of_work(None, write=True) as uow:
        row = companies_of_server.find_by_name(uow, company)
        if row is None:
            raise not_found()
        company_uow = uow.as_actor(replace(operator, company_id=row["id"]))
        user = company_uow.first(company_uow.query(users).where(users.c.email == normal_form.email(email)))
        if user is None:
            raise not_found()
        return reset(company_uow, user["id"])


def is_missing(storage: Storage, user: Row) -> bool:
    """Whether the user must set up a second factor before anything else."""
    if user["second_factor"] or user["role"] not in staff.ROLES:
        return False
    company_id = user["company_id"]
    load = partial(_requirement, storage, company_id)
    return _is_required_of(user, storage.cached((companies,), ("second factor", company_id), load))


def count_attempt(storage: Storage, user_id: str) -> None:
    """Counts an attempt with a code, right or wrong. Raises AppError 429.

    Counted for the account alone: whoever guesses has the first factor already, and may guess from many places.
    """
    with storage.unit_of_work(None, write=True) as uow:
        try:
            lockout.count_attempt(uow, _account(user_id), "", most=MOST_WRONG)
        except AppError as error:
            raise replace(error, message="Too many wrong codes. Please wait a few minutes.") from None


def clear_attempts(uow: UnitOfWork, user_id: str) -> None:
    """Forgets the attempts after a right code. Needs a unit of work without an actor, which sees attempts."""
    lockout.clear(uow, _account(user_id), "")


def accept(uow: UnitOfWork, server_secret: str, user: Row, code: str) -> bool:
    """Whether it is a code of the user's app or a recovery code; either is used up. A wrong one is recorded.

    Call `count_attempt` before and `clear_attempts` after a right code. The unit of work is one of the user's company; commit
    it in both cases.
    """
    factor = uow.get(second_factors, user["id"], lock=True)
    if factor is None:
        return False
    recovery_hash, left = totp.recovery_hash(user["id"], code), factor["recovery_hashes"]
    step = _step_of(uow, server_secret, factor, code)
    if step is not None:
        uow.update(second_factors, user["id"], {"last_step": step})
    elif recovery_hash in left:
        uow.update(second_factors, user["id"], {"recovery_hashes": [other for other in left if other != recovery_hash]})
        record(uow, user["id"], [Change("recovery_code_used", "left", len(left), len(left) - 1)], subject="user")
    else:
        record(uow, user["id"], [Change("second_factor_refused")], subject="user")
        return False
    return True


def _step_of(uow: UnitOfWork, server_secret: str, factor: Row, code: str) -> int | None:
    secret = totp.secret_of(server_secret, factor["id"], factor["salt"])
    return totp.step_of(secret, code, at=timestamps.moment(uow.real_now).timestamp(), after=factor["last_step"])


def _renew(uow: UnitOfWork, user_id: str, **values: int) -> list[str]:
    codes = totp.new_recovery_codes()
    uow.update(second_factors, user_id, {"recovery_hashes": totp.recovery_hashes(user_id, codes), **values})
    return codes


def _remove(uow: UnitOfWork, user_id: str, action: str) -> None:
    uow.update(users, user_id, {"second_factor": False})
    uow.delete(second_factors, second_factors.c.id == user_id)
    record(uow, user_id, [Change(action)], subject="user")


def _account(user_id: str) -> str:
    return f"second factor {user_id}"


def _check_password(storage: Storage, actor: Actor, password: str) -> None:
    """Raises AppError 400 for a wrong password, 429 after too many. Counted as for a change of the password."""
    account, place = f"password {actor.user_id}", actor.session_id
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users, actor.user_id)
        lockout.count_attempt(uow, account, place)
    if user is None or not passwords.matches(user["password_hash"], password):
        raise invalid_field("password", "This password is not right.")
    with storage.unit_of_work(None, write=True) as uow:
        lockout.clear(uow, account, place)


def _own(uow: UnitOfWork, actor: Actor) -> tuple[UnitOfWork, Row]:
    """A unit of work with an admin's view, and in it the row of the signed-in user."""
    own_uow = uow.as_actor(replace(actor, role="admin"))
    user = own_uow.get(users, actor.user_id)
    if user is None:
        raise not_found()
    return own_uow, user


def _name_in_app(uow: UnitOfWork) -> str:
    """The name that an authenticator app shows for this company."""
    company = uow.get(companies, uow.actor.company_id) or {"name": "", "settings": {}}
    name: str = company["settings"].get("mail_name") or company["name"]
    return "Foyer" if name == DEFAULT_COMPANY else name


def _requirement(storage: Storage, company_id: str) -> str:
    with storage.unit_of_work(None) as uow:
        company = uow.get(companies, company_id)
    requirement: str = settings.of_company(company)["require_second_factor"] if company else "off"
    return requirement


def _is_required_of(user: Row, requirement: str) -> bool:
    return requirement == "staff" and user["role"] in staff.ROLES


def _check_person(actor: Actor) -> None:
    if not actor.user_id:
        raise forbidden("Only people who sign in have a second factor. A key has none.")


def _check_on(user: Row) -> None:
    if not user["second_factor"]:
        raise conflict("second_factor_off", "Your second factor is off.")


def _wrong_code() -> AppError:
    return invalid_field("code", "This code is not right, or it was used before. Take the next one of your app.")
