"""How a company words its notices: list the kinds, set own words, find those of a mail, show what it would look like."""

from collections.abc import Mapping
from typing import Any

from ai.chat_sentences import LANGUAGES, language_of
from channels.notice_words import KINDS, SIGN_IN_KINDS, TO_STAFF, Words, fault
from channels.sign_in_mails import sign_in_mail
from core.errors import FieldError, invalid, invalid_field, not_found
from database.tables import companies, notice_texts, tickets
from notifier import NOTICES, Notice, urgent_digest
from services import settings
from services.history import Change, record
from storage import Row, UnitOfWork

NOTICE_LANGUAGES = tuple(language.code for language in LANGUAGES)
SAMPLE_ADDRESS = "ada@example.com"
SAMPLE: Row = {
    "id": "00000000-0000-7000-8000-000000000000",
    "number": 1042,
    "title": "The invoice does not open",
    "customer_name": "Ada Lovelace",
    "ai_response": "Please try another browser.",
    "resolution": "The invoice opens now.",
    "category": "billing",
    "urgency": 4.5,
    "next_action": "Call the customer",
    "headline": "Due soon",
    "sentence": "The resolution of ticket #1042 is due by 2026-03-02 08:00 UTC.",
    "quoted": "The invoice opens now.",
    "reason": "its sender is not the customer",
}
SAMPLE_TOKEN, SAMPLE_CODES = "a-sample-of-the-token", {"sign_in_code": "123456"}
_FROM_TICKET = ("id", "number", "title", "customer_name", "category", "urgency", "next_action")
_ADDRESSES = dict.fromkeys(("customer_email", "assigned_to", "watcher"), SAMPLE_ADDRESS)
c = notice_texts.c


def kinds(uow: UnitOfWork) -> list[Row]:
    """Every kind with its default words, variables and the company's own texts."""
    own: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    for row in uow.find(uow.query(notice_texts).order_by(c.kind, c.language)):
        if row["kind"] in own:
            own[row["kind"]].append({name: row[name] for name in ("language", "subject", "text")})
    return [_shape(kind, texts) for kind, texts in own.items()]


def _shape(kind: str, texts: list[Row]) -> Row:
    about = KINDS[kind]
    return {
        "kind": kind,
        "about": about.about,
        "audience": about.audience,
        "default_subject": about.subject,
        "default_text": about.text,
        "variables": list(about.variables),
        "always": about.always,
        "texts": texts,
    }


def put(uow: UnitOfWork, kind: str, language: str, words: Words) -> Row:
    """Sets the company's words of a kind in a language; without any the default is back. Raises AppError 400."""
    check(kind, language, words)
    of_it = (c.kind == kind, c.language == language)
    before = uow.first(uow.query(notice_texts).where(*of_it))
    uow.delete(notice_texts, *of_it)
    if words != Words():
        values = {"kind": kind, "language": language, "subject": words.subject, "text": words.text}
        uow.insert(notice_texts, {**values, "created_at": uow.now})
    if _words(before) != words:
        name = f"{kind} {language}".strip()
        record(uow, uow.actor.company_id, [Change("notice_changed", name)], subject="settings")
    return next(row for row in kinds(uow) if row["kind"] == kind)


def check(kind: str, language: str, words: Words) -> None:
    """Raises AppError 400 for an unknown variable, or a language of a notice to staff."""
    if language and KINDS[kind].audience == TO_STAFF:
        raise invalid_field("language", "Notices to your own people have one text. Leave language out.")
    if faults := fault(kind, words):
        raise invalid(*(FieldError(field, message) for field, message in faults.items()))


def _words(row: Row | None) -> Words:
    return Words(row["subject"], row["text"]) if row else Words()


def of_mail(uow: UnitOfWork, ticket: Row | None = None, *, language: str = "") -> Row:
    """The company's name and its words of each kind, as keywords of a notice; of the ticket's language where there are some.

    A mail about no ticket names its `language`.

    A company whose address is not confirmed has none: it could mail strangers.
    """
    company = uow.get(companies, uow.actor.company_id)
    if company is None or company["confirmed_at"] is None:
        return {}
    rows = uow.find(uow.query(notice_texts))
    name = settings.of_company(company)["mail_name"] or company["name"]
    language = _language(ticket) if ticket and any(row["language"] for row in rows) else language
    words: dict[str, Words] = {}
    for row in sorted(rows, key=lambda row: row["language"] == language):
        if row["language"] in ("", language):
            words[row["kind"]] = _words(row)
    return {"company_name": name, "words": words}


def _language(ticket: Row) -> str:
    language = language_of(f"{ticket['title']}\n{ticket['description']}")
    return language.code if language else ""


def preview(uow: UnitOfWork, kind: str, language: str, words: Words, ticket_id: str, **about: Any) -> Notice:
    """The notice of a kind with these words, else with the company's or the default ones; of a ticket or a sample.

    Nothing is sent. `about` are the sender's fields. Raises AppError 400, 404.
    """
    check(kind, language, words)
    facts = SAMPLE | _ADDRESSES | (_of_ticket(uow, ticket_id) if ticket_id else {})
    own = of_mail(uow)
    stored = _stored(uow, kind, language) if words == Words() else words
    company_name = own.get("company_name", "")
    context: Row = {"job_id": "preview", "domain": "", "company_name": company_name, **about}
    context["words"] = {kind: stored} if stored != Words() else {}
    context["support_email"] = context.get("support_email") or SAMPLE_ADDRESS
    if kind in SIGN_IN_KINDS:
        context["language"] = language
    notice = _composed(kind, facts, context)
    if notice is None:
        raise not_found()
    return notice


def _stored(uow: UnitOfWork, kind: str, language: str) -> Words:
    rows = uow.find(uow.query(notice_texts).where(c.kind == kind, c.language.in_({"", language})))
    return _words(max(rows, key=lambda row: row["language"], default=None))


def _of_ticket(uow: UnitOfWork, ticket_id: str) -> Row:
    ticket = uow.get(tickets, ticket_id)
    if ticket is None or ticket["erased_at"]:
        raise not_found()
    texts = {name: ticket[name] for name in ("ai_response", "resolution") if ticket[name]}
    return {name: ticket[name] for name in _FROM_TICKET} | texts


def _composed(kind: str, facts: Row, context: Mapping[str, Any]) -> Notice | None:
    if kind == "urgent_digest":
        return urgent_digest(SAMPLE_ADDRESS, [facts], 1, **context)
    if kind in SIGN_IN_KINDS:
        return sign_in_mail(kind, SAMPLE_ADDRESS, SAMPLE_TOKEN, code=SAMPLE_CODES.get(kind, ""), **context)
    author = "customer" if kind == "customer_replied" else "agent"
    reply = {"author_role": author, "author_name": "Sam", "body": "We have sent it again.", "internal": False}
    return NOTICES["public_reply" if kind == "customer_replied" else kind](facts, reply=reply, **context)
