"""The second factor over HTTP: people set it up and sign in with it, admins reset it."""

from flask import g
from marshmallow import Schema

from api.auth import TO_SIGN_IN_AGAIN, Remembering, SignedIn, entry_of, signed_in_answer
from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Password, Text
from api.http.resource import Resource
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import challenges, second_factor, users
from services.accounts.admission import Admission
from storage import Row, UnitOfWork

blp = Resource("second_factor", __name__, description="The second factor: codes of an authenticator app.")


class Totp(Schema):
    """The second factor of the signed-in person."""

    enabled = schemas.flag("Whether signing in takes a code.")
    recovery_codes_left = schemas.integer("Recovery codes that are not used yet.")
    required = schemas.flag("Whether your company requires it of you.")


class NewTotp(Schema):
    """A new secret for an authenticator app, shown once."""

    secret = schemas.text("The secret in base32, to type into the app.")
    uri = schemas.text("The same as an address for the app, otpauth://totp/….")
    qr_path = schemas.text(
        "A QR code of the address: the `d` of an SVG path in a view box from 0 0 to qr_size qr_size."
    )
    qr_size = schemas.integer("Width and height of that view box, with the margin that a QR code needs.")


class RecoveryCodes(Schema):
    """New recovery codes, shown once."""

    recovery_codes = schemas.texts("Each signs you in once without the app. Earlier ones are not valid any more.")


class SwitchedOff(Schema):
    """What switching the second factor off answers."""

    enabled = schemas.flag("Always false.")


class Reset(Schema):
    """What resetting a second factor answers."""

    reset = schemas.flag("Whether the person had one.")


class Code(Repeatable):
    """A code of the app."""

    code = Text(LIMITS["totp"], required=True, about="The newest code of the app, or a recovery code.")


class FirstCode(Repeatable):
    """The first code of the app."""

    code = Text(LIMITS["totp"], required=True, about="The newest code of the app.")


class CodeOrPassword(Schema):
    """What shows that it is you."""

    code = Text(LIMITS["totp"], about="The newest code of the app, or a recovery code.")
    password = Password(about="Your password, instead of a code.")


class ChallengeAnswer(Remembering):
    """The second step of signing in."""

    challenge = Text(4000, required=True, about="The challenge that signing in answered with.")
    code = Text(LIMITS["totp"], required=True, about="The newest code of the app, or a recovery code.")
    company = Text(LIMITS["company"], about="Taken as sign-in pages send it; the challenge says whose account it is.")


@blp.get(
    "/api/auth/totp",
    "GetTotp",
    permission=Permission.ACCOUNT,
    response=Totp,
    manages_transactions=True,
    without_second_factor=True,
)
def get_totp() -> Answer:
    """Get my second factor.

    Whether it is on, how many recovery codes are left, and whether your company requires it.
    """
    data = second_factor.status(gate.current_runtime().storage, g.actor)
    return Answer(data, "Your second factor is on." if data["enabled"] else "Your second factor is off.")


@blp.post(
    "/api/auth/totp",
    "StartTotp",
    permission=Permission.ACCOUNT,
    response=NewTotp,
    body=Repeatable,
    manages_transactions=True,
    secret=True,
    without_second_factor=True,
)
def start_totp(body: Row) -> Answer:
    """Set up a second factor.

    Gives a secret for an authenticator app, once. It is on after you confirmed it with a code of the app.
    """
    runtime = gate.current_runtime()
    data = second_factor.start(runtime.storage, runtime.secret, g.actor)
    return Answer(data, "Scan the code with your authenticator app, then confirm with a code of it.")


@blp.post(
    "/api/auth/totp/confirm",
    "ConfirmTotp",
    permission=Permission.ACCOUNT,
    body=FirstCode,
    response=RecoveryCodes,
    manages_transactions=True,
    secret=True,
    without_second_factor=True,
)
def confirm_totp(body: Row) -> Answer:
    """Switch the second factor on.

    Takes a first code of the app and gives ten recovery codes, once. Your other sessions end.
    """
    runtime = gate.current_runtime()
    codes = second_factor.confirm(runtime.storage, runtime.secret, g.actor, body["code"])
    return Answer({"recovery_codes": codes}, "Your second factor is on. Keep the recovery codes in a safe place.")


@blp.post(
    "/api/auth/totp/recovery",
    "RenewRecoveryCodes",
    permission=Permission.ACCOUNT,
    body=Code,
    response=RecoveryCodes,
    manages_transactions=True,
    secret=True,
)
def renew_recovery_codes(body: Row) -> Answer:
    """Get new recovery codes.

    Gives ten new ones, once; the earlier ones are not valid any more.
    """
    runtime = gate.current_runtime()
    codes = second_factor.renew_recovery_codes(runtime.storage, runtime.secret, g.actor, body["code"])
    return Answer({"recovery_codes": codes}, "Keep the new recovery codes in a safe place.")


@blp.delete(
    "/api/auth/totp",
    "DeleteTotp",
    permission=Permission.ACCOUNT,
    body=CodeOrPassword,
    response=SwitchedOff,
    manages_transactions=True,
)
def delete_totp(body: Row) -> Answer:
    """Switch the second factor off.

    Takes a code or your password.
    """
    runtime = gate.current_runtime()
    proof = {name: body.get(name, "") for name in ("code", "password")}
    second_factor.switch_off(runtime.storage, runtime.secret, g.actor, **proof)
    return Answer({"enabled": False}, "Your second factor is off.")


@blp.post(
    "/api/auth/totp/verify",
    "AnswerChallenge",
    permission=Permission.PUBLIC,
    limit=TO_SIGN_IN_AGAIN,
    body=ChallengeAnswer,
    response=SignedIn,
)
def answer_challenge(body: Row) -> Answer:
    """Sign in with a second factor.

    Takes the challenge of a sign-in, within 5 minutes, and a code of the app or a recovery code. Each works once.
    """
    runtime = gate.current_runtime()
    data = challenges.answer(
        runtime.storage,
        runtime.tokens,
        runtime.secret,
        body["challenge"],
        body["code"],
        entry_of(body),
    )
    return signed_in_answer(Admission(data), "You are signed in.", body)


@blp.delete("/api/users/<user_id>/totp", "ResetTotp", permission=Permission.USERS_WRITE, response=Reset)
def reset_totp(uow: UnitOfWork, user_id: str) -> Answer:
    """Reset a person's second factor.

    For who lost the app and the recovery codes: they sign in without a code again and can set up another app.
    """
    gate.check_can_grant(users.get(uow, user_id)["role"])  # whoever is more than you is not yours to change
    was_on = second_factor.reset(uow, user_id)
    return Answer({"reset": was_on}, "The second factor is removed." if was_on else "They have no second factor.")
