"""Invitations over HTTP: an admin invites a person, who accepts with the token of the mailed link."""

from flask import request
from marshmallow import Schema

from api.auth import Remembering, SignedIn, entry_of, signed_in_answer
from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Choice, Email, Password, TeamName, Text
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from api.users import User
from channels.sign_in_mails import link_of
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import invitations, users
from services.notices.wording import NOTICE_LANGUAGES
from storage import Row, UnitOfWork

blp = Resource("invitations", __name__, description="Invitations.")

TO_ACCEPT = PublicRateLimit(per_address="60 per minute")
MOST_TOKEN = 200  # characters; a token has 43


class Invited(Schema):
    """An invited person."""

    user = schemas.part(User)
    mailed = schemas.flag("Whether the link is mailed to them.")
    link = schemas.text("The link to hand over when it is not mailed, shown once; empty otherwise.")


class Invitation(Repeatable):
    """Whom to invite."""

    email = Email(required=True, about="E-mail address of the person, which they will sign in with.")
    role = Choice(models.ROLES, required=True, about="admin, agent or customer.")
    name = Text(LIMITS["name"], about="Name; they may change it when they accept.")
    team = TeamName(about="Team, for automatic assignment.")


class Acceptance(Remembering):
    """An invitation to accept."""

    token = Text(MOST_TOKEN, required=True, about="The token of the link.")
    password = Password(required=True, about="The password to sign in with; at least 8 characters.")
    name = Text(LIMITS["name"], about="Name, in place of the one in the invitation.")


@blp.post(
    "/api/auth/invite",
    "InviteUser",
    permission=Permission.USERS_WRITE,
    body=Invitation,
    response=Invited,
    status=201,
    secret=True,
)
def invite_user(uow: UnitOfWork, body: Row) -> Answer:
    """Invite a person.

    Adds a person who cannot sign in yet and mails them a link for 7 days. Inviting them again ends the link before. Without a
    mail server or PUBLIC_URL the answer holds the link once, for you to hand over. The same holds in a company that is not
    confirmed.
    """
    gate.check_can_grant(body["role"])
    known = invitations.find(uow, body["email"])
    if known is not None:
        gate.check_can_grant(known["role"])  # whoever is more than you is not yours to change
    runtime = gate.current_runtime()
    public_url = runtime.settings.public_url
    mails = runtime.mailer.mode != "console" and bool(public_url)
    user, token = invitations.invite(uow, runtime.one_time, body, mails=mails, language=asked_language())
    link = link_of("invitation", token, public_url or request.host_url) if token else ""
    message = f"{user['email']} is invited by mail."
    if link:
        message = f"{user['email']} is invited, and no mail is sent. Hand over the link: it is shown only now."
    return Answer({"user": users.user_shape(user), "mailed": not link, "link": link}, message, 201)


@blp.post(
    "/api/auth/accept",
    "AcceptInvitation",
    permission=Permission.PUBLIC,
    limit=TO_ACCEPT,
    body=Acceptance,
    response=SignedIn,
)
def accept_invitation(body: Row) -> Answer:
    """Accept an invitation.

    Takes the token of the link, once and within 7 days, sets the password and signs in.
    """
    runtime = gate.current_runtime()
    admitted = invitations.accept(
        runtime.storage,
        runtime.tokens,
        runtime.one_time,
        body["token"],
        body["password"],
        entry_of(body),
        name=body.get("name", ""),
    )
    return signed_in_answer(admitted, "Welcome. You are signed in.", body)


def asked_language() -> str:
    """The language of mails that the caller's browser asks for, "" when it asks for none that there are words in."""
    return request.accept_languages.best_match(NOTICE_LANGUAGES) or "" if request.accept_languages else ""
