"""Manual edits of the JSON document: which are loaded, which are refused, and with which message."""

import json
import re
import shutil
from pathlib import Path

import orjson
import pytest

from database import migrations
from database.tables import events, tickets
from jobs.handlers import tidy
from storage import StorageError
from tests.support.caller import Caller
from tests.support.rows import ONE, actor, everything, files, filled, open_store


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory):
    """A document as a stopped server writes it, and the rows of its store."""
    folder = tmp_path_factory.mktemp("left")
    store = filled(folder)
    all_rows = everything(store)
    store.close()
    return folder / "foyer.json", all_rows


@pytest.fixture
def document(tmp_path, left_behind):
    """A copy of it for one test."""
    path, all_rows = left_behind
    return Path(shutil.copy2(path, tmp_path)), all_rows


def edit(path, change):
    """Changes the document as a person with a JSON editor would."""
    content = orjson.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content, indent=2))


def test_the_document_is_json_with_one_row_a_line_and_private(document):
    path, all_rows = document
    content = orjson.loads(path.read_bytes())
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = sum(len(table_rows) for table_rows in all_rows.values())
    assert sum(line.rstrip(",").startswith(("{", ",{")) and '"id":' in line for line in lines) == rows
    assert (content["revision"], set(content["tables"])) == (migrations.head(), set(all_rows))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", [{"indent": 2}, {"indent": 4, "sort_keys": True}, {"ensure_ascii": False}], ids=str)
def test_a_reformatted_document_holds_the_same_rows(document, form):
    path, all_rows = document
    path.write_text(json.dumps(orjson.loads(path.read_bytes()), **form), encoding="utf-8")
    store = open_store(path.parent)
    assert everything(store) == all_rows
    store.close()


def test_a_document_saved_with_a_byte_order_mark_opens(document):
    path, all_rows = document
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    store = open_store(path.parent)
    assert everything(store) == all_rows
    store.close()


def test_manual_edits_of_the_document_are_loaded(document):
    path, _ = document

    def change(content):
        content["tables"]["tickets"][0] |= {
            "title": "By hand",
            "status": "resolved",
            "tags": ["x"],
            "human_replied": True,
        }
        del content["tables"]["tickets"][0]["product"]
        content["tables"]["events"] = []

    edit(path, change)
    store = open_store(path.parent)
    with store.unit_of_work(actor(ONE)) as uow:
        ticket = uow.find(uow.query(tickets).order_by(tickets.c.number))[0]
        assert uow.count(uow.query(events)) == 0
    store.close()
    fields = [ticket[name] for name in ("title", "status", "tags", "human_replied", "product")]
    assert fields == ["By hand", "resolved", ["x"], True, ""]


def ticket(**values):
    return lambda content: content["tables"]["tickets"][1].update(values)


def company(**values):
    return lambda content: content["tables"]["companies"][0].update(values)


def event(**values):
    return lambda content: content["tables"]["events"][0].update(values)


def without(field):
    return lambda content: content["tables"]["tickets"][1].pop(field)


def twice(content):
    rows = content["tables"]["tickets"]
    rows.append({**rows[1], "number": 9})


INVALID = {
    "unknown field": (ticket(colour="red"), ["tickets", "TICKET", "no field colour"]),
    "text for a number": (ticket(version="1"), ["tickets", "TICKET", "version must be a whole number"]),
    "fraction for a number": (ticket(urgency=4.3), ["tickets", "TICKET", "urgency must be a whole number"]),
    "number beyond 64 bits": (ticket(version=2**63), ["tickets", "TICKET", "version must be a whole number"]),
    "truth for a number": (ticket(version=True), ["tickets", "TICKET", "version must be a whole number"]),
    "number for text": (ticket(title=5), ["tickets", "TICKET", "title must be text"]),
    "list for text": (ticket(title=["x"]), ["tickets", "TICKET", "title must be text"]),
    "text for a list": (ticket(tags="x"), ["tickets", "TICKET", "tags must be a list"]),
    "object for a list": (ticket(tags={}), ["tickets", "TICKET", "tags must be a list"]),
    "too deep a list": (ticket(ai_citations=json.loads("[" * 500 + "]" * 500)), ["tickets", "TICKET", "ai_citations"]),
    "number for a flag": (ticket(human_replied=7), ["tickets", "TICKET", "human_replied must be true or false"]),
    "null for text": (ticket(title=None), ["tickets", "TICKET", "title must be text"]),
    "unknown status": (ticket(status="lost"), ["tickets", "TICKET", "status must be one of new, "]),
    "unknown priority": (ticket(priority="Urgent"), ["tickets", "TICKET", "priority must be one of low, "]),
    "unknown speaker": (ticket(ai_source="oracle"), ["tickets", "TICKET", "ai_source must be one of"]),
    "time in words": (ticket(created_at="yesterday"), ["tickets", "TICKET", "created_at must be a time like"]),
    "no time": (ticket(created_at=""), ["tickets", "TICKET", "created_at must be a time like"]),
    "time without fraction": (ticket(created_at="2026-01-31T08:00:00Z"), ["tickets", "TICKET", "created_at must be"]),
    "30th of February": (ticket(resolved_at="2026-02-30T08:00:00.000Z"), ["tickets", "TICKET", "resolved_at must be"]),
    "missing field": (without("created_at"), ["tickets", "TICKET", "created_at is missing"]),
    "missing id": (without("id"), ["tickets", "every row is an object with an id"]),
    "dangling reference": (
        ticket(customer_row="nobody"),
        ["tickets", "TICKET", "customer_row names nobody", "customers"],
    ),
    "same number twice": (ticket(number=1), ["tickets", "TICKET", "another row has the same company_id, number"]),
    "same id twice": (twice, ["tickets", "TICKET", "another row has the same id"]),
    "row that is none": (lambda c: c["tables"]["tickets"].append("x"), ["tickets", "every row is an object"]),
    "unknown role": (
        lambda c: c["tables"]["replies"][0].update(author_role="root"),
        ["replies", "author_role must be"],
    ),
    "null in a list": (ticket(tags=["a", None]), ["tickets", "TICKET", "tags must be a list of texts"]),
    "null alone in a list": (
        ticket(triage_reasons=[None]),
        ["tickets", "TICKET", "triage_reasons must be a list of texts"],
    ),
    "a link of text": (
        ticket(links=["x"]),
        ["tickets", "TICKET", "links must be a list of objects with ticket_id, number, kind"],
    ),
    "a link without a number": (
        ticket(links=[{"ticket_id": "x", "kind": "related"}]),
        ["tickets", "TICKET", "links must be a list"],
    ),
    "a link with a number in words": (
        ticket(links=[{"ticket_id": "x", "number": "1", "kind": "related"}]),
        ["tickets", "TICKET", "links must be a list"],
    ),
    "a snooze that is no time": (
        ticket(snoozed_until="tomorrow"),
        ["tickets", "TICKET", "snoozed_until must be a time"],
    ),
    "number in a list of texts": (ticket(tags=[5]), ["tickets", "TICKET", "tags must be a list of texts"]),
    "object in a list of texts": (ticket(tags=[{"a": 1}]), ["tickets", "TICKET", "tags must be a list of texts"]),
    "null among the citations": (
        ticket(ai_citations=[None]),
        ["tickets", "TICKET", "ai_citations must be a list of texts"],
    ),
    "object among the citations": (
        ticket(ai_citations=[{"a": [None]}]),
        ["tickets", "TICKET", "ai_citations must be a list of texts"],
    ),
    "null for a list": (ticket(tags=None), ["tickets", "TICKET", "tags must be a list"]),
    "null for a row": (
        lambda c: c["tables"]["tickets"].append(None),
        ["tickets, row number 3", "every row is an object"],
    ),
    "null for a table": (lambda c: c["tables"].update(tickets=None), ["table tickets must be a list"]),
    "null in settings": (
        company(settings={"mail_name": None}),
        ["companies", "settings must be an object without null"],
    ),
    "the largest number of 64 bits": (
        ticket(version=2**63 - 1),
        ["tickets", "TICKET", "version must be", "from 1 to 9007199"],
    ),
    "its neighbour": (ticket(number=2**63 - 2), ["tickets", "TICKET", "number must be a whole number from 1 to"]),
    "more than JSON tells apart": (ticket(version=2**53), ["tickets", "TICKET", "version must be a whole number"]),
    "the smallest number of 64 bits": (ticket(number=-(2**63)), ["tickets", "TICKET", "number must be a whole number"]),
    "a negative number": (company(last_number=-1), ["companies", "last_number must be a whole number from 0"]),
    "no urgency": (ticket(urgency=0), ["tickets", "TICKET", "urgency must be a whole number from 10 to 50"]),
    "too urgent": (ticket(urgency=2**62), ["tickets", "TICKET", "urgency must be a whole number from 10 to 50"]),
    "surer than sure": (
        ticket(topic_confidence=1001),
        ["tickets", "TICKET", "topic_confidence must be", "from 0 to 1000"],
    ),
    "year 9999": (
        ticket(updated_at="9999-12-31T23:59:59.999Z"),
        ["tickets", "TICKET", "updated_at must be", "at most 100 years ahead"],
    ),
    "year 9999 of an event": (
        event(created_at="9999-01-01T00:00:00.000Z"),
        ["events", "created_at must be", "at most 100 years ahead"],
    ),
    "year 9998": (ticket(created_at="9998-12-31T23:59:59.999Z"), ["tickets", "TICKET", "at most 100 years ahead"]),
    "year 10000": (
        ticket(created_at="10000-01-01T00:00:00.000Z"),
        ["tickets", "TICKET", "created_at must be a time like"],
    ),
    "year 0": (ticket(created_at="0000-12-31T23:59:59.999Z"), ["tickets", "TICKET", "created_at must be a time like"]),
    "seq of 64 bits": (lambda c: c.update(seq=2**63 - 1), ["seq must be a whole number from 0 to"]),
    "seq beyond all": (lambda c: c.update(seq=10**15 + 1), ["seq must be a whole number from 0 to"]),
    "negative seq": (lambda c: c.update(seq=-1), ["seq must be a whole number from 0 to"]),
    "unknown table": (lambda c: c["tables"].update(notes=[]), ["no table notes"]),
    "alembic's table": (lambda c: c["tables"].update(alembic_version=[]), ["no table alembic_version"]),
    "missing table": (lambda c: c["tables"].pop("tickets"), ["table tickets is missing"]),
    "table that is no list": (lambda c: c["tables"].update(tickets={}), ["table tickets must be a list"]),
    "unknown heading": (lambda c: c.update(comment="mine"), ["not a Foyer document"]),
    "missing heading": (lambda c: c.pop("seq"), ["not a Foyer document"]),
    "number in words": (lambda c: c.update(seq="5"), ["seq a whole number"]),
    "unknown format": (lambda c: c.update(foyer=2), ["format 2"]),
    "newer revision": (lambda c: c.update(revision="9999"), ["newer Foyer", "9999"]),
}


def assert_refused(path, *expected_words):
    before = files(path.parent)
    with pytest.raises(StorageError) as error_info:
        open_store(path.parent)
    for words in (str(path), *expected_words):
        assert words in str(error_info.value)
    assert files(path.parent) == before
    assert "Nothing was changed" in str(error_info.value)
    assert "\n" not in str(error_info.value)


@pytest.mark.parametrize("fault", INVALID)
def test_a_manual_error_is_reported_and_nothing_is_overwritten(document, fault):
    path, _ = document
    change, expected_words = INVALID[fault]
    wrong = orjson.loads(path.read_bytes())["tables"]["tickets"][1]["id"]
    edit(path, change)
    assert_refused(path, *(words.replace("TICKET", wrong) for words in expected_words))


# Faults that no row with an id has.
WITHOUT_LINE = re.compile("table (tickets )?(is missing|must be)|no table|heading|seq|format|Foyer|every row")


@pytest.mark.parametrize(
    "fault",
    [name for name, (_, expected_words) in INVALID.items() if not WITHOUT_LINE.search(" ".join(expected_words))],
)
def test_the_line_of_the_row_is_named(document, fault):
    """In the layout of an editor, and in ours with one row per line."""
    path, _ = document
    change, expected_words = INVALID[fault]
    content = orjson.loads(path.read_bytes())
    rows = content["tables"][next(table for table in content["tables"] if table in expected_words[0])]
    row_id = rows[1 if expected_words[0] == "tickets" else 0]["id"]
    change(content)
    for write in (pretty, by_line):
        write(path, content)
        lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if f'"id": "{row_id}"' in line]
        with pytest.raises(StorageError) as error_info:
            open_store(path.parent)
        assert f"{path}, line {lines[0]}: table {expected_words[0]}, row " in str(error_info.value)


@pytest.mark.parametrize("row", [None, "x", {}, {"id": 5}, {"id": ""}], ids=str)
def test_the_line_of_a_row_without_an_id_is_named(document, row):
    path, _ = document
    content = orjson.loads(path.read_bytes())
    content["tables"]["tickets"].append(row)
    by_line(path, content)
    lines = path.read_text().splitlines()
    number = lines.index(',"tickets": [') + 1 + 3
    assert lines[number - 1] == json.dumps(row)
    assert_refused(path, f"line {number}: table tickets, row number 3")


def pretty(path, content):
    path.write_text(json.dumps(content, indent=2))


def by_line(path, content):
    """In the form that the server writes."""
    head = f'{{"foyer": 1, "revision": "{content["revision"]}", "seq": {content["seq"]}, "tables": {{\n'
    tables = (
        f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + ("\n]\n" if rows else "]\n")
        for name, rows in content["tables"].items()
    )
    path.write_text(head + ",".join(tables) + "}}\n")


HARMLESS = {
    "a key for ever": ("api_keys", {"expires_at": "9999-12-31T23:59:59.999Z"}),
    "a session for ever": ("sessions", {"expires_at": "9999-12-31T23:59:59.999Z"}),
    "a job at the end of time": ("jobs", {"run_at": "9999-12-31T23:59:59.999Z"}),
    "an answer kept for ever": ("idempotency", {"expires_at": "9999-12-31T23:59:59.999Z"}),
    "times of the year 1": ("sessions", {"rotated_at": "0001-01-01T00:00:00.000Z"}),
    "changed in the year 2100": ("tickets", {"updated_at": "2100-12-31T23:59:59.999Z"}),
    "a ticket of the year 1": ("tickets", {"created_at": "0001-01-01T00:00:00.000Z"}),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_extreme_times_are_accepted(open_app, admin, runtime, tmp_path, case):
    table, values = HARMLESS[case]
    ticket_id = admin.ticket()["id"]
    admin.data(admin.post("/api/keys", {"name": "app", "role": "agent"}), 201)
    person = {"company": "Acme", "name": "Zoe", "email": "zoe@acme.example", "password": "correct horse battery"}
    admin.data(Caller(admin.client).post("/api/companies", person), 201)
    admin.post(f"/api/tickets/{ticket_id}/replies", {"body": "once"}, headers={"Idempotency-Key": "k"})
    runtime.stop()
    edit(tmp_path / "foyer.json", lambda content: [row.update(values) for row in content["tables"][table]])
    second_app = open_app()
    second_runtime = second_app.extensions["runtime"]
    admin = Caller(second_app.test_client(), "admin-key")
    second_runtime.runner.check_heartbeats()
    second_runtime.runner.run_due()
    tidy(second_runtime)
    assert admin.get(f"/api/tickets/{ticket_id}").status_code == 200
    assert admin.post(f"/api/tickets/{ticket_id}/resolve", {"resolution": "done"}).status_code == 200
    login = {"email": person["email"], "password": person["password"]}
    assert Caller(second_app.test_client()).post("/api/auth/login", login).status_code == 200
    assert {key["name"] for key in admin.data(admin.get("/api/keys"))} >= {"app"}
    for key in admin.data(admin.get("/api/keys")):
        if key["name"] == "app":
            assert admin.post(f"/api/keys/{key['id']}/rotate").status_code in (201, 409)
    assert admin.get("/api/stats").status_code == 200
    second_runtime.stop()
    open_app().extensions["runtime"].start()


@pytest.mark.parametrize(
    ("stored_settings", "message"),
    [
        ({"retention_days": "x"}, "retention_days must be a whole number"),
        ({"retention_days": -1}, "retention_days must be a whole number from 0"),
        ({"retention_days": 2**63 - 1}, "retention_days must be a whole number from 0"),
        ({"retention_days": True}, "retention_days must be a whole number"),
        ({"ai_enabled": 1}, "ai_enabled must be true or false"),
        ({"ai_triage": "often"}, "ai_triage must be one of off, uncertain, always"),
        ({"mail_name": 5}, "mail_name must be text"),
        ({"chat_origins": ["https://a.example; x"]}, "chat_origins must be a list of origins"),
        ({"topic_teams": {}}, "topic_teams must be a list"),
        ({"topic_teams": [{"topic": "x"}]}, "topic_teams must be a list of objects"),
    ],
    ids=str,
)
def test_invalid_settings_are_reported_at_the_start(open_app, runtime, tmp_path, stored_settings, message):
    assert runtime.storage.path
    runtime.stop()
    path = tmp_path / "foyer.json"
    edit(path, lambda content: content["tables"]["companies"][0].update(settings=stored_settings))
    second_runtime = open_app().extensions["runtime"]
    with pytest.raises(StorageError) as error_info:
        second_runtime.start()
    assert f"{path}, line " in str(error_info.value)
    assert f"table companies, row default: field settings: {message}" in str(error_info.value)
    edit(path, lambda content: content["tables"]["companies"][0].update(settings={}))
    open_app().extensions["runtime"].start()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"not json", b"\xff\xfe", b"[" * 100_000])
def test_another_json_file_is_refused(document, content):
    path, _ = document
    path.write_bytes(content)
    assert_refused(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_document_is_refused_and_never_taken_for_a_new_one(document, share):
    path, _ = document
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert_refused(path, "not JSON")


def test_the_lock_is_free_again_after_a_refusal(document):
    path, all_rows = document
    content = path.read_bytes()
    path.write_bytes(b"{")
    assert_refused(path)
    path.write_bytes(content)
    store = open_store(path.parent)
    assert everything(store) == all_rows
    store.close()
