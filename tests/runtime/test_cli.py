"""The flask commands, on the data of a stopped server and through a running server."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from app import create_app
from commands import running_server
from config import Settings
from core.errors import AppError
from database.json_store.folder_lock import FolderLock
from database.url import DOCUMENT
from tests.conftest import FILES, SECRET, Given
from tests.fakes.running_server import KEPT, KEY, ROOT, free_port
from tests.fakes.server import GUNICORN, Server

MESSAGES = "User ID,Timestamp (UTC),Message Body\n" + "".join(
    f'{n % 5},2017-02-01 19:29:{n % 60:02d},"Hello\nnumber {n}"\n' for n in range(150)
)


class Shell:
    """Runs commands on a data folder of their own. Each command is run once at least in a process of its own."""

    def __init__(self, folder, database_url):
        self.port = free_port()
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env = {
            **kept,
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "HOST": "127.0.0.1",
            "SECRET_KEY": SECRET,
        }
        self.env |= {"PORT": str(self.port), "API_KEY": "", "PYTHONPATH": str(ROOT), "EMBEDDINGS": "static"}
        self.key_file = folder / "api_key"

    def flask(self, *words):
        command = [sys.executable, "-m", "flask", *words]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def flask_here(self, *words):
        """Runs a command in this process, with an app of its own: a new process takes seconds to import everything."""
        app = self._app()
        with app.app_context():
            done = app.test_cli_runner().invoke(args=words)
        assert isinstance(done.exception, SystemExit | None), done.exc_info
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    def _app(self):
        given = {name.lower(): value for name, value in self.env.items() if name.lower() in Settings.model_fields}
        return create_app(Given(**given))

    @contextmanager
    def running_here(self):
        """A client of a server in this process, which has the data open meanwhile."""
        app = self._app()
        try:
            yield app.test_client()
        finally:
            app.extensions["runtime"].stop()

    @contextmanager
    def running(self):
        """A server that serves from this data folder."""
        server = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{self.port}"
            wait_for(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(20)

    def total(self, url):
        answer = requests.get(
            f"{url}/api/tickets", headers={"X-API-Key": self.key_file.read_text().strip()}, timeout=30
        )
        return answer.json()["total"]


def wait_for(url, server):
    for _ in range(200):
        assert server.poll() is None, "the server did not start"
        try:
            requests.get(f"{url}/health", timeout=30)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not answer")


@pytest.fixture
def shell(tmp_path, database_url):
    return Shell(tmp_path / "data", database_url)


@pytest.fixture
def messages(tmp_path):
    file = tmp_path / "messages.csv"
    file.write_text(MESSAGES)
    return str(file)


def test_a_file_is_imported_once_while_the_server_is_stopped(shell, messages):
    first, second = shell.flask("import", messages), shell.flask_here("import", messages)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "150 rows read: 150 created, 0 here already, 0 refused." in first.stdout
    assert "150 rows read: 0 created, 150 here already, 0 refused." in second.stdout
    with shell.running() as url:
        assert shell.total(url) == 150


def test_a_file_is_imported_through_the_running_server_with_its_line_numbers(shell, tmp_path):
    file = tmp_path / "some.csv"
    file.write_text(MESSAGES + '7,nonsense,Hello\n8,2017-01-01,"open\n9,2017-01-01,Hello\n')
    with shell.running() as url:
        done = shell.flask("import", str(file))
        assert done.returncode == 0, done.stderr
        assert "153 rows read: 151 created, 0 here already, 2 refused." in done.stdout
        assert "line 302: created_at" in done.stdout
        assert "line 303: A quotation mark" in done.stdout
        assert shell.total(url) == 151


def test_migrate_does_nothing_while_a_server_runs(shell, engine):
    with shell.running():
        beside = shell.flask_here("migrate")
    assert beside.returncode == 0, beside.stderr
    assert ("there is nothing to do" in beside.stdout) == (engine != "postgresql"), "there each command opens the data"
    alone = shell.flask("migrate")
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.strip().endswith("has the newest shape.")


def works(client, key):
    return client.get("/api/me", headers={"X-API-Key": key}).status_code == 200


def test_commands_keep_the_key_of_api_key_until_remove_api_key(shell):
    shell.env["API_KEY"] = "the-key-of-the-server"
    with shell.running_here() as client:
        assert works(client, "the-key-of-the-server")
    for key in ("", "a-key-of-another-server"):
        shell.env["API_KEY"] = key
        made = shell.flask_here("create-user", f"bob{len(key)}@example.com", "--password", "correct horse battery")
        assert made.returncode == 0, made.stderr
    shell.env["API_KEY"] = ""
    with shell.running_here() as client:
        assert works(client, "the-key-of-the-server")
    removed = shell.flask("remove-api-key")
    assert removed.returncode == 0, removed.stderr
    assert "not valid any more" in removed.stdout
    with shell.running_here() as client:
        assert not works(client, "the-key-of-the-server")
        assert works(client, shell.key_file.read_text().strip())
    shell.env["API_KEY"] = "another-key-of-the-server"
    with shell.running_here() as client:
        assert works(client, "another-key-of-the-server")


@pytest.mark.parametrize("engine", ["json"])
def test_a_missing_file_or_folder_is_reported_in_a_sentence(shell, tmp_path):
    missing = tmp_path / "nosuch.gz"
    refused = shell.flask("restore", str(missing))
    assert refused.returncode == 1
    assert f"There is no file {missing}." in refused.stderr
    (tmp_path / "a file").write_text("")
    shell.env["DATABASE_URL"] = f"json:{tmp_path / 'a file' / 'data'}"
    refused = shell.flask_here("demo")
    assert refused.returncode == 1
    assert "cannot be used: Not a directory" in refused.stderr
    assert "Errno" not in refused.stderr


def test_a_file_without_a_usable_row_fails(shell, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("user_id,description\n,Hello\n")
    refused = shell.flask_here("import", str(file))
    assert refused.returncode == 1
    assert "line 2: customer_email" in refused.stdout


def test_an_unusable_header_is_reported_in_a_sentence(shell, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("Mesage Body,user id\nHello,1\n")
    refused = shell.flask_here("import", str(file))
    assert refused.returncode == 1
    assert "Did you mean message_body?" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unreachable_address_is_reported(shell, messages):
    url = f"http://127.0.0.1:{free_port()}"
    shell.env["API_KEY"] = "a-key"
    refused = shell.flask_here("import", messages, "--url", url)
    assert refused.returncode == 1
    assert url in refused.stderr
    assert "Traceback" not in refused.stderr


class _Impostor(BaseHTTPRequestHandler):
    """Answers everything as a server would, and notes the headers."""

    def do_GET(self):
        self.server.headers.append(dict(self.headers))
        self.send_response(200)
        self.send_header("X-Foyer-Proof", "0" * 64)
        self.end_headers()
        self.wfile.write(b'{"success": true, "message": "Made.", "data": {"created": 1, "customers": 1}}')

    do_POST = do_GET  # noqa: N815 - the name the server looks for


@pytest.fixture
def impostor(shell):
    """Another server at the port where the server should be."""
    server = HTTPServer(("127.0.0.1", shell.port), _Impostor)
    server.headers = []
    threading.Thread(target=server.serve_forever, args=(0.02,)).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("engine", FILES)
def test_the_key_is_not_sent_to_another_server_at_the_same_port(shell, impostor, engine):
    shell.env["API_KEY"] = "the-key-of-the-server"
    folder = shell.key_file.parent
    folder.mkdir()
    lock = FolderLock(folder / DOCUMENT if engine == "json" else folder.parent / "foyer.db")
    lock.take()
    lock.sign(f"http://127.0.0.1:{shell.port}", "a secret of the process that has the lock")
    refused = shell.flask("demo")
    lock.release()
    assert refused.returncode == 1, refused.stdout
    assert "Nothing was sent" in refused.stderr
    assert impostor.headers, "the server was asked for proof"
    assert "the-key-of-the-server" not in str(impostor.headers)


@pytest.mark.parametrize("engine", FILES)
def test_a_process_that_has_the_data_but_no_port_is_not_called(settings, engine, open_app):
    holder = open_app().extensions["runtime"]
    assert holder.storage
    command = create_app(settings()).extensions["runtime"]
    assert running_server._running_address(command) == ""
    holder.start()
    assert running_server._running_address(command) == ""
    holder.storage.announce("http://127.0.0.1:9", holder.note_secret)
    with pytest.raises(AppError, match=f"Process {os.getpid()} has the data open"):
        running_server._running_address(command)


@pytest.mark.parametrize("engine", FILES)
def test_commands_find_a_server_with_a_port_from_its_command_line(shell, messages, tmp_path, engine, database_url):
    port = free_port()
    command = (*GUNICORN, "--bind", f"127.0.0.1:{port}")
    shell.key_file.parent.mkdir()
    with Server(shell.key_file.parent, command=command, at=port, DATABASE_URL=database_url) as server:
        shell.env["API_KEY"] = KEY
        done = shell.flask_here("import", messages)
        assert done.returncode == 0, done.stderr
        with requests.Session() as session:
            assert server.call(session, "GET", "/api/tickets").json()["total"] == 150


def test_demo_tickets_are_added_once_while_the_server_is_stopped(shell):
    made, refused = shell.flask("demo"), shell.flask_here("demo")
    assert made.returncode == 0, made.stderr
    assert "tickets from" in made.stdout
    assert refused.returncode == 1
    assert "has tickets already" in refused.stderr


def test_demo_tickets_are_added_to_a_running_server(shell):
    with shell.running() as url:
        made = shell.flask_here("demo", "--url", url)
        assert made.returncode == 0, made.stderr
        assert shell.total(url) == int(made.stdout.split()[0]) > 50
