"""Records of Freshdesk as ours: its JSON export, pages of its API (versions 1 and 2), and its CSV exports.

Shapes: https://developers.freshdesk.com/api/ (tickets, conversations, contacts, agents, companies, canned responses). An export
and version 1 wrap each record, as in {"helpdesk_ticket": {…}}.
"""

from functools import partial
from typing import Any

from core.models import TIERS
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

NAME = "Freshdesk"
STATUSES = {
    "2": OPEN,
    "3": "waiting_customer",
    "4": "resolved",
    "5": "closed",
    "6": "waiting_customer",
    "7": OPEN,
    "open": OPEN,
    "pending": "waiting_customer",
    "resolved": "resolved",
    "closed": "closed",
    "waiting on customer": "waiting_customer",
    "waiting on third party": OPEN,
}
PRIORITIES = {"1": "low", "2": "medium", "3": "high", "4": "urgent"}
PRIORITIES |= {name: name for name in ("low", "medium", "high", "urgent")}
SOURCES = {"1": "email", "2": "web", "10": "email", "email": "email", "portal": "web", "outbound email": "email"}
TIERS_THERE = {"basic": "standard", "premium": "premium", "enterprise": "enterprise"}
VARIABLES = {
    "ticket.requester.name": "customer_name",
    "ticket.requester.firstname": "customer_name",
    "ticket.requester.email": "customer_email",
    "ticket.id": "ticket_number",
    "ticket.subject": "ticket_title",
    "ticket.agent.name": "agent_name",
    "ticket.agent.firstname": "agent_name",
    "helpdesk_name": "company_name",
    "ticket.portal_name": "company_name",
}
LEFT_OUT = {
    "type": "types of tickets",
    "ticket_type": "types of tickets",
    "group_id": "groups: your routing rules choose the team here",
    "due_by": "due dates: the agreed times here are yours to set",
    "cc_emails": "CCs: a customer's reply reaches the thread, not them",
    "cc_email": "CCs: a customer's reply reaches the thread, not them",
}
PERSON_LEFT_OUT = {
    "phone": "telephone numbers of people",
    "mobile": "telephone numbers of people",
    "description": "notes and details about people",
    "other_emails": "further addresses of people",
    "custom_fields": "own fields of people",
    "custom_field": "own fields of people",
}
DELETED = "deleted tickets"
SPAM = "tickets marked as spam"


def _organisation(values: Row) -> tuple[str, Organisation]:
    there = text_of(values.get("account_tier")).lower()
    tier = TIERS_THERE.get(there, there if there in TIERS else "")
    return text_of(values.get("id")), Organisation(text_of(values.get("name")), tier)


def _person(values: Row) -> Person:
    contact = dict_of(values.get("contact"))  # an agent of version 2 has name and address in it
    fields = {**values, **contact, "id": values.get("id")}
    is_agent = bool(contact) or values.get("helpdesk_agent") is True or "ticket_scope" in values
    return Person(
        id=text_of(fields.get("id") or fields.get("user_id")),
        name=text_of(fields.get("name")),
        email=address_of(fields.get("email")),
        is_agent=is_agent,
        organisation=text_of(fields.get("company_id") or fields.get("customer_id")),
        own_id=text_of(fields.get("unique_external_id") or fields.get("external_id")),
        is_deleted=fields.get("deleted") is True,
    )


def _ticket(values: Row, book: Book) -> Mapped:
    draft = Draft(NAME, text_of(values.get("display_id") or values.get("id")))
    if values.get("deleted") is True or values.get("spam") is True:
        return Mapped(draft.name, None, [(DELETED if values.get("deleted") is True else SPAM, draft.name)])
    draft.title = texts.of_text(values.get("subject"))
    draft.description = _body(values, "description")
    status = text_of(values.get("status")).lower()
    named = text_of(values.get("status_name")).lower()
    draft.status = STATUSES.get(status) or word(draft, "status", named or status, STATUSES) or OPEN
    draft.priority = word(draft, "priority", text_of(values.get("priority")).lower(), PRIORITIES)
    draft.source = SOURCES.get(text_of(values.get("source")).lower(), "other")
    stats = dict_of(values.get("stats") or values.get("ticket_states"))
    draft.created, draft.updated = texts.moment(values.get("created_at")), texts.moment(values.get("updated_at"))
    draft.resolved, draft.closed = texts.moment(stats.get("resolved_at")), texts.moment(stats.get("closed_at"))
    tags = list_of(values.get("tags"))
    draft.tags = [text_of(dict_of(tag).get("name")) if isinstance(tag, dict) else text_of(tag) for tag in tags]
    draft.requester = known(book, values.get("requester_id"), _requester(values), _person)
    responder = values.get("responder")
    draft.assignee = known(
        book, values.get("responder_id"), responder, partial(_agent, name=values.get("responder_name"))
    )
    if draft.assignee and not draft.assignee.name and values.get("responder_name"):
        draft.assignee = Person(
            draft.assignee.id, text_of(values["responder_name"]), draft.assignee.email, is_agent=True
        )
    draft.entries = _entries(draft, values, book)
    _leave_out(draft, values)
    return finish(draft, book)


def _requester(values: Row) -> Any:
    """The requester as the ticket names them, by an object or by fields of the ticket."""
    requester = values.get("requester")
    if isinstance(requester, dict):
        return requester
    fields = {"id": values.get("requester_id"), "name": values.get("requester_name"), "email": values.get("email")}
    return fields if fields["name"] or fields["email"] else None


def _agent(values: Row, *, name: Any) -> Person:
    return _person({"name": name, **values, "helpdesk_agent": True})


def _entries(draft: Draft, values: Row, book: Book) -> list[Entry]:
    members = ("conversations", "notes", "helpdesk_notes")
    notes = next((list_of(values[name]) for name in members if values.get(name)), [])
    return [entry for note in map(dict_of, notes) if (entry := _entry(draft, note, book)) is not None]


def _entry(draft: Draft, record: Row, book: Book) -> Entry | None:
    note = dict_of(record.get("note") or record.get("helpdesk_note")) or record
    if note.get("deleted") is True:
        return None
    draft.leave_out_all(ATTACHMENTS, _file_names(note))
    author = known(book, note.get("user_id"), note.get("user"), _person)
    is_internal = note.get("private") is True
    role = "customer" if note.get("incoming") is True and not is_internal else "agent"
    return Entry(_body(note, "body"), texts.moment(note.get("created_at")), author, is_internal, role)


def _body(values: Row, name: str) -> str:
    """The plain form of a text that is HTML in one version of the API and plain in the other."""
    if values.get(f"{name}_text"):
        return texts.of_text(values[f"{name}_text"])
    if values.get(f"{name}_html") and values.get(name):
        return texts.of_text(values[name])
    return texts.of_html(values.get(f"{name}_html") or values.get(name))


def _file_names(values: Row) -> list[str]:
    files = map(dict_of, list_of(values.get("attachments")))
    return [text_of(one.get("name") or one.get("content_file_name")) for one in files]


def _leave_out(draft: Draft, values: Row) -> None:
    draft.leave_out_all(ATTACHMENTS, _file_names(values))
    copies = dict_of(values.get("cc_email"))
    cc = copies.get("cc_emails") or copies.get("tkt_cc") if copies else values.get("cc_email")
    leave_out_fields(draft, {**values, "cc_email": cc}, LEFT_OUT)
    custom = {**dict_of(values.get("custom_fields")), **dict_of(values.get("custom_field"))}
    for name, value in custom.items():
        if has_value(value):
            draft.leave_out(CUSTOM_FIELDS, f"{name}: {text_of(value)[:40]}")


def _row_ticket(row: Row, book: Book) -> Mapped:
    draft = Draft(NAME, cell(row, "ticket id", "id").lstrip("#"))
    draft.title = texts.of_text(cell(row, "subject"))
    draft.description = texts.of_text(cell(row, "description"))
    draft.status = word(draft, "status", cell(row, "status").lower(), STATUSES) or OPEN
    draft.priority = word(draft, "priority", cell(row, "priority").lower(), PRIORITIES)
    draft.source = SOURCES.get(cell(row, "source").lower(), "other")
    draft.subject_of = texts.of_text(cell(row, "product"))
    draft.created = texts.moment(cell(row, "created time"), book.zone)
    draft.updated = texts.moment(cell(row, "last update time"), book.zone)
    draft.resolved = texts.moment(cell(row, "resolved time"), book.zone)
    draft.closed = texts.moment(cell(row, "closed time"), book.zone)
    draft.tags = cell(row, "tags").split(",")
    draft.requester = _row_requester(row, book)
    agent = cell(row, "agent")
    if agent and agent.lower() != "no agent":
        draft.assignee = Person(agent, agent, address_of(cell(row, "agent email")), is_agent=True)
    types = {"type": "type", "group": "group_id"}
    leave_out_fields(draft, {field: cell(row, column) for column, field in types.items()}, LEFT_OUT)
    return finish(draft, book)


def _row_requester(row: Row, book: Book) -> Person | None:
    person = row_person({**row, "id": row.get("contact id", []), "role": []})
    held = book.people.get(person.id)
    if held and (held.email or not person.email):
        return held
    return person if person.id or person.email or person.name else None


def _macro(values: Row, book: Book) -> Mapped:
    draft = MacroDraft(text_of(values.get("name") or values.get("title")))
    if values.get("private") is True:
        return draft.refuse("scenarios of one person: a macro here is for everybody")
    if "content" in values or "content_html" in values:  # a canned response
        draft.body = texts.of_html(values.get("content_html")) or texts.of_text(values.get("content"))
    for action in map(dict_of, list_of(values.get("actions") or values.get("action_data"))):
        _act(draft, action, book)
    return macros.finish(draft, VARIABLES)


def _act(draft: MacroDraft, action: Row, book: Book) -> None:
    name, value = text_of(action.get("name")), text_of(action.get("value")).lower()
    status = {key: "in_progress" if ours == OPEN else ours for key, ours in STATUSES.items()}
    person = book.people.get(value)
    if name == "send_email_to_requester" and action.get("email_body"):
        draft.body = texts.of_html(action["email_body"])
    elif name == "status" and value in status and status[value] != "closed":
        draft.changes["status"] = status[value]
    elif name == "priority" and value in PRIORITIES:
        draft.changes["priority"] = PRIORITIES[value]
    elif name == "responder_id" and person and (agent := book.agent_here(person)):
        draft.changes["assigned_to"] = agent
    else:
        draft.leave_out("actions of scenarios: there are none like them here", name)


def _guess(values: Row) -> str:
    if "requester_id" in values or "responder_id" in values or "subject" in values:
        return TICKET
    if "actions" in values or "action_data" in values or "content_html" in values:
        return MACRO
    if "domains" in values or "account_tier" in values:
        return ORGANISATION
    return PERSON if "email" in values or "contact" in values or "mobile" in values else ""


def _row(row: Row) -> str:
    if "ticket id" in row or "subject" in row:
        return TICKET
    return PERSON if "email" in row or "full name" in row else ""


FRESHDESK = Product(
    name=NAME,
    members={
        "tickets": TICKET,
        "helpdesk_tickets": TICKET,
        "results": TICKET,
        "contacts": PERSON,
        "users": PERSON,
        "agents": PERSON,
        "companies": ORGANISATION,
        "customers": ORGANISATION,
        "scenario_automations": MACRO,
        "canned_responses": MACRO,
    },
    wrappers={
        "helpdesk_ticket": TICKET,
        "ticket": TICKET,
        "user": PERSON,
        "contact": PERSON,
        "agent": PERSON,
        "customer": ORGANISATION,
        "company": ORGANISATION,
        "scenario_automation": MACRO,
        "canned_response": MACRO,
    },
    refused={
        "conversations": "conversations outside their ticket: put them into it",
        "satisfaction_ratings": "ratings",
        "time_entries": "times that agents noted",
        "groups": "groups: your routing rules choose the team here",
        "solutions": "articles: see flask import-knowledge",
    },
    guess=_guess,
    row=_row,
    organisation=_organisation,
    person=_person,
    row_person=row_person,
    macro=_macro,
    ticket=_ticket,
    row_ticket=_row_ticket,
    person_left_out=PERSON_LEFT_OUT,
)
