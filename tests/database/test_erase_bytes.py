"""Erased data is removed from every file before the call answers, or soon after a failure (case 41)."""

import contextlib
import json
import shutil
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from core import timestamps
from database import sqlite_engine
from database.json_store import document
from database.json_store import engine as json_file
from storage import Storage
from tests.conftest import FILES
from tests.support.caller import Caller
from tests.support.rows import everything, file_url

pytestmark = pytest.mark.every_engine

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = {
    "plain": "CANARY plain words",
    "quotes": "CANARY \"in quotes\" and 'these'",
    "unicode": "CANARY é ß 日本 😀 \u0301",
    "backslash": "CANARY \\ \\\\ \\n \\u0041 C:\\canary",
    "lines": "CANARY\nsecond\tCANARY\r\nthird",
    "long": "CANARY é " * 1000,
}
EVERY_TEXT = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
ADA = {"customer_email": "ada.canary@example.com", "customer_id": "canary-7", "customer_name": "Ada Canary"}
PATH = f"/api/customers/{quote(ADA['customer_email'])}"
OUTLIVES = b"stays here"


@pytest.fixture(params=FILES)
def engine(request):
    """The engines that keep files."""
    return request.param


def files_with(folder, *words):
    """The files in the folder, at any depth, that hold one of the words, in any case."""
    names = []
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes().lower() if path.is_file() else b""
        names += [path.name for word in words if word.lower() in content]
    return sorted(set(names))


def forms(text):
    """The forms of a text in a file: unchanged, and escaped as JSON once or twice, with and without ASCII only."""
    texts = {text}
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        texts |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    return [form.encode() for form in texts]


def write_about(admin, text, **more):
    """Creates a ticket with the text in every field of text."""
    key = {"headers": {"Idempotency-Key": "canary"}}
    body = {"title": text[:150].split("\n")[0], "description": text, **ADA, **more}
    ticket = admin.data(admin.post("/api/tickets", body, **key), 201)
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.put(path, {"title": "CANARY changed"}))
    admin.data(admin.post(f"{path}/replies", {"body": text, "author_role": "customer"}, **key), 201)
    admin.data(admin.post(f"{path}/resolve", {"resolution": text[:4000]}, **key))
    return ticket["id"]


@EVERY_TEXT
def test_no_file_holds_erased_data_after_the_response(admin, tmp_path, text):
    bobs = admin.ticket(customer_email="bob@example.com", description=OUTLIVES.decode())
    write_about(admin, text)
    assert files_with(tmp_path, b"canary", *forms(text))
    admin.data(admin.delete(PATH))
    assert files_with(tmp_path, b"canary", *forms(text)) == []
    assert files_with(tmp_path, OUTLIVES)
    assert admin.data(admin.get(f"/api/tickets/{bobs['id']}"))["description"] == OUTLIVES.decode()


def test_erasure_also_removes_earlier_deleted_and_changed_texts(admin, tmp_path):
    deleted = write_about(admin, TEXTS["plain"])
    admin.data(admin.delete(f"/api/tickets/{deleted}"))
    ticket = admin.ticket(**ADA, description="CANARY once")
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"title": "Short"}))
    assert files_with(tmp_path, b"canary")
    admin.data(admin.delete(PATH))
    assert files_with(tmp_path, b"canary") == []


def test_erasure_also_removes_rows_deleted_without_secure_delete(admin, tmp_path):
    admin.ticket(customer_email=ADA["customer_email"])
    file = next(path for path in tmp_path.iterdir() if path.name.endswith((".sqlite", "foyer.db")))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")  # how SQLite is built decides what it does by itself
        connection.execute("CREATE TABLE notes (text TEXT)")
        connection.execute("INSERT INTO notes VALUES (?)", ("CANARY " * 5000,))
        connection.execute("DROP TABLE notes")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert files_with(tmp_path, b"canary canary") == [file.name]
    admin.data(admin.delete(PATH))
    assert files_with(tmp_path, b"canary") == []


def test_after_a_restart_the_data_is_the_same_and_the_files_are_clean(open_app, tmp_path):
    app = open_app()
    admin = Caller(app.test_client(), "admin-key")
    write_about(admin, TEXTS["quotes"])
    admin.ticket(customer_email="bob@example.com")
    admin.data(admin.delete(PATH))
    before = everything(app.extensions["runtime"].storage)
    app.extensions["runtime"].stop()
    assert files_with(tmp_path, b"canary") == []
    second_app = open_app()
    after = everything(second_app.extensions["runtime"].storage)
    assert after == before
    assert files_with(tmp_path, b"canary") == []


@pytest.mark.parametrize("engine", ["json"])
def test_erasure_removes_old_copies_of_the_document_and_logs_it(admin, tmp_path, caplog):
    write_about(admin, TEXTS["plain"])
    for name in ("foyer.json.bak-0001", "foyer.json.bak-0001.journal", "foyer.json.tmp-left"):
        (tmp_path / name).write_text("CANARY")
    admin.data(admin.delete(PATH))
    assert files_with(tmp_path, b"canary") == []
    assert not (tmp_path / "foyer.json.bak-0001").exists()
    assert "foyer.json.bak-0001 is removed" in caplog.text


def test_others_can_read_and_write_during_scrubbing(app, tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 2000)  # folding beside the writers all the time
    admin = Caller(app.test_client(), "admin-key")
    stop, failures, ticket_ids = threading.Event(), [], []

    def work(number):
        caller = Caller(app.test_client(), "admin-key")
        while not stop.is_set():
            body = {"title": f"Of {number}", "description": "More.", "customer_email": f"bob{number}@example.com"}
            created = caller.post("/api/tickets", body)
            page = caller.get("/api/tickets?limit=20&sort=updated_at")
            if (created.status_code, page.status_code) == (201, 200):
                ticket_ids.append(created.json["data"]["id"])
            else:
                failures.append((created.get_data(), page.get_data()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            write_about(admin, TEXTS["backslash"])
            admin.data(admin.delete(PATH))
            assert files_with(tmp_path, b"canary") == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert ticket_ids
    stored_ids = {row["id"] for row in everything(app.extensions["runtime"].storage)["tickets"]}
    assert set(ticket_ids) <= stored_ids


class Clock:
    """The real time plus an offset that the test sets."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return timestamps.now() + self.ahead


def test_failed_scrubbing_keeps_the_erasure_and_is_retried(open_app, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_engine, "BUSY_TIMEOUT_MS", 50)
    clock = Clock()
    app = open_app(clock=clock)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    write_about(admin, TEXTS["plain"])
    runtime.runner.run_due()
    file = next(path for path in tmp_path.iterdir() if path.name.endswith((".sqlite", "foyer.db")))
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM tickets").fetchall()  # a reader that does not let go keeps the log alive
    assert admin.data(admin.delete(PATH))["erased"] is True
    assert files_with(tmp_path, b"canary")
    assert admin.get(PATH).status_code == 404
    reader.close()
    assert runtime.runner.run_due() == 1  # what was learnt from it is forgotten; the scrubbing is not due yet
    clock.ahead = timedelta(minutes=2)
    assert runtime.runner.run_due() == 1
    assert files_with(tmp_path, b"canary") == []
    assert {row["state"] for row in everything(runtime.storage)["jobs"]} <= {"done"}


def test_the_job_does_not_repeat_successful_scrubbing(open_app):
    clock = Clock()
    app = open_app(clock=clock)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    admin.ticket(**ADA)
    admin.data(admin.delete(PATH))
    clock.ahead = timedelta(hours=1)
    assert runtime.runner.run_due() == 0


@pytest.mark.parametrize("engine", ["json"])
def test_a_full_disk_during_scrubbing_does_not_stop_writers(open_app, tmp_path, monkeypatch):
    clock = Clock()
    app = open_app(clock=clock)
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    write_about(admin, TEXTS["plain"])
    runtime.runner.run_due()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(document, "write", full)
    assert admin.data(admin.delete(PATH))["erased"] is True
    bobs = admin.ticket(customer_email="bob@example.com")
    assert files_with(tmp_path, b"canary")
    monkeypatch.undo()
    held = everything(runtime.storage)
    clock.ahead = timedelta(minutes=2)
    runtime.runner.run_due()
    assert files_with(tmp_path, b"canary") == []
    assert admin.data(admin.get(f"/api/tickets/{bobs['id']}")) == bobs
    runtime.stop()
    again = open_app().extensions["runtime"].storage
    assert everything(again)["tickets"] == held["tickets"]


@pytest.mark.parametrize("step", ["before", "after"])
def test_the_next_start_scrubs_the_files_of_a_killed_server(open_app, tmp_path, engine, step, monkeypatch):
    folder, killed = tmp_path / "data", tmp_path / "killed"
    folder.mkdir()
    real_scrub = Storage.scrub

    def scrub(storage):
        if step == "after":
            real_scrub(storage)
        # What kill -9 leaves at this moment.
        shutil.copytree(folder, killed, ignore=shutil.ignore_patterns("*.lock", "*.owner"))

    app = open_app(data_dir=folder, database_url=file_url(engine, folder))
    admin = Caller(app.test_client(), "admin-key")
    write_about(admin, TEXTS["plain"])
    admin.ticket(title="Bob", description="Bob", customer_email="bob@example.com", customer_name="Bob")
    with monkeypatch.context() as patch:
        patch.setattr(Storage, "scrub", scrub)
        admin.delete(PATH)
    assert bool(files_with(killed, b"canary")) is (step == "before")
    clock = Clock()
    clock.ahead = timedelta(minutes=2)
    app = open_app(clock=clock, data_dir=killed, database_url=file_url(engine, killed))
    admin = Caller(app.test_client(), "admin-key")
    assert admin.get(PATH).status_code == 404
    app.extensions["runtime"].runner.run_due()
    assert files_with(killed, b"canary") == []
    assert "Bob" in {ticket["title"] for ticket in admin.data(admin.get("/api/tickets"))}


def test_reads_and_writes_work_after_scrubbing(admin, tmp_path):
    write_about(admin, TEXTS["plain"])
    admin.data(admin.delete(PATH))
    for round_ in range(3):
        ticket = admin.ticket(description=f"CANARY {round_}", **ADA)
        assert admin.data(admin.get(f"/api/tickets/{ticket['id']}"))["description"] == f"CANARY {round_}"
        assert admin.get("/api/tickets?q=canary").json["total"] == 1
        admin.data(admin.delete(PATH))
        assert files_with(tmp_path, b"canary") == []
