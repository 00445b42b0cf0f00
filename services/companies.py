"""Companies: one desk serves many, each with people, keys, customers and tickets of its own."""

import times
from company_names import look_key, name_key
from errors import conflict, invalid_field
from services import notices
from storage import Desk, Row
from tables import companies, jobs, users

CONFIRM_AGAIN_SECONDS = 3600


def company_shape(company: Row) -> Row:
    """A company as its own people see it."""
    return {"id": company["id"], "name": company["name"], "confirmed": bool(company["confirmed_at"])}


def make(desk: Desk, name: str, *, confirmed: bool = False) -> Row:
    """A new company, made at an unscoped desk; `confirmed` when the operator makes it.

    Raises AppError 400, and 409 when there is one of a name that reads or looks alike.
    """
    keys = {"name_key": name_key(name), "look_key": look_key(name)}
    if not all(keys.values()):
        raise invalid_field("company", "company must be a name that can be read.")
    values = {"name": " ".join(name.split()), **keys, "created_at": desk.now}
    if confirmed:
        values["confirmed_at"] = desk.real_now
    company = named(desk, name) if desk.insert_new(companies, values) else None
    if company is None:
        raise conflict("company_taken", "There is a company of this name, or one that looks like it. Take another one.")
    return company


def named(desk: Desk, name: str) -> Row | None:
    """The company of a name that reads alike, None when there is none; at an unscoped desk."""
    key = name_key(name)
    return desk.first(desk.rows(companies).where(companies.c.name_key == key)) if key else None


def ask_to_confirm(desk: Desk, user: Row) -> None:
    """Mails the first admin of a company that is not confirmed a link to confirm it, at most once an hour.

    Does nothing for anybody else; `user` is who registers or signs in, at a desk of their company.
    """
    company = desk.get(companies, user["company_id"])
    if company is None or company["confirmed_at"] or user["role"] != "admin":
        return
    admins = desk.rows(users, users.c.id).where(users.c.role == "admin").order_by(users.c.created_at, users.c.id)
    first = desk.first(admins)
    since = times.later(desk.real_now, seconds=-CONFIRM_AGAIN_SECONDS)
    asked = desk.rows(jobs, jobs.c.id).where(jobs.c.kind == notices.CONFIRM, jobs.c.run_at > since)
    if first is not None and first["id"] == user["id"] and desk.first(asked) is None:
        notices.confirm_address(desk, user)
