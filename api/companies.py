"""Companies over HTTP: one registers, its first admin confirms their address, the operator says what it may."""

from flask import g, request
from marshmallow import Schema

from api.auth import SignedIn, entry_of
from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Email, Password, Text, Yes
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from core.errors import AppError, forbidden
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import registration
from services.accounts.companies import company_shape
from storage import Row

blp = Resource("companies", __name__, description="Companies: registering, confirming, and what the operator allows.")

# Wide enough for the many people behind one address of an office or a low-code platform.
TO_REGISTER = PublicRateLimit(per_address="60 per hour", in_all="600 per hour")
TO_CONFIRM = PublicRateLimit(per_address="60 per minute")


class Company(Schema):
    """A company."""

    id = schemas.text("Id of the company.")
    name = schemas.text("Name of the company.")
    confirmed = schemas.flag("Whether its first admin's address is confirmed. Until then it mails only its own admins.")


class AllowedCompany(Company):
    """A company as the operator sees it."""

    oidc_allowed = schemas.flag("Whether people of the OpenID Connect issuer may belong to it.")
    inbound_allowed = schemas.flag("Whether it may claim addresses that mail comes in at.")


class Registered(SignedIn):
    """What registering a company answers."""

    company = schemas.part(Company)


class NewCompany(Repeatable):
    """A company and its first admin."""

    company = Text(LIMITS["company"], required=True, about="Name of the company.")
    name = Text(LIMITS["name"], required=True, about="Name of its first admin.")
    email = Email(required=True, about="E-mail address they sign in with.")
    password = Password(required=True, about="Password; at least 8 characters.")


class Allowances(Repeatable):
    """What the operator says of a company."""

    company = Text(LIMITS["company"], required=True, about="Name of the company.")
    confirmed = Yes(about="Whether it counts as confirmed, without the link by mail.")
    oidc_allowed = Yes(about="Whether people of the OpenID Connect issuer may belong to it.")
    inbound_allowed = Yes(
        about="Whether it may claim addresses that mail comes in at (inbound_addresses in its settings)."
    )


class Confirmation(Repeatable):
    """A token to confirm an address with."""

    token = Text(4000, required=True, about="The token of the link that was mailed.")


@blp.post(
    "/api/companies",
    "RegisterCompany",
    permission=Permission.PUBLIC,
    limit=TO_REGISTER,
    body=NewCompany,
    response=Registered,
    status=201,
)
def register_company(body: Row) -> Answer:
    """Register a company.

    Makes a company with its first admin, who is signed in at once and mailed a link to confirm the address. A server may be
    closed to strangers (OPEN_REGISTRATION); then only the operator, an admin of the company default, registers companies.
    """
    runtime = gate.current_runtime()
    by_operator = _by_operator(is_open=runtime.settings.registration_open)
    if not runtime.settings.registration_open and not by_operator:
        raise forbidden("This server takes no new companies by itself. Ask whoever runs it.")
    data = registration.register(runtime.storage, runtime.tokens, body, entry_of(body), confirmed=by_operator)
    return Answer(data, f"{body['company']} is registered.", 201)


@blp.patch(
    "/api/companies",
    "AllowCompany",
    permission=Permission.SETTINGS_WRITE,
    body=Allowances,
    response=AllowedCompany,
    manages_transactions=True,
)
def allow_company(body: Row) -> Answer:
    """Say what a company may.

    For the operator alone, an admin of the company default. Says whether a company counts as confirmed, and whether people of
    the OpenID Connect issuer may belong to it. Also says whether it may claim addresses that mail comes in at.
    """
    gate.check_operator()
    company = registration.allow(gate.current_runtime().storage, g.actor, body)
    allowed = {name: company[name] for name in ("oidc_allowed", "inbound_allowed")}
    data = {**company_shape(company), **allowed}
    return Answer(data, f"{company['name']} is saved.")


@blp.post(
    "/api/auth/confirm",
    "ConfirmAddress",
    permission=Permission.PUBLIC,
    limit=TO_CONFIRM,
    body=Confirmation,
    response=Company,
)
def confirm_address(body: Row) -> Answer:
    """Confirm an address.

    Takes the token that the first admin of a new company was mailed, once and within a week. From then on the company mails
    its customers too. Who signs in unconfirmed is mailed a new one, at most once an hour.
    """
    runtime = gate.current_runtime()
    company = registration.confirm(runtime.storage, runtime.tokens, body["token"], address=_address())
    return Answer(company_shape(company), f"{company['name']} is confirmed.")


def _by_operator(*, is_open: bool) -> bool:
    """Whether the operator registers the company. Where anybody may register, credentials that are not valid are
    ignored."""
    try:
        return gate.is_operator()
    except AppError:
        if is_open:
            return False
        raise


def _address() -> str:
    return request.remote_addr or ""
