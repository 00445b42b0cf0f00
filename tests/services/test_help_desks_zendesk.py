"""Records of Zendesk as ours: each field, and the odd ones that real exports hold."""

import pytest

from services.help_desks.records import Book, Organisation, Person
from services.help_desks.zendesk import ZENDESK

ADA = Person("1", "Ada", "ada@example.com", organisation="70")
BEA = Person("2", "Bea", "bea@example.com", is_agent=True)
CEM = Person("3", "Cem", "cem@example.com", is_agent=True)
MINIMAL = {
    "id": 7,
    "subject": "Login",
    "description": "It loops.",
    "status": "open",
    "requester_id": 1,
    "created_at": "2025-01-01T00:00:00Z",
    "updated_at": "2025-01-03T00:00:00Z",
}


def book(**fields):
    people = {person.id: person for person in (ADA, BEA, CEM)}
    organisations = {"70": Organisation("Okafor", "premium")}
    return Book(people, organisations, agents={BEA.email: BEA.email}, **fields)


def mapped(**fields):
    return ZENDESK.ticket({**MINIMAL, **fields}, book())


def comment(body, author=1, *, day=2, public=True, **fields):
    return {"author_id": author, "body": body, "public": public, "created_at": f"2025-01-0{day}T00:00:00Z", **fields}


def reasons(result):
    return [what for what, _ in result.left_out]


FIELDS = [
    ({}, {"external_id": "zendesk:7", "title": "Login", "description": "It loops.", "customer_email": ADA.email}),
    ({"status": "new"}, {"status": "new"}),
    ({"status": "open"}, {"status": "new"}),
    ({"status": "open", "assignee_id": 2}, {"status": "assigned", "assigned_to": BEA.email}),
    ({"status": "open", "assignee_id": 2, "comments": [comment("On it.", 2)]}, {"status": "in_progress"}),
    ({"status": "open", "assignee_id": 2, "comments": [comment("?", 2, public=False)]}, {"status": "assigned"}),
    ({"status": "hold"}, {"status": "new"}),
    ({"status": "pending"}, {"status": "waiting_customer"}),
    (
        {"status": "solved", "metric_set": {"solved_at": "2025-01-02T08:00:00Z"}},
        {"status": "resolved", "resolved_at": "2025-01-02T08:00:00.000Z"},
    ),
    ({"status": "solved", "comments": [comment("Done.", 2)]}, {"resolved_at": "2025-01-02T00:00:00.000Z"}),
    ({"status": "solved"}, {"resolved_at": "2025-01-03T00:00:00.000Z"}),
    ({"status": "solved", "updated_at": None}, {"resolved_at": "2025-01-01T00:00:00.000Z"}),
    (
        {"status": "closed", "metric_set": {"solved_at": "2025-01-02T08:00:00Z"}},
        {"status": "closed", "closed_at": "2025-01-03T00:00:00.000Z"},
    ),
    ({"status": "invented"}, {"status": "new"}),
    ({"priority": "normal"}, {"priority": "medium"}),
    ({"priority": "urgent"}, {"priority": "urgent"}),
    ({"priority": None}, {"priority": None}),
    ({"via": {"channel": "email"}}, {"source": "email"}),
    ({"via": {"channel": "web"}}, {"source": "web"}),
    ({"via": {"channel": "chat"}}, {"source": "other"}),
    ({"via": {"channel": "twitter"}}, {"source": "other"}),
    ({"via": None}, {"source": "other"}),
    ({"created_at": "2025-01-01T02:00:00+02:00"}, {"created_at": "2025-01-01T00:00:00.000Z"}),
    ({"created_at": 1735689600}, {"created_at": "2025-01-01T00:00:00.000Z"}),
    ({"created_at": None, "comments": [comment("x", day=2)]}, {"created_at": "2025-01-02T00:00:00.000Z"}),
    ({"created_at": None, "updated_at": None}, {"created_at": None}),
    ({"subject": "  two\n lines "}, {"title": "two lines"}),
    ({"subject": None, "raw_subject": "Raw"}, {"title": "Raw"}),
    ({"subject": "x" * 1200}, {"title": "x" * 998}),
    ({"description": None, "comments": [comment("First words")]}, {"description": "First words", "replies": []}),
    ({"description": "", "subject": "Only a title"}, {"description": "Only a title"}),
    ({"description": "a\x00b\ud800c"}, {"description": "a\ufffdb\ufffdc"}),
    ({"tags": ["vip", "vip", "x" * 51, "two words"]}, {"tags": ["vip", "two words"]}),
    ({"tags": [f"tag{n}" for n in range(25)]}, {"tags": [f"tag{n}" for n in range(20)]}),
    ({"requester_id": None}, {"customer_id": "zendesk:unknown"}),
    ({"requester_id": 404}, {"customer_id": "zendesk:404"}),
    (
        {"requester_id": 404, "requester": {"id": 404, "email": "Eve@Example.com", "name": "Eve"}},
        {"customer_email": "eve@example.com"},
    ),
    ({"requester": {"id": 1, "email": None}}, {"customer_email": ADA.email}),
    ({"requester": {"id": 5, "email": "not an address"}, "requester_id": 5}, {"customer_id": "zendesk:5"}),
]


@pytest.mark.parametrize(("fields", "expected"), FIELDS)
def test_a_field_of_a_ticket_becomes_ours(fields, expected):
    values = mapped(**fields).values
    assert {name: values.get(name) for name in expected} == expected


def test_a_comment_keeps_its_author_time_and_whether_it_is_internal():
    comments = [comment("Hello", day=1), comment("Why?", 2, day=2, public=False), comment("Because.", 1, day=3)]
    replies = mapped(description="Hello", comments=comments).values["replies"]
    assert [(reply["author_role"], reply["author_name"], reply["body"], reply["internal"]) for reply in replies] == [
        ("agent", "Bea", "Why?", True),
        ("customer", "Ada", "Because.", False),
    ]
    assert replies[0]["created_at"] == "2025-01-02T00:00:00.000Z"
    assert replies[0]["author_email"] == BEA.email


BODIES = [
    ({"body": "plain *text*"}, "plain *text*"),
    (
        {"html_body": "<p>One</p><p>Two <a href='https://a.example.com'>there</a></p>"},
        "One\n\nTwo there (https://a.example.com)",
    ),
    ({"html_body": "<script>alert(1)</script><b>bold</b>"}, "bold"),
    ({"body": "", "html_body": ""}, "(no text)"),
    ({"body": None}, "(no text)"),
]


@pytest.mark.parametrize(("fields", "text"), BODIES)
def test_the_text_of_a_comment_is_what_a_reader_sees(fields, text):
    (reply,) = mapped(comments=[{**comment("x", 2), "body": None, **fields}]).values["replies"]
    assert reply["body"] == text


AUTHORS = [
    (1, True, "customer", "Ada"),
    (2, True, "agent", "Bea"),
    (404, True, "agent", "Support"),
    (404, False, "agent", "Support"),
    (-1, False, "system", "System"),
    (None, False, "system", "System"),
]


@pytest.mark.parametrize(("author", "public", "role", "name"), AUTHORS)
def test_who_wrote_a_comment(author, public, role, name):
    (reply,) = mapped(comments=[comment("Words", author, public=public)]).values["replies"]
    assert (reply["author_role"], reply["author_name"]) == (role, name)


def test_a_colleague_of_the_customer_writes_as_a_customer_with_their_own_name():
    held = book()
    held.people["9"] = Person("9", "Dan", "dan@example.com")
    (reply,) = ZENDESK.ticket({**MINIMAL, "comments": [comment("Me too", 9)]}, held).values["replies"]
    assert (reply["author_role"], reply["author_name"], reply["author_email"]) == ("customer", "Dan", "dan@example.com")


def test_a_huge_comment_becomes_several_and_loses_nothing():
    text = "\n".join(f"line {number}" for number in range(6000))
    replies = mapped(comments=[comment(text, 2)]).values["replies"]
    assert len(replies) > 2
    assert max(len(reply["body"]) for reply in replies) <= 20_000
    assert "\n".join(reply["body"] for reply in replies) == text


def test_a_huge_description_goes_on_in_the_thread():
    values = mapped(description="word " * 9_000).values
    assert len(values["description"]) <= 20_000
    assert {reply["author_role"] for reply in values["replies"]} == {"customer"}
    assert (
        " ".join([values["description"], *(reply["body"] for reply in values["replies"])]) == ("word " * 9_000).strip()
    )


def test_a_thread_that_is_too_long_keeps_its_beginning_and_says_so():
    result = mapped(comments=[comment(f"number {number}", 2) for number in range(1_002)])
    assert len(result.values["replies"]) == 1_000
    assert result.values["replies"][0]["body"] == "number 0"
    assert any(what.startswith("messages:") for what in reasons(result))


def test_an_agent_who_is_not_here_is_named_in_an_internal_note():
    result = mapped(assignee_id=3)
    assert "assigned_to" not in result.values
    (note,) = result.values["replies"]
    assert (note["body"], note["internal"]) == ("Assigned in Zendesk to Cem <cem@example.com>.", True)
    assert any(what.startswith("agents:") for what in reasons(result))


def test_the_customer_has_name_tier_and_own_id():
    held = book()
    held.people["1"] = Person("1", "Ada", "ada@example.com", organisation="70", own_id="crm-1")
    customer = ZENDESK.ticket(MINIMAL, held).customer
    assert customer == {
        "customer_email": "ada@example.com",
        "customer_id": "crm-1",
        "customer_name": "Ada",
        "customer_tier": "premium",
    }


LEFT_OUT = [
    ({"type": "incident"}, "types of tickets"),
    ({"group_id": 5}, "groups"),
    ({"problem_id": 5}, "links of incidents"),
    ({"due_at": "2025-01-01T00:00:00Z"}, "due dates"),
    ({"follower_ids": [5]}, "followers and CCs"),
    ({"custom_fields": [{"id": 1, "value": "gold"}, {"id": 2, "value": None}]}, "custom fields"),
    ({"custom_fields": [{"id": 1, "value": 0}]}, "custom fields"),
    ({"satisfaction_rating": {"score": "bad"}}, "ratings"),
    ({"tags": ["closed_by_merge"], "status": "closed"}, "merges"),
    (
        {"comments": [comment("x", attachments=[{"file_name": "a.pdf", "content_url": "https://a.example.com"}])]},
        "attached files",
    ),
    ({"status": "solved"}, "times of resolution"),
    ({"priority": "severe"}, "unknown words for priority"),
]


@pytest.mark.parametrize(("fields", "reason"), LEFT_OUT)
def test_what_is_left_out_is_told(fields, reason):
    assert any(what.startswith(reason) for what in reasons(mapped(**fields)))


def test_nothing_is_told_of_a_ticket_that_is_taken_whole():
    quiet = {
        "follower_ids": [],
        "custom_fields": [{"id": 1, "value": None}, {"id": 2, "value": False}],
        "satisfaction_rating": {"score": "unoffered"},
    }
    assert mapped(**quiet, type=None, group_id=None).left_out == []


def test_a_deleted_ticket_is_not_taken():
    result = mapped(status="deleted")
    assert (result.values, reasons(result)) == (None, ["deleted tickets"])


@pytest.mark.parametrize(
    "fields", [{"created_at": "yesterday"}, {"id": None}, {"comments": [comment("x", created_at="?")]}]
)
def test_a_ticket_that_cannot_be_read_says_why(fields):
    with pytest.raises(ValueError, match=r"no time that is known|has no id"):
        mapped(**fields)


def act(**action):
    return ZENDESK.macro({"title": "M", "active": True, "actions": [action]}, book())


ACTIONS = [
    ("status", "pending", {"status": "waiting_customer"}),
    ("status", "solved", {"status": "resolved", "resolution": "Solved."}),
    ("priority", "normal", {"priority": "medium"}),
    ("set_tags", "one two one", {"tags": ["one", "two"]}),
    ("assignee_id", "2", {"assigned_to": BEA.email}),
]


@pytest.mark.parametrize(("field", "value", "fields"), ACTIONS)
def test_an_action_of_a_macro_becomes_a_field_to_set(field, value, fields):
    assert act(field=field, value=value).values == {"name": "M", "set": fields}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "closed"),
        ("assignee_id", "current_user"),
        ("assignee_id", "3"),
        ("current_tags", "x"),
        ("group_id", "1"),
    ],
)
def test_a_macro_of_which_nothing_can_be_done_is_not_taken(field, value):
    result = act(field=field, value=value)
    assert result.values is None
    assert reasons(result) == ["macros: nothing of them can be done here"]


BODIES_OF_MACROS = [
    ("Hi {{ticket.requester.name}}", "Hi {{customer_name}}"),
    ("Hi {{ ticket.requester.first_name | default: 'you' }}", "Hi {{customer_name}}"),
    (["channel:all", "#{{ticket.id}}: {{ticket.title}}"], "#{{ticket_number}}: {{ticket_title}}"),
    ("{{current_user.name}} of {{ticket.account}}", "{{agent_name}} of {{company_name}}"),
    ("Your {{dc.greeting}}", "Your [dc.greeting]"),
    ("{{{raw}}}", "[raw]"),
]


@pytest.mark.parametrize(("text", "body"), BODIES_OF_MACROS)
def test_placeholders_of_a_macro_become_our_variables(text, body):
    assert act(field="comment_value", value=text).values["body"] == body


@pytest.mark.parametrize(
    "fields",
    [
        {"active": False},
        {"restriction": {"type": "User", "id": 1}},
        {"actions": [{"field": "comment_value", "value": "{% if a %}b{% endif %}"}]},
        {
            "actions": [
                {"field": "comment_value", "value": "Psst"},
                {"field": "comment_mode_is_public", "value": "false"},
            ]
        },
    ],
)
def test_a_macro_that_would_say_something_else_here_is_not_taken(fields):
    macro = {"title": "M", "active": True, "actions": [{"field": "comment_value", "value": "Hello"}], **fields}
    assert ZENDESK.macro(macro, book()).values is None


ROWS = [
    (
        {"status": ["Closed"], "solved at": ["2025-06-01 10:00"]},
        {"status": "closed", "resolved_at": "2025-06-01T08:00:00.000Z"},
    ),
    ({"solved at": ["-"], "assignee": ["-"]}, {"status": "new", "assigned_to": None}),
    ({"assignee": ["bea@example.com"]}, {"assigned_to": BEA.email}),
    ({"tags": ["a b"]}, {"tags": ["a", "b"]}),
    ({"via": ["Mail"]}, {"source": "email"}),
    ({"requester id": ["1"], "requester email": []}, {"customer_email": ADA.email}),
]


@pytest.mark.parametrize(("cells", "expected"), ROWS)
def test_a_row_of_a_csv_file_becomes_a_ticket(cells, expected):
    row = {
        "id": ["9"],
        "subject": ["Parcel"],
        "status": ["Open"],
        "created at": ["2025-05-01 10:00"],
        "requester": ["Eve"],
        "requester email": ["eve@example.com"],
    }
    values = ZENDESK.row_ticket({**row, **cells}, book(zone="Europe/Berlin")).values
    assert values["created_at"] == "2025-05-01T08:00:00.000Z"
    assert {name: values.get(name) for name in expected} == expected
