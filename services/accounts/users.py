"""Users of a company: create, list, change, delete."""

from sqlalchemy.exc import IntegrityError

from core.errors import AppError, conflict, forbidden, invalid_field, not_found
from core.models import USER_FIELDS, shape
from database.column_types import is_broken
from database.tables import users
from services.accounts import admins, one_time, sessions
from services.history import Change, differences, record
from services.routing import departures, teams
from services.tickets import customers
from storage import Row, UnitOfWork

AUDITED_FIELDS = ("name", "email", "role", "team", "available", "capacity", "disabled")
CLEARABLE: Row = {"team": "", "capacity": None}


def user_shape(user: Row) -> Row:
    """The public fields of a user, without the password hash."""
    return shape(user, USER_FIELDS)


def find(uow: UnitOfWork, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the company's users by name, and the total."""
    everybody = uow.query(users)
    page = everybody.order_by(users.c.name, users.c.email, users.c.id).limit(limit).offset(offset)
    return uow.find(page), uow.count(everybody)


def get(uow: UnitOfWork, user_id: str, *, lock: bool = False) -> Row:
    """Returns a user. Raises AppError 404."""
    user = uow.get(users, user_id, lock=lock)
    if user is None:
        raise not_found()
    return user


def create(uow: UnitOfWork, fields: Row) -> Row:
    """A new person with name, email, role and perhaps password_hash. Raises AppError 400, 409 when the address signs in already."""
    fields = _with_team(uow, fields)
    try:
        with uow.attempt():
            user = uow.insert(users, {**fields, "created_at": uow.now})
    except IntegrityError as error:
        raise _email_taken(error) from None
    record(uow, user["id"], [Change("user_created", "role", "", user["role"])], subject="user")
    _create_customer(uow, user)
    return user


def change(uow: UnitOfWork, user_id: str, fields: Row) -> Row:
    """Updates the given fields. A disabled user and one with a new password are signed out everywhere, and their links end.

    Raises AppError 404, 400 for a field that is given and cleared, and 409 for an address that signs in already, when
    nobody could administer the company any more, or for what an OpenID Connect issuer says about the person.
    """
    before = get(uow, user_id, lock=True)
    for name in fields.pop("clear", []):
        if name in fields:
            raise invalid_field(name, f"{name} cannot be set and cleared in the same call.")
        fields[name] = CLEARABLE[name]
    fields = _with_team(uow, fields)
    if before["identity"] and any(fields.get(name, before[name]) != before[name] for name in ("role", "email")):
        raise conflict(
            "managed_by_issuer", "Role and address of this user come from their identity provider. Change them there."
        )
    if "password_hash" in fields:
        fields["invited_at"] = None  # they need no invitation any more
    after = _update(uow, user_id, fields)
    if "password_hash" in fields or after["email"] != before["email"] or after["disabled"]:
        one_time.end_all(uow, user_id, before["email"])
    password_set = [Change("password_set")] if "password_hash" in fields else []
    record(uow, user_id, [*differences("user_changed", before, after, AUDITED_FIELDS), *password_set], subject="user")
    _create_customer(uow, after)
    if password_set or after["disabled"]:
        sessions.end_all(uow, user_id)
    if before["role"] == "admin":
        admins.check_one_remains(uow)
    departures.after_change(uow, before, after)
    return after


def change_own(uow: UnitOfWork, fields: Row) -> Row:
    """Changes `name` or `available` of the signed-in user; returns their row. Raises AppError 403 for a key."""
    if not uow.actor.user_id:
        raise forbidden("Only people who sign in have a name and are available. A key has neither.")
    return change(uow, uow.actor.user_id, fields)


def remove(uow: UnitOfWork, user_id: str) -> None:
    """Deletes a user; their events stay. Raises AppError 404, and 409 for the last admin."""
    user = get(uow, user_id, lock=True)
    uow.delete(users, users.c.id == user_id)
    record(uow, user_id, [Change("user_deleted", "role", user["role"], "")], subject="user")
    departures.after_change(uow, user, None)
    if user["role"] == "admin":
        admins.check_one_remains(uow)


def _with_team(uow: UnitOfWork, fields: Row) -> Row:
    """The fields with the key of the team. Raises AppError 400."""
    return {**fields, "team": teams.resolve(uow, fields["team"], field="team")} if fields.get("team") else fields


def _create_customer(uow: UnitOfWork, user: Row) -> None:
    """Creates the customer row of a user with role customer, so that their data can be exported and erased."""
    if user["role"] == "customer" and user["email"]:
        customers.find_or_create(uow, {"customer_email": user["email"], "customer_name": user["name"]})


def _update(uow: UnitOfWork, user_id: str, values: Row) -> Row:
    try:
        with uow.attempt():
            user = uow.update(users, user_id, values)
    except IntegrityError as error:
        raise _email_taken(error) from None
    if user is None:
        raise not_found()
    return user


def _email_taken(error: IntegrityError) -> AppError:
    """Somebody of the company has the address. Raises anything else on."""
    if not is_broken(error, users, "uq_users_email"):
        raise error
    return conflict("email_taken", "This e-mail address signs in already. Take another one.")
