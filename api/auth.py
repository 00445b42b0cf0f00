"""Signing in over HTTP: people sign in, stay signed in, sign out and change their password."""

from flask import g, request
from marshmallow import Schema

from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Email, Password, Text
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from api.users import User
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import challenges, guests, sign_in
from services.accounts.admission import Admission, Entry
from storage import Row

blp = Resource("auth", __name__, description="Signing in.")

# Wide enough for the many people behind one address of an office or a low-code platform.
TO_SIGN_IN = PublicRateLimit(per_address="300 per minute", per_account="60 per minute")
TO_SIGN_IN_AGAIN = PublicRateLimit(per_address="300 per minute")
TO_REFRESH = PublicRateLimit(per_address="600 per minute")


class SignedIn(Schema):
    """What signing in answers."""

    user = schemas.part(User)
    access_token = schemas.text("Send it as Authorization: Bearer; valid for expires_in_seconds.")
    refresh_token = schemas.text("Gets the next pair of tokens, once.")
    expires_in_seconds = schemas.integer("How long the access token is valid.")


class SignedOut(Schema):
    """What signing out answers."""

    signed_out = schemas.flag("Always true.")


class Changed(Schema):
    """What changing a password answers."""

    changed = schemas.flag("Always true.")


class LogIn(Repeatable):
    """Who signs in."""

    email = Email(required=True, about="E-mail address.")
    password = Password(required=True, about="Password.")
    totp = Text(LIMITS["totp"], about="A code of the authenticator app or a recovery code, with a second factor.")
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


@blp.post("/api/auth/login", "SignIn", permission=Permission.PUBLIC, limit=TO_SIGN_IN, body=LogIn, response=SignedIn)
def log_in(body: Row) -> Answer:
    """Sign in.

    Gives an access token for 15 minutes and a refresh token for the next. With a second factor and without `totp` the
    answer is 401 `second_factor_required` and a `challenge` for /api/auth/totp/verify.
    """
    runtime = gate.current_runtime()
    admitted = sign_in.log_in(
        runtime.storage,
        runtime.tokens,
        body["email"],
        body["password"],
        company=body.get("company", ""),
        address=_address(),
    )
    return Answer(finish_sign_in(admitted, code=body.get("totp", "")), "You are signed in.")


def finish_sign_in(admitted: Admission, *, code: str = "") -> Row:
    """What a route that signs in answers. Raises AppError 401 for a second factor."""
    runtime = gate.current_runtime()
    return challenges.finish(runtime.storage, runtime.tokens, runtime.secret, admitted, Entry(_address()), code=code)


@blp.post(
    "/api/auth/refresh", "StaySignedIn", permission=Permission.PUBLIC, limit=TO_REFRESH, body=Refresh, response=SignedIn
)
def refresh(body: Row) -> Answer:
    """Stay signed in.

    Gives new tokens for a refresh token, which is used up by it. One that comes back later ends the session; within 30
    seconds it is taken for a call sent again.
    """
    runtime = gate.current_runtime()
    data = guests.refresh(runtime.storage, runtime.tokens, body["refresh_token"])
    data = data or sign_in.refresh(runtime.storage, runtime.tokens, body["refresh_token"], address=_address())
    return Answer(data, "You stay signed in.")


@blp.post(
    "/api/auth/logout", "SignOut", permission=Permission.PUBLIC, limit=TO_REFRESH, body=Refresh, response=SignedOut
)
def log_out(body: Row) -> Answer:
    """Sign out.

    Ends the session: its tokens are invalid from now on.
    """
    runtime = gate.current_runtime()
    if not guests.log_out(runtime.storage, runtime.tokens, body["refresh_token"]):
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


def _address() -> str:
    return request.remote_addr or ""
