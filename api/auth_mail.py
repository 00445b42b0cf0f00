"""Signing in by mail over HTTP: codes, links to a new password, and customers who register themselves."""

from flask import request
from marshmallow import Schema

from api.auth import Remembering, SignedIn, entry_of, signed_in_answer
from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Email, Id, Password, Text
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from api.invitations import MOST_TOKEN, asked_language
from auth import passwords
from core.models import LIMITS
from core.permissions import Permission
from runtime.bootstrap import Runtime
from services.accounts import codes, mailed_access, password_reset
from storage import Row

blp = Resource("auth_mail", __name__, description="Signing in by mail.")

# Each mail is also counted where it is sent, for its address (services/outgoing_mail.py).
TO_ASK = PublicRateLimit(per_address="300 per hour", per_account="10 per hour")
TO_CONFIRM = PublicRateLimit(per_address="300 per minute", per_account="30 per minute")
TO_RESET = PublicRateLimit(per_address="60 per minute")
TO_REGISTER = PublicRateLimit(per_address="60 per hour", per_account="10 per hour", in_all="1200 per hour")
OF_COMPANY = "Name of the company; without it every company where the address has an account."


class Asked(Schema):
    """What asking for a mail answers, whether or not there is such an account."""

    asked = schemas.flag("Always true.")


class AskByMail(Repeatable):
    """Who asks for a mail."""

    email = Email(required=True, about="E-mail address of the account.")
    company = Text(LIMITS["company"], about=OF_COMPANY)


class MailedCode(Remembering):
    """A code that was mailed."""

    email = Email(required=True, about="E-mail address that the code was mailed to.")
    code = Id(MOST_TOKEN, required=True, about="The six digits of the mail, or the token of its link.")
    company = Text(LIMITS["company"], about="Name of the company; without it the one whose code it is.")


class Registration(Repeatable):
    """A customer who registers."""

    email = Email(required=True, about="E-mail address, which a code will confirm.")
    name = Text(LIMITS["name"], required=True, about="Name.")
    password = Password(about="Password; at least 8 characters. Without it they sign in with codes.")
    company = Text(LIMITS["company"], about="Name of the company; `default` without it.")


class PasswordByMail(Remembering):
    """A new password."""

    token = Text(MOST_TOKEN, required=True, about="The token of the link.")
    password = Password(required=True, about="The new password; at least 8 characters.")


@blp.post(
    "/api/auth/code",
    "AskForCode",
    permission=Permission.PUBLIC,
    limit=TO_ASK,
    body=AskByMail,
    response=Asked,
)
def ask_for_code(body: Row) -> Answer:
    """Ask for a code.

    Mails a code of six digits for 10 minutes, if somebody has an account with that address. The answer is always the same.
    """
    runtime = _mailing_runtime()
    mailed_access.ask(runtime.storage, "code", body["email"], body.get("company", ""), **_from())
    return Answer({"asked": True}, "If there is an account with this address, a code is on its way.")


@blp.post(
    "/api/auth/code/confirm",
    "SignInWithCode",
    permission=Permission.PUBLIC,
    limit=TO_CONFIRM,
    body=MailedCode,
    response=SignedIn,
)
def sign_in_with_code(body: Row) -> Answer:
    """Sign in with a code.

    Takes the newest code that was mailed, once. After five wrong ones it is over, and the token of the mail's link still signs
    in. The code of a registration makes the account.
    """
    runtime = gate.current_runtime()
    digits = "".join(body["code"].split()).replace("-", "")
    code = digits if digits.isdigit() else body["code"]
    admitted = codes.confirm(
        runtime.storage,
        runtime.tokens,
        runtime.one_time,
        body["email"],
        code,
        entry_of(body),
        company=body.get("company", ""),
    )
    return signed_in_answer(admitted, "You are signed in.", body)


@blp.post(
    "/api/auth/register",
    "RegisterCustomer",
    permission=Permission.PUBLIC,
    limit=TO_REGISTER,
    body=Registration,
    response=Asked,
)
def register_customer(body: Row) -> Answer:
    """Register as a customer.

    Mails a code that confirms the address; signing in with it makes the account. For a company whose setting registration
    allows it. An address that has an account gets a code to sign in, and the answer is the same. The password counts when the
    code comes from the network address it was chosen at; otherwise they choose one by /api/auth/reset.
    """
    runtime = _mailing_runtime()
    password = body.get("password", "")
    password_hash = passwords.hashed(passwords.check(password, email=body["email"])) if password else ""
    fields = {"name": body["name"], "password_hash": password_hash}
    mailed_access.ask_to_register(runtime.storage, body["email"], body.get("company", ""), fields, **_from())
    return Answer({"asked": True}, "A code is on its way to this address. Sign in with it.")


@blp.post(
    "/api/auth/reset",
    "AskForNewPassword",
    permission=Permission.PUBLIC,
    limit=TO_ASK,
    body=AskByMail,
    response=Asked,
)
def ask_for_new_password(body: Row) -> Answer:
    """Ask for a new password.

    Mails a link for an hour, if somebody has an account with that address. The answer is always the same.
    """
    runtime = _mailing_runtime()
    mailed_access.ask(runtime.storage, "reset", body["email"], body.get("company", ""), **_from())
    return Answer({"asked": True}, "If there is an account with this address, a link is on its way.")


@blp.post(
    "/api/auth/reset/confirm",
    "SetNewPassword",
    permission=Permission.PUBLIC,
    limit=TO_RESET,
    body=PasswordByMail,
    response=SignedIn,
)
def set_new_password(body: Row) -> Answer:
    """Set a new password.

    Takes the token of the link, once. Every session, link and code of the account ends, and the caller is signed in.
    """
    runtime = gate.current_runtime()
    admitted = password_reset.confirm(
        runtime.storage, runtime.tokens, runtime.one_time, body["token"], body["password"], entry_of(body)
    )
    return signed_in_answer(admitted, "Your password is changed. You are signed in.", body)


def _mailing_runtime() -> Runtime:
    """The runtime. Raises AppError 409 when it sends no mail."""
    runtime = gate.current_runtime()
    mailed_access.check_mails(mails=runtime.mailer.mode != "console")
    return runtime


def _from() -> Row:
    """Language and address of who asks."""
    return {"language": asked_language(), "address": request.remote_addr or ""}
