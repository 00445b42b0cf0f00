"""Who was erased stays away from every import, and may still write again (case 41)."""

import io
import json

import pytest

from auth.erasure_marks import ErasureMarks
from database.tables import erased_people, tickets
from services.help_desks.importing import ERASED, Import
from services.help_desks.records import Book
from services.help_desks.report import Report
from services.help_desks.zendesk import ZENDESK
from services.import_export.imports import Result
from services.privacy.erased_people import ERASED_HERE
from tests.support.accounts import rows
from tests.support.rows import ONE
from tests.support.transfers import exported, imported

EVE = {"customer_email": "eve@example.com", "customer_id": "c-9"}
TICKET = {
    "title": "Late",
    "description": "Where is it?",
    "external_id": "zendesk:1",
    "created_at": "2025-03-01T08:00:00Z",
}


@pytest.fixture
def erased(admin):
    """A company where Eve was erased."""
    admin.ticket(**EVE)
    admin.data(admin.delete(f"/api/customers/{EVE['customer_email']}"))


@pytest.mark.every_engine
@pytest.mark.parametrize(
    "person", [EVE, {"customer_email": "EVE@Example.com"}, {"customer_id": "c-9", "customer_email": "new@example.com"}]
)
def test_records_of_an_erased_person_are_refused_and_told(app, admin, erased, person):
    records = {
        "customers": [{"customer_name": "Eve", **person}, {"customer_email": "ada@example.com"}],
        "tickets": [{**TICKET, **person}, {**TICKET, "external_id": "2", "customer_email": "ada@example.com"}],
    }
    for dry_run in (True, False):
        result = admin.data(admin.post("/api/import/records", {**records, "dry_run": dry_run}))
        for kind in records:
            assert (result[kind]["created"], result[kind]["rejected"]) == (1, 1)
            [error] = result[kind]["errors"]
            assert (error["line"], error["message"]) == (1, ERASED_HERE)
    assert len(rows(app, tickets)) == 2, "the erased one, and Ada's"


def test_rows_of_a_file_of_an_erased_person_are_refused(admin, erased):
    [error] = admin.data(admin.post("/api/import", [{**TICKET, **EVE}]))["errors"]
    assert (error["field"], error["message"]) == ("customer_email", ERASED_HERE)


def test_a_transfer_brings_no_erased_person_into_another_company(admin, other_admin, runtime, run_jobs):
    other_admin.ticket(**EVE)
    other_admin.data(
        other_admin.post("/api/users", {"name": "Eve", "email": "eve@example.com", "role": "customer"}), 201
    )
    file = exported(other_admin, run_jobs)
    admin.ticket(**EVE)
    admin.data(admin.delete("/api/customers/eve@example.com"))
    done = imported(admin, run_jobs, file)
    messages = {(error["file"], error["message"]) for error in done["errors"]}
    assert {("customers.jsonl", ERASED_HERE), ("users.jsonl", ERASED_HERE)} <= messages
    assert "eve@example.com" not in json.dumps(admin.data(admin.get("/api/tickets")))
    assert admin.get("/api/customers/eve@example.com").status_code == 404


def test_an_erased_person_may_write_again_and_imports_stay_closed(admin, erased):
    admin.ticket(**EVE)
    assert admin.data(admin.get("/api/customers/c-9"))["total_tickets"] == 1
    result = admin.data(admin.post("/api/import/records", {"tickets": [{**TICKET, **EVE}]}))
    assert result["tickets"]["rejected"] == 1


def test_case_1_another_company_may_import_the_same_person(other_admin, erased):
    result = other_admin.data(other_admin.post("/api/import/records", {"tickets": [{**TICKET, **EVE}]}))
    assert result["tickets"]["created"] == 1


def test_a_mark_tells_nothing_without_the_secret(app, erased):
    text = json.dumps(rows(app, erased_people))
    assert "eve" not in text
    assert "c-9" not in text
    one, other = ErasureMarks("s" * 32), ErasureMarks("t" * 32)
    assert one.of(ONE, "Eve@example.com") == one.of(ONE, "eve@example.com ")
    assert len({one.of(ONE, "a"), one.of(ONE, "A"), one.of("two", "a"), other.of(ONE, "a")}) == 4


def test_the_report_of_another_help_desk_counts_them_and_names_nobody():
    tickets_file = json.dumps({"id": 1, "subject": "One", "description": "x", "created_at": "2025-03-01T08:00:00Z"})
    refusal = Result(read=1, rejected=1, errors=[{"line": 1, "field": "customer_email", "message": ERASED_HERE}])
    report = Report("Zendesk")
    opened = [("tickets.json", lambda: io.BytesIO(tickets_file.encode()))]
    Import(ZENDESK, opened, Book(), lambda _, values: values, lambda *_: refusal, report).run()
    assert report.failed == 0
    assert (report.left_out[ERASED].count, report.left_out[ERASED].examples) == (2, []), "customer and ticket"
