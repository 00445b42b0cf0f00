"""Companies: one desk serves many, each with people, keys, customers and tickets of its own."""

import unicodedata

from core.errors import conflict, invalid_field
from database.tables import companies
from storage import Row, UnitOfWork


def create(uow: UnitOfWork, name: str, *, confirmed: bool = False) -> Row:
    """A new company, made at an unscoped desk; `confirmed` when the operator makes it.

    Raises AppError 400, and 409 when there is one of a name that reads alike.
    """
    key = name_key(name)
    if not key:
        raise invalid_field("company", "company must be a name that can be read.")
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
    """The company of a name that reads alike, None when there is none; at an unscoped desk."""
    key = name_key(name)
    return uow.first(uow.query(companies).where(companies.c.name_key == key)) if key else None


def name_key(name: str) -> str:
    """What makes two names the same: letters alike in any case and width, without what cannot be seen (Unicode UAX 15)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc", "Cs")).split())
