"""Registering companies: the first admin, the confirmation of their address, and what the operator allows a company.

Each function opens the units of work it needs; a password is never hashed inside one, since others would wait.
"""

from auth import passwords
from auth.tokens import Tokens
from core.errors import AppError, invalid_field
from core.models import Actor
from database.tables import companies as table
from database.tables import users as users_table
from services.accounts import companies, sessions, users
from services.accounts.admission import Entry, signed_in
from services.history import Change, differences, record
from storage import Row, Storage, UnitOfWork


def register(storage: Storage, tokens: Tokens, fields: Row, entry: Entry, *, confirmed: bool = False) -> Row:
    """Makes a company with its first admin and signs them in: company, user and tokens. Raises AppError 400, 409.

    A company that the operator makes is `confirmed` from the start; in others the admin is sent a link to confirm.
    """
    passwords.check(fields["password"], email=fields["email"])
    password_hash = passwords.hashed(fields["password"])
    with storage.unit_of_work(None, write=True) as uow:
        company = companies.create(uow, fields["company"], confirmed=confirmed)
        company_uow = uow.as_actor(Actor(company["id"], "admin", fields["email"], address=entry.address))
        record(company_uow, company["id"], [Change("company_created", "name", "", company["name"])], subject="company")
        person = {"name": fields["name"], "email": fields["email"], "role": "admin", "password_hash": password_hash}
        user = users.create(company_uow, person)
        companies.ask_to_confirm(company_uow, user)
        session = sessions.start(company_uow, user["id"], remember=entry.remember, device=entry.device)
        return {"company": companies.company_shape(company), **signed_in(company_uow, tokens, user, session)}


def add_person(storage: Storage, company: str, fields: Row, *, address: str) -> None:
    """Adds a person to the company of that name. Raises AppError 400, 404, 409."""
    with storage.unit_of_work(None, write=True) as uow:
        row = companies.find_by_name(uow, company)
        if row is None:
            raise _no_company(company)
        users.create(uow.as_actor(Actor(row["id"], "admin", "command line", address=address)), fields)


def confirm(storage: Storage, tokens: Tokens, token: str, *, address: str) -> Row:
    """Confirms a company with the token its first admin was mailed; gives the company's row.

    Raises AppError 400 for a token that is over, was used, or was sent to another address than the admin has now.
    """
    claims = tokens.read_confirmation(token, now=storage.real_now())
    if claims is None:
        raise _over()
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users_table, claims["sub"])
        if user is None or user["disabled"] or user["role"] != "admin" or user["email"] != claims["email"]:
            raise _over()
        company_uow = uow.as_actor(Actor(user["company_id"], "admin", user["email"], address=address))
        company = company_uow.get(table, user["company_id"], lock=True)
        if company is None or company["confirmed_at"]:
            raise _over()
        return _update_company(company_uow, company, {"confirmed_at": company_uow.real_now})


def allow(storage: Storage, actor: Actor, fields: Row) -> Row:
    """Changes what the operator says of the company named `company`: confirmed, oidc_allowed, inbound_allowed; gives its row.

    Raises AppError 404.
    """
    with storage.unit_of_work(None, write=True) as uow:
        company = companies.find_by_name(uow, fields["company"])
        if company is None:
            raise _no_company(fields["company"])
        company_uow = uow.as_actor(
            Actor(company["id"], "admin", actor.name, key_name=actor.key_name, address=actor.address)
        )
        values: Row = {name: fields[name] for name in ("oidc_allowed", "inbound_allowed") if name in fields}
        if "confirmed" in fields and fields["confirmed"] != bool(company["confirmed_at"]):
            values["confirmed_at"] = company_uow.real_now if fields["confirmed"] else None
        return _update_company(company_uow, company, values)


def _update_company(company_uow: UnitOfWork, company: Row, values: Row) -> Row:
    after = company_uow.update(table, company["id"], values) or company
    record(company_uow, company["id"], differences("company_changed", company, after, values), subject="company")
    return after


def _no_company(name: str) -> AppError:
    return AppError(f"There is no company {name} here.", "not_found", 404)


def _over() -> AppError:
    return invalid_field("token", "token is not valid any more. Sign in again, and a new link is sent.")
