"""/api/health and the first lines of the log."""

from pathlib import Path

import pytest

from config import HERE
from runtime import host_disk as parts
from runtime.banner import opening_lines
from runtime.host_disk import is_on_persistent_disk
from services.health import storage_note
from tests.conftest import FILES
from tests.support.caller import Caller

SECRET = "a-secret-that-is-long-enough-for-anybody"
AT = "2026-11-21T11:44:31.000Z"
CONTAINER = "\n".join(
    [
        "1 0 0:40 / / rw,relatime - overlay overlay rw,lowerdir=/a",
        "2 1 0:41 / /dev rw - tmpfs tmpfs rw",
        "3 1 8:1 /volumes/foyer/_data /data rw,relatime master:1 - ext4 /dev/sda1 rw",
        "4 1 8:1 /volumes/other /my\\040data rw,relatime - ext4 /dev/sda1 rw",
        "5 3 0:42 / /data/scratch rw - tmpfs tmpfs rw",
    ]
)


@pytest.fixture
def forgetful(open_app, monkeypatch, tmp_path):
    """Opens the server on a Render instance without a disk: the data is where the code is."""
    monkeypatch.setattr(parts, "HERE", tmp_path)
    return lambda **given: open_app(
        **{"render": "true", "secret_key": SECRET, "api_key": "a key of twenty letters", **given}
    )


@pytest.fixture
def lasting(open_app, monkeypatch):
    """Opens the server on a machine with an ordinary disk, whatever this one has."""
    monkeypatch.setattr(parts, "_mounts", lambda: "1 0 8:1 / / rw - ext4 /dev/sda1 rw")
    return open_app


def storage_health(app):
    """What /api/health says about the store."""
    return app.test_client().get("/api/health").json["data"]["storage"]


def first_lines(app):
    """What is said at the start; the server is closed again."""
    server = app.extensions["runtime"]
    lines = "\n".join(opening_lines(server, terminal=False))
    server.stop()
    return lines


@pytest.mark.parametrize("engine", FILES)
def test_health_with_a_disk_says_that_data_is_kept(lasting, tmp_path):
    app = lasting()
    health = storage_health(app)
    assert health["durable"] is True
    assert health["note"] == "Data is kept across restarts."
    lines = first_lines(app)
    assert "survives a restart" in lines
    assert str(tmp_path) in lines
    assert "not persistent" not in lines


@pytest.mark.parametrize("engine", FILES)
def test_health_without_a_disk_says_what_is_lost_and_what_to_do(forgetful):
    app = forgetful()
    health = storage_health(app)
    assert health["durable"] is False
    for word in ("not persistent", "tickets", "keys", "sleep or deploy", "DATA_DIR"):
        assert word in health["note"]
    lines = first_lines(app)
    assert "IS LOST AT THE NEXT RESTART" in lines
    assert health["note"] in lines


@pytest.mark.parametrize("engine", FILES)
def test_health_says_when_the_store_was_opened_empty(forgetful):
    """It cannot know what it held; it knows that it found nothing, and when."""
    app = forgetful()
    found = app.extensions["runtime"]
    assert found.storage
    assert found.opened_empty_at
    assert f"The store was empty at the start at {found.opened_empty_at}" in storage_health(app)["note"]
    found.stop()
    again = forgetful()
    assert "The store was empty" not in storage_health(again)["note"], "this time the file was still there"
    assert "not persistent" in storage_health(again)["note"]


@pytest.mark.parametrize("engine", FILES)
def test_the_first_lines_name_store_ai_mail_and_key_and_hide_the_key(lasting, tmp_path):
    plain = first_lines(lasting(api_key=""))
    for word in ("data ", "AI ", "canned replies", "mail ", "one log line per notice", f"in {tmp_path / 'api_key'}"):
        assert word in plain
    assert (tmp_path / "api_key").read_text().strip() not in plain
    full = first_lines(
        lasting(openai_api_key="sk-x", openai_model="gpt-x", smtp_host="mail.example.com", api_key="k-1")
    )
    assert "gpt-x" in full
    assert "by mail.example.com" in full
    assert "the one in API_KEY" in full
    assert "k-1" not in full


@pytest.mark.parametrize("engine", FILES)
def test_log_does_not_name_a_key_file_that_is_missing(lasting, tmp_path):
    assert f"in {tmp_path / 'api_key'}" in first_lines(lasting(api_key=""))
    (tmp_path / "api_key").unlink()
    lines = first_lines(lasting(api_key=""))
    assert not (tmp_path / "api_key").exists()
    assert f"it is not in {tmp_path / 'api_key'}" in lines
    assert "set API_KEY" in lines


@pytest.mark.parametrize("engine", FILES)
def test_the_log_says_that_the_key_is_lost_with_the_data(forgetful):
    assert "set API_KEY to keep one" in first_lines(forgetful(api_key=""))
    assert "set API_KEY" not in first_lines(forgetful())


def test_health_is_the_same_at_both_addresses_and_needs_no_key(app):
    client = app.test_client()
    assert client.get("/health").json == client.get("/api/health").json


@pytest.mark.parametrize(
    ("file", "stays"),
    [
        ("/data/foyer.json", True),
        ("/my data/foyer.json", True),
        ("/data/scratch/foyer.json", False),
        ("/database/foyer.json", False),
        ("/app/data/foyer.json", False),
        ("/dev/foyer.json", False),
    ],
)
def test_in_a_container_only_volumes_are_persistent(file, stays):
    assert is_on_persistent_disk(Path(file), host_is_ephemeral=False, mounts=CONTAINER) is stays


def test_on_an_ephemeral_host_only_a_mounted_disk_is_persistent():
    assert is_on_persistent_disk(Path("/dev/foyer.json"), host_is_ephemeral=True, mounts="")
    assert not is_on_persistent_disk(HERE / "data" / "foyer.json", host_is_ephemeral=True, mounts="")
    assert is_on_persistent_disk(HERE / "data" / "foyer.json", host_is_ephemeral=False, mounts="")


@pytest.mark.parametrize("engine", FILES)
def test_on_heroku_nothing_is_persistent(open_app, monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "HERE", tmp_path)
    assert "not persistent" in storage_health(open_app(dyno="web.1"))["note"]


def test_with_demo_a_new_server_is_filled_once_and_mails_nobody(open_app, mailer):
    server = open_app(demo=True).extensions["runtime"]
    server.start()
    server.stop()
    assert mailer.sent == []
    again = open_app(demo=True)
    again.extensions["runtime"].start()
    admin = Caller(again.test_client(), "admin-key")
    count = admin.get("/api/tickets").json["total"]
    assert count > 50
    admin.data(admin.delete(f"/api/tickets/{admin.get('/api/tickets').json['data'][0]['id']}"))
    again.extensions["runtime"].stop()
    third = open_app(demo=True)
    third.extensions["runtime"].start()
    assert Caller(third.test_client(), "admin-key").get("/api/tickets").json["total"] == count - 1


def test_without_demo_a_new_server_stays_empty(open_app):
    app = open_app()
    app.extensions["runtime"].start()
    assert Caller(app.test_client(), "admin-key").get("/api/tickets").json["total"] == 0


def test_the_note_is_never_empty():
    for kept in (True, False):
        for since in ("", AT):
            assert storage_note(durable=kept, opened_empty_at=since).endswith(".")
    assert AT not in storage_note(durable=True, opened_empty_at=AT), "a new server on a good disk has lost nothing"
