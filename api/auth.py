"""Registration and sign-in over HTTP: register, sign in, refresh, sign out, change password."""

from flask import g, request
from marshmallow import Schema

from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Email, Password, Text
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from api.users import User
from core.errors import AppError, forbidden
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import sign_in
from storage import Row

blp = Resource("auth", __name__, description="Companies and signing in.")

# Wide enough for the many people behind one address of an office or a low-code platform.
TO_REGISTER = PublicRateLimit(per_address="60 per hour", in_all="600 per hour")
TO_SIGN_IN = PublicRateLimit(per_address="300 per minute", per_account="60 per minute")
TO_REFRESH = PublicRateLimit(per_address="600 per minute")


class Company(Schema):
    """A company."""

    id = schemas.text("Id of the company.")
    name = schemas.text("Name of the company.")


class SignedIn(Schema):
    """What signing in answers."""

    user = schemas.part(User)
    access_token = schemas.text("Send it as Authorization: Bearer; valid for expires_in_seconds.")
    refresh_token = schemas.text("Gets the next pair of tokens, once.")
    expires_in_seconds = schemas.whole("How long the access token is valid.")


class Registered(SignedIn):
    """What registering a company answers."""

    company = schemas.part(Company)


class SignedOut(Schema):
    """What signing out answers."""

    signed_out = schemas.flag("Always true.")


class Changed(Schema):
    """What changing a password answers."""

    changed = schemas.flag("Always true.")


class NewCompany(Repeatable):
    """A company and its first admin."""

    company = Text(LIMITS["company"], required=True, about="Name of the company.")
    name = Text(LIMITS["name"], required=True, about="Name of its first admin.")
    email = Email(required=True, about="E-mail address they sign in with.")
    password = Password(required=True, about="Password; at least 8 characters.")


class LogIn(Repeatable):
    """Who signs in."""

    email = Email(required=True, about="E-mail address.")
    password = Password(required=True, about="Password.")
    company = Text(
        LIMITS["company"],
        about="Name of the company, for who has an account in several; without it the one whose password fits.",
    )


class Refresh(Repeatable):
    """A session to continue or to end."""

    refresh_token = Text(4000, required=True, about="The newest refresh token.")


class NewPassword(Repeatable):
    """A password to change."""

    old = Password(required=True, about="The password until now.")
    new = Password(required=True, about="The new one; at least 8 characters.")


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

    Creates a company with its first admin, who is signed in at once. A server can close registration (OPEN_REGISTRATION);
    then only admins of the default company can register one.
    """
    runtime = gate.current_runtime()
    by_operator = _by_operator(is_open=runtime.settings.registration_open)
    if not runtime.settings.registration_open and not by_operator:
        raise forbidden("Registration is closed on this server. Ask its operator.")
    data = sign_in.register(runtime.storage, runtime.tokens, body, address=_address(), confirmed=by_operator)
    return Answer(data, f"{body['company']} is registered.", 201)


@blp.post("/api/auth/login", "SignIn", permission=Permission.PUBLIC, limit=TO_SIGN_IN, body=LogIn, response=SignedIn)
def log_in(body: Row) -> Answer:
    """Sign in.

    Gives an access token for 15 minutes and a refresh token for the next.
    """
    runtime = gate.current_runtime()
    data = sign_in.log_in(
        runtime.storage,
        runtime.tokens,
        body["email"],
        body["password"],
        company=body.get("company", ""),
        address=_address(),
    )
    return Answer(data, "You are signed in.")


@blp.post(
    "/api/auth/refresh", "StaySignedIn", permission=Permission.PUBLIC, limit=TO_REFRESH, body=Refresh, response=SignedIn
)
def refresh(body: Row) -> Answer:
    """Stay signed in.

    Gives new tokens for a refresh token, which is used up by it. One that comes back later ends the session; within 30
    seconds it is taken for a call sent again.
    """
    runtime = gate.current_runtime()
    data = sign_in.refresh(runtime.storage, runtime.tokens, body["refresh_token"], address=_address())
    return Answer(data, "You stay signed in.")


@blp.post(
    "/api/auth/logout", "SignOut", permission=Permission.PUBLIC, limit=TO_REFRESH, body=Refresh, response=SignedOut
)
def log_out(body: Row) -> Answer:
    """Sign out.

    Ends the session: its tokens are invalid from now on.
    """
    runtime = gate.current_runtime()
    sign_in.log_out(runtime.storage, runtime.tokens, body["refresh_token"], address=_address())
    return Answer({"signed_out": True}, "You are signed out.")


@blp.post(
    "/api/auth/password",
    "ChangePassword",
    permission=Permission.ACCOUNT,
    body=NewPassword,
    response=Changed,
    manages_transactions=True,
)
def change_password(body: Row) -> Answer:
    """Change your password.

    Needs the old one; your other sessions end.
    """
    sign_in.change_password(gate.current_runtime().storage, g.actor, body["old"], body["new"])
    return Answer({"changed": True}, "Your password is changed.")


def _by_operator(*, is_open: bool) -> bool:
    """Whether the operator registers the company. With open registration invalid credentials are ignored."""
    try:
        return gate.is_operator()
    except AppError:
        if is_open:
            return False
        raise


def _address() -> str:
    return request.remote_addr or ""
