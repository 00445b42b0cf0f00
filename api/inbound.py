"""Mail and messages that come in over HTTP, and what became of each."""

import hmac

from flask import Response, g, request
from marshmallow import Schema

from api.chat import ChatReply
from api.chat_answers import company_model_access
from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choices, Id, Text
from api.http.gate import current_runtime
from api.http.parsing import read_body
from api.http.rate_limits import PublicRateLimit, present_key
from api.http.resource import Resource
from channels.mail_parser import HEADERS_ONLY, MAIL
from channels.posted_mail import ENCODED_FORM, FORM, JSON
from core.errors import AppError, bad_request, unauthorized
from core.models import DEFAULT_COMPANY, LIMITS, Actor
from core.permissions import Permission
from services.chat import turns
from services.inbound import intake, messages, records
from storage import Row, UnitOfWork

blp = Resource("inbound", __name__, description="Mail and messages of other channels that come in.")

SECRET = "X-Inbound-Secret"  # noqa: S105  # the name of the header
BYTES = "application/octet-stream"
RAW = (MAIL, BYTES, "text/plain", "")
TO_POST_MAIL = PublicRateLimit(per_address="6000 per minute")
_ANY_FILE = {"type": "string", "format": "binary"}


class Received(Schema):
    """A mail that was taken."""

    id = schemas.text("Id of the mail; the same one each time it is sent.")
    copies = schemas.integer("Companies that it was taken for.")


class InboundMail(Schema):
    """A mail or message that came in, and what became of it."""

    id = schemas.text("Id of the message.")
    channel = schemas.text("email, or the name of another channel.")
    state = schemas.word(records.STATES, "What became of it.")
    note = schemas.text("Why it became no ticket or reply, or was not answered by itself; or empty.")
    sender = schemas.text("Who it says it is from, which proves nothing.")
    external_id = schemas.text("Its Message-ID, or its id in the other channel.")
    created_at = schemas.moment("When it came in.", required=True)
    ticket_id = schemas.text("The ticket it belongs to, or empty.")


class InboundReply(ChatReply):
    """The answer to a message of another channel."""

    duplicate = schemas.flag("Whether this message was taken before; then nothing was done.")


class InboundQuery(PageQuery):
    """Which messages."""

    state = Choices(records.STATES, about="What became of them; several with commas between.")
    ticket_id = Id(LIMITS["key"], about="Only those of this ticket.")


class NewInboundMessage(Repeatable):
    """A message of a customer from another channel."""

    channel = Text(40, required=True, about="Name of the channel, like whatsapp, telegram, sms or form.")
    sender = Id(LIMITS["customer_id"], required=True, about="Who writes: an id of the channel, or an e-mail address.")
    sender_name = Text(LIMITS["name"], about="Name of who writes.")
    text = Text(LIMITS["body"], lines=True, required=True, about="What they write.")
    external_id = Id(LIMITS["external_id"], required=True, about="Id of the message in its channel; taken once.")
    conversation = Id(LIMITS["key"], about="The conversation to go on with; without it the open one of this sender.")


@blp.post(
    "/api/inbound/email",
    "ReceiveEmail",
    permission=Permission.PUBLIC,
    limit=TO_POST_MAIL,
    response=Received,
    max_body=records.MAX_ORIGINAL,
    media={
        MAIL: {**_ANY_FILE, "description": "The mail itself."},
        FORM: {"type": "object", "description": "A form of SendGrid or Mailgun."},
        JSON: {"type": "object", "description": "The JSON of Postmark."},
    },
)
def receive_email() -> Answer:
    """Take a mail.

    For services that receive mail: the mail itself, a form of SendGrid or Mailgun, or the JSON of Postmark. Send INBOUND_SECRET
    as X-Inbound-Secret or as the password of Basic authentication. The mail is kept at once and read within seconds.
    """
    _check_secret()
    media = request.headers.get("Content-Type", "") or MAIL
    if request.mimetype not in (*RAW, FORM, ENCODED_FORM, JSON):
        raise AppError("Send message/rfc822, a form, or JSON.", "unsupported_media_type", 415)
    body = read_body(request)
    if not body.strip():
        raise bad_request("empty_body", "The body holds no mail.")
    runtime = current_runtime()
    ids = intake.take(runtime.storage, MAIL if request.mimetype in RAW else media, body)
    runtime.runner.wake()
    return Answer({"id": ids[0], "copies": len(ids)}, "The mail was taken.")


@blp.post(
    "/api/inbound/message",
    "ReceiveMessage",
    permission=Permission.TICKETS_CREATE,
    body=NewInboundMessage,
    response=InboundReply,
    manages_transactions=True,
)
def receive_message(body: Row) -> Answer:
    """Take a message.

    For bridges to other channels: WhatsApp, Telegram, SMS, forms. Stores the message in the sender's conversation and answers it
    as the chat does. The same external_id of a channel is taken once, however often it is sent.
    """
    body["channel"] = body["channel"].lower()
    storage, access = current_runtime().storage, company_model_access(g.actor)
    turns.prepare(access, messages.chat_fields(body))
    with storage.unit_of_work(g.actor, write=True) as uow:
        stored_message = messages.take(uow, access, body)
    if stored_message.turn is not None and stored_message.may_answer:
        result = turns.answer(access, stored_message.turn)
        return Answer({**result, "duplicate": False}, "Answered." if result["reply"] else "A person answers this.")
    with storage.unit_of_work(g.actor) as uow:
        result = messages.stored_result(uow, stored_message)
    is_new = stored_message.turn is not None
    message = "The message is stored; its sender wrote too often to be answered." if is_new else "Taken before."
    return Answer({**result, "duplicate": not is_new}, message)


@blp.get(
    "/api/inbound/mails",
    "ListInboundMails",
    permission=Permission.TICKETS_WORK,
    query=InboundQuery,
    response=InboundMail,
    many=True,
)
def list_inbound_mails(uow: UnitOfWork, query: Row) -> Answer:
    """List what came in.

    Mails and messages of other channels, newest first, each with what became of it.
    """
    page = {"limit": query["limit"], "offset": query["offset"]}
    states, ticket_id = query.get("state", []), query.get("ticket_id", "")
    rows, total = records.find(uow, states=states, ticket_id=ticket_id, **page)
    return Answer(rows, how_many(total, "message"), page=(total, *page.values()))


@blp.get(
    "/api/inbound/mails/<mail_id>/original",
    "GetInboundOriginal",
    permission=Permission.TICKETS_WORK,
    downloads={MAIL: _ANY_FILE, BYTES: _ANY_FILE},
)
def get_inbound_original(uow: UnitOfWork, mail_id: str) -> Response:
    """Get the original of a mail.

    The bytes as they came in, with everything that the ticket does not show.
    """
    row, body = records.get(uow, mail_id), records.original(uow, mail_id)
    is_mail = row["media"].split(";")[0] in (MAIL, HEADERS_ONLY)
    # Never as a type that a browser shows: whoever writes a mail may write HTML.
    response = Response(body, mimetype=MAIL if is_mail else BYTES)
    name = f"mail-{row['id']}.{'eml' if is_mail else 'txt'}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def _check_secret() -> None:
    """Raises AppError 401 without the secret, 429 after many wrong ones from one place."""
    secret = current_runtime().settings.inbound_secret.get_secret_value()
    basic = request.authorization
    password = (basic.password or "") if basic is not None and basic.type == "basic" else ""
    sent = (request.headers.get(SECRET, "") or password).strip()

    def look(presented: str) -> Actor | None:
        is_right = hmac.compare_digest(presented.encode("utf-8", "replace"), secret.encode())
        return Actor.system(DEFAULT_COMPANY) if secret and is_right else None

    if not sent or present_key(sent, look) is None:
        raise unauthorized(f"Send INBOUND_SECRET in the header {SECRET}, or as the password of Basic authentication.")
