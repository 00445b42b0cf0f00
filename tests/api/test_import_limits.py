"""Large imports: portions, time, and where they stop."""

import io
from functools import partial

from api.imports import check_row, columns_of
from core.models import DEFAULT_COMPANY, Actor
from services.import_export import import_files, imports
from tests.api.test_imports import HEADER, imported, post_csv


def test_at_most_200_reasons_are_told(admin):
    result = imported(admin, HEADER + "1,nonsense,Hello\n" * 250)
    assert (result["rejected"], len(result["errors"])) == (250, imports.MOST_ERRORS)


def test_others_write_between_two_batches(admin, runtime):
    text = HEADER + "".join(f"{n},2017-01-01,Hello {n}\n" for n in range(2 * imports.BATCH))
    actor = Actor(DEFAULT_COMPANY, "admin", "test")
    rows = import_files.read(io.BytesIO(text.encode()), "csv", columns=columns_of())
    numbers = []
    for result in imports.import_rows(
        partial(runtime.storage.unit_of_work, actor), runtime.trained_models, runtime.erasure_marks, rows, check_row
    ):
        assert result.created == imports.BATCH
        numbers.append(admin.ticket()["number"])
    assert numbers == [imports.BATCH + 1, 2 * imports.BATCH + 2]


def test_an_import_stops_after_1000_refused_rows_and_says_so(admin):
    rows = "".join(f"{n},{'2017-01-01' if n == 50 else 'nonsense'},Hello\n" for n in range(1500))
    answer = post_csv(admin, HEADER + rows)
    result = admin.data(answer)
    assert (result["read"], result["created"], result["rejected"]) == (1100, 1, 1099)
    assert len(result["errors"]) == imports.MOST_ERRORS + 1
    last = result["errors"][-1]
    assert (last["line"], last["field"]) == (1102, "")
    assert "1,099 rows were refused" in last["message"]
    assert "Stopped at line 1102" in answer.json["message"]
    admin.ticket()


def test_an_import_that_ends_with_its_1000th_refused_row_was_not_stopped(admin):
    result = imported(admin, HEADER + "1,nonsense,Hello\n" * 1000 + "\n\n")
    assert (result["rejected"], len(result["errors"])) == (1000, imports.MOST_ERRORS)


def test_an_import_that_takes_too_long_stops_and_goes_on_when_the_file_is_sent_again(admin, monkeypatch):
    monkeypatch.setattr(imports, "SECONDS", 0)
    text = HEADER + "".join(f"{n},2017-01-01,Hello {n}\n" for n in range(imports.BATCH + 50))
    first = imported(admin, text)
    assert (first["read"], first["created"]) == (imports.BATCH, imports.BATCH)
    assert (first["errors"][-1]["line"], len(first["errors"])) == (imports.BATCH + 2, 1)
    assert "Send the file again" in first["errors"][-1]["message"]
    monkeypatch.setattr(imports, "SECONDS", 45)
    second = imported(admin, text)
    assert (second["created"], second["skipped"], second["errors"]) == (50, imports.BATCH, [])


def test_rows_that_are_here_are_found_without_trying_each(admin, runtime, monkeypatch):
    text = HEADER + "".join(f"{n},2017-01-01,Hello {n}\n" for n in range(250))
    imported(admin, text)
    monkeypatch.setattr(imports, "_one_unit", None)
    assert imported(admin, text)["skipped"] == 250


def test_long_rows_come_in_smaller_portions(admin, runtime):
    text = HEADER + "".join(f"{n},2017-01-01,{'word ' * 3000}{n}\n" for n in range(30))
    actor = Actor(DEFAULT_COMPANY, "admin", "test")
    rows = import_files.read(io.BytesIO(text.encode()), "csv", columns=columns_of())
    portions = [
        result.created
        for result in imports.import_rows(
            partial(runtime.storage.unit_of_work, actor), runtime.trained_models, runtime.erasure_marks, rows, check_row
        )
    ]
    assert portions == [14, 14, 2]


def test_an_import_lets_other_writers_in_after_a_moment(admin, runtime, monkeypatch):
    monkeypatch.setattr(imports, "UNIT_SECONDS", 0)
    result = imported(admin, HEADER + "".join(f"{n},,Hello {n}\n" for n in range(5)))
    assert (result["created"], result["customers"]) == (5, 5)
    moments = {ticket["created_at"] for ticket in admin.data(admin.get("/api/tickets"))}
    assert len(moments) == 5, "each row in a unit of work of its own"
