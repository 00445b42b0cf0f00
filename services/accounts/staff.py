"""Who works at a company: its agents and admins whose account is not disabled."""

from sqlalchemy import and_

from database.tables import users
from storage import Row

ROLES = ("agent", "admin")
AT_WORK = and_(users.c.role.in_(ROLES), ~users.c.disabled)


def is_at_work(user: Row) -> bool:
    """Whether AT_WORK holds for the row of a user."""
    return user["role"] in ROLES and not user["disabled"]
