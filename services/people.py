"""The people of a company who sign in: making them, changing what they are, and letting them go."""

from sqlalchemy.exc import IntegrityError

from columns import is_broken
from errors import AppError, conflict, invalid_field, not_found
from models import USER_FIELDS, shape
from services import admins, customers, sessions
from services.history import Change, changed, record
from storage import Desk, Row
from tables import users

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


def make(desk: Desk, given: Row) -> Row:
    """A new person with name, email, role and perhaps password_hash. Raises AppError 409 when the address signs in already."""
    try:
        with desk.attempt():
            user = desk.insert(users, {**given, "created_at": desk.now})
    except IntegrityError as error:
        raise _taken(error) from None
    record(desk, user["id"], [Change("user_created", "role", "", user["role"])], subject="user")
    _be_known(desk, user)
    return user


def change(desk: Desk, user_id: str, news: Row) -> Row:
    """Changes what is named; whoever is disabled or gets a new password is signed out everywhere.

    Raises AppError 404, 400 for a field that is given and cleared, and 409 for an address that signs in already, when
    nobody could administer the company any more, or for what an OpenID Connect issuer says about the person.
    """
    before = get(desk, user_id, lock=True)
    for name in news.pop("clear", []):
        if name in news:
            raise invalid_field(name, f"{name} is both given and cleared.")
        news[name] = ""
    if before["identity"] and any(news.get(name, before[name]) != before[name] for name in ("role", "email")):
        raise conflict(
            "managed_by_issuer", "Role and address of this person come from where they sign in. Change them there."
        )
    after = _updated(desk, user_id, news)
    password_set = [Change("password_set")] if "password_hash" in news else []
    record(desk, user_id, [*changed("user_changed", before, after, TOLD), *password_set], subject="user")
    _be_known(desk, after)
    if password_set or after["disabled"]:
        sessions.end_all(desk, user_id)
    if before["role"] == "admin":
        admins.must_remain(desk)
    return after


def remove(desk: Desk, user_id: str) -> None:
    """Lets a person go; what they did stays. Raises AppError 404, 409 for the last admin."""
    user = get(desk, user_id, lock=True)
    desk.delete(users, users.c.id == user_id)
    record(desk, user_id, [Change("user_deleted", "role", user["role"], "")], subject="user")
    if user["role"] == "admin":
        admins.must_remain(desk)


def _be_known(desk: Desk, user: Row) -> None:
    """Whoever signs in as a customer is one, from the start: what is held about them can be asked for and erased."""
    if user["role"] == "customer" and user["email"]:
        customers.identify(desk, {"customer_email": user["email"]})


def _updated(desk: Desk, user_id: str, values: Row) -> Row:
    try:
        with desk.attempt():
            user = desk.update(users, user_id, values)
    except IntegrityError as error:
        raise _taken(error) from None
    if user is None:
        raise not_found()
    return user


def _taken(error: IntegrityError) -> AppError:
    """Somebody of the company has the address. Raises anything else on."""
    if not is_broken(error, users, "uq_users_email"):
        raise error
    return conflict("email_taken", "This e-mail address signs in already. Take another one.")
