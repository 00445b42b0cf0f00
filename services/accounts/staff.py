"""Who works at a company: agents and admins who are not disabled and have no open invitation."""

from sqlalchemy import and_, or_

from database.tables import users
from storage import Row

ROLES = ("agent", "admin")
# Not `in_`: a statement with one has no fixed number of parameters, so SQLAlchemy would have to run it.
_HAS_ROLE = or_(*(users.c.role == role for role in ROLES))
AT_WORK = and_(_HAS_ROLE, ~users.c.disabled, users.c.invited_at.is_(None))


def is_at_work(user: Row) -> bool:
    """Whether AT_WORK holds for the row of a user."""
    return user["role"] in ROLES and not user["disabled"] and user["invited_at"] is None
