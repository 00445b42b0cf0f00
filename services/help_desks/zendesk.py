"""Records of Zendesk as ours: the JSON export of an account, pages of its API, and its CSV exports.

Shapes: https://developer.zendesk.com/api-reference/ (tickets, ticket comments, users, organizations, macros, incremental exports).
An export of an account has one object a line; that of a ticket holds its comments.
"""

from functools import partial
from typing import Any

from core.models import LIMITS, TIERS
from services.help_desks import macros, texts
from services.help_desks.drafts import ATTACHMENTS, CUSTOM_FIELDS, OPEN, Draft, Entry, finish
from services.help_desks.macros import MacroDraft
from services.help_desks.products import (
    MACRO,
    ORGANISATION,
    PERSON,
    TICKET,
    Product,
    cell,
    known,
    leave_out_fields,
    row_person,
    word,
)
from services.help_desks.records import (
    Book,
    Mapped,
    Organisation,
    Person,
    address_of,
    dict_of,
    has_value,
    list_of,
    text_of,
)
from storage import Row

NAME = "Zendesk"
STATUSES = {
    "new": "new",
    "open": OPEN,
    "pending": "waiting_customer",
    "hold": OPEN,
    "on-hold": OPEN,
    "solved": "resolved",
    "closed": "closed",
}
PRIORITIES = {"low": "low", "normal": "medium", "high": "high", "urgent": "urgent"}
SOURCES = {"email": "email", "mail": "email", "web": "web", "web form": "web", "web_form": "web", "api": "api"}
AGENT_ROLES = ("agent", "admin", "owner", "light agent", "staff member")
VARIABLES = {
    "ticket.requester.name": "customer_name",
    "ticket.requester.first_name": "customer_name",
    "ticket.requester.email": "customer_email",
    "ticket.id": "ticket_number",
    "ticket.title": "ticket_title",
    "ticket.assignee.name": "agent_name",
    "ticket.assignee.first_name": "agent_name",
    "current_user.name": "agent_name",
    "current_user.first_name": "agent_name",
    "ticket.account": "company_name",
    "ticket.brand.name": "company_name",
}
LEFT_OUT = {
    "type": "types of tickets (question, incident, problem, task)",
    "group_id": "groups: your routing rules choose the team here",
    "problem_id": "links of incidents to their problem",
    "due_at": "due dates: the agreed times here are yours to set",
    "follower_ids": "followers and CCs: a customer's reply reaches the thread, not them",
    "email_cc_ids": "followers and CCs: a customer's reply reaches the thread, not them",
    "external_id": "external ids of tickets: the number there is kept instead",
}
PERSON_LEFT_OUT = {
    "phone": "telephone numbers of people",
    "notes": "notes and details about people",
    "details": "notes and details about people",
    "user_fields": "own fields of people",
}
DELETED = "deleted tickets"
MERGED = "merges: a merged ticket comes as a closed one of its own"
MERGE_TAG = "closed_by_merge"


def _organisation(values: Row) -> tuple[str, Organisation]:
    words = [*list_of(values.get("tags")), *dict_of(values.get("organization_fields")).values()]
    tier = next((word.lower() for word in map(text_of, words) if word.lower() in TIERS), "")
    return text_of(values.get("id")), Organisation(text_of(values.get("name")), tier)


def _person(values: Row) -> Person:
    return Person(
        id=text_of(values.get("id")),
        name=text_of(values.get("name")),
        email=address_of(values.get("email")),
        is_agent=values.get("role") in ("agent", "admin"),
        organisation=text_of(values.get("organization_id")),
        own_id=text_of(values.get("external_id")),
        is_deleted=values.get("active") is False,
    )


def _ticket(values: Row, book: Book) -> Mapped:
    draft = Draft(NAME, text_of(values.get("id")))
    status = text_of(values.get("status")).lower()
    if status == "deleted":
        return Mapped(draft.name, None, [(DELETED, draft.name)])
    draft.title = texts.of_text(values.get("subject") or values.get("raw_subject"))
    draft.description = texts.of_text(values.get("description"))
    draft.status = word(draft, "status", status, STATUSES) or OPEN
    draft.priority = word(draft, "priority", text_of(values.get("priority")).lower(), PRIORITIES)
    draft.source = SOURCES.get(text_of(dict_of(values.get("via")).get("channel")), "other")
    draft.created, draft.updated = texts.moment(values.get("created_at")), texts.moment(values.get("updated_at"))
    draft.resolved = texts.moment(dict_of(values.get("metric_set")).get("solved_at"))
    draft.tags = [text_of(tag) for tag in list_of(values.get("tags"))]
    draft.requester = known(book, values.get("requester_id"), values.get("requester"), _person)
    draft.assignee = known(book, values.get("assignee_id"), values.get("assignee"), _person)
    draft.entries = [_entry(draft, comment, book) for comment in list_of(values.get("comments")) if dict_of(comment)]
    if MERGE_TAG in draft.tags:
        draft.leave_out(MERGED)
    leave_out_fields(draft, values, LEFT_OUT)
    score = text_of(dict_of(values.get("satisfaction_rating")).get("score"))
    if score in ("good", "bad"):
        draft.leave_out("ratings: good and bad are no score from 1 to 5", score)
    for custom in map(dict_of, list_of(values.get("custom_fields"))):
        if has_value(custom.get("value")):
            draft.leave_out(CUSTOM_FIELDS, f"{text_of(custom.get('id'))}: {text_of(custom['value'])[:40]}")
    return finish(draft, book)


def _entry(draft: Draft, comment: Row, book: Book) -> Entry:
    draft.leave_out_all(
        ATTACHMENTS, [text_of(dict_of(one).get("file_name")) for one in list_of(comment.get("attachments"))]
    )
    author = known(book, comment.get("author_id"), comment.get("author"), _person)
    is_system = author is not None and author.id == "-1"
    return Entry(
        texts.of_html(comment.get("html_body")) or texts.of_text(comment.get("body") or comment.get("plain_body")),
        texts.moment(comment.get("created_at")),
        None if is_system else author,
        internal=comment.get("public") is False,
        role="system" if is_system else "",
    )


def _row_ticket(row: Row, book: Book) -> Mapped:
    draft = Draft(NAME, cell(row, "id", "ticket id").lstrip("#"))
    if cell(row, "status").lower() == "deleted":
        return Mapped(draft.name, None, [(DELETED, draft.name)])
    draft.title = texts.of_text(cell(row, "subject"))
    draft.description = texts.of_text(cell(row, "description"))
    draft.status = word(draft, "status", cell(row, "status", "ticket status").lower(), STATUSES) or OPEN
    priority = cell(row, "priority").lower().strip("-")
    draft.priority = word(draft, "priority", priority, PRIORITIES)
    draft.source = SOURCES.get(cell(row, "via", "channel").lower(), "other")
    draft.created = texts.moment(cell(row, "created at", "requested", "created"), book.zone)
    draft.updated = texts.moment(cell(row, "updated at", "updated"), book.zone)
    draft.resolved = texts.moment(cell(row, "solved at", "solved"), book.zone)
    draft.tags = cell(row, "tags", "current tags").replace(",", " ").split()
    draft.requester = _row_party(row, book, "requester")
    draft.assignee = _row_party(row, book, "assignee")
    draft.leave_out_all(CUSTOM_FIELDS, [column for column in row if column.endswith(("[list]", "[txt]", "[flag]"))])
    return finish(draft, book)


def _row_party(row: Row, book: Book, party: str) -> Person | None:
    name, email = cell(row, party), address_of(cell(row, f"{party} email"))
    person_id = cell(row, f"{party} id")
    person = book.people.get(person_id) if person_id else None
    if person is not None and person.email:
        return person
    return Person(person_id or name, name, email or address_of(name)) if name.strip("-") or email else None


def _macro(values: Row, book: Book) -> Mapped:
    draft = MacroDraft(text_of(values.get("title") or values.get("name")))
    if values.get("active") is False:
        return draft.refuse("macros that are not active")
    restriction = dict_of(values.get("restriction"))
    if restriction.get("type") == "User":
        return draft.refuse("macros of one person: a macro here is for everybody")
    if restriction:
        draft.leave_out("limits of macros to groups: a macro here is for everybody")
    for action in map(dict_of, list_of(values.get("actions"))):
        _act(draft, text_of(action.get("field")), action.get("value"), book)
    return macros.finish(draft, VARIABLES)


def _act(draft: MacroDraft, field: str, value: Any, book: Book) -> None:
    text = text_of(value[-1] if isinstance(value, list) and value else value)
    status = {**STATUSES, "open": "in_progress", "hold": "in_progress"}
    if field == "comment_value_html":
        draft.body = texts.of_html(text)
    elif field == "comment_value":
        draft.body = draft.body or texts.of_text(text)
    elif field == "comment_mode_is_public":
        draft.is_internal = text == "false" or value is False
    elif field == "status" and text in status and text != "closed":
        draft.changes["status"] = status[text]
    elif field == "priority" and text in PRIORITIES:
        draft.changes["priority"] = PRIORITIES[text]
    elif field == "set_tags" and _macro_tags(text):
        draft.changes["tags"] = _macro_tags(text)
    elif field == "assignee_id" and (person := book.people.get(text)) and (agent := book.agent_here(person)):
        draft.changes["assigned_to"] = agent
    else:
        draft.leave_out("actions of macros: there are none like them here", field)


def _macro_tags(text: str) -> list[str]:
    tags = text.replace(",", " ").split()
    return [tag for tag in dict.fromkeys(tags) if len(tag) <= LIMITS["tag"]][: LIMITS["tags"]]


def _guess(values: Row) -> str:
    url = text_of(values.get("url"))
    for part, kind in (
        ("/users/", PERSON),
        ("/organizations/", ORGANISATION),
        ("/macros/", MACRO),
        ("/tickets/", TICKET),
    ):
        if part in url:
            return kind
    if "requester_id" in values or "requester" in values or "subject" in values:
        return TICKET
    if "actions" in values:
        return MACRO
    if "domain_names" in values or "organization_fields" in values:
        return ORGANISATION
    return PERSON if "role" in values or "email" in values else ""


def _row(row: Row) -> str:
    if "subject" in row or "requester" in row:
        return TICKET
    return PERSON if "email" in row or "role" in row else ""


ZENDESK = Product(
    name=NAME,
    members={"tickets": TICKET, "users": PERSON, "organizations": ORGANISATION, "macros": MACRO},
    wrappers={"ticket": TICKET, "user": PERSON, "organization": ORGANISATION, "macro": MACRO},
    refused={
        "suspended_tickets": "suspended tickets: Zendesk held them back as spam",
        "deleted_tickets": DELETED,
        "comments": "comments outside their ticket: they do not say which one they belong to",
        "ticket_events": "events of tickets: export tickets with their comments",
        "audits": "audits of tickets: export tickets with their comments",
        "ticket_metrics": "metrics of tickets",
        "groups": "groups: your routing rules choose the team here",
        "triggers": "triggers and automations: see routing rules and webhooks",
        "automations": "triggers and automations: see routing rules and webhooks",
        "ticket_fields": "definitions of fields",
    },
    guess=_guess,
    row=_row,
    organisation=_organisation,
    person=_person,
    row_person=partial(row_person, agents=AGENT_ROLES),
    macro=_macro,
    ticket=_ticket,
    row_ticket=_row_ticket,
    person_left_out=PERSON_LEFT_OUT,
)
