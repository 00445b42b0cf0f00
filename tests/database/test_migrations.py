"""Data of every released revision opens in this release, and its responses stay the same.

tests/fixtures/old/make.py made the files, once for each release. Each is opened in place and copied to every engine.
"""

import contextlib
import gzip
import json
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import config
from core.models import Actor
from database import migrations
from database.tables import companies, stale_days
from database.url import DOCUMENT
from services.stats import report
from storage import open_storage
from tests.conftest import ENGINES, SECRET
from tests.support.caller import Caller
from tests.support.rows import ONE, add_company, add_customer, add_ticket, file_url

OLD = Path(__file__).resolve().parent.parent / "fixtures" / "old"
SOURCES = sorted(path.name.removesuffix(".answers.json") for path in OLD.glob("*.answers.json"))
FOLDED = {"/api/keys": "last_used_at"}  # what reading itself changes


class Old:
    """The unpacked data of an old release: its address, and the responses of that release."""

    def __init__(self, source, folder):
        self.source, self.folder = source, folder
        self.revision, self.is_json = source[:4], source.endswith("json")
        folder.mkdir()
        answers = json.loads((OLD / f"{source}.answers.json").read_text())
        self.responses, self.call, self.at = answers["said"], answers["call"], datetime.fromisoformat(answers["at"])
        self.tickets = next(data for path, data in self.responses.items() if path.startswith("/api/tickets?"))
        if self.is_json:
            for suffix in ("", ".journal"):
                shutil.copy(OLD / f"{source}{suffix}", folder / f"foyer.json{suffix}")
        else:
            (folder / "foyer.db").write_bytes(gzip.decompress((OLD / f"{source}.gz").read_bytes()))
        self.url = f"json:{folder}" if self.is_json else f"sqlite:///{folder / 'foyer.db'}"

    def files(self, prefix=""):
        names = ("foyer.json", "foyer.json.journal") if self.is_json else ("foyer.db",)
        return [(self.folder / name.replace("foyer.json", f"foyer.json{prefix}")).read_bytes() for name in names]


@pytest.fixture(params=SOURCES)
def old(request, tmp_path):
    return Old(request.param, tmp_path / "old")


@pytest.fixture(params=["in place", *ENGINES])
def url(old, request, open_old, tmp_path, copies, kept):
    """The address of the data after it was opened in place, or copied to an engine."""
    if request.param == "in place":
        yield old.url
    elif request.param == "postgresql":
        on_server, key = request.getfixturevalue("postgresql"), (old.source, "postgresql")
        if key not in copies:
            copies[key] = copy_to(old, kept.enter_context(on_server.fresh(empty=True)), open_old)
        with on_server.fresh(of=copies[key]) as address:
            yield address
    else:
        address = file_url(request.param, tmp_path).replace("json:", f"json:{tmp_path}")
        file = tmp_path / DOCUMENT if request.param == "json" else Path(address.removeprefix("sqlite:///"))
        if (old.source, request.param) in copies:
            file.write_bytes(copies[old.source, request.param])
        else:
            copy_to(old, address, open_old)
            copies[old.source, request.param] = file.read_bytes()
        yield address


@pytest.fixture(scope="module")
def copies():
    """The copied files or the address of a database, by source and engine: each copy is made once for several tests."""
    return {}


@pytest.fixture(scope="module")
def kept():
    """Databases that stay until the last test."""
    with contextlib.ExitStack() as databases:
        yield databases


@pytest.fixture
def open_old(old, open_app, monkeypatch):
    """Opens an app at an address, an hour after the old one stopped, with its old, short key."""
    monkeypatch.setattr(config, "SHORTEST_API_KEY", 0)
    hour_later = old.at + timedelta(hours=1)
    return lambda url: open_app(clock=lambda: hour_later, database_url=url, secret_key=SECRET, api_key="admin-key")


@pytest.fixture
def engine():
    """These tests choose their stores in the settings."""
    return "json"


def copy_to(old, url, open_old):
    before = old.files()
    app = open_old(url)
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["copy", "--from", old.url, "--to", url])
    assert result.exit_code == 0, result.output
    assert old.files() == before, "a source is never changed"
    return url


@pytest.fixture
def opened(open_old, url):
    return open_old(url)


def covers(now, then):
    """Whether a response holds everything that it held before. A newer release may add fields."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and covers(now[key], value) for key, value in then.items())
    if isinstance(then, list):
        return len(now) == len(then) and all(map(covers, now, then))
    return now == then


def test_the_files_cover_every_state_and_every_released_revision(old):
    assert {ticket["status"] for ticket in old.tickets} == {
        *("new", "ai_responded", "assigned", "in_progress", "waiting_customer", "handoff", "resolved", "closed")
    }
    released = {"0001", "0002"}  # with the next release, the head it had: python tests/fixtures/old/make.py
    assert {source[:4] for source in SOURCES} == released


def users_sign_in_with_their_old_passwords(old, opened):
    if old.revision == "0001":
        assert opened.test_client().get("/api/me", headers={"X-API-Key": "fk_test_other_agent_0"}).status_code == 200
        return
    zoe = {"email": "zoe@acme.example", "password": "a few good words"}
    answer = Caller(opened.test_client()).post("/api/auth/login", zoe)
    assert answer.status_code == 200
    caller = Caller(opened.test_client(), headers={"Authorization": f"Bearer {answer.json['data']['access_token']}"})
    assert caller.get("/api/tickets").json["total"] == 0


def existing_companies_are_confirmed(opened):
    with opened.extensions["runtime"].storage.unit_of_work(None) as unit:
        rows = unit.find(unit.query(companies))
    assert {row["id"] for row in rows} > {"default"}
    assert all(row["confirmed_at"] == row["created_at"] for row in rows)
    assert [row["id"] for row in rows if row["oidc_allowed"]] == ["default"], "the operator says which others"


def test_every_response_of_the_old_server_is_unchanged(old, opened):
    existing_companies_are_confirmed(opened)
    admin = Caller(opened.test_client(), "admin-key")
    assert len(old.responses) > 3 * len(old.tickets)
    for path, then in old.responses.items():
        now = admin.data(admin.get(path))
        for row in then if path in FOLDED else ():
            row.pop(FOLDED[path], None)
        assert covers(now, then), path


def test_users_tickets_and_jobs_continue_after_the_upgrade(old, opened, mailer):
    users_sign_in_with_their_old_passwords(old, opened)
    admin = Caller(opened.test_client(), "admin-key")
    response = admin.post("/api/tickets", old.call, headers={"Idempotency-Key": "said-once"})
    assert response.headers["Idempotent-Replay"] == "true"
    assert response.json["data"]["id"] in {ticket["id"] for ticket in old.tickets}
    assert response.json["data"]["description"] == old.call["description"]
    ticket = admin.ticket()
    assert ticket["number"] == max(ticket["number"] for ticket in old.tickets) + 1
    assert admin.get("/api/tickets").json["total"] == len(old.tickets) + 1
    for ticket in old.tickets:
        if ticket["status"] not in ("resolved", "closed"):
            resolved = admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
            assert resolved["version"] == ticket["version"] + 1
    opened.extensions["runtime"].runner.run_due()
    assert {mail.to for mail in mailer.sent} >= {"ada@example.com", "bob@example.com"}, "what waited is mailed"


@pytest.mark.parametrize("old", [name for name in SOURCES if name.endswith("json")], indirect=True)
def test_a_copy_of_the_old_document_is_kept(old, open_old):
    before = old.files()
    app = open_old(old.url)
    assert app.extensions["runtime"].storage.name == "json"
    assert old.files(f".bak-{old.revision}") == before
    assert json.loads((old.folder / "foyer.json").read_bytes())["revision"] == migrations.head()


@pytest.mark.parametrize("source", SOURCES)
def test_the_old_files_are_small(source):
    assert all(path.stat().st_size < 60_000 for path in OLD.glob(f"{source}*"))


def test_sums_of_before_are_counted_anew_and_their_triggers_are_gone(tmp_path):
    """A file of revision 0037 had triggers that kept the sums."""
    path, admin = tmp_path / "foyer.db", Actor(ONE, "admin", "test")
    storage = open_storage(f"sqlite:///{path}", tmp_path)
    add_company(storage)
    with storage.unit_of_work(admin, write=True) as uow:
        add_ticket(uow, add_customer(uow), 1)
    storage.close()
    triggers = triggers_of(path)
    assert "stale_days_update" in triggers
    with contextlib.closing(sqlite3.connect(path)) as file:
        for name in triggers:
            if name.startswith("stale_days"):
                file.execute(f"DROP TRIGGER {name}")
        file.executescript(
            "DROP TABLE stale_days; UPDATE alembic_version SET version_num = '0037';"
            "CREATE TRIGGER ticket_sums_insert AFTER INSERT ON tickets BEGIN UPDATE ticket_sums SET number = number + 1; END;"
            "CREATE TRIGGER word_sums_change AFTER UPDATE ON tickets BEGIN DELETE FROM word_sums; END;"
        )
    storage = open_storage(f"sqlite:///{path}", tmp_path)
    with storage.unit_of_work(admin, snapshot=True) as uow:
        assert uow.count(uow.query(stale_days)) == 1
        assert report.overview(uow)["total_tickets"] == 1
    storage.close()
    assert triggers_of(path) == triggers


def triggers_of(path):
    with contextlib.closing(sqlite3.connect(path)) as file:
        return {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
