"""Data of every released revision, as its own program left it, opens in this one and says what it said there.

The files are made by tests/fixtures/old/make.py, once for each release; each is opened in place and copied to every engine.
"""

import gzip
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import config
from database import migrations
from database.tables import companies
from database.url import DOCUMENT
from tests.conftest import ENGINES, SECRET
from tests.support.caller import Caller
from tests.support.rows import file_url

OLD = Path(__file__).resolve().parent.parent / "fixtures" / "old"
SOURCES = sorted(path.name.removesuffix(".answers.json") for path in OLD.glob("*.answers.json"))
FOLDED = {"/api/keys": "last_used_at"}  # what reading itself changes


class Old:
    """The unpacked data of an old release: its address, and the responses of that release."""

    def __init__(self, source, folder):
        self.source, self.folder = source, folder
        self.revision, self.is_json = source[:4], source.endswith("json")
        folder.mkdir()
        told = json.loads((OLD / f"{source}.answers.json").read_text())
        self.said, self.call, self.at = told["said"], told["call"], datetime.fromisoformat(told["at"])
        self.tickets = next(data for path, data in self.said.items() if path.startswith("/api/tickets?"))
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
def url(old, request, open_old, tmp_path, copies):
    """The address of the data after it was opened in place, or copied to an engine."""
    if request.param == "in place":
        yield old.url
    elif request.param == "postgresql":
        with request.getfixturevalue("postgresql").fresh(empty=True) as made:
            yield copied(old, made, open_old)
    else:
        made = file_url(request.param, tmp_path).replace("json:", f"json:{tmp_path}")
        file = tmp_path / DOCUMENT if request.param == "json" else Path(made.removeprefix("sqlite:///"))
        if (old.source, request.param) in copies:
            file.write_bytes(copies[old.source, request.param])
        else:
            copied(old, made, open_old)
            copies[old.source, request.param] = file.read_bytes()
        yield made


@pytest.fixture(scope="module")
def copies():
    """The files that copying made, by source and engine: each copy is made once and opened by several tests."""
    return {}


@pytest.fixture
def open_old(old, open_app, monkeypatch):
    """Opens an app at an address, an hour after the old one was left, with the key it had: a short one."""
    monkeypatch.setattr(config, "SHORTEST_API_KEY", 0)
    hour_later = old.at + timedelta(hours=1)
    return lambda url: open_app(clock=lambda: hour_later, database_url=url, secret_key=SECRET, api_key="admin-key")


@pytest.fixture
def engine():
    """The settings of these tests name their stores themselves."""
    return "json"


def copied(old, url, open_old):
    before = old.files()
    app = open_old(url)
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["copy", "--from", old.url, "--to", url])
    assert done.exit_code == 0, done.output
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


def test_the_files_tell_of_every_state_and_every_released_revision(old):
    assert {ticket["status"] for ticket in old.tickets} == {
        *("new", "ai_responded", "assigned", "in_progress", "waiting_customer", "handoff", "resolved", "closed")
    }
    released = {"0001", "0002"}  # with the next release, the head it had: python tests/fixtures/old/make.py
    assert {source[:4] for source in SOURCES} == released


def test_every_response_of_the_old_server_is_unchanged(old, opened):
    admin = Caller(opened.test_client(), "admin-key")
    assert len(old.said) > 3 * len(old.tickets)
    for path, then in old.said.items():
        now = admin.data(admin.get(path))
        for row in then if path in FOLDED else ():
            row.pop(FOLDED[path], None)
        assert covers(now, then), path


def test_work_goes_on_where_it_was_left(old, opened, mailer):
    admin = Caller(opened.test_client(), "admin-key")
    again = admin.post("/api/tickets", old.call, headers={"Idempotency-Key": "said-once"})
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json["data"]["id"] in {ticket["id"] for ticket in old.tickets}
    assert again.json["data"]["description"] == old.call["description"]
    made = admin.ticket()
    assert made["number"] == max(ticket["number"] for ticket in old.tickets) + 1
    assert admin.get("/api/tickets").json["total"] == len(old.tickets) + 1
    for ticket in old.tickets:
        if ticket["status"] not in ("resolved", "closed"):
            changed = admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
            assert changed["version"] == ticket["version"] + 1
    opened.extensions["runtime"].runner.run_due()
    assert {mail.to for mail in mailer.sent} >= {"ada@example.com", "bob@example.com"}, "what waited is mailed"


def test_people_sign_in_with_the_password_they_had(old, opened):
    if old.revision == "0001":
        assert opened.test_client().get("/api/me", headers={"X-API-Key": "fk_test_other_agent_0"}).status_code == 200
        return
    zoe = {"email": "zoe@acme.example", "password": "a few good words"}
    answer = Caller(opened.test_client()).post("/api/auth/login", zoe)
    assert answer.status_code == 200
    mine = Caller(opened.test_client(), headers={"Authorization": f"Bearer {answer.json['data']['access_token']}"})
    assert mine.get("/api/tickets").json["total"] == 0


def test_the_companies_that_were_there_count_as_confirmed(old, opened):
    with opened.extensions["runtime"].storage.unit_of_work(None) as unit:
        rows = unit.find(unit.query(companies))
    assert {row["id"] for row in rows} > {"default"}
    assert all(row["confirmed_at"] == row["created_at"] for row in rows)
    assert [row["id"] for row in rows if row["oidc_allowed"]] == ["default"], "the operator says which others"


@pytest.mark.parametrize("old", [name for name in SOURCES if name.endswith("json")], indirect=True)
def test_the_document_of_the_old_revision_is_kept_beside(old, open_old):
    before = old.files()
    app = open_old(old.url)
    assert app.extensions["runtime"].storage.name == "json"
    assert old.files(f".bak-{old.revision}") == before
    assert json.loads((old.folder / "foyer.json").read_bytes())["revision"] == migrations.head()


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_kept_is_small(source):
    assert all(path.stat().st_size < 60_000 for path in OLD.glob(f"{source}*"))
