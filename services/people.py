"""The people of a company who sign in: making them, changing what they are, and letting them go."""

from sqlalchemy import or_
from sqlalchemy.exc import IntegrityError

from errors import AppError, conflict, not_found
from models import USER_FIELDS, shape
from services import sessions
from services.history import Change, changed, record
from storage import Desk, Row
from tables import api_keys, users

TOLD = ("name", "email", "role", "team", "available", "disabled")


def user_shape(user: Row) -> Row:
    """A person as others may see them: never a hash."""
    return shape(user, USER_FIELDS)


def find(desk: Desk, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The people of the company by name, and how many there are."""
    chosen = desk.rows(users)
    page = chosen.order_by(users.c.name, users.c.email, users.c.id).limit(limit).offset(offset)
    return desk.find(page), desk.count(chosen)


def get(desk: Desk, user_id: str, *, lock: bool = False) -> Row:
    """One person. Raises AppError 404."""
    user = desk.get(users, user_id, lock=lock)
    if user is None:
        raise not_found()
    return user


def make(desk: Desk, given: Row, *, password_hash: str = "") -> Row:
    """A new person with name, email and role. Raises AppError 409 when the address signs in already, here or elsewhere."""
    values = {**given, "password_hash": password_hash, "created_at": desk.now}
    try:
        with desk.attempt():
            user = desk.insert(users, values)
    except IntegrityError:  # perhaps in another company, which only the constraint knows
        raise _taken() from None
    record(desk, user["id"], [Change("user_created", "role", "", user["role"])], subject="user")
    return user


def change(desk: Desk, user_id: str, news: Row, *, password_hash: str = "") -> Row:
    """Changes what is named; whoever is disabled or gets a new password is signed out everywhere.

    Raises AppError 404, and 409 for an address that signs in already or when nobody could administer the company any more.
    """
    before = get(desk, user_id, lock=True)
    after = _updated(desk, user_id, {**news, **({"password_hash": password_hash} if password_hash else {})})
    password_set = [Change("password_set")] if password_hash else []
    record(desk, user_id, [*changed("user_changed", before, after, TOLD), *password_set], subject="user")
    if password_hash or after["disabled"]:
        sessions.end_all(desk, user_id)
    check_admin_left(desk, was_admin=before["role"] == "admin")
    return after


def remove(desk: Desk, user_id: str) -> None:
    """Lets a person go; what they did stays. Raises AppError 404, 409 for the last admin."""
    user = get(desk, user_id, lock=True)
    desk.delete(users, users.c.id == user_id)
    record(desk, user_id, [Change("user_deleted", "role", user["role"], "")], subject="user")
    check_admin_left(desk, was_admin=user["role"] == "admin")


def check_admin_left(desk: Desk, *, was_admin: bool = True) -> None:
    """Raises AppError 409 when after this change nobody and no key could administer the company."""
    if not was_admin or desk.count(desk.rows(users).where(users.c.role == "admin", ~users.c.disabled)):
        return
    lasting = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > desk.now)
    if not desk.count(desk.rows(api_keys).where(api_keys.c.role == "admin", lasting)):
        raise conflict("last_admin", "This is the last admin of your company. Make another one first.")


def _updated(desk: Desk, user_id: str, values: Row) -> Row:
    try:
        with desk.attempt():
            user = desk.update(users, user_id, values)
    except IntegrityError:  # another company has the address, which only the constraint knows
        raise _taken() from None
    if user is None:
        raise not_found()
    return user


def _taken() -> AppError:
    return conflict("email_taken", "This e-mail address signs in already. Take another one.")
