"""Records of Jira as ours: issues as JSON and CSV, documents (ADF), wiki markup, and whose comments are public."""

import pytest

from services.help_desks import atlassian_texts
from services.help_desks.jira import JIRA
from services.help_desks.records import Book, Person

LIN = {"accountId": "lin", "displayName": "Lin", "emailAddress": "lin@example.com", "accountType": "customer"}
BEA = {"accountId": "bea", "displayName": "Bea", "emailAddress": "bea@example.com", "accountType": "atlassian"}
FIELDS = {
    "summary": "VPN",
    "description": "Drops.",
    "reporter": LIN,
    "created": "2025-01-01T01:00:00.000+0100",
    "updated": "2025-01-03T00:00:00.000+0000",
}


def book(**fields):
    people = {"lin": Person("lin", "Lin", "lin@example.com"), "hid": Person("hid", "Hidden", "hidden@example.com")}
    return Book(people, agents={"bea@example.com": "bea@example.com", "bea": "bea@example.com"}, **fields)


def mapped(held=None, **fields):
    return JIRA.ticket({"key": "SUP-1", "fields": {**FIELDS, **fields}}, held or book())


def status(name, category=""):
    return {"status": {"name": name, "statusCategory": {"key": category}}}


VALUES = [
    ({}, {"external_id": "jira:SUP-1", "title": "VPN", "description": "Drops.", "customer_email": "lin@example.com"}),
    ({}, {"created_at": "2025-01-01T00:00:00.000Z", "status": "new"}),
    (status("Anything", "new"), {"status": "new"}),
    (status("Anything", "indeterminate"), {"status": "new"}),
    (
        {**status("Anything", "indeterminate"), "assignee": BEA},
        {"status": "assigned", "assigned_to": "bea@example.com"},
    ),
    (status("Waiting for customer", "indeterminate"), {"status": "waiting_customer"}),
    (
        {
            **status("Anything", "done"),
            "resolutiondate": "2025-01-02T00:00:00.000+0000",
            "resolution": {"name": "Fixed"},
        },
        {"status": "resolved", "resolved_at": "2025-01-02T00:00:00.000Z", "resolution": "Fixed"},
    ),
    (status("Closed", "done"), {"status": "closed"}),
    (status("Open", "done"), {"status": "resolved"}),
    (status("Waiting for customer"), {"status": "waiting_customer"}),
    ({"priority": {"name": "Highest"}}, {"priority": "urgent"}),
    ({"priority": {"name": "Trivial"}}, {"priority": "low"}),
    ({"priority": None}, {"priority": None}),
    ({"labels": ["a", "b"]}, {"tags": ["a", "b"]}),
    ({"reporter": {"accountId": "hid", "displayName": "Hidden"}}, {"customer_email": "hidden@example.com"}),
    ({"reporter": {"accountId": "gone", "displayName": "Former user"}}, {"customer_id": "jira:gone"}),
    ({"reporter": None}, {"customer_id": "jira:unknown"}),
    ({"reporter": None, "creator": LIN}, {"customer_email": "lin@example.com"}),
    ({"description": None}, {"description": "VPN"}),
]


@pytest.mark.parametrize(("fields", "expected"), VALUES)
def test_a_field_of_an_issue_becomes_ours(fields, expected):
    values = mapped(**fields).values
    assert {name: values.get(name) for name in expected} == expected


COMMENTS = [
    (BEA, {"jsdPublic": True}, False, ("agent", False)),
    (BEA, {"jsdPublic": False}, False, ("agent", True)),
    (BEA, {}, False, ("agent", True)),
    (BEA, {}, True, ("agent", False)),
    (BEA, {"visibility": {"type": "role"}}, True, ("agent", True)),
    (BEA, {"visibility": {"type": "role"}, "jsdPublic": True}, True, ("agent", True)),
    (LIN, {}, False, ("customer", False)),
    (LIN, {"jsdPublic": True}, False, ("customer", False)),
    (
        {"accountId": "dan", "displayName": "Dan", "accountType": "customer"},
        {"jsdPublic": True},
        False,
        ("customer", False),
    ),
    (None, {}, False, ("agent", True)),
]


@pytest.mark.parametrize(("author", "marks", "is_public", "expected"), COMMENTS)
def test_a_comment_is_public_only_where_jira_says_so(author, marks, is_public, expected):
    one = {"author": author, "body": "Words", "created": "2025-01-02T00:00:00.000+0000", **marks}
    (reply,) = mapped(book(is_public=is_public), comment={"comments": [one]}).values["replies"]
    assert (reply["author_role"], reply["internal"]) == expected


def test_comments_that_are_missing_are_told():
    comments = {"total": 9, "comments": [{"author": LIN, "body": "x", "created": "2025-01-02T00:00:00.000+0000"}]}
    assert ("comments that the file does not hold: export them with maxResults", "jira:SUP-1 8") in mapped(
        comment=comments
    ).left_out


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"issuetype": {"name": "Bug"}}, "types of issues"),
        ({"customfield_1": "x"}, "custom fields"),
        ({"attachment": [{"filename": "a"}]}, "attached files"),
        ({"issuelinks": [{}]}, "links between issues"),
        ({"comment": {"comments": [{"author": BEA, "body": "x"}]}}, "comments that Jira does not say are public"),
    ],
)
def test_what_is_left_out_is_told(fields, reason):
    assert any(what.startswith(reason) for what, _ in mapped(**fields).left_out)


def doc(*content):
    return {"type": "doc", "version": 1, "content": list(content)}


def paragraph(*content):
    return {"type": "paragraph", "content": list(content)}


def text(words, **marks):
    return {
        "type": "text",
        "text": words,
        **({"marks": [{"type": name, "attrs": attrs} for name, attrs in marks.items()]} if marks else {}),
    }


def item(words):
    return {"type": "listItem", "content": [paragraph(text(words))]}


DOCUMENTS = [
    (doc(paragraph(text("One")), paragraph(text("Two"))), "One\n\nTwo"),
    (doc(paragraph(text("a"), {"type": "hardBreak"}, text("b"))), "a\nb"),
    (
        doc(paragraph(text("bold", strong={}), text(" there", link={"href": "https://a.example.com"}))),
        "bold there (https://a.example.com)",
    ),
    (doc(paragraph(text("https://a.example.com", link={"href": "https://a.example.com"}))), "https://a.example.com"),
    (doc({"type": "bulletList", "content": [item("x"), item("y")]}), "- x\n- y"),
    (doc({"type": "orderedList", "content": [item("x")]}, paragraph(text("after"))), "- x\n\nafter"),
    (
        doc(
            paragraph(
                {"type": "mention", "attrs": {"text": "@Bea"}},
                text(" "),
                {"type": "emoji", "attrs": {"shortName": ":)"}},
            )
        ),
        "@Bea :)",
    ),
    (doc(paragraph({"type": "inlineCard", "attrs": {"url": "https://a.example.com"}})), "https://a.example.com"),
    (doc(paragraph({"type": "date", "attrs": {"timestamp": "1735689600000"}})), "2025-01-01"),
    (doc({"type": "mediaSingle", "content": [{"type": "media", "attrs": {"alt": "a.png"}}]}), "[a.png]"),
    (doc({"type": "codeBlock", "content": [text("x = 1")]}), "x = 1"),
    (doc({"type": "invented", "content": [paragraph(text("kept"))]}), "kept"),
    (doc(), ""),
    ({"type": "doc", "content": [None, "x", {"type": 3, "content": "y"}]}, ""),
    (None, ""),
    (17, ""),
]


@pytest.mark.parametrize(("document", "plain"), DOCUMENTS)
def test_a_document_becomes_the_text_that_a_reader_sees(document, plain):
    assert atlassian_texts.plain(document) == plain


def test_a_document_as_deep_as_json_allows_does_no_harm():
    node = paragraph(text("deep"))
    for _ in range(900):
        node = {"type": "panel", "content": [node]}
    assert atlassian_texts.plain(doc(paragraph(text("top")), node)) == "top"


MARKUP = [
    ("h1. Title\nText", "Title\nText"),
    ("*bold* and _italic_ and 2*3*4", "bold and italic and 2*3*4"),
    ("[there|https://a.example.com]", "there (https://a.example.com)"),
    ("[https://a.example.com]", "https://a.example.com"),
    ("{code:java}\nx\n{code}", "x"),
    ("* one\n** two\n# three", "- one\n- two\n- three"),
    ("[~accountid:lin] and [~bob]", "@LIN and @BOB"),
    ("!shot.png|thumbnail!", "[shot.png]"),
    ("wow! yes! no", "wow! yes! no"),
    ("{color:red}red{color}", "red"),
    ("a_b_c snake_case", "a_b_c snake_case"),
]


@pytest.mark.parametrize(("markup", "plain"), MARKUP)
def test_wiki_markup_becomes_plain_text(markup, plain):
    assert atlassian_texts.plain(markup, str.upper) == plain


def row(**cells):
    base = {
        "issue key": "SUP-7",
        "summary": "Print",
        "status": "Done",
        "status category": "Done",
        "reporter": "Lin",
        "reporter id": "lin",
    }
    base |= {"created": "05/Mar/25 9:12 AM", "updated": "06/Mar/25 9:12 AM"}
    values = {**base, **cells}
    return {name: value if isinstance(value, list) else [value] for name, value in values.items()}


def test_a_row_of_a_csv_file_becomes_a_ticket_with_its_comments():
    comments = ["05/Mar/25 10:00 AM;bea;On?", "05/Mar/25 11:30 PM;lin;Yes; it\nis.", "no form at all"]
    result = JIRA.row_ticket(row(comment=comments, labels=["a", "b c"], assignee="Bea"), book(zone="Europe/Berlin"))
    values = result.values
    assert values["created_at"] == "2025-03-05T08:12:00.000Z"
    assert (values["status"], values["tags"], values["assigned_to"]) == ("resolved", ["a", "b", "c"], "bea@example.com")
    assert [
        (reply["author_role"], reply["body"], reply["internal"], reply["created_at"]) for reply in values["replies"]
    ] == [
        ("agent", "no form at all", True, "2025-03-05T08:12:00.000Z"),
        ("agent", "On?", True, "2025-03-05T09:00:00.000Z"),
        ("customer", "Yes; it\nis.", False, "2025-03-05T22:30:00.000Z"),
    ]


@pytest.mark.parametrize(
    "created", ["2025-03-05 09:12", "05/Mar/2025 09:12", "05/Mar/25 9:12 AM", "2025-03-05T09:12:00.000+0000"]
)
def test_the_ways_in_which_jira_writes_times_are_read(created):
    assert JIRA.row_ticket(row(created=created), book()).values["created_at"] == "2025-03-05T09:12:00.000Z"


def test_a_list_of_users_gives_addresses_and_names():
    person = JIRA.row_person(
        {"user id": ["lin"], "user name": ["Lin"], "email": ["Lin@Example.com"], "user status": ["Inactive"]}
    )
    assert (person.id, person.name, person.email, person.is_deleted) == ("lin", "Lin", "lin@example.com", True)
