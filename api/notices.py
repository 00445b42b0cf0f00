"""Notices over HTTP: how a company words them, what they look like, and ending a kind by the link in a mail."""

from typing import Any

from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Id, Text
from api.http.gate import current_runtime
from api.http.rate_limits import PublicRateLimit
from api.http.resource import Resource
from channels.notice_words import KINDS, MOST_SUBJECT, MOST_TEXT, TO_CUSTOMERS, TO_STAFF, Words
from core.errors import not_found
from core.models import LIMITS, Actor
from core.permissions import Permission
from services import outgoing_mail
from services.notices import unsubscribing, wording
from storage import Row, UnitOfWork

blp = Resource("notices", __name__, description="The mails that customers and your people get.")

TO_UNSUBSCRIBE = PublicRateLimit(per_address="60 per minute")


class NoticeText(Schema):
    """A company's own words of a notice."""

    language = schemas.text("Language of the tickets it is for; empty for every other one.")
    subject = schemas.text("Subject; empty for the default.")
    text = schemas.text("Text before what is always in it; empty for the default.")


class NoticeKind(Schema):
    """A kind of notice, its default words and yours."""

    kind = schemas.word(tuple(KINDS), "Kind of notice.")
    about = schemas.text("When it is sent, and to whom.")
    audience = schemas.word((TO_CUSTOMERS, TO_STAFF), "Who gets it: customers or staff.")
    default_subject = schemas.text("Subject without one of yours.")
    default_text = schemas.text("Text without one of yours.")
    variables = schemas.texts("Variables that subject and text may hold, each written like {{ticket_number}}.")
    always = schemas.text("What is always in it, whatever you write.")
    texts = schemas.items(NoticeText, "Your own words.")


class NoticePreview(Schema):
    """A notice as it would be mailed."""

    kind = schemas.word(tuple(KINDS), "Kind of notice.")
    subject = schemas.text("Subject.")
    text = schemas.text("Text.")


class NoticeWords(Schema):
    """Your words of a notice."""

    kind = Choice(tuple(KINDS), required=True, about="Kind of notice.")
    language = Choice(
        wording.NOTICE_LANGUAGES,
        about="Language of the tickets it is for, by their text. Leave it out for every other one.",
    )
    subject = Text(MOST_SUBJECT, about="Subject; leave it out for the default.")
    text = Text(MOST_TEXT, lines=True, about="Text before what is always in it; leave it out for the default.")


class NoticeToShow(NoticeWords, Repeatable):
    """Words to try; without subject and text those in use."""

    ticket_id = Id(LIMITS["key"], about="A ticket to show it with; without it a sample.")


class Unsubscribed(Schema):
    """What ending a kind answers."""

    unsubscribed = schemas.flag("Always true.")
    kind = schemas.text("Kind of notice that you do not get any more.")


@blp.get("/api/settings/notices", "ListNotices", permission=Permission.SETTINGS_READ, response=NoticeKind, many=True)
def list_notices(uow: UnitOfWork) -> Answer:
    """List the notices.

    Every kind of mail with its default words, the variables it may hold, and your own words.
    """
    rows = wording.kinds(uow)
    return Answer(rows, how_many(len(rows), "kind"), page=(len(rows), len(rows), 0))


@blp.put(
    "/api/settings/notices",
    "UpdateNotice",
    permission=Permission.SETTINGS_WRITE,
    body=NoticeWords,
    response=NoticeKind,
)
def update_notice(uow: UnitOfWork, body: Row) -> Answer:
    """Word a notice.

    Replaces your subject and text of one kind in one language. Without both the default is back. They hold from the next mail.
    """
    kind = wording.put(uow, body["kind"], body.get("language", ""), _words(body))
    return Answer(kind, "The notice is saved.")


@blp.post(
    "/api/settings/notices/preview",
    "PreviewNotice",
    permission=Permission.SETTINGS_READ,
    body=NoticeToShow,
    response=NoticePreview,
)
def preview_notice(uow: UnitOfWork, body: Row) -> Answer:
    """See a notice.

    Shows the mail with these words, or with those in use, for a ticket of yours or a sample. Nothing is sent or saved.
    """
    server = current_runtime().settings
    about = outgoing_mail.sender(uow, {}, from_name=server.sender.name, support_email=server.support_email)
    about |= {"public_url": server.public_url}
    ticket_id = body.get("ticket_id", "")
    notice = wording.preview(uow, body["kind"], body.get("language", ""), _words(body), ticket_id, **about)
    return Answer({"kind": body["kind"], "subject": notice.subject, "text": notice.text}, "This is the mail.")


def _words(body: Row) -> Words:
    return Words(body.get("subject", ""), body.get("text", ""))


@blp.post(
    "/api/notices/unsubscribe/<token>",
    "EndNotice",
    permission=Permission.PUBLIC,
    limit=TO_UNSUBSCRIBE,
    response=Unsubscribed,
)
def end_notice(token: str) -> Answer:
    """End a kind of notice by its link.

    What a mail program calls when its user clicks on unsubscribe (RFC 8058). The link is in mails to your own people.
    """
    runtime = current_runtime()
    claims: dict[str, Any] = runtime.tokens.read_unsubscribe(token, now=runtime.storage.real_now()) or {}
    if not claims:
        raise not_found()
    with runtime.storage.unit_of_work(Actor.system(claims["company"]), write=True) as uow:
        unsubscribing.end(uow, claims["sub"], claims["notice"])
    return Answer({"unsubscribed": True, "kind": claims["notice"]}, "You do not get this kind of notice any more.")
