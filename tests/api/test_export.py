"""Exports: complete, exact, streamed, without formulas (case 33), and of one company only."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from core.models import TICKET_FIELDS
from services.import_export import exports
from services.import_export.csv_cells import FORMULA_STARTS
from tests.conftest import add_key
from tests.support.caller import Caller
from tests.support.rows import everything
from tests.support.spec_check import check_response

AWKWARD = 'a "quoted", comma; semicolon\nnew line é 日 😀 \\ end'
PASSWORD = "correct horse battery"


def taken_out(caller, query=""):
    answer = caller.get(f"/api/export?{query}")
    assert answer.status_code == 200, answer.get_data()
    return answer


def as_table(caller, query=""):
    answer = caller.client.get(f"/api/export?format=csv&{query}", headers={"X-API-Key": caller.key})
    assert answer.status_code == 200
    text = answer.get_data().decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def lived(admin, **fields):
    """A ticket with a thread and a history."""
    ticket = admin.ticket(**{"description": AWKWARD, "tags": ["a", "b"], **fields})
    path = f"/api/tickets/{ticket['id']}"
    admin.data(
        admin.post(f"{path}/replies", {"body": "First\nline", "author_name": "Bob", "author_email": "b@x.example"}), 201
    )
    admin.data(admin.post(f"{path}/replies", {"body": "A note", "internal": True}), 201)
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    return ticket["id"]


def test_json_holds_every_ticket_with_thread_and_history(admin):
    ids = [lived(admin, customer_email=f"c{number}@example.com") for number in range(3)]
    answer = taken_out(admin)
    assert answer.mimetype == "application/json"
    assert [ticket["id"] for ticket in answer.json["data"]] == ids
    assert [answer.json[name] for name in ("total", "limit", "offset")] == [3, 3, 0]
    for ticket in answer.json["data"]:
        path = f"/api/tickets/{ticket['id']}"
        assert ticket.pop("replies") == admin.data(admin.get(f"{path}/replies"))
        assert ticket.pop("history") == admin.data(admin.get(f"{path}/history"))
        assert ticket == admin.data(admin.get(path))


def test_csv_has_a_row_for_each_ticket_with_all_fields_in_order(admin):
    ids = [lived(admin), lived(admin, title="Second")]
    rows = as_table(admin)
    assert list(rows[0]) == [*TICKET_FIELDS, "thread"]
    assert [row["id"] for row in rows] == ids
    ticket = admin.data(admin.get(f"/api/tickets/{ids[0]}"))
    for name in TICKET_FIELDS:
        value = ticket.get(name, "")
        assert rows[0][name] == (", ".join(value) if isinstance(value, list) else str(value)), name
    assert rows[0]["description"] == AWKWARD
    thread = rows[0]["thread"].split("\n")
    replies = admin.data(admin.get(f"/api/tickets/{ids[0]}/replies"))
    assert len(thread) == len(replies) == 3
    assert thread[1] == f"{replies[1]['created_at']} agent Bob <b@x.example>: First line"
    assert thread[2].endswith("agent, note Support: A note")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@sum(1)", "＝1", "＋1", "－1", "＠1"])
def test_no_cell_is_a_formula_case_33(admin, start):
    formula = f'{start};=cmd|" /c calc"!a0'
    ticket = admin.ticket(
        title=formula,
        description=formula,
        customer_name=formula,
        product=formula,
        tags=[formula],
        assigned_to=formula,
        external_id=formula,
    )
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.post(f"{path}/replies", {"body": formula, "author_name": formula}), 201)
    admin.data(admin.post(f"{path}/resolve", {"resolution": formula}))
    row = as_table(admin)[0]
    named = "title description customer_name product tags assigned_to external_id resolution".split()
    assert [row[name] for name in named] == [f"'{formula}"] * len(named)
    assert not [cell for cell in row.values() if cell.startswith(FORMULA_STARTS)]


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", "=1", "-", "＝1"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(text):
    row = {name: "" for name in TICKET_FIELDS} | {"title": text, "number": 7, "replies": []}
    piece = list(exports.as_csv([[row]]))[-1].decode()
    read = dict(zip([*TICKET_FIELDS, "thread"], next(csv.reader(io.StringIO(piece, newline=""))), strict=True))
    assert read["title"] == f"'{text}"
    assert read["number"] == "7"


def test_every_cell_is_quoted(admin):
    admin.ticket(title="a;=1+1")
    answer = admin.client.get("/api/export?format=csv", headers={"X-API-Key": admin.key}).get_data(as_text=True)
    header, _, _ = answer.partition("\r\n")
    assert header == "\ufeff" + ",".join(f'"{name}"' for name in [*TICKET_FIELDS, "thread"])
    assert '"a;=1+1"' in answer


def test_it_is_a_file_with_a_name(admin, runtime):
    today = runtime.storage.real_now()[:10]
    for kind, mime in (("json", "application/json"), ("csv", "text/csv")):
        answer = admin.client.get(f"/api/export?format={kind}", headers={"X-API-Key": admin.key})
        assert answer.headers["Content-Disposition"] == f'attachment; filename="tickets-{today}.{kind}"'
        assert answer.mimetype == mime
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        check_response(admin.client.application, answer, "GET", "/api/export")


def test_export_without_tickets_is_an_empty_file(admin):
    answer = taken_out(admin)
    assert (answer.json["data"], answer.json["total"]) == ([], 0)
    assert as_table(admin) == []


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_paging_loses_and_repeats_no_ticket(admin, monkeypatch, count):
    monkeypatch.setattr(exports, "PAGE", 2)
    ids = [admin.ticket(title=str(number))["id"] for number in range(count)]
    assert [ticket["id"] for ticket in taken_out(admin).json["data"]] == ids


def test_all_tickets_with_the_same_time_are_exported(open_app, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 2)
    admin = Caller(open_app().test_client(), "admin-key")
    rows = [
        {"description": f"Old {n}", "customer_email": "a@example.com", "created_at": "2020-01-01T00:00:00Z"}
        for n in range(7)
    ]
    admin.data(admin.post("/api/import", rows))
    data = taken_out(admin).json["data"]
    assert sorted(ticket["description"] for ticket in data) == [f"Old {n}" for n in range(7)]
    assert [(t["created_at"], t["id"]) for t in data] == sorted((t["created_at"], t["id"]) for t in data)


def test_tickets_imported_newest_first_are_exported_once_oldest_first(admin, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 2)
    days = [f"2020-01-0{9 - n}T00:00:00.000Z" for n in range(7)]
    rows = [{"description": day, "customer_email": "a@example.com", "created_at": day} for day in days]
    admin.data(admin.post("/api/import", rows))
    assert [ticket["description"] for ticket in taken_out(admin).json["data"]] == days[::-1]


def test_tickets_created_or_deleted_during_the_export_are_left_out(app, admin, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 2)
    ids = [admin.ticket(title=str(number))["id"] for number in range(5)]
    answer = app.test_client().get("/api/export", headers={"X-API-Key": admin.key}, buffered=False)
    pieces = answer.iter_encoded()
    read = next(pieces) + next(pieces)
    new = admin.ticket(title="Meanwhile")["id"]
    old = [{"description": "Long ago", "customer_email": "a@example.com", "created_at": "2020-01-01"}]
    late = [{"description": "Now", "customer_email": "a@example.com"}]
    admin.data(admin.post("/api/import", old + late))
    admin.data(admin.delete(f"/api/tickets/{ids[3]}"))
    body = json.loads(read + b"".join(pieces))
    assert [ticket["id"] for ticket in body["data"]] == [*ids[:3], ids[4]]
    assert new not in str(body)
    assert (body["total"], body["limit"]) == (4, 4)


def test_the_export_is_streamed_and_blocks_nobody(app, admin, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 2)
    for number in range(9):
        admin.ticket(title=str(number))
    asked = []
    real = exports.with_threads
    monkeypatch.setattr(exports, "with_threads", lambda uow, found: asked.append(len(found)) or real(uow, found))
    answer = app.test_client().get("/api/export", headers={"X-API-Key": admin.key}, buffered=False)
    pieces = answer.iter_encoded()
    next(pieces)
    next(pieces)
    assert asked == [2], "one page is in memory, not all"
    assert admin.ticket()["number"] == 10, "others write while the file is half sent"
    answer.close()


def test_a_period_is_strict_at_both_ends(open_app):
    present = [datetime(2026, 1, 31, 8, tzinfo=UTC)]
    admin = Caller(open_app(clock=lambda: present[0]).test_client(), "admin-key")
    moments = []
    for _ in range(4):
        present[0] += timedelta(hours=1)
        moments.append(admin.ticket()["created_at"])

    def found(query):
        return [ticket["created_at"] for ticket in taken_out(admin, query).json["data"]]

    assert found(f"created_after={moments[0]}") == moments[1:]
    assert found(f"created_before={moments[3]}") == moments[:3]
    assert found(f"created_after={moments[0]}&created_before={moments[3]}") == moments[1:3]
    assert [row["created_at"] for row in as_table(admin, f"created_after={moments[1]}")] == moments[2:]


@pytest.mark.parametrize("query", ["format=xml", "created_after=soon", "limit=10", "fields=id", "format=csv;DROP"])
def test_unknown_parameters_are_refused_in_the_common_form(admin, query):
    answer = admin.get(f"/api/export?{query}")
    assert answer.status_code == 400
    assert answer.json["data"]["code"] == "invalid_fields"


def test_only_admins_export_and_only_their_company(app, runtime, admin, agent, customer, other_admin):
    mine = admin.ticket(title="CANARY of the first")
    there = other_admin.ticket(title="CANARY of the other", external_id="CANARY-other")
    narrow = Caller(app.test_client(), add_key(runtime, "admin", scopes=["tickets.read", "import"]))
    for caller in (agent, customer, narrow):
        assert caller.get("/api/export").status_code == 403
        assert caller.get("/api/export?format=csv").status_code == 403
    assert [ticket["id"] for ticket in taken_out(admin).json["data"]] == [mine["id"]]
    assert [row["id"] for row in as_table(other_admin)] == [there["id"]]
    for kind in ("json", "csv"):
        answer = admin.client.get(f"/api/export?format={kind}", headers={"X-API-Key": admin.key})
        assert "other" not in answer.get_data(as_text=True)


def test_it_holds_no_secret_case_4(app, admin, runtime):
    person = {"name": "Bob", "email": "bob@example.com", "role": "agent", "password": PASSWORD}
    admin.data(admin.post("/api/users", person), 201)
    caller = Caller(app.test_client())
    signed_in = caller.data(caller.post("/api/auth/login", {"email": person["email"], "password": PASSWORD}))
    key = admin.data(admin.post("/api/keys", {"name": "k", "role": "agent", "scopes": []}), 201)
    ticket = admin.ticket()
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": "bob@example.com"}))
    rows = everything(runtime.storage)
    secrets = [row["password_hash"] for row in rows["users"]] + [row["key_hash"] for row in rows["api_keys"]]
    secrets += [key["key"], admin.key, PASSWORD, signed_in["access_token"], signed_in["refresh_token"]]
    for kind in ("json", "csv"):
        text = admin.client.get(f"/api/export?format={kind}", headers={"X-API-Key": admin.key}).get_data(as_text=True)
        assert "bob@example.com" in text
        assert [secret for secret in secrets if secret in text] == []


def test_it_holds_no_erased_data_case_41(admin):
    lived(admin, customer_email="ada.canary@example.com", customer_name="Canary", title="Canary")
    admin.data(admin.delete("/api/customers/ada.canary@example.com"))
    for kind in ("json", "csv"):
        text = admin.client.get(f"/api/export?format={kind}", headers={"X-API-Key": admin.key}).get_data(as_text=True)
        assert "canary" not in text.lower()
        assert "(erased)" in text
