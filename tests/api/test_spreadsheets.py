"""Excel files wherever CSV is taken and given: tickets and articles come in, tickets go out, and bombs do nothing."""

import io
import zipfile
from datetime import datetime

import pytest
import python_calamine
import xlsxwriter

from services.import_export import spreadsheets

EXCEL = spreadsheets.MEDIA_TYPE


def workbook(*rows, hidden=()):
    """An Excel file of one sheet, after sheets that are hidden."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name in hidden:
            book.add_worksheet(name).write_string(0, 0, "hidden")
        sheet = book.add_worksheet("Tickets")
        sheet.activate()
        for name in hidden:
            book.get_worksheet_by_name(name).hide()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, column, value, day)
                elif value is not None:
                    sheet.write(number, column, value)
    return file.getvalue()


def sent(caller, data, **headers):
    return caller.post("/api/import", data=data, content_type=EXCEL, headers=headers)


HALF_PAST_EIGHT = datetime.fromisoformat("2026-03-01T08:30:00")
TICKETS = [
    ("Title", "Description", "Customer Email", "Customer ID", "Created At", "Tags"),
    ("Broken", "It broke.\nTwice.", "ada@example.com", 4711, HALF_PAST_EIGHT, "a, b"),
    (),
    ("=1+1", "A formula as text.", "eve@example.com", None, None, None),
]


def test_tickets_come_in_from_an_excel_file(admin):
    result = admin.data(sent(admin, workbook(*TICKETS, hidden=["notes"])))
    assert (result["read"], result["created"], result["errors"]) == (2, 2, [])
    rows = {ticket["title"]: ticket for ticket in admin.data(admin.get("/api/tickets"))}
    broken = rows["Broken"]
    assert (broken["description"], broken["customer_id"]) == ("It broke.\nTwice.", "4711")
    assert (broken["created_at"], broken["tags"]) == ("2026-03-01T08:30:00.000Z", ["a", "b"])
    assert "=1+1" in rows
    assert admin.data(sent(admin, workbook(*TICKETS)))["skipped"] == 2


def test_a_form_with_an_excel_file_and_wrong_rows_name_their_row(admin):
    data = workbook(*TICKETS, ("Late", "No such time.", "ada@example.com", None, "yesterday", None))
    form = {"file": (io.BytesIO(data), "tickets.xlsx")}
    result = admin.data(admin.post("/api/import", data=form, content_type="multipart/form-data"))
    assert (result["created"], result["rejected"]) == (2, 1)
    assert [(error["line"], error["field"]) for error in result["errors"]] == [(5, "created_at")]


def test_articles_come_in_from_an_excel_file(admin):
    data = workbook(("Question", "Answer", "Tags"), ("How do refunds work?", "They take five days.", "money"))
    result = admin.data(admin.post("/api/import/knowledge", data=data, content_type=EXCEL))
    assert (result["created"], result["errors"]) == (1, [])
    (article,) = admin.data(admin.get("/api/knowledge"))
    assert (article["title"], article["tags"]) == ("How do refunds work?", ["money"])


def test_an_export_is_an_excel_file_of_texts_that_comes_in_again(admin, other_admin):
    admin.ticket(title='=HYPERLINK("http://evil.example")', description="Line\nbreak", tags=["a"])
    long = admin.ticket(title="Long")
    for _ in range(2):
        admin.post(f"/api/tickets/{long['id']}/replies", {"body": "x" * 19_000})
    response = admin.get("/api/export?format=xlsx")
    assert response.mimetype == EXCEL
    assert response.headers["Content-Disposition"].endswith('.xlsx"')
    data = response.get_data()
    sheet = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
    header, *rows = sheet.to_python()
    titles = [row[header.index("title")] for row in rows]
    assert titles == ['=HYPERLINK("http://evil.example")', "Long"]
    thread = rows[1][header.index("thread")]
    assert len(thread) == spreadsheets.MOST_IN_CELL
    assert thread.endswith(spreadsheets.CUT)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in text
    assert b"<hyperlink" not in text
    result = other_admin.data(sent(other_admin, data))
    assert (result["created"], result["errors"]) == (2, [])


def test_statistics_are_an_excel_file_with_numbers(admin):
    admin.ticket()
    response = admin.get("/api/stats/export?format=xlsx")
    assert response.mimetype == EXCEL
    sheet = python_calamine.load_workbook(io.BytesIO(response.get_data())).get_sheet_by_index(0)
    rows = {row[0]: row for row in sheet.to_python()}
    assert rows["figure"] == ["figure", "key", "label", "value", "previous"]
    assert rows["total_tickets"][3] == 1.0
    assert admin.get("/api/stats/export").mimetype == "text/csv"


def changed(data, name, change):
    """The workbook with one of its files changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, change(content) if member == name else content)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
BAD = {
    "corners far apart": lambda data: changed(data, SHEET, lambda xml: xml.replace(b'r="A2"', b'r="XFD1048576"')),
    "a row far down": lambda data: changed(data, SHEET, lambda xml: xml.replace(b'<row r="2"', b"<row r = '99999999'")),
    "much in little": lambda data: changed(data, SHEET, lambda xml: xml + b" " * (300 * 1024 * 1024)),
    "cut short": lambda data: data[: len(data) // 2],
    "damaged": lambda data: changed(data, SHEET, lambda xml: b"<not xml"),
    "nothing": lambda data: workbook(),
    "not Excel": lambda data: changed(workbook(), "xl/workbook.xml", lambda xml: b"<a/>"),
}


@pytest.mark.parametrize("fault", BAD)
def test_case_32_a_bomb_or_a_damaged_file_is_refused(admin, fault):
    response = sent(admin, BAD[fault](workbook(*TICKETS)))
    assert response.status_code == 400, response.get_data(as_text=True)
    assert admin.get("/api/tickets").json["total"] == 0


def test_without_the_library_a_sentence_says_what_to_install(admin, monkeypatch):
    monkeypatch.setattr(spreadsheets, "find_spec", lambda name: None)
    for response in (sent(admin, workbook(*TICKETS)), admin.get("/api/export?format=xlsx")):
        assert (response.status_code, response.json["data"]["code"]) == (400, "no_excel")
        assert "requirements-excel.txt" in response.json["message"]
