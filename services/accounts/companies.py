"""Companies: create and find by name. One server holds many companies, each with its own users, keys and tickets."""

import unicodedata

from core.errors import conflict, invalid_field
from database.tables import companies
from storage import Row, UnitOfWork


def create(uow: UnitOfWork, name: str, *, confirmed: bool = False) -> Row:
    """Creates a company, in a unit of work without an actor; `confirmed` if the operator creates it.

    Raises AppError 400, and 409 if a company of an equivalent name exists.
    """
    key = name_key(name)
    if not key:
        raise invalid_field("company", "company must contain visible characters.")
    values = {"name": " ".join(name.split()), "name_key": key, "created_at": uow.now}
    if confirmed:
        values["confirmed_at"] = uow.now
    if not uow.insert_new(companies, values):
        raise conflict("company_taken", "There is a company of this name already. Take another one.")
    company = find_by_name(uow, name)
    if company is None:
        raise conflict("company_taken", "There is a company of this name already. Take another one.")
    return company


def find_by_name(uow: UnitOfWork, name: str) -> Row | None:
    """The company of an equivalent name, or None. Needs a unit of work without an actor."""
    key = name_key(name)
    return uow.first(uow.query(companies).where(companies.c.name_key == key)) if key else None


def name_key(name: str) -> str:
    """The normal form of a name: NFKC, case-folded, without invisible characters (Unicode UAX 15)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc", "Cs")).split())
