"""Companies: one desk serves many, each with people, keys, customers and tickets of its own."""

from sqlalchemy import func

from errors import conflict
from storage import Desk, Row
from tables import companies


def make(desk: Desk, name: str) -> Row:
    """A new company, made at an unscoped desk. Raises AppError 409 when there is one of that name, in any case."""
    if named(desk, name) is not None:
        raise conflict("company_taken", "There is a company of this name already. Take another one.")
    return desk.insert(companies, {"name": name, "created_at": desk.now})


def named(desk: Desk, name: str) -> Row | None:
    """The company of that name in any case, None when there is none; at an unscoped desk."""
    # lower() of a database may know ASCII letters only, so the name as it is written counts as well.
    same = (companies.c.name == name) | (func.lower(companies.c.name) == name.lower())
    return desk.first(desk.rows(companies).where(same))
