"""Files of exports in the forms that they come in, and what becomes of a whole import without a server."""

import io
import tracemalloc
from contextlib import nullcontext
from functools import partial

import orjson
import pytest

from core.errors import AppError, FieldError, invalid
from services.help_desks import importing, reading, texts
from services.help_desks.importing import Import
from services.help_desks.jira import JIRA
from services.help_desks.records import Book
from services.help_desks.report import Report
from services.help_desks.zendesk import ZENDESK
from services.import_export.imports import Result

MEMBERS = ("tickets", "users", "comments")
ONE = {"id": 1, "subject": "One"}
TWO = {"id": 2, "subject": "Two", "comments": [{"body": "x"}]}


def raws(data, name="tickets.json", charset=""):
    return list(reading.raws(name, io.BytesIO(data), MEMBERS, charset))


def lines(*records):
    return b"\n".join(map(orjson.dumps, records))


JSON = {
    "lines": lines(ONE, TWO),
    "lines with a byte order mark": b"\xef\xbb\xbf" + lines(ONE, TWO),
    "lines with blank ones and carriage returns": b"\r\n" + lines(ONE, TWO).replace(b"\n", b"\r\n\r\n"),
    "a list": orjson.dumps([ONE, TWO]),
    "a list over several lines": orjson.dumps([ONE, TWO], option=orjson.OPT_INDENT_2),
    "a page": orjson.dumps({"tickets": [ONE, TWO], "next_page": None, "count": 2}),
    "a page over several lines": orjson.dumps({"tickets": [ONE, TWO]}, option=orjson.OPT_INDENT_2),
    "pages in lines": lines({"tickets": [ONE]}, {"tickets": [TWO]}),
    "a list of pages": orjson.dumps([{"tickets": [ONE]}, {"tickets": [TWO]}]),
}


@pytest.mark.parametrize("form", JSON)
def test_json_is_read_in_each_form_that_an_export_has(form):
    assert [raw.values for raw in raws(JSON[form])] == [ONE, TWO]


HALVES = [  # a text as an export writes it, and what it becomes
    (rb"cut \ud83d", "cut \ufffd"),
    (rb"\ude00 cut", "\ufffd cut"),
    (rb"\uD83D\uD83D\uDE00", "\ufffd\U0001f600"),
    (rb"\\ud83d \ud83d", "\\ud83d \ufffd"),
    (rb"\"\ud83d\"", '"\ufffd"'),
]


@pytest.mark.parametrize(("written", "subject"), HALVES)
@pytest.mark.parametrize("form", [b'[{"id":1,"subject":"%s"}]', b'{"id":1,"subject":"%s"}\n{"id":2}'])
def test_case_34_half_a_character_costs_no_record(form, written, subject):
    one, *others = raws(form % written)
    assert one.values == {"id": 1, "subject": subject}
    assert [other.values for other in others] in ([], [{"id": 2}])


CSV = {
    "plain": "Id,Subject\n7,Größe\n".encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + "Id,Subject\n7,Größe\n".encode(),
    "with semicolons": "Id;Subject\n7;Größe\n".encode(),
    "with a hint of Excel": "sep=;\nId;Subject\n7;Größe\n".encode(),
    "in Windows-1252": "Id,Subject\r\n7,Größe\r\n".encode("cp1252"),
    "in UTF-16": "Id,Subject\n7,Größe\n".encode("utf-16"),
}


@pytest.mark.parametrize("form", CSV)
def test_csv_is_read_in_each_form_that_an_export_has(form):
    (raw,) = raws(CSV[form], "view.csv")
    assert raw.values == {"id": ["7"], "subject": ["Größe"]}


def test_a_named_charset_is_used():
    (raw,) = raws("Id,Subject\n7,Привет\n".encode("cp1251"), "view.csv", "windows-1251")
    assert raw.values["subject"] == ["Привет"]


def test_repeated_columns_are_all_kept():
    (raw,) = raws(b"Issue key,Comment,Comment,Comment\nA-1,one,,three\n", "jira.csv")
    assert raw.values["comment"] == ["one", "three"]


def test_a_row_may_be_longer_than_one_of_an_ordinary_import():
    cells = ",".join('"' + "x" * 30_000 + '"' for _ in range(20))
    (raw,) = raws(f"Issue key{',Comment' * 20}\nA-1,{cells}\n".encode(), "jira.csv")
    assert len(raw.values["comment"]) == 20


PROBLEMS = [
    (b'{"id":1}\n{"id":2 oops\n{"id":3}', "x.json line 2", "not valid JSON"),
    (b'{"id":1}\n[1]\n{"id":3}', "x.json line 2", "must be an object"),
    (b'[{"id":1}, 7]', "x.json record 2", "must be an object"),
    (b'{"id":1', "x.json", "not valid JSON"),
    (b"", "x.json", "is empty"),
    (b"PK\x03\x04....", "x.json", "compressed"),
    (b"<?xml version='1.0'?>", "x.json", "XML is not taken"),
    (b'Id,Subject\n1,"open\n2,b\n', "x.json line 2", "quotation mark"),
    (b"Id,Subject\n1,a,b\n", "x.json line 2", "3 values for 2 columns"),
    ("Id,Subject\n1,Привет\n".encode("cp1251"), "x.json", "name its charset"),
    (b"[" * 5000, "x.json", "not valid JSON"),
    ('[{"id":1}]'.encode("utf-16"), "x.json", "UTF-16"),
    ('[{"id":1}]'.encode("utf-16-be"), "x.json", "UTF-16"),
    (b"\0\0\0", "x.json", "UTF-8"),
]


@pytest.mark.parametrize(("data", "place", "message"), PROBLEMS)
def test_what_cannot_be_read_is_named_with_its_place(data, place, message):
    problems = [raw for raw in raws(data, "x.json") if raw.problem]
    assert [raw.place for raw in problems] == [place]
    assert message in problems[0].problem


def test_a_long_file_of_lines_takes_little_memory():
    record = orjson.dumps({"id": 1, "subject": "x", "description": "y" * 2_000}) + b"\n"
    file = io.BytesIO(record * 10_000)
    tracemalloc.start()
    count = sum(1 for _ in reading.raws("tickets.ndjson", file, MEMBERS))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert peak < 2_000_000


@pytest.mark.parametrize("length", [1, 10, 11, 25])
def test_parts_of_a_text_hold_all_its_words(length):
    text = "word " * length + "x" * 30
    parts = list(texts.pieces(text, 20))
    assert all(0 < len(part) <= 20 for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


MOMENTS = [
    ("2025-03-05T09:12:00Z", "UTC", "2025-03-05T09:12:00.000Z"),
    ("2025-03-05T09:12:00.123+0100", "UTC", "2025-03-05T08:12:00.123Z"),
    ("2025-03-05 09:12:00 UTC", "Europe/Berlin", "2025-03-05T09:12:00.000Z"),
    ("2025-03-05 09:12", "Europe/Berlin", "2025-03-05T08:12:00.000Z"),
    ("2025-07-05 09:12", "Europe/Berlin", "2025-07-05T07:12:00.000Z"),
    ("2025-03-05", "UTC", "2025-03-05T00:00:00.000Z"),
    (None, "UTC", ""),
    ("", "UTC", ""),
]


@pytest.mark.parametrize(("value", "zone", "stamp"), MOMENTS)
def test_a_time_is_read_with_its_offset_or_zone(value, zone, stamp):
    assert texts.moment(value, zone) == stamp


@pytest.mark.parametrize(
    "value", [10**18, -(10**18), 1e300, float("nan"), "soon", "9999-12-31T23:59:59-14:00", "9999-12-31T23:00:00"]
)
def test_what_is_no_time_is_told_as_such(value):
    with pytest.raises(ValueError, match="is no time that is known here"):
        texts.moment(value, "America/New_York")


class Desk:
    """A server that keeps what it is sent, and refuses titles that say so."""

    def __init__(self):
        self.written = []

    def check(self, kind, values):
        if values.get("title") == "refused":
            raise invalid(FieldError("title", "Not this one."))
        return values

    def bring(self, kind, rows):
        self.written.append((kind, list(rows)))
        result = Result(read=len(rows), created=len(rows))
        for position, row in enumerate(rows, 1):
            if row.get("title") == "late":
                result.reject(position, [FieldError("created_at", "Not yet.")])
        return result

    def kinds(self):
        return [kind for kind, _ in self.written]


def run(product=ZENDESK, **files):
    desk = Desk()
    opened = [(name, partial(lambda data: nullcontext(io.BytesIO(data)), data)) for name, data in files.items()]
    report = Import(product, opened, Book(), desk.check, desk.bring, Report(product.name)).run()
    return desk, report


def ticket(number, **fields):
    return {
        "id": number,
        "subject": f"T{number}",
        "description": "x",
        "requester_id": 1,
        "created_at": "2025-01-01T00:00:00Z",
        **fields,
    }


ADA = {"id": 1, "name": "Ada", "email": "ada@example.com", "role": "end-user"}


@pytest.mark.parametrize("order", [("tickets", "users"), ("users", "tickets")])
def test_the_order_of_the_files_does_not_matter(order):
    data = {"tickets": lines(ticket(1), ticket(2)), "users": orjson.dumps({"users": [ADA]})}
    desk, _ = run(**{name: data[name] for name in order})
    assert desk.kinds() == ["customers", "tickets"]
    assert {row["customer_email"] for row in desk.written[1][1]} == {"ada@example.com"}


def test_customers_are_written_once_and_before_their_tickets():
    desk, _ = run(tickets=lines(*(ticket(number, requester_id=number % 3) for number in range(250))))
    assert desk.kinds() == ["customers", "tickets", "tickets", "tickets"]
    assert len(desk.written[0][1]) == 3


def test_long_tickets_are_written_in_smaller_portions(monkeypatch):
    monkeypatch.setattr(importing, "MOST_TEXT", 1_000)
    desk, _ = run(tickets=lines(*(ticket(number, description="x" * 600) for number in range(6))))
    assert [len(rows) for kind, rows in desk.written if kind == "tickets"] == [2, 2, 2]


def test_bad_records_are_named_and_everything_else_goes_on():
    data = lines(
        ticket(1), ticket(2, subject="refused"), ticket(3, subject="late"), ticket(4, created_at="soon"), ticket(5)
    )
    _, report = run(tickets=data + b"\n{broken")
    assert report.failed == 4
    assert sorted(report.failures) == [
        "tickets line 2: title: Not this one.",
        "tickets line 3: created_at: Not yet.",
        "tickets line 4: 'soon' is no time that is known here.",
        "tickets line 6: This line is not valid JSON (column 2).",
    ]


def test_a_ticket_that_stands_in_two_pages_is_taken_once():
    desk, report = run(one=lines(ticket(1)), two=lines(ticket(1, subject="later")))
    assert [row["title"] for kind, rows in desk.written for row in rows if kind == "tickets"] == ["T1"]
    assert report.left_out[importing.TWICE].count == 1
    assert report.failed == 0


def test_lists_that_are_not_taken_are_told_with_the_reason():
    page = {"suspended_tickets": [{"id": 1}, {"id": 2}], "tickets": [ticket(1)]}
    _, report = run(tickets=orjson.dumps(page))
    assert report.left_out["suspended tickets: Zendesk held them back as spam"].count == 2
    _, report = run(strange=orjson.dumps({"id": 9, "colour": "red"}))
    assert report.left_out[importing.UNKNOWN].count == 1


def test_people_without_tickets_are_customers_except_in_jira():
    users = {"users": [ADA, {"id": 2, "name": "Bea", "email": "bea@example.com", "role": "agent"}]}
    desk, _ = run(users=orjson.dumps(users))
    assert desk.kinds() == ["customers", "agents"]
    desk, _ = run(JIRA, users=b"User id,User name,email\n1,Ada,ada@example.com\n")
    assert desk.written == []


def test_the_report_counts_reasons_and_shows_three_examples_on_one_line_each():
    report = Report("Zendesk", dry_run=True)
    report.leave_out([("custom fields", f"zendesk:{number}\n\x1b[31m") for number in range(5)])
    report.fail("a.json line 2", "broken\r\n")
    text = list(report.lines())
    assert text[0] == "Dry run, nothing was changed. From Zendesk:"
    assert any(line.startswith("  5 custom fields (zendesk:0") and line.count("zendesk:") == 3 for line in text)
    assert all(line.isprintable() for line in text)


def test_an_error_of_the_server_ends_the_import():
    def bring(kind, rows):
        raise AppError("The disk is full.", "storage", 503)

    opened = [("t", lambda: nullcontext(io.BytesIO(lines(ticket(1)))))]
    with pytest.raises(AppError, match="disk is full"):
        Import(ZENDESK, opened, Book(), lambda _, values: values, bring, Report("Zendesk")).run()
