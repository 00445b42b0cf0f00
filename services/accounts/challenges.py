"""The second step of a sign-in: a person with a second factor gets a challenge, and answers it with a code."""

from dataclasses import replace

from auth.tokens import CHALLENGE_SECONDS, Tokens
from core.errors import AppError, unauthorized
from core.models import Actor
from database.tables import users
from services.accounts import admission, second_factor
from services.accounts.admission import Admission, Entry
from storage import Row, Storage


def finish(
    storage: Storage, tokens: Tokens, server_secret: str, admitted: Admission, entry: Entry, *, code: str = ""
) -> Row:
    """The answer of a sign-in, as admission.signed_in has it. `code` answers a challenge at once.

    Raises AppError 401 `second_factor_required` with the challenge when a code is missing, 401 for a wrong code, 429 after
    too many.
    """
    if admitted.signed_in is not None:
        return admitted.signed_in
    if code:
        return answer(storage, tokens, server_secret, admitted.challenge, code, entry)
    raise replace(
        unauthorized(),
        message="Enter the code of your authenticator app, or one of your recovery codes.",
        code="second_factor_required",
        details={"challenge": admitted.challenge, "expires_in_seconds": CHALLENGE_SECONDS},
    )


def answer(storage: Storage, tokens: Tokens, server_secret: str, challenge: str, code: str, entry: Entry) -> Row:
    """Signs the person of a challenge in with a code of the app or a recovery code; the answer of a sign-in.

    Raises AppError 401, and 429 after too many codes for the account.
    """
    claims = tokens.read_challenge(challenge, now=storage.real_now())
    if claims is None:
        raise _over()
    second_factor.count_attempt(storage, claims["sub"])
    with storage.unit_of_work(None, write=True) as uow:
        user = uow.get(users, claims["sub"])
        if user is None or user["disabled"] or not user["second_factor"] or claims["mark"] != admission.mark_of(user):
            raise _over()
        company_uow = uow.as_actor(Actor(user["company_id"], "admin", admission.name_of(user), address=entry.address))
        if second_factor.accept(company_uow, server_secret, user, code):
            second_factor.clear_attempts(uow, user["id"])
            return admission.start_session(company_uow, tokens, user, entry, way=claims["way"])
    message = "This code is not right, or it was used before. Wait for the next one of your app."
    raise replace(unauthorized(), message=message, code="wrong_code")


def _over() -> AppError:
    return replace(unauthorized(), message="This sign-in is over. Please begin again.", code="challenge_over")
