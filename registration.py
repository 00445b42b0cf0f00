"""Registering companies: the first admin, the confirmation of their address, and what the operator allows a company.

Each function opens the units of work it needs; a password is never hashed inside one, since others would wait.
"""

import passwords
from errors import AppError, invalid_field
from models import Actor
from services import companies, people, sessions
from services.history import Change, changed, record
from sign_in import signed_in
from storage import Desk, Row, Storage
from tables import companies as table
from tables import users
from tokens import Tokens


def register(storage: Storage, tokens: Tokens, fields: Row, *, address: str, confirmed: bool = False) -> Row:
    """Makes a company with its first admin and signs them in: company, user and tokens. Raises AppError 400, 409.

    A company that the operator makes is `confirmed` from the start; in others the admin is sent a link to confirm.
    """
    passwords.check(fields["password"], email=fields["email"])
    password_hash = passwords.hashed(fields["password"])
    with storage.desk(None, write=True) as desk:
        company = companies.make(desk, fields["company"], confirmed=confirmed)
        own = desk.within(Actor(company["id"], "admin", fields["email"], address=address))
        record(own, company["id"], [Change("company_created", "name", "", company["name"])], subject="company")
        person = {"name": fields["name"], "email": fields["email"], "role": "admin", "password_hash": password_hash}
        user = people.make(own, person)
        companies.ask_to_confirm(own, user)
        session = sessions.start(own, user["id"])
        return {"company": companies.company_shape(company), **signed_in(own, tokens, user, session)}


def add_person(storage: Storage, company: str, fields: Row, *, address: str) -> None:
    """Adds a person to the company of that name. Raises AppError 400, 404, 409."""
    with storage.desk(None, write=True) as desk:
        row = companies.named(desk, company)
        if row is None:
            raise _no_company(company)
        people.make(desk.within(Actor(row["id"], "admin", "command line", address=address)), fields)


def confirm(storage: Storage, tokens: Tokens, token: str, *, address: str) -> Row:
    """Confirms a company with the token its first admin was mailed; gives the company's row.

    Raises AppError 400 for a token that is over, was used, or was sent to another address than the admin has now.
    """
    claims = tokens.read_confirmation(token, now=storage.real_now())
    if claims is None:
        raise _over()
    with storage.desk(None, write=True) as desk:
        user = desk.get(users, claims["sub"])
        if user is None or user["disabled"] or user["role"] != "admin" or user["email"] != claims["email"]:
            raise _over()
        own = desk.within(Actor(user["company_id"], "admin", user["email"], address=address))
        company = own.get(table, user["company_id"], lock=True)
        if company is None or company["confirmed_at"]:
            raise _over()
        return _changed(own, company, {"confirmed_at": own.real_now})


def allow(storage: Storage, actor: Actor, fields: Row) -> Row:
    """Changes what the operator says of the company named `company`: confirmed, oidc_allowed; gives its row.

    Raises AppError 404.
    """
    with storage.desk(None, write=True) as desk:
        company = companies.named(desk, fields["company"])
        if company is None:
            raise _no_company(fields["company"])
        own = desk.within(Actor(company["id"], "admin", actor.name, key_name=actor.key_name, address=actor.address))
        values = {name: fields[name] for name in ("oidc_allowed",) if name in fields}
        if "confirmed" in fields and fields["confirmed"] != bool(company["confirmed_at"]):
            values["confirmed_at"] = own.real_now if fields["confirmed"] else None
        return _changed(own, company, values)


def _changed(own: Desk, company: Row, values: Row) -> Row:
    after = own.update(table, company["id"], values) or company
    record(own, company["id"], changed("company_changed", company, after, values), subject="company")
    return after


def _no_company(name: str) -> AppError:
    return AppError(f"There is no company {name} here.", "not_found", 404)


def _over() -> AppError:
    return invalid_field("token", "token is not valid any more. Sign in again, and a new link is sent.")
