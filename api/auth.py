"""Signing in over HTTP: people sign in, stay signed in, sign out and change their password."""

from typing import Any

from flask import g, request
from marshmallow import Schema, pre_load

from api.http import gate, refresh_cookie, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Email, Password, Text, Yes
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from api.users import User
from core import devices
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
    refresh_token = schemas.text("Gets the next pair of tokens, once; empty when a cookie holds it.")
    expires_in_seconds = schemas.integer("How long the access token is valid.")


class SignedOut(Schema):
    """What signing out answers."""

    signed_out = schemas.flag("Always true.")


class Changed(Schema):
    """What changing a password answers."""

    changed = schemas.flag("Always true.")


class Remembering(Repeatable):
    """Signing in, for this time or for long."""

    remember = Yes(
        about="Stay signed in on this device: 30 days without a call, not 14. With the header X-Requested-With the refresh "
        "token becomes a cookie that no script reads, and is not in the answer."
    )


class LogIn(Remembering):
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

    refresh_token = Text(
        4000,
        required=True,
        about="The newest refresh token. A page leaves it out where the cookie has it, and sends X-Requested-With.",
    )

    @pre_load
    def _of_cookie(self, body: Row, **_: Any) -> Row:
        """Takes the token of the cookie where the body has none and a page of this server asks."""
        g.token_of_cookie = ""
        if body.get("refresh_token") is None and refresh_cookie.is_own_page(gate.current_runtime().settings.public_url):
            g.token_of_cookie = refresh_cookie.value()
        return {**body, "refresh_token": g.token_of_cookie} if g.token_of_cookie else body


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
        entry_of(body),
        company=body.get("company", ""),
    )
    return signed_in_answer(admitted, "You are signed in.", body, code=body.get("totp", ""))


@blp.post(
    "/api/auth/refresh", "StaySignedIn", permission=Permission.PUBLIC, limit=TO_REFRESH, body=Refresh, response=SignedIn
)
def refresh(body: Row) -> Answer:
    """Stay signed in.

    Gives new tokens for a refresh token, which is used up by it. One that comes back later ends the session; within 30
    seconds it is taken for a call sent again. A browser may leave it out where a cookie has it.
    """
    runtime = gate.current_runtime()
    token, by_cookie = body["refresh_token"], bool(g.token_of_cookie)
    data = guests.refresh(runtime.storage, runtime.tokens, token)
    data = data or sign_in.refresh(runtime.storage, runtime.tokens, token, address=_address())
    return _with_tokens(data, "You stay signed in.", by_cookie=by_cookie)


@blp.post(
    "/api/auth/logout", "SignOut", permission=Permission.PUBLIC, limit=TO_REFRESH, body=Refresh, response=SignedOut
)
def log_out(body: Row) -> Answer:
    """Sign out.

    Ends the session: its tokens are invalid from now on.
    """
    runtime = gate.current_runtime()
    token, by_cookie = body["refresh_token"], bool(g.token_of_cookie)
    if not guests.log_out(runtime.storage, runtime.tokens, token):
        sign_in.log_out(runtime.storage, runtime.tokens, token, address=_address())
    headers = {"Set-Cookie": refresh_cookie.removal(runtime.settings.public_url)} if by_cookie else {}
    return Answer({"signed_out": True}, "You are signed out.", headers=headers)


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


def entry_of(body: Row) -> Entry:
    """From where and for how long the caller signs in."""
    device = devices.name(request.headers.get("User-Agent", ""))
    return Entry(_address(), device, bool(body.get("remember")))


def signed_in_answer(admitted: Admission, message: str, body: Row, *, code: str = "") -> Answer:
    """What a route that signs in answers, from what admission.admit gave and its own body; `code` is of a second factor.

    A page of ours that asks to stay signed in gets the refresh token as a cookie. Raises AppError 401 for a second factor.
    """
    runtime = gate.current_runtime()
    data = challenges.finish(runtime.storage, runtime.tokens, runtime.secret, admitted, entry_of(body), code=code)
    wants_cookie = bool(body.get("remember")) and refresh_cookie.is_own_page(runtime.settings.public_url)
    return _with_tokens(data, message, by_cookie=wants_cookie)


def _with_tokens(data: Row, message: str, *, by_cookie: bool) -> Answer:
    """The answer with the tokens; with `by_cookie` the refresh token is a cookie and not in it."""
    if not by_cookie:
        return Answer(data, message)
    cookie = refresh_cookie.holding(data["refresh_token"], gate.current_runtime().settings.public_url)
    return Answer({**data, "refresh_token": ""}, message, headers={"Set-Cookie": cookie})


def _address() -> str:
    return request.remote_addr or ""
