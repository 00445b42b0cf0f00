"""The file of an import over HTTP: whole, in parts, after a break, and what is refused; and imports that are stopped midway."""

import base64
import io

import pytest

from core.models import Actor
from database import tables
from database.file_store.contract import FileStoreFailed
from jobs import transfer_imports
from services.transfers import import_files, importing
from services.transfers.importing import Server
from tests.conftest import add_key
from tests.support.caller import Caller
from tests.support.clock import Clock
from tests.support.transfers import ZIP, exported, fill, imported, opened, packed

NOW = "2026-01-02T03:04:05.000Z"
ROWS = [
    {"id": str(one), "title": f"Article {one}", "body": "Text.", "created_at": NOW, "updated_at": NOW}
    for one in range(9)
]
SMALL = packed({"articles": ROWS})


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(import_files, "LEAST_PART", 100)


def begun(caller):
    return caller.data(caller.post("/api/transfers", {"kind": "import"}), 201)


def send(caller, transfer, data, content_range=""):
    headers = {"Content-Type": ZIP, **({"Content-Range": content_range} if content_range else {})}
    return caller.put(f"/api/transfers/{transfer['id']}/file", None, data=data, headers=headers)


def part(start, end, data=SMALL):
    return data[start:end], f"bytes {start}-{end - 1}/{len(data)}"


@pytest.mark.every_engine
def test_a_file_in_parts_goes_on_after_a_break(admin, runtime, run_jobs):
    transfer = begun(admin)
    assert (transfer["state"], transfer["size"], "expires_at" in transfer) == ("uploading", 0, True)
    assert admin.data(send(admin, transfer, *part(0, 150)))["size"] == 150
    run_jobs()
    again = admin.data(send(admin, transfer, *part(0, 150)))  # whose answer was lost
    assert (again["state"], again["size"]) == ("uploading", 150)
    wrong = send(admin, transfer, *part(200, 400))
    assert (wrong.status_code, wrong.json["data"]["code"]) == (409, "wrong_part")
    assert "byte 150" in wrong.json["message"]
    assert admin.data(send(admin, transfer, *part(150, len(SMALL))))["state"] == "waiting"
    assert admin.data(send(admin, transfer, *part(150, len(SMALL))))["state"] == "waiting"
    run_jobs()
    done = admin.data(admin.get(f"/api/transfers/{transfer['id']}"))
    assert (done["state"], done["created"], done["done"], done["total"]) == ("done", 9, 9, 9)
    assert send(admin, transfer, *part(0, 150)).json["data"]["code"] == "no_upload"
    assert admin.get(f"/api/transfers/{transfer['id']}/file").json["data"]["code"] == "no_file"
    run_jobs()
    folder = runtime.settings.attachments_folder / "default"
    assert not [path for path in folder.iterdir() if path.is_file()]


@pytest.mark.parametrize(
    ("content_range", "status"),
    [
        ("bytes 0-99/50", 400),
        ("bytes 0-98/1000", 400),
        ("bytes 5-2/1000", 400),
        ("bytes 0-99/*", 400),
        ("bytes */1000", 400),
        ("lines 0-99/1000", 400),
        ("bytes 0-99/99999999999999", 413),
        ("bytes 100-199/1000", 409),
    ],
)
def test_a_part_must_say_where_it_belongs(admin, content_range, status):
    transfer = begun(admin)
    assert send(admin, transfer, bytes(100), content_range).status_code == status
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["size"] == 0


def test_parts_are_not_too_small_and_belong_to_one_file(admin):
    transfer = begun(admin)
    assert send(admin, transfer, b"", "").status_code == 400
    assert send(admin, transfer, bytes(99), "bytes 0-98/1000").status_code == 400
    admin.data(send(admin, transfer, bytes(100), "bytes 0-99/1000"))
    other = send(admin, transfer, bytes(100), "bytes 100-199/1001")
    assert (other.status_code, other.json["data"]["code"]) == (409, "other_file")


@pytest.mark.parametrize("way", ["body", "form", "base64"])
def test_a_file_may_come_with_the_request(admin, run_jobs, way):
    more = {
        "body": {"data": SMALL, "headers": {"Content-Type": ZIP}},
        "form": {"data": {"file": (io.BytesIO(SMALL), "export.zip"), "kind": "import"}},
        "base64": {"body": {"kind": "import", "content": base64.b64encode(SMALL).decode()}},
    }[way]
    path = "/api/transfers?kind=import" if way == "body" else "/api/transfers"
    transfer = admin.data(admin.post(path, **more), 201)
    assert transfer["state"] == "waiting"
    run_jobs()
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["created"] == 9


def test_an_export_takes_no_file_and_a_waiting_import_makes_room(admin, run_jobs):
    first = begun(admin)
    export = admin.data(admin.post("/api/transfers", {"kind": "export"}), 201)
    assert admin.data(admin.get(f"/api/transfers/{first['id']}"))["state"] == "expired"
    assert send(admin, export, SMALL).json["data"]["code"] == "no_upload"
    assert admin.post("/api/transfers", {"kind": "import"}).json["data"]["code"] == "transfer_running"
    run_jobs()
    both = {"kind": "export", "content": base64.b64encode(SMALL).decode()}
    assert admin.post("/api/transfers", both).status_code == 400
    assert admin.post("/api/transfers", data=SMALL, headers={"Content-Type": ZIP}).status_code == 400


def test_a_file_that_is_no_export_changes_nothing_and_says_why(admin, run_jobs):
    before = opened(exported(admin, run_jobs))[0]
    for data in (b"no ZIP", SMALL[:-40], packed({"articles": ROWS}, **{"manifest.json": None})):
        result = imported(admin, run_jobs, data)
        assert (result["state"], result["created"], len(result["errors"])) == ("failed", 0, 1)
    after = opened(exported(admin, run_jobs))[0]
    assert [name for name in before if name != "history" and after[name] != before[name]] == []


@pytest.mark.parametrize("name", ["articles.jsonl", "settings.json", "manifest.json"])
def test_a_file_with_a_changed_byte_is_refused_whole(admin, run_jobs, name):
    data = bytearray(packed({"articles": ROWS}, **{"settings.json": {"mail_name": "Theirs"}}))
    header = data.index(name.encode())
    data[header + len(name) + 9] ^= 255  # in the bytes of the member, which follow its name
    result = imported(admin, run_jobs, bytes(data))
    assert (result["state"], result["created"]) == ("failed", 0)
    assert name in result["errors"][0]["message"]
    assert admin.data(admin.get("/api/settings"))["mail_name"] == ""


SENDERS = [  # scopes of the key that sends a file for the admin who asked, asked settings, status, roles, name of mails
    ([], False, 200, ["admin", "agent"], ""),
    ([], None, 200, ["admin", "agent"], "Theirs"),
    (["import", "export"], None, 200, [], ""),
    (["import", "export"], True, 403, [], ""),
    (["import", "export", "settings.write"], True, 200, [], "Theirs"),
]


@pytest.mark.parametrize(("scopes", "asks", "status", "roles", "mail_name"), SENDERS)
def test_case_3_an_import_may_no_more_than_who_sends_its_file(
    app, admin, runtime, run_jobs, scopes, asks, status, roles, mail_name
):
    sender = Caller(app.test_client(), add_key(runtime, "admin", scopes=scopes))
    people = [
        {"id": role, "email": f"{role}@example.com", "role": role, "created_at": NOW} for role in ("admin", "agent")
    ]
    data = packed({"users": people}, **{"settings.json": {"mail_name": "Theirs"}})
    asked = {"kind": "import"} if asks is None else {"kind": "import", "settings": asks}
    transfer = admin.data(admin.post("/api/transfers", asked), 201)
    assert send(sender, transfer, data).status_code == status
    run_jobs()
    assert sorted(one["role"] for one in admin.data(admin.get("/api/users"))) == roles
    assert admin.data(admin.get("/api/settings"))["mail_name"] == mail_name


def test_files_arrive_whole_or_their_row_is_refused(admin, runtime, run_jobs):
    ids = fill(admin, runtime)
    lines, files = opened(exported(admin, run_jobs))
    row = {name: lines["attachments"][0][name] for name in lines["attachments"][0] if name not in ("reply_id",)}
    names = ["good", "other-bytes", "missing", "program", "empty"]
    rows = [{**row, "id": name, "name": "run.exe" if name == "program" else "a.txt"} for name in names]
    content = files[ids["file"]]
    parts = {"good": content, "other-bytes": b"Other", "program": content, "empty": b""}
    result = imported(admin, run_jobs, packed({"attachments": rows}, parts))
    assert (result["created"], [one["line"] for one in result["errors"]]) == (1, [2, 3, 4, 5])
    files_after = opened(exported(admin, run_jobs))[1]
    assert sorted(files_after.values()) == [content, content]


def test_an_import_goes_on_where_it_was_stopped_and_counts_nothing_twice(
    admin, other_admin, runtime, run_jobs, monkeypatch
):
    fill(admin, runtime)
    data = exported(admin, run_jobs)
    expected = sum(map(len, opened(data)[0].values()))
    monkeypatch.setattr(importing, "PAGE", 3)
    note, stops = importing.Import._note, iter(range(1, 1000))

    def note_or_stop(self, uow, step, line, **more):
        note(self, uow, step, line, **more)
        if next(stops) % 4 == 0:
            raise FileStoreFailed("stopped")

    monkeypatch.setattr(importing.Import, "_note", note_or_stop)
    response = other_admin.post("/api/transfers?kind=import", data=data, headers={"Content-Type": ZIP})
    transfer = other_admin.data(response, 201)
    server = Server(runtime.storage, runtime.files, 0, runtime.transfer_checks, runtime.erasure_marks)
    job = {"company_id": "other", "payload": {"transfer_id": transfer["id"]}, "attempts": 1}
    stopped = 0
    while other_admin.data(other_admin.get(f"/api/transfers/{transfer['id']}"))["state"] != "done":
        try:
            transfer_imports.run(server, job)
        except FileStoreFailed:
            stopped += 1
    done = other_admin.data(other_admin.get(f"/api/transfers/{transfer['id']}"))
    assert stopped > 5
    assert (done["created"], done["skipped"], done["errors"]) == (expected, 0, [])


def test_matched_people_are_known_again_after_a_restart(admin, runtime, run_jobs, monkeypatch):
    mine = admin.ticket(customer_email="ada@example.com")
    people = [{"id": "1", "email": "ada@example.com", "created_at": NOW}]
    ticket = {"id": "t", "customer_row": "1", "title": "Moved", "number": 5, "created_at": NOW, "updated_at": NOW}
    add, calls = importing.Arrivals.add, []

    def stop_once(self, uow, name, lines, tally):
        calls.append(name)
        if calls.count("tickets") == 1 and name == "tickets":
            raise FileStoreFailed("stopped")
        add(self, uow, name, lines, tally)

    monkeypatch.setattr(importing.Arrivals, "add", stop_once)
    transfer = begun(admin)
    send(admin, transfer, packed({"customers": people, "tickets": [ticket]}))
    server = Server(runtime.storage, runtime.files, 0, runtime.transfer_checks, runtime.erasure_marks)
    job = {"company_id": "default", "payload": {"transfer_id": transfer["id"]}, "attempts": 1}
    with pytest.raises(FileStoreFailed):
        transfer_imports.run(server, job)
    transfer_imports.run(server, job)
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["created"] == 1
    with runtime.storage.unit_of_work(Actor.system("default")) as uow:
        assert len(uow.find(uow.query(tables.tickets, tables.tickets.c.customer_row).distinct())) == 1
    assert mine


def test_erasing_a_customer_gives_an_unfinished_import_up(admin, runtime, run_jobs):
    admin.ticket()
    transfer = begun(admin)
    admin.data(send(admin, transfer, SMALL))
    admin.delete("/api/customers/ada@example.com")
    run_jobs()
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "expired"
    assert admin.get("/api/knowledge").json["total"] == 0


def test_a_file_that_does_not_come_is_given_up_after_a_day(open_app):
    from jobs.handlers import tidy

    clock = Clock()
    app = open_app(clock=clock)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    transfer = begun(admin)
    clock.forward(hours=23)
    admin.data(send(admin, transfer, *part(0, 150)))
    clock.forward(hours=23)
    tidy(runtime)
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "uploading"
    clock.forward(hours=2)
    tidy(runtime)
    runtime.runner.run_due()
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "expired"
    assert not list((runtime.settings.attachments_folder / "default").iterdir())
