"""Bringing in tickets from files: what is read, what is refused and why, and that nobody is bothered by it."""

import csv
import io
from pathlib import Path

import pytest

from api.imports import MAX_FILE
from database.tables import tickets
from services.tickets.titles import title_of

REAL_FILE = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data" / "customer_messages.csv"
HEADER = "User ID,Timestamp (UTC),Message Body\n"
GOOD = HEADER + "208,2017-02-01 19:29:05,Why was my application rejected\n"


def post_csv(caller, text, path="/api/import", **headers):
    data = text if isinstance(text, bytes) else text.encode()
    return caller.post(path, data=data, content_type="text/csv", headers=headers)


def imported(caller, text):
    return caller.data(post_csv(caller, text))


def reasons(result):
    return {error["line"]: f"{error['field']}: {error['message']}" for error in result["errors"]}


def only_ticket(caller):
    (ticket,) = caller.data(caller.get("/api/tickets"))
    return ticket


@pytest.mark.skipif(not REAL_FILE.exists(), reason="the file of real messages is not beside this folder")
def test_the_file_of_real_messages_comes_in_once(admin):
    with REAL_FILE.open(newline="") as file:
        people = {row["User ID"] for row in csv.DictReader(file)}
    first = imported(admin, REAL_FILE.read_bytes())
    expected = {
        "read": 100,
        "created": 100,
        "skipped": 0,
        "rejected": 0,
        "customers": len(people),
        "errors": [],
        "ignored": [],
    }
    assert first == expected
    second = imported(admin, REAL_FILE.read_bytes())
    assert second == {**expected, "created": 0, "skipped": 100, "customers": 0}
    assert admin.get("/api/tickets?limit=1").json["total"] == 100
    assert admin.get("/api/customers?limit=1").json["total"] == len(people)


def test_a_message_becomes_a_triaged_ticket_with_a_title_of_its_own(admin):
    imported(admin, HEADER + '77,2017-02-01 19:29:05,"I was hacked! Somebody took my money, please help."\n')
    ticket = only_ticket(admin)
    assert (ticket["title"], ticket["customer_id"], ticket["source"]) == ("I was hacked!", "77", "import")
    assert (ticket["created_at"], ticket["status"]) == ("2017-02-01T19:29:05.000Z", "new")
    assert (ticket["priority"], ticket["ai_status"], ticket["ai_response"]) == ("urgent", "off", "")


def test_a_dry_run_says_the_same_and_changes_nothing(admin):
    text = "description,customer_email,priority\nIt broke,ana@example.com,low\nIt broke too,bo@example.com,soon\n"
    tried = post_csv(admin, text, path="/api/import?dry_run=true").get_json()
    assert tried["message"].endswith("1 created, 0 here already, 1 refused. Nothing was changed.")
    assert admin.get("/api/tickets").get_json()["total"] == 0
    assert admin.get("/api/customers").get_json()["total"] == 0
    assert post_csv(admin, text).get_json()["data"] == tried["data"]


def test_nobody_is_mailed_about_what_is_imported(admin, run_jobs, mailer):
    imported(admin, "title,description,customer_email,agent\nHacked,I was hacked,eva@example.com,bob@example.com\n")
    assert run_jobs() == 0
    assert mailer.sent == []


def test_any_header_of_ticket_fields_is_understood(admin):
    header = "Subject;Message;E-Mail;Name;Customer Tier;Priority;Urgency;Tags;Agent Email;External-ID;created_at\n"
    row = "Broken;It does not start;Eva@Example.com;Eva;Premium;High;4.25;a, b|c;bob@example.com;X1;2024-05-01T10:00:00+02:00\n"
    result = imported(admin, header.replace("E-Mail", "Email") + row)
    assert result["errors"] == []
    ticket = only_ticket(admin)
    wanted = {
        "title": "Broken",
        "description": "It does not start",
        "customer_email": "eva@example.com",
        "customer_name": "Eva",
        "customer_tier": "premium",
        "priority": "high",
        "urgency": 4.2,
        "tags": ["a", "b", "c"],
        "assigned_to": "bob@example.com",
        "assigned_at": "2024-05-01T08:00:00.000Z",
        "external_id": "X1",
        "status": "assigned",
        "created_at": "2024-05-01T08:00:00.000Z",
    }
    assert {name: ticket[name] for name in wanted} == wanted


def test_a_resolved_row_keeps_when_and_how_it_was_resolved(admin):
    header = "description,customer_id,created_at,status,resolution,resolved_at,closed_at\n"
    times = "2024-05-01T10:00:00Z,closed,Sent a new one,2024-05-01T11:00:00Z,2024-05-03T00:00:00Z"
    imported(admin, header + f"It is broken,7,{times}\n")
    ticket = only_ticket(admin)
    wanted = {"status": "closed", "resolution": "Sent a new one"}
    wanted |= {"resolved_at": "2024-05-01T11:00:00.000Z", "closed_at": "2024-05-03T00:00:00.000Z"}
    assert {name: ticket[name] for name in wanted} == wanted
    assert admin.data(admin.get("/api/stats"))["resolution_seconds_median"] == 3600


def test_no_duration_is_made_up_for_a_ticket_resolved_nobody_knows_when(admin, runtime):
    imported(admin, "description,customer_id,created_at,status\nIt is broken,7,2024-05-01,resolved\n")
    ticket = only_ticket(admin)
    assert ticket["resolved_at"] == ticket["created_at"] == "2024-05-01T00:00:00.000Z"
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.get(tickets, ticket["id"])["resolution_seconds"] is None


@pytest.mark.parametrize(
    ("header", "row", "field", "words"),
    [
        ("description,email", "Hello,not-an-address", "customer_email", "e-mail address"),
        ("description,email", "Hello,", "customer_email", "customer_email or customer_id"),
        ("description,email", ",a@example.com", "description", "required"),
        ("description,user id,priority", "Hello,7,extreme", "priority", "one of: low"),
        ("description,user id,urgency", "Hello,7,very", "urgency", "number"),
        ("description,user id,timestamp", "Hello,7,yesterday", "created_at", "time like"),
        ("description,user id,created_at", "Hello,7,2999-01-01", "created_at", "future"),
        ("description,user id,status", "Hello,7,assigned", "assigned_to", "to whom"),
        ("description,user id,resolution", "Hello,7,Done", "resolution", "resolved or closed"),
        (
            "description,user id,created_at,status,resolved_at",
            "Hello,7,2024-05-02,resolved,2024-05-01",
            "resolved_at",
            "follow each other",
        ),
        ("description,message,user id", "Hello,Goodbye,7", "message", "must not differ"),
        ("description,user id", "Hello\x00there,7", "description", "NUL"),
        ("description,user id", "Hello, there,7", "", "3 values for 2 columns"),
        ("description,user id", '"Hello"there,7', "", "quotation mark"),
        ("description,user id", '"' + "x" * 20_001 + '",7', "description", "20000"),
        ("description,user id", '"' + "x" * 60_000 + '",7', "description", "20000"),
        ("description,user id", '"' + "x" * 200_000 + '",7', "", "at most 65,536"),
        ("description,user id", "x" * 200_000 + ",7", "", "at most 65,536"),
    ],
)
def test_a_bad_row_is_named_by_line_and_reason_and_stops_no_other(admin, header, row, field, words):
    columns = header.split(",")
    cells = {"description": "All is well", "message": "All is well", "user id": "9", "email": "eva@example.com"}
    good = ",".join(cells.get(name, "") for name in columns)
    result = imported(admin, f"{header}\n{good}\n{row}\n{good.replace('well', 'fine')}\n")
    assert (result["read"], result["created"], result["rejected"]) == (3, 2, 1), result
    (error,) = result["errors"]
    assert (error["line"], error["field"]) == (3, field)
    assert words in error["message"]


def test_lines_are_counted_as_an_editor_shows_them(admin):
    text = HEADER + '1,2017-01-01,"first line\nsecond line\r\nthird line"\n\n2,nonsense,Hello\n"",,\n3,nonsense,Hello\n'
    assert sorted(reasons(imported(admin, text))) == [6, 8]


def test_a_quotation_mark_that_is_not_closed_costs_one_row(admin):
    text = HEADER + '1,2017-01-01,"never closed\n2,2017-01-02,Hello\n3,2017-01-03,"also, quoted"\n4,2017-01-04,"open\n'
    result = imported(admin, text)
    assert (result["read"], result["created"]) == (4, 2)
    assert sorted(reasons(result)) == [2, 5]


def test_bytes_that_are_no_text_cost_one_row(admin):
    raw = (HEADER + "1,2017-01-01,Grüße\n2,2017-01-02,bad \n").encode()[:-1] + b"\xff\n3,2017-01-03,Hello\n"
    result = imported(admin, raw)
    assert result["created"] == 2
    assert "no text" in reasons(result)[3]
    descriptions = {ticket["description"] for ticket in admin.data(admin.get("/api/tickets"))}
    assert descriptions == {"Grüße", "Hello"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_files_of_common_programs_are_read_in_their_encoding(admin, encoding):
    imported(admin, (HEADER + "1,2017-01-01,Grüße aus Köln\n").encode(encoding))
    assert only_ticket(admin)["description"] == "Grüße aus Köln"


@pytest.mark.parametrize(
    ("header", "field", "words"),
    [
        ("User ID,Mesage Body", "Mesage Body", "Did you mean message_body?"),
        ("description,user id,Shoe size", "Shoe size", "not a column known here"),
        ("description,Description,user id", "description", "two columns"),
    ],
)
def test_a_header_that_means_nothing_here_is_refused_by_name(admin, header, field, words):
    answer = post_csv(admin, header + "\na,b,c\n")
    assert answer.status_code == 400
    (error,) = [error for error in answer.json["data"]["errors"] if error["field"] == field]
    assert words in error["message"]
    assert admin.get("/api/tickets").json["total"] == 0


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b" \n\n"])
def test_an_empty_file_is_refused(admin, body):
    answer = post_csv(admin, body)
    assert (answer.status_code, answer.json["data"]["code"]) == (400, "empty_file")


def test_json_comes_as_a_list_or_as_tickets_of_an_object(admin):
    rows = [
        {"User ID": 208, "Message Body": "Hello", "Timestamp (UTC)": "2017-02-01 19:29:05"},
        {"title": "Broken", "description": "It is broken", "customer_email": "eva@example.com", "tags": ["x"]},
        {"title": "Broken", "descriptoin": "It is broken", "customer_email": "eva@example.com"},
        "nonsense",
    ]
    result = admin.data(admin.post("/api/import", rows))
    assert (result["read"], result["created"], result["rejected"]) == (4, 2, 2)
    assert "Did you mean description?" in reasons(result)[3] or "required" in reasons(result)[3]
    assert "must be an object" in reasons(result)[4]
    again = admin.data(admin.post("/api/import", {"tickets": rows[:2]}))
    assert (again["created"], again["skipped"]) == (0, 2)


@pytest.mark.parametrize(
    ("body", "code"), [("{", "bad_json"), ('{"a": 1}', "not_a_list"), ("1", "not_a_list"), ('"x"', "not_a_list")]
)
def test_json_that_is_no_list_is_refused(admin, body, code):
    answer = admin.post("/api/import", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["data"]["code"]) == (400, code)


@pytest.mark.parametrize(("name", "text"), [("m.csv", GOOD), ("m.json", '[{"user_id": 1, "message_body": "Hello"}]')])
def test_a_file_may_be_a_part_of_a_form(admin, name, text):
    data = {"file": (io.BytesIO(text.encode()), name)}
    result = admin.data(admin.post("/api/import", data=data, content_type="multipart/form-data"))
    assert result["created"] == 1, result


def test_a_form_without_a_file_is_refused(admin):
    answer = admin.post("/api/import", data={"a": "1", "b": "2"}, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["data"]["code"]) == (400, "no_file")


@pytest.mark.parametrize("media", ["text/html", "application/xml"])
def test_other_media_types_are_refused(admin, media):
    answer = admin.post("/api/import", data=GOOD, content_type=media)
    assert (answer.status_code, answer.json["success"]) == (415, False)


def test_32_mib_are_read_and_one_byte_more_is_not(admin):
    line = b"1,2017-01-01,Hello\n"
    start = HEADER.encode() + line
    padding = (b" " * 99_999 + b"\n") * (MAX_FILE // 100_000 + 1)
    fitting = start + padding[: MAX_FILE - len(start)]
    assert imported(admin, fitting)["created"] == 1
    answer = post_csv(admin, fitting + b"\n")
    assert (answer.status_code, answer.json["data"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("as_form", [False, True])
def test_the_same_key_imports_once_and_answers_alike(admin, as_form):
    def send(text):
        if not as_form:
            return post_csv(admin, text, **{"Idempotency-Key": "k1"})
        data = {"file": (io.BytesIO(text.encode()), "m.csv")}
        headers = {"Idempotency-Key": "k1"}
        return admin.post("/api/import", data=data, content_type="multipart/form-data", headers=headers)

    first, again = send(GOOD), send(GOOD)
    assert first.json["data"]["created"] == 1
    assert (again.json, again.headers["Idempotent-Replay"]) == (first.json, "true")
    assert send(GOOD + "9,2017-01-01,Hello\n").json["data"]["code"] == "idempotency_key_reused"


def test_only_admins_may_import(agent, customer, stranger):
    for caller in (agent, customer, stranger):
        assert post_csv(caller, GOOD).status_code == 403
    assert agent.get("/api/tickets").json["total"] == 0


def test_the_same_file_in_two_companies_makes_tickets_in_both(admin, other_admin):
    assert imported(admin, GOOD)["created"] == 1
    assert imported(other_admin, GOOD)["created"] == 1
    assert other_admin.get("/api/tickets").json["total"] == 1


def test_the_second_row_with_one_external_id_is_refused(admin):
    text = "external_id,user_id,description\nX,1,Hello\nX,1,Goodbye\n"
    for created, skipped in ((1, 0), (0, 1)):
        result = imported(admin, text)
        assert (result["created"], result["skipped"], result["rejected"]) == (created, skipped, 1)
        assert [(error["line"], error["field"]) for error in result["errors"]] == [(3, "external_id")]


def test_a_refused_row_takes_no_number(admin):
    rows = "user_id,email,description\n1,a@example.com,A\n2,b@example.com,B\n1,b@example.com,C\n3,,D\n"
    result = imported(admin, rows)
    assert "different customers" in reasons(result)[4]
    assert sorted(ticket["number"] for ticket in admin.data(admin.get("/api/tickets"))) == [1, 2, 3]


@pytest.mark.parametrize(("kind", "text"), [("text/csv", GOOD), ("application/json", "[]")])
@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_file_that_breaks_off_is_refused(admin, kind, text, size):
    body = io.BytesIO(text.encode() + b" " * size)
    length = {"CONTENT_LENGTH": str(len(text) + size + 1)}
    answer = admin.post("/api/import", data=None, input_stream=body, content_type=kind, environ_overrides=length)
    assert answer.status_code == 400
    assert admin.get("/api/tickets").json["total"] == 0


@pytest.mark.parametrize("name", ["m.csv", "m.json", "m.xlsx"])
def test_a_compressed_file_or_a_spreadsheet_is_refused_as_one(admin, name):
    data = {"file": (io.BytesIO(b"PK\x03\x04" + b"\0" * 100), name)}
    answer = admin.post("/api/import", data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["data"]["code"]) == (400, "not_text")


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Why was it rejected", "Why was it rejected"),
        ("Hello there. I need help", "Hello there."),
        ("  first line  here\nsecond", "first line here"),
        ("word " * 40, ("word " * 15).strip() + "…"),
        ("x" * 200, "x" * 79 + "…"),
        ("Version 2.5 fails. Why?", "Version 2.5 fails."),
        (" \n ", ""),
    ],
)
def test_the_title_is_the_first_sentence_cut_between_words(message, title):
    assert title_of(message) == title
