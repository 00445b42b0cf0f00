"""Companies: create and find by name. One server holds many companies, each with its own users, keys and tickets."""

from core import timestamps
from core.company_names import look_key, name_key
from core.errors import AppError, conflict, invalid_field
from core.models import DEFAULT_COMPANY
from database.tables import companies, jobs, users
from services.tickets import notifications
from storage import Row, UnitOfWork

CONFIRM_AGAIN_SECONDS = 3600


def company_shape(company: Row) -> Row:
    """A company as its own people see it."""
    return {"id": company["id"], "name": company["name"], "confirmed": bool(company["confirmed_at"])}


def create(uow: UnitOfWork, name: str, *, confirmed: bool = False) -> Row:
    """Creates a company, in a unit of work without an actor; `confirmed` if the operator creates it.

    Raises AppError 400, and 409 when there is one of a name that reads or looks alike.
    """
    keys = {"name_key": name_key(name), "look_key": look_key(name)}
    if not all(keys.values()):
        raise invalid_field("company", "company must be a name that can be read.")
    values = {"name": " ".join(name.split()), **keys, "created_at": uow.now}
    if confirmed:
        values["confirmed_at"] = uow.real_now
    company = find_by_name(uow, name) if uow.insert_new(companies, values) else None
    if company is None:
        raise conflict("company_taken", "There is a company of this name, or one that looks like it. Take another one.")
    return company


def find_by_name(uow: UnitOfWork, name: str) -> Row | None:
    """The company of an equivalent name, or None. Needs a unit of work without an actor."""
    key = name_key(name)
    return uow.first(uow.query(companies).where(companies.c.name_key == key)) if key else None


def get_by_name(uow: UnitOfWork, name: str) -> Row:
    """The company of an equivalent name; of "" the company `default`. Raises AppError 404."""
    company = find_by_name(uow, name) if name else uow.get(companies, DEFAULT_COMPANY)
    if company is None:
        raise AppError("There is no company of this name here. Check how it is written.", "not_found", 404)
    return company


def ask_to_confirm(uow: UnitOfWork, user: Row) -> None:
    """Mails the first admin of a company that is not confirmed a link to confirm it, at most once an hour.

    Does nothing for anybody else; `user` is who registers or signs in, in a unit of work of their company.
    """
    company = uow.get(companies, user["company_id"])
    if company is None or company["confirmed_at"] or user["role"] != "admin":
        return
    admins = uow.query(users, users.c.id).where(users.c.role == "admin").order_by(users.c.created_at, users.c.id)
    first = uow.first(admins)
    since = timestamps.later(uow.real_now, seconds=-CONFIRM_AGAIN_SECONDS)
    requests = uow.query(jobs, jobs.c.id).where(jobs.c.kind == notifications.CONFIRM, jobs.c.run_at > since)
    if first is not None and first["id"] == user["id"] and uow.first(requests) is None:
        notifications.confirm_address(uow, user)
