"""Everything of a company as one ZIP file: what it holds, who gets it, when it goes, and what a kill or a fault does."""

import base64
import io
import tracemalloc
import zipfile

import orjson
import pytest

from core.models import Actor
from database.file_store.contract import FileStoreFailed
from jobs import transfers as job
from services.transfers import exporting
from tests.support.caller import Caller
from tests.support.clock import Clock


def attach(caller, ticket, content):
    body = {"name": "a.txt", "content": base64.b64encode(content).decode()}
    return caller.data(caller.post(f"/api/tickets/{ticket['id']}/attachments", body), 201)


def requested(caller):
    return caller.data(caller.post("/api/transfers", {"kind": "export"}), 201)


def downloaded(caller, transfer):
    response = caller.get(f"/api/transfers/{transfer['id']}/file")
    assert response.status_code == 200
    return response.get_data()


def opened(data):
    """The lines of each file of an export by name, and the ZIP file itself."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    lines = {
        name: [orjson.loads(line) for line in archive.read(name).splitlines()]
        for name in archive.namelist()
        if name.endswith(".jsonl")
    }
    return lines, archive


@pytest.mark.every_engine
def test_an_export_holds_everything_of_the_company_and_no_secret(admin, stranger, run_jobs):
    ticket = admin.ticket()
    stranger.ticket(title="Of another company")
    admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A note.", "internal": True})
    file = attach(admin, ticket, b"Hello" * 1000)
    admin.post(
        "/api/users", {"name": "Bob", "email": "bob@example.com", "role": "agent", "password": "a few good words"}
    )
    admin.post("/api/knowledge", {"title": "Refunds", "body": "Five days."})
    admin.put("/api/settings", {"mail_name": "Our desk"})
    transfer = requested(admin)
    assert (transfer["state"], transfer["errors"], "finished_at" in transfer) == ("waiting", [], False)
    run_jobs()
    done = admin.data(admin.get(f"/api/transfers/{transfer['id']}"))
    data = downloaded(admin, transfer)
    assert (done["state"], done["done"], done["size"]) == ("done", done["total"], len(data))
    lines, archive = opened(data)
    assert [row["title"] for row in lines["tickets.jsonl"]] == [ticket["title"]]
    assert [row["body"] for row in lines["replies.jsonl"]][-1] == "A note."
    assert [row["email"] for row in lines["customers.jsonl"]] == ["ada@example.com"]
    assert [row["name"] for row in lines["users.jsonl"]] == ["Bob"]
    assert [row["title"] for row in lines["articles.jsonl"]] == ["Refunds"]
    assert any(row["action"] == "note_added" for row in lines["history.jsonl"])
    assert orjson.loads(archive.read("settings.json"))["mail_name"] == "Our desk"
    assert archive.read(f"attachments/{file['id']}") == b"Hello" * 1000
    manifest = orjson.loads(archive.read("manifest.json"))
    assert manifest["lines"] == {name.removesuffix(".jsonl"): len(rows) for name, rows in lines.items()}
    unpacked = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Of another company" not in unpacked
    assert b"argon2" not in unpacked
    assert b"password_hash" not in unpacked
    assert not [name for name in archive.namelist() if name.startswith("/") or ".." in name]


def test_a_download_that_broke_off_goes_on(admin, run_jobs):
    attach(admin, admin.ticket(), bytes(300_000).replace(b"\0", b"a"))
    transfer = requested(admin)
    run_jobs()
    whole = downloaded(admin, transfer)
    path, headers = f"/api/transfers/{transfer['id']}/file", {"X-API-Key": admin.key}
    rest = admin.client.get(path, headers={**headers, "Range": "bytes=300-"})
    assert (rest.status_code, rest.headers["Content-Range"]) == (206, f"bytes 300-{len(whole) - 1}/{len(whole)}")
    assert whole[:300] + rest.get_data() == whole
    response = admin.client.get(path, headers=headers)
    assert response.headers["Content-Disposition"].startswith("attachment; filename=foyer-export-")
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_one_export_at_a_time_and_none_before_it_is_done(admin, other_admin, run_jobs):
    transfer = requested(admin)
    assert admin.post("/api/transfers", {"kind": "export"}).status_code == 409
    assert admin.get(f"/api/transfers/{transfer['id']}/file").json["data"]["code"] == "transfer_not_done"
    other = requested(other_admin)
    assert other_admin.get(f"/api/transfers/{transfer['id']}").status_code == 404
    assert other_admin.get(f"/api/transfers/{transfer['id']}/file").status_code == 404
    assert run_jobs() + run_jobs() >= 2  # one at a time
    assert opened(downloaded(other_admin, other))[0]["tickets.jsonl"] == []
    assert requested(admin)["id"] != transfer["id"]
    assert admin.post("/api/transfers", {"kind": "everything"}).status_code == 400


@pytest.mark.every_engine
def test_erasing_a_customer_lets_every_export_go(admin, runtime, run_jobs):
    admin.ticket()
    done = requested(admin)
    run_jobs()
    waits = requested(admin)
    admin.delete("/api/customers/ada@example.com")
    run_jobs()
    for transfer in (done, waits):
        assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "expired"
        assert admin.get(f"/api/transfers/{transfer['id']}/file").json["data"]["code"] == "transfer_expired"
        assert not runtime.files.exists("default", transfer["id"])
    last = requested(admin)
    run_jobs()
    data = downloaded(admin, last)
    assert b"ada@example.com" not in b"".join(opened(data)[1].read(name) for name in opened(data)[1].namelist())


def test_a_customer_who_is_erased_while_an_export_is_made_is_in_no_file(admin, runtime, run_jobs, monkeypatch):
    admin.ticket()
    transfer, write = requested(admin), exporting.write

    def write_and_erase(*args, **more):
        exported = write(*args, **more)
        admin.delete("/api/customers/ada@example.com")
        return exported

    monkeypatch.setattr(exporting, "write", write_and_erase)
    run_jobs()
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "expired"
    assert not runtime.files.exists("default", transfer["id"])


def test_the_file_goes_after_seven_days(open_app):
    from jobs.handlers import tidy

    clock = Clock()
    app = open_app(clock=clock)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    transfer = requested(admin)
    runtime.runner.run_due()
    clock.forward(days=6, hours=23)
    tidy(runtime)
    assert downloaded(admin, transfer)
    clock.forward(hours=2)
    tidy(runtime)
    runtime.runner.run_due()
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "expired"
    assert not runtime.files.exists("default", transfer["id"])


def test_a_missing_file_is_named_and_stops_nothing(admin, runtime, run_jobs):
    ticket = admin.ticket()
    gone, stays = attach(admin, ticket, b"gone"), attach(admin, ticket, b"stays")
    runtime.files.delete("default", gone["id"])
    transfer = requested(admin)
    run_jobs()
    done = admin.data(admin.get(f"/api/transfers/{transfer['id']}"))
    assert [error["file"] for error in done["errors"]] == [f"attachments/{gone['id']}"]
    assert opened(downloaded(admin, transfer))[1].read(f"attachments/{stays['id']}") == b"stays"


def test_an_export_that_fails_is_tried_again_and_then_says_so(admin, runtime, monkeypatch):
    transfer, put = requested(admin), runtime.files.put

    def fail(*_):
        raise FileStoreFailed("no space left")

    row = {"company_id": "default", "payload": {"transfer_id": transfer["id"]}, "attempts": 1}
    monkeypatch.setattr(runtime.files, "put", fail)
    with pytest.raises(FileStoreFailed):
        job.run(runtime.storage, runtime.files, row)
    assert admin.data(admin.get(f"/api/transfers/{transfer['id']}"))["state"] == "running"
    with pytest.raises(FileStoreFailed):
        job.run(runtime.storage, runtime.files, {**row, "attempts": 11})
    failed = admin.data(admin.get(f"/api/transfers/{transfer['id']}"))
    assert (failed["state"], len(failed["errors"])) == ("failed", 1)
    monkeypatch.setattr(runtime.files, "put", put)
    again = requested(admin)
    job.run(runtime.storage, runtime.files, {**row, "payload": {"transfer_id": again["id"]}})
    assert downloaded(admin, again)


def test_pages_of_an_export_miss_no_row_and_take_none_twice(admin, runtime, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 2)
    ids = [admin.ticket()["id"] for _ in range(5)]
    target = io.BytesIO()
    steps = []
    exported = exporting.write(
        lambda: runtime.storage.unit_of_work(Actor.system("default")), runtime.files, target, step=steps.append
    )
    lines, _ = opened(target.getvalue())
    assert [row["id"] for row in lines["tickets.jsonl"]] == ids
    assert sum(steps) == exported.things


def test_memory_stays_the_same_however_large_the_files_are(admin, runtime, tmp_path):
    ticket, folder = admin.ticket(), runtime.settings.attachments_folder / "default"
    for _ in range(3):
        file = attach(admin, ticket, b"small")
        with (folder / file["id"]).open("wb") as large:
            large.truncate(16 * 1024 * 1024)
    with (tmp_path / "export.zip").open("wb") as target:
        tracemalloc.start()
        exporting.write(
            lambda: runtime.storage.unit_of_work(Actor.system("default")), runtime.files, target, step=lambda _: None
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (tmp_path / "export.zip").stat().st_size > 48 * 1024 * 1024
    assert peak < 4 * 1024 * 1024
