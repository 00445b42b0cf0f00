"""Records of Freshdesk as ours, of both versions of its API, of its export and of its CSV."""

import pytest

from services.help_desks.freshdesk import FRESHDESK
from services.help_desks.records import Book, Person

KIM = Person("31", "Kim", "kim@example.com", organisation="41")
BEA = Person("21", "Bea", "bea@example.com", is_agent=True)
MINIMAL = {
    "id": 50001,
    "display_id": 11,
    "subject": "Printer",
    "description": "Blank.",
    "description_html": "<div>Blank.</div>",
    "status": 2,
    "priority": 2,
    "requester_id": 31,
    "created_at": "2025-01-01T05:30:00+05:30",
    "updated_at": "2025-01-03T00:00:00Z",
}
BOOK = Book({"31": KIM, "21": BEA}, agents={BEA.email: BEA.email, "bea": BEA.email})


def mapped(**fields):
    return FRESHDESK.ticket({**MINIMAL, **fields}, BOOK)


def note(**fields):
    return {
        "body": "Words.",
        "body_html": "<div>Words.</div>",
        "private": False,
        "incoming": False,
        "user_id": 21,
        **fields,
    }


FIELDS = [
    ({}, {"external_id": "freshdesk:11", "description": "Blank.", "status": "new", "priority": "medium"}),
    ({"display_id": None}, {"external_id": "freshdesk:50001"}),
    ({}, {"created_at": "2025-01-01T00:00:00.000Z", "customer_email": KIM.email}),
    ({"responder_id": 21}, {"status": "assigned", "assigned_to": BEA.email}),
    ({"responder": {"id": 21, "contact": {"email": BEA.email}}}, {"assigned_to": BEA.email}),
    ({"responder_id": 99, "responder_name": "Bea"}, {"assigned_to": BEA.email}),
    ({"status": 3}, {"status": "waiting_customer"}),
    (
        {"status": 4, "stats": {"resolved_at": "2025-01-02T00:00:00Z"}},
        {"status": "resolved", "resolved_at": "2025-01-02T00:00:00.000Z"},
    ),
    (
        {"status": 5, "ticket_states": {"closed_at": "2025-01-02T00:00:00Z"}},
        {"status": "closed", "closed_at": "2025-01-02T00:00:00.000Z"},
    ),
    ({"status": 6}, {"status": "waiting_customer"}),
    ({"status": 7}, {"status": "new"}),
    ({"status": 12, "status_name": "Pending"}, {"status": "waiting_customer"}),
    ({"status": 12, "status_name": "With the vendor"}, {"status": "new"}),
    ({"priority": 1}, {"priority": "low"}),
    ({"priority": 4}, {"priority": "urgent"}),
    ({"source": 1}, {"source": "email"}),
    ({"source": 2}, {"source": "web"}),
    ({"source": 7}, {"source": "other"}),
    ({"tags": [{"name": "a"}, {"name": "b"}]}, {"tags": ["a", "b"]}),
    ({"tags": ["a"]}, {"tags": ["a"]}),
    ({"description": "<p>One <b>two</b></p>", "description_html": None}, {"description": "One two"}),
    ({"description_text": "Plain"}, {"description": "Plain"}),
    ({"description": None, "description_html": "<p>Only HTML</p>"}, {"description": "Only HTML"}),
    ({"requester_id": 404, "requester_name": "Zoe", "email": "zoe@example.com"}, {"customer_email": "zoe@example.com"}),
    ({"requester_id": 404}, {"customer_id": "freshdesk:404"}),
    ({"requester_id": None}, {"customer_id": "freshdesk:unknown"}),
]


@pytest.mark.parametrize(("fields", "expected"), FIELDS)
def test_a_field_of_a_ticket_becomes_ours(fields, expected):
    values = mapped(**fields).values
    assert {name: values.get(name) for name in expected} == expected


def test_a_description_of_version_two_is_html():
    fields = {name: value for name, value in MINIMAL.items() if name != "description_html"}
    values = FRESHDESK.ticket({**fields, "description": "<p>One</p><p>Two</p>"}, BOOK).values
    assert values["description"] == "One\n\nTwo"


NOTES = [
    ({}, ("agent", "Bea", "Words.", False)),
    ({"incoming": True, "user_id": 31}, ("customer", "Kim", "Words.", False)),
    ({"private": True}, ("agent", "Bea", "Words.", True)),
    ({"private": True, "incoming": True, "user_id": 31}, ("agent", "Kim", "Words.", True)),
    ({"incoming": True, "user_id": 404}, ("customer", "Kim", "Words.", False)),
    ({"body_text": "Plain."}, ("agent", "Bea", "Plain.", False)),
]


@pytest.mark.parametrize("member", ["notes", "helpdesk_notes", "conversations"])
@pytest.mark.parametrize(("fields", "expected"), NOTES)
def test_a_note_keeps_who_wrote_it_and_whether_it_is_private(member, fields, expected):
    wrapped = {"helpdesk_note": note(**fields)} if member == "helpdesk_notes" else note(**fields)
    (reply,) = mapped(**{member: [wrapped]}).values["replies"]
    assert (reply["author_role"], reply["author_name"], reply["body"], reply["internal"]) == expected


def test_a_deleted_note_is_left_out():
    assert mapped(notes=[{"note": note(deleted=True)}]).values["replies"] == []


@pytest.mark.parametrize("field", ["deleted", "spam"])
def test_deleted_and_spam_are_not_taken(field):
    assert mapped(**{field: True}).values is None


LEFT_OUT = [
    ({"ticket_type": "Problem"}, "types of tickets"),
    ({"cc_email": {"cc_emails": ["x@example.com"]}}, "CCs"),
    ({"cc_emails": ["x@example.com"]}, "CCs"),
    ({"custom_field": {"floor": "3"}}, "custom fields"),
    ({"attachments": [{"content_file_name": "a.png"}]}, "attached files"),
    ({"notes": [{"note": note(attachments=[{"name": "a.png"}])}]}, "attached files"),
    ({"status": 99, "status_name": "Odd"}, "unknown words for status"),
]


@pytest.mark.parametrize(("fields", "reason"), LEFT_OUT)
def test_what_is_left_out_is_told(fields, reason):
    assert any(what.startswith(reason) for what, _ in mapped(**fields).left_out)


def test_empty_fields_are_not_told():
    quiet = {
        "cc_email": {"cc_emails": [], "fwd_emails": []},
        "custom_field": {"a": None},
        "attachments": [],
        "tags": [],
    }
    assert mapped(**quiet).left_out == []


PEOPLE = [
    ({"id": 1, "name": "A", "email": "A@Example.com", "company_id": 4}, ("1", "a@example.com", False, "4", False)),
    ({"id": 1, "name": "A", "email": "a@example.com", "helpdesk_agent": True}, ("1", "a@example.com", True, "", False)),
    ({"id": 1, "contact": {"name": "A", "email": "a@example.com"}}, ("1", "a@example.com", True, "", False)),
    ({"id": 1, "name": "A", "email": None, "deleted": True, "customer_id": 4}, ("1", "", False, "4", True)),
]


@pytest.mark.parametrize(("fields", "expected"), PEOPLE)
def test_a_person_is_read(fields, expected):
    person = FRESHDESK.person(fields)
    assert (person.id, person.email, person.is_agent, person.organisation, person.is_deleted) == expected


@pytest.mark.parametrize(
    ("tier", "ours"),
    [("Basic", "standard"), ("Premium", "premium"), ("Enterprise", "enterprise"), ("Gold", ""), (None, "")],
)
def test_the_tier_of_a_company_is_ours_where_there_is_one(tier, ours):
    assert FRESHDESK.organisation({"id": 4, "name": "Boats", "account_tier": tier})[1].tier == ours


MACROS = [
    ({"actions": [{"name": "status", "value": 4}]}, {"set": {"status": "resolved", "resolution": "Solved."}}),
    ({"actions": [{"name": "priority", "value": 4}]}, {"set": {"priority": "urgent"}}),
    ({"actions": [{"name": "responder_id", "value": 21}]}, {"set": {"assigned_to": BEA.email}}),
    (
        {"actions": [{"name": "send_email_to_requester", "email_body": "<p>Dear {{ticket.requester.name}}</p>"}]},
        {"body": "Dear {{customer_name}}"},
    ),
    ({"content": "Thanks, {{ticket.requester.firstname}}"}, {"body": "Thanks, {{customer_name}}"}),
    ({"actions": [{"name": "add_tag", "value": "x"}]}, None),
    ({"actions": [{"name": "add_comment", "comment": "note"}]}, None),
    ({"content": "Thanks", "private": True}, None),
]


@pytest.mark.parametrize(("fields", "expected"), MACROS)
def test_a_scenario_or_canned_response_becomes_a_macro(fields, expected):
    values = FRESHDESK.macro({"name": "M", **fields}, BOOK).values
    assert values == ({"name": "M", **expected} if expected else None)


def test_a_row_of_a_csv_file_becomes_a_ticket():
    row = {
        "ticket id": ["21"],
        "subject": ["Size"],
        "status": ["Closed"],
        "priority": ["Low"],
        "source": ["Portal"],
        "agent": ["Bea"],
        "created time": ["2025-01-10 10:00:00"],
        "resolved time": ["2025-01-11 10:00:00"],
        "closed time": ["2025-01-12 10:00:00"],
        "tags": ["size, return"],
        "full name": ["Jürgen"],
        "email": ["juergen@example.com"],
        "contact id": ["33"],
        "product": ["Boots"],
    }
    values = FRESHDESK.row_ticket(row, BOOK).values
    assert values == {
        "external_id": "freshdesk:21",
        "title": "Size",
        "description": "Size",
        "source": "web",
        "status": "closed",
        "priority": "low",
        "product": "Boots",
        "tags": ["size", "return"],
        "customer_email": "juergen@example.com",
        "assigned_to": BEA.email,
        "created_at": "2025-01-10T10:00:00.000Z",
        "resolved_at": "2025-01-11T10:00:00.000Z",
        "closed_at": "2025-01-12T10:00:00.000Z",
        "replies": [],
    }
