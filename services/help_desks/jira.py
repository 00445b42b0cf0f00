"""Records of Jira and Jira Service Management as ours: JSON of its REST search, its CSV export, and its list of users.

Shapes: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/ (issues with fields, comments in
fields.comment.comments, texts as ADF or wiki markup). The CSV export has a column for each comment: date;author;text.
"""

import re
from typing import Any

from services.help_desks import texts
from services.help_desks.atlassian_texts import plain
from services.help_desks.drafts import ATTACHMENTS, CUSTOM_FIELDS, OPEN, Draft, Entry, finish
from services.help_desks.products import PERSON, TICKET, Product, cell, leave_out_fields, row_person, word
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

NAME = "Jira"
CATEGORIES = {
    "new": "new",
    "to do": "new",
    "indeterminate": OPEN,
    "in progress": OPEN,
    "done": "resolved",
    "complete": "resolved",
}
STATUSES = {
    "open": OPEN,
    "new": "new",
    "to do": "new",
    "backlog": "new",
    "reopened": OPEN,
    "in progress": OPEN,
    "escalated": OPEN,
    "pending": OPEN,
    "work in progress": OPEN,
    "waiting for support": OPEN,
    "waiting for customer": "waiting_customer",
    "resolved": "resolved",
    "done": "resolved",
    "canceled": "closed",
    "closed": "closed",
}
PRIORITIES = {
    "blocker": "urgent",
    "highest": "urgent",
    "critical": "urgent",
    "high": "high",
    "major": "high",
    "medium": "medium",
    "normal": "medium",
    "low": "low",
    "minor": "low",
    "lowest": "low",
    "trivial": "low",
}
LEFT_OUT = {
    "issuetype": "types of issues",
    "duedate": "due dates: the agreed times here are yours to set",
    "components": "components",
    "fixVersions": "versions",
    "versions": "versions",
    "issuelinks": "links between issues",
    "subtasks": "subtasks",
    "parent": "parents of issues",
    "worklog": "times that agents noted",
    "environment": "environments",
}
ROW_LEFT_OUT = {
    "issue type": LEFT_OUT["issuetype"],
    "due date": LEFT_OUT["duedate"],
    "component/s": LEFT_OUT["components"],
    "components": LEFT_OUT["components"],
    "environment": LEFT_OUT["environment"],
    "parent": LEFT_OUT["parent"],
    "log work": LEFT_OUT["worklog"],
    "attachment": ATTACHMENTS,
}
UNMARKED = (
    "comments that Jira does not say are public: they are internal notes here; --public-comments makes them public"
)
_COMMENT = re.compile(r"([^;\n]{6,40});([^;\n]{0,200});(.*)", re.DOTALL)


def _organisation(values: Row) -> tuple[str, Organisation]:
    return text_of(values.get("id")), Organisation(text_of(values.get("name")))


def _person(values: Row) -> Person:
    return Person(
        id=text_of(values.get("accountId") or values.get("key") or values.get("name")),
        name=text_of(values.get("displayName")),
        email=address_of(values.get("emailAddress")),
        is_agent=text_of(values.get("accountType")) == "atlassian",
        is_deleted=values.get("active") is False,
    )


def _party(value: Any, book: Book) -> Person | None:
    if not isinstance(value, dict):
        return None
    person = _person(value)
    held = book.people.get(person.id)
    if held and not person.email:
        return Person(person.id, person.name or held.name, held.email, is_agent=person.is_agent)
    return person if person.id or person.email else None


def _ticket(values: Row, book: Book) -> Mapped:
    fields, rendered = dict_of(values.get("fields")), dict_of(values.get("renderedFields"))
    draft = Draft(NAME, text_of(values.get("key") or values.get("id")))
    draft.title = texts.of_text(fields.get("summary"))
    draft.description = _text(fields.get("description"), rendered.get("description"), book)
    status = dict_of(fields.get("status"))
    category = text_of(dict_of(status.get("statusCategory")).get("key")).lower()
    draft.status = _status(draft, text_of(status.get("name")).lower(), category)
    draft.priority = word(draft, "priority", text_of(dict_of(fields.get("priority")).get("name")).lower(), PRIORITIES)
    draft.created, draft.updated = texts.moment(fields.get("created")), texts.moment(fields.get("updated"))
    draft.resolved = texts.moment(fields.get("resolutiondate"))
    draft.resolution = texts.of_text(dict_of(fields.get("resolution")).get("name"))
    draft.tags = [text_of(label) for label in list_of(fields.get("labels"))]
    draft.requester = _party(fields.get("reporter") or fields.get("creator"), book)
    draft.assignee = _party(fields.get("assignee"), book)
    comment = fields.get("comment")
    comments = list_of(dict_of(comment).get("comments") if isinstance(comment, dict) else comment)
    draft.entries = [_entry(draft, one, book) for one in map(dict_of, comments) if one]
    total = dict_of(comment).get("total")
    if isinstance(total, int) and total > len(comments):
        draft.leave_out("comments that the file does not hold: export them with maxResults", f"{total - len(comments)}")
    leave_out_fields(draft, fields, LEFT_OUT)
    files = map(dict_of, list_of(fields.get("attachment")))
    draft.leave_out_all(ATTACHMENTS, [text_of(one.get("filename")) for one in files])
    custom = [name for name, value in fields.items() if name.startswith("customfield_") and has_value(value)]
    draft.leave_out_all(CUSTOM_FIELDS, custom)
    return finish(draft, book)


def _text(value: Any, rendered: Any, book: Book) -> str:
    if isinstance(value, dict) or not rendered:
        return plain(value, lambda account: book.people[account].name if account in book.people else account)
    return texts.of_html(rendered)


def _status(draft: Draft, name: str, category: str) -> str:
    """By name where it says more than the category does, else by the category."""
    by_name, by_category = STATUSES.get(name), CATEGORIES.get(category)
    if by_category is None:
        return by_name or word(draft, "status", name, STATUSES) or OPEN
    finished = ("resolved", "closed")
    return by_name if by_name and (by_name in finished) == (by_category in finished) else by_category


def _entry(draft: Draft, comment: Row, book: Book) -> Entry:
    author = _party(comment.get("author"), book)
    body = _text(comment.get("body"), comment.get("renderedBody"), book)
    is_public = None if comment.get("visibility") else comment.get("jsdPublic")
    is_internal = bool(comment.get("visibility")) or is_public is False
    return _said(draft, Entry(body, texts.moment(comment.get("created")), author, is_internal), is_public, book)


def _said(draft: Draft, entry: Entry, is_public: Any, book: Book) -> Entry:
    """The entry, internal unless Jira says that it is public, the requester wrote it, or --public-comments was given."""
    requester, author = draft.requester, entry.author
    is_requester = bool(requester and author and author.id == requester.id)
    if is_requester and not entry.internal:
        entry.role = "customer"
    elif is_public is None and not entry.internal and not book.is_public:
        entry.internal = True
        draft.leave_out(UNMARKED)
    if not entry.role:
        entry.role = "agent" if entry.internal or author is None or author.is_agent or is_public is None else ""
    return entry


def _row_ticket(row: Row, book: Book) -> Mapped:
    draft = Draft(NAME, cell(row, "issue key", "key", "issue id"))
    draft.title = texts.of_text(cell(row, "summary"))
    draft.description = _text(cell(row, "description"), None, book)
    draft.status = _status(draft, cell(row, "status").lower(), cell(row, "status category").lower())
    draft.priority = word(draft, "priority", cell(row, "priority").lower(), PRIORITIES)
    draft.created, draft.updated = (texts.moment(cell(row, name), book.zone) for name in ("created", "updated"))
    draft.resolved = texts.moment(cell(row, "resolved"), book.zone)
    draft.resolution = texts.of_text(cell(row, "resolution"))
    draft.tags = [label for value in row.get("labels", []) for label in value.split()]
    draft.requester = _row_party(row, book, "reporter") or _row_party(row, book, "creator")
    draft.assignee = _row_party(row, book, "assignee")
    people = (draft.requester, draft.assignee)
    draft.entries = [_row_entry(draft, text, book, people) for text in row.get("comment", []) + row.get("comments", [])]
    for column, what in ROW_LEFT_OUT.items():
        draft.leave_out_all(what, [value.split(";")[-1][-60:] for value in row.get(column, [])[:20]])
    draft.leave_out_all(CUSTOM_FIELDS, [column for column in row if column.startswith("custom field (")])
    return finish(draft, book)


def _row_party(row: Row, book: Book, party: str) -> Person | None:
    name, account = cell(row, party), cell(row, f"{party} id")
    if not name and not account:
        return None
    person = book.people.get(account) or book.people.get(name)
    email = address_of(cell(row, f"{party} email")) or address_of(name) or (person.email if person else "")
    return Person(account or name, name if "@" not in name else "", email)


def _row_entry(draft: Draft, value: str, book: Book, people: tuple[Person | None, ...]) -> Entry:
    """A comment of a CSV file: date;author;text. The author is a name or an account id."""
    parts = _COMMENT.fullmatch(value.strip())
    try:
        created = texts.moment(parts[1], book.zone) if parts else ""
    except ValueError:
        created = ""
    if not parts or not created:
        return _said(draft, Entry(plain(value), draft.created), None, book)
    name = parts[2].strip()
    same = (person for person in people if person and name and name in (person.id, person.name, person.email))
    author = next(same, None) or book.people.get(name) or (Person(name, name, address_of(name)) if name else None)
    return _said(draft, Entry(_text(parts[3], None, book), created, author), None, book)


def _macro(values: Row, book: Book) -> Mapped:
    return Mapped(text_of(values.get("name")), None, [("automations of Jira", text_of(values.get("name")))])


def _guess(values: Row) -> str:
    if "fields" in values:
        return TICKET
    return PERSON if "accountId" in values or "emailAddress" in values else ""


def _row(row: Row) -> str:
    if "summary" in row or "issue key" in row:
        return TICKET
    return PERSON if "email" in row or "user name" in row else ""


JIRA = Product(
    name=NAME,
    members={"issues": TICKET, "users": PERSON},
    wrappers={},
    refused={"worklogs": "times that agents noted", "comments": "comments outside their issue: put them into it"},
    guess=_guess,
    row=_row,
    organisation=_organisation,
    person=_person,
    row_person=row_person,
    macro=_macro,
    ticket=_ticket,
    row_ticket=_row_ticket,
    tells_customers=False,
)
