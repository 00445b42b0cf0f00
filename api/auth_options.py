"""What a sign-in page needs to know, and guests of the chat, over HTTP."""

from marshmallow import Schema, fields

from api.auth import SignedIn
from api.http import gate, schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Text
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from core.models import LIMITS
from core.permissions import Permission
from services.accounts import guests, options
from storage import Row

blp = Resource("auth_options", __name__, description="What a sign-in page needs, and guests of the chat.")

TO_LOOK = PublicRateLimit(per_address="600 per minute")
TO_ENTER = PublicRateLimit(per_address="20 per minute, 120 per hour", in_all="6000 per hour")


class OidcButton(Schema):
    """The button that signs people in at an OpenID Connect issuer."""

    label = schemas.text("Words on the button.")
    url = schemas.text("Address to go to, with `next` as the path of the page to come back to.")


class Options(Schema):
    """How people may come in at a company."""

    company = schemas.text("Name of the company, to send as `company`.")
    name = schemas.text("Its name to show.")
    password = schemas.flag("Whether people sign in with a password.")
    codes = schemas.flag("Whether codes and links to sign in can be mailed.")
    registration = schemas.flag("Whether customers may register themselves.")
    chat_guests = schemas.flag("Whether anybody may chat as a guest.")
    oidc = fields.Nested(
        OidcButton, metadata={"description": "Signing in at the organisation's own issuer; left out where it is off."}
    )
    opens = schemas.text("When people are back, like 2026-11-30 09:00 (Europe/Berlin); empty in opening hours.")


class Guest(SignedIn):
    """What a new guest of the chat gets."""

    customer_id = schemas.text("Id of the guest as a customer, like guest:….")


class CompanyQuery(Schema):
    """Of which company."""

    company = Text(LIMITS["company"], about="Name of the company; `default` without it.")


class NewGuest(Repeatable):
    """Somebody who wants to chat without signing in."""

    company = Text(LIMITS["company"], about="Name of the company; `default` without it.")
    name = Text(LIMITS["name"], about="What to call them.")


@blp.get(
    "/api/auth/options",
    "GetSignInOptions",
    permission=Permission.PUBLIC,
    limit=TO_LOOK,
    query=CompanyQuery,
    response=Options,
)
def get_options(query: Row) -> Answer:
    """Get the ways to sign in.

    What a sign-in page shows for a company: by password, by a code, as a new customer, as a guest of the chat.
    """
    runtime = gate.current_runtime()
    data = options.of_company(runtime.storage, query.get("company", ""), mails=runtime.mailer.mode != "console")
    if runtime.oidc_client is not None and options.takes_issuer(runtime.storage, runtime.settings, data["company"]):
        url = f"{runtime.settings.public_url}/api/auth/oidc/start"
        data["oidc"] = {"label": runtime.settings.oidc_label, "url": url}
    return Answer(data, f"How to sign in at {data['name']}.")


@blp.post(
    "/api/auth/guest",
    "EnterAsGuest",
    permission=Permission.PUBLIC,
    limit=TO_ENTER,
    body=NewGuest,
    response=Guest,
)
def enter_as_guest(body: Row) -> Answer:
    """Enter as a guest of the chat.

    Gives tokens of a new customer whom nobody knows. They chat, close, attach files, rate, search and read
    published articles. They see only what they wrote themselves, and end when the setting chat_guests is switched off.
    `/api/auth/refresh` and `/api/auth/logout` go on from there.
    """
    runtime = gate.current_runtime()
    data = guests.enter(runtime.storage, runtime.tokens, body.get("company", ""), body.get("name", ""))
    return Answer(data, "Welcome. You chat as a guest.")
