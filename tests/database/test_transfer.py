"""Copy to every engine, backup during writes, and restore: each is atomic and leaves its source unchanged."""

import json
import os
import stat
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from database import tables
from database.json_store import engine as json_file
from database.transfer import restore
from storage import open_storage
from tests.conftest import ENGINES, SECRET
from tests.fakes.postgres_server import wait_until
from tests.fakes.running_server import ROOT
from tests.support.rows import AWKWARD, ONE, add_company, add_customer, add_thread, add_ticket, everything, file_url

FILLED = {
    "companies",
    "customers",
    "tickets",
    "attachments",
    "replies",
    "events",
    "jobs",
    "drafts",
    "examples",
    "idempotency",
    "users",
    "sessions",
}


@pytest.fixture
def flask(tmp_path, settings):
    """Runs a command in this process, with DATABASE_URL and DATA_DIR of any engine."""
    from app import create_app

    def run(*words, database_url="json:", ok=True):
        app = create_app(settings(data_dir=tmp_path / "own", database_url=database_url, secret_key=SECRET))
        with app.app_context():
            result = app.test_cli_runner().invoke(args=[*map(str, words)])
        assert (result.exit_code == 0) is ok, result.output
        assert "p%40ss" not in result.output
        assert "p@ss" not in result.output
        return result.output

    return run


@pytest.fixture
def source(tmp_path, engine, database_url):
    """The address of a store with rows in most tables."""
    url = f"json:{tmp_path / 'source'}" if engine == "json" else database_url
    store = open_storage(url, tmp_path)
    add_company(store)
    with store.unit_of_work(None, write=True) as uow:
        ada = add_customer(uow)
        for number in range(1, 4):
            more = {"title": AWKWARD, "tags": ["a", "{b}"], "urgency": 4.3, "ai_citations": ["}"]}
            add_thread(uow, add_ticket(uow, ada, number, **more))
        company_values = {"company_id": ONE, "created_at": uow.now}
        call = {"caller": "x", "route": "POST /", "key": "k", "body_hash": "h", "status": 201, "answer": AWKWARD}
        uow.insert(tables.idempotency, {**company_values, **call, "expires_at": uow.now})
        zoe = uow.insert(tables.users, {**company_values, "email": "zoe@example.com", "disabled": True})
        uow.insert(
            tables.sessions, {**company_values, "user_id": zoe["id"], "rotated_at": uow.now, "expires_at": uow.now}
        )
    store.close()
    return url


@pytest.fixture(params=ENGINES)
def target(request, tmp_path):
    """The address of an empty store."""
    folder = tmp_path / "target"
    folder.mkdir()
    if request.param == "postgresql":
        with request.getfixturevalue("postgresql").fresh(empty=True) as url:
            yield url
    else:
        yield f"json:{folder / 'data'}" if request.param == "json" else file_url("sqlite", folder)


def rows_of(url):
    """All rows of a store."""
    store = open_storage(url, ROOT / "nowhere")
    all_rows = everything(store)
    store.close()
    return all_rows


def test_all_rows_are_copied_to_every_engine_once(flask, source, target):
    output = flask("copy", "--from", source, "--to", target)
    assert "counts and checksums of all tables agree" in output
    assert "SECRET_KEY" in output
    copied_rows = rows_of(target)
    assert copied_rows == rows_of(source)
    assert {table for table, rows in copied_rows.items() if rows} == FILLED
    second_output = flask("copy", "--from", source, "--to", target, ok=False)
    assert "is not empty" in second_output
    assert rows_of(target) == copied_rows


def test_an_interrupted_copy_leaves_nothing_and_can_be_repeated(flask, source, target, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(restore, "_compare", stopped)  # every row is written, the moment before it counts
        assert "Aborted" in flask("copy", "--from", source, "--to", target, ok=False)
    assert not any(rows_of(target).values())
    flask("copy", "--from", source, "--to", target)
    assert rows_of(target) == rows_of(source)


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
@pytest.mark.parametrize("engine", ["json", "sqlite"])
def test_a_target_that_changes_values_is_detected_before_the_commit(flask, source, target, tmp_path):
    store = open_storage(source, tmp_path)
    with store.unit_of_work(None, write=True) as uow:
        uow.update_where(tables.replies, tables.replies.c.body == "note", body="no\0te")
    store.close()
    assert "replies would differ" in flask("copy", "--from", source, "--to", target, ok=False)
    assert not any(rows_of(target).values())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_running_server_is_not_copied_but_backed_up(flask, source, tmp_path):
    store = open_storage(source, tmp_path)
    there = everything(store)
    assert "Stop it first" in flask("copy", "--from", source, "--to", f"sqlite:///{tmp_path}/x.db", ok=False)
    flask("backup", tmp_path / "b.json", database_url=source)
    store.close()
    flask("restore", tmp_path / "b.json", "--to", f"sqlite:///{tmp_path}/x.db")
    assert rows_of(f"sqlite:///{tmp_path}/x.db") == there


@pytest.mark.parametrize(
    "words", [("--from", "json:nowhere"), ("--from", "sqlite:///nowhere.db"), ("--from", "mysql://x:p%40ss@y")]
)
def test_a_missing_source_is_reported_and_not_created(flask, words, tmp_path, engine, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert flask("copy", *words, "--to", "sqlite:///x.db", ok=False).startswith("Error: ")
    assert sorted(tmp_path.iterdir()) == before


class Writer(threading.Thread):
    """Creates tickets until it is stopped; each is a row in five tables in one unit of work."""

    def __init__(self, store, number):
        super().__init__()
        self.store, self.number, self.ticket_ids, self.stopping = store, number, [], threading.Event()
        with store.unit_of_work(None, write=True) as uow:
            self.customer = add_customer(uow, f"writer{number}")

    def run(self):
        while not self.stopping.is_set() and len(self.ticket_ids) < 3000:
            with self.store.unit_of_work(None, write=True) as uow:
                ticket = add_ticket(
                    uow, self.customer, 10_000 * self.number + len(self.ticket_ids), description="d" * 500
                )
                add_thread(uow, ticket)
            self.ticket_ids.append(ticket)


def test_a_backup_during_writes_is_consistent(flask, source, target, tmp_path, monkeypatch):
    monkeypatch.setattr(json_file, "FOLD_AT_BYTES", 20_000)  # so that documents and journals change places all the time
    store = open_storage(source, tmp_path)
    writers = [Writer(store, number) for number in (1, 2)]
    for writer in writers:
        writer.start()
    acknowledged = []
    try:
        for number in range(3):
            wait_until(lambda: sum(len(writer.ticket_ids) for writer in writers) > 10 * number)  # noqa: B023 - called at once
            acknowledged.append({ticket for writer in writers for ticket in list(writer.ticket_ids)})
            flask("backup", tmp_path / f"{number}.json.gz", database_url=source)
    finally:
        for writer in writers:
            writer.stopping.set()
            writer.join()
        store.close()
    flask("restore", tmp_path / "2.json.gz", "--to", target)
    restored = rows_of(target)
    tickets = {row["id"] for row in restored["tickets"]}
    assert len(acknowledged[2]) > 10
    assert tickets >= acknowledged[2]
    for table, column, each in (("replies", "ticket_id", 2), ("events", "subject_id", 1), ("jobs", "ticket_id", 1)):
        assert Counter(row[column] for row in restored[table]) == dict.fromkeys(tickets, each), table
    now = rows_of(source)
    for table, rows in restored.items():
        there = {row["id"]: row for row in now[table]}
        assert all(there[row["id"]] == row for row in rows), table


@pytest.fixture
def backup(flask, source, tmp_path):
    file = tmp_path / "b.json"
    output = flask("backup", file, database_url=source)
    assert "SECRET_KEY" in output
    return file


def test_a_backup_is_private_and_overwritten_only_on_request(flask, source, backup):
    before = backup.read_bytes()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert "--overwrite" in flask("backup", backup, database_url=source, ok=False)
    assert backup.read_bytes() == before
    flask("backup", backup, "--overwrite", database_url=source)
    assert json.loads(backup.read_bytes())["tables"].keys() == tables.metadata.tables.keys()


@pytest.mark.parametrize("engine", ["json"])
def test_a_backup_overwrites_only_a_backup(flask, source, tmp_path):
    folder = tmp_path / "source"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in ("foyer.json", "foyer.json.journal", "foyer.json.journal.7"):
        output = flask("backup", folder / name, "--overwrite", database_url=source, ok=False)
        assert "the server's own files" in output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (tmp_path / "secret_key").write_text("a secret")
    for path in (tmp_path / "secret_key", Path(os.devnull)):
        assert "is not a backup" in flask("backup", path, "--overwrite", database_url=source, ok=False)
    assert (tmp_path / "secret_key").read_text() == "a secret"
    left = tmp_path / "b.json.tmp-killed"
    left.write_text("half")
    flask("backup", tmp_path / "b.json", database_url=source)
    assert not left.exists(), "what a killed one left is removed"


@pytest.mark.skipif(sys.platform == "win32", reason="links are for the privileged there")
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_link_to_the_database_does_not_hide_it(flask, source, tmp_path):
    real = Path(source.removeprefix("sqlite:///"))
    link = tmp_path / "link.db"
    link.symlink_to(real)
    before = real.read_bytes()
    for file, url in ((real, f"sqlite:///{link}"), (link, source)):
        output = flask("backup", file, "--overwrite", database_url=url, ok=False)
        assert "the server's own files" in output
    assert real.read_bytes() == before


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_damaged_backup_is_refused_with_its_line_and_changes_nothing(flask, backup, tmp_path):
    intact = backup.read_bytes()
    lines = intact.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b"Ticket" in line or b"quoted" in line)
    damaged_contents = {
        f"line {place + 1}:": [*lines[:place], lines[place].replace(b"e", b"a", 1), *lines[place + 1 :]],
        f"line {place + 2}:": [*lines[: place + 1], *lines[place + 2 :]],
        "line 1:": [lines[0].replace(b'"00', b'"90'), *lines[1:]],
        "its end is missing": lines[:-1],
        "end is missing": [],
    }
    for message, content in damaged_contents.items():
        backup.write_bytes(b"".join(content))
        assert message in flask("restore", backup, "--to", f"json:{tmp_path}/new", ok=False)
    assert not (tmp_path / "new").exists()
    backup.write_bytes(intact)
    flask("restore", backup, "--to", f"json:{tmp_path}/new")


@pytest.mark.parametrize("engine", ["json"])
def test_a_manually_edited_document_is_copied(flask, source, tmp_path):
    document = tmp_path / "source" / "foyer.json"
    there = rows_of(source)
    document.write_text(json.dumps(json.loads(document.read_text()), indent=2, ensure_ascii=False))
    flask("backup", tmp_path / "b.json", database_url=source)
    flask("restore", tmp_path / "b.json", "--to", f"json:{tmp_path}/new")
    assert rows_of(f"json:{tmp_path}/new") == there


@contextmanager
def largest_file(kib):
    """Makes every larger write of this process fail, as a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
@pytest.mark.parametrize("engine", ["json"])
@pytest.mark.parametrize("kib", [4, 64, 256])
def test_a_backup_to_a_full_disk_fails_with_a_sentence_and_leaves_no_file(flask, source, tmp_path, kib):
    """The disk is full during the private copy or during the backup."""
    folder = tmp_path / "backups"
    folder.mkdir()
    document = tmp_path / "source" / "foyer.json"
    content = json.loads(document.read_text())
    content["tables"]["tickets"][0]["description"] = "x" * 300_000
    document.write_text(json.dumps(content))
    with largest_file(kib):
        output = flask("backup", folder / "b.json", database_url=source, ok=False)
    sentences = ("cannot be written: File too large. No part of it is left.", "cannot be read: disk I/O error.")
    assert any(sentence in output for sentence in sentences), output
    assert list(folder.iterdir()) == []
