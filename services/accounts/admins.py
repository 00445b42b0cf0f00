"""Last-admin check: a company keeps an admin who can sign in, or an unrestricted API key without an expiry."""

from sqlalchemy import and_, or_

from core.errors import conflict
from core.permissions import ACT_FOR_CUSTOMERS
from database.tables import api_keys, users
from storage import UnitOfWork

_person = and_(users.c.role == "admin", ~users.c.disabled, or_(users.c.password_hash != "", users.c.identity != ""))
_key = and_(
    api_keys.c.role == "admin",
    or_(api_keys.c.scopes == [], api_keys.c.scopes == [ACT_FOR_CUSTOMERS]),
    api_keys.c.expires_at.is_(None),
)


def exist(uow: UnitOfWork) -> bool:
    """Whether the company has such an admin or key."""
    return bool(uow.count(uow.query(users).where(_person)) or uow.count(uow.query(api_keys).where(_key)))


def check_one_remains(uow: UnitOfWork) -> None:
    """Raises AppError 409 if the company has neither after this change."""
    if not exist(uow):
        raise conflict("last_admin", "This is the last admin of your company. Add another admin first.")
