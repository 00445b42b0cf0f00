"""Servers as hosts run them: with PORT, behind a proxy, stopped by a signal, in the image."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from tests.fakes.running_server import KEY, PATIENCE_SECONDS, ROOT, START
from tests.fakes.server import GUNICORN, Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn and SIGTERM are not for Windows")

TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}
PYTHON_APP = (sys.executable, "-c", START)
BY_HOSTS = {"gunicorn": GUNICORN, "python app.py": PYTHON_APP}
SECRET = "a-secret-that-is-long-enough-for-anybody"
PROXY = {"X-Forwarded-Host": "desk.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


def tickets(server: Server) -> int:
    """How many tickets the server has."""
    return int(server.call(requests, "GET", "/api/tickets").json()["total"])


def wait_for_line(server: Server, text: str) -> None:
    """Returns when the server's log holds a text."""
    until = time.monotonic() + PATIENCE_SECONDS
    while text not in server.log:
        assert time.monotonic() < until, server.log
        time.sleep(0.01)


@pytest.mark.parametrize("command", BY_HOSTS.values(), ids=BY_HOSTS)
def test_it_listens_on_the_port_of_the_host_and_stops_cleanly(tmp_path, command):
    with Server(tmp_path / "data", command=command, HOST="") as server:
        family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children()]
        heard = {place.laddr for process in family for place in process.net_connections() if place.status == "LISTEN"}
        assert heard == {("0.0.0.0", int(server.url.rpartition(":")[2]))}
        assert server.call(requests, "POST", "/api/tickets", TICKET).status_code == 201
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_SECONDS) == 0
    assert TICKET["title"] in (tmp_path / "data" / "foyer.json").read_text(), "all is in the document"
    assert "Traceback" not in server.log


def test_a_stop_waits_for_the_running_request(tmp_path):
    """The body is sent only after the stop has begun; the answer is whole and the ticket stays."""
    with Server(tmp_path / "data", GUNICORN_CMD_ARGS="--log-level info") as server:
        body, port = json.dumps(TICKET).encode(), int(server.url.rpartition(":")[2])
        head = [
            "POST /api/tickets HTTP/1.1",
            "Host: server",
            f"X-API-Key: {KEY}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Expect: 100-continue",
        ]
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as caller:
            caller.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
            assert caller.recv(1024).startswith(b"HTTP/1.1 100 "), "the request is being worked on"
            server.process.send_signal(signal.SIGTERM)
            wait_for_line(server, "Handling signal: term")
            caller.sendall(body)
            answer = b"".join(iter(lambda: caller.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 201 "), answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["title"] == TICKET["title"]
        assert server.process.wait(PATIENCE_SECONDS) == 0
    with Server(tmp_path / "data") as again:
        assert tickets(again) == 1


def test_it_runs_with_the_options_that_render_adds(tmp_path):
    """Render sets GUNICORN_CMD_ARGS and WEB_CONCURRENCY for Python services; both come after our file."""
    with Server(
        tmp_path / "data",
        GUNICORN_CMD_ARGS="--preload --access-logfile -",
        WEB_CONCURRENCY="4",
        RENDER="true",
        SECRET_KEY=SECRET,
    ) as server:
        assert len(psutil.Process(server.process.pid).children()) == 1, "one process serves one JSON file"
        assert server.call(requests, "POST", "/api/tickets", TICKET).status_code == 201
        server.stop()
        assert server.process.returncode == 0
        assert '"POST /api/tickets HTTP/1.1" 201' in server.log


def addresses(get) -> tuple[str, str]:
    """The host /swagger.json and the address /openapi.json say the server is at, to a caller behind a proxy."""
    return get("/swagger.json").json()["host"], get("/openapi.json").json()["servers"][0]["url"]


@pytest.mark.parametrize("proxies", [0, 1])
def test_forwarded_headers_are_used_only_from_trusted_proxies(tmp_path, proxies):
    """Over a real connection: gunicorn must not believe on its own what the server does not."""
    with Server(tmp_path / "data", TRUSTED_PROXIES=str(proxies)) as server:
        said = addresses(lambda path: requests.get(server.url + path, headers=PROXY, timeout=PATIENCE_SECONDS))
    here = server.url.removeprefix("http://")
    assert said == (("desk.example.com", "https://desk.example.com") if proxies else (here, server.url))


def test_with_one_trusted_proxy_the_nearest_one_counts(tmp_path):
    """What a caller writes into the header itself stands in front of what the proxy adds."""
    forged = {"X-Forwarded-Host": "evil.example, desk.example.com", "X-Forwarded-Proto": "http, https"}
    with Server(tmp_path / "data", TRUSTED_PROXIES="1") as server:
        said = addresses(lambda path: requests.get(server.url + path, headers=forged, timeout=PATIENCE_SECONDS))
    assert said == ("desk.example.com", "https://desk.example.com")


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    """The folder /app of the image: the files git tracks, without those .dockerignore leaves out."""
    folder = tmp_path_factory.mktemp("image") / "app"
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    left_out = [
        f":(exclude,glob){pattern}"
        for pattern in patterns
        if pattern and pattern[0] not in "#!" and "data" not in pattern
    ]
    listed = subprocess.run(["git", "ls-files", "-z", "--", ".", *left_out], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().strip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="the image is a Linux")
def test_the_files_of_the_image_are_a_complete_server(tmp_path, image):
    """Its command runs in its folder; its health check tells a running server from a stopped one."""
    assert not (image / "tests").exists()
    command = ("env", "-C", str(image), *GUNICORN)
    with Server(tmp_path / "data", command=command, SECRET_KEY=SECRET, HOST="", APP_ENV="production") as server:
        assert server.call(requests, "POST", "/api/demo", {}).status_code == 200
        assert tickets(server) > 0
        assert health(server) == 0
        server.stop()
        assert server.process.returncode == 0
        assert health(server) != 0


def health(server: Server) -> int:
    """The exit code of the image's health check."""
    check = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])\n", (ROOT / "Dockerfile").read_text(), re.DOTALL)
    assert check
    _, *arguments = json.loads(check[1])
    env = {"PORT": server.url.rpartition(":")[2], "PATH": os.environ["PATH"]}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=env, capture_output=True, timeout=PATIENCE_SECONDS, check=False).returncode


def block(text: str) -> str:
    """The commands of the guide that hold a text."""
    blocks = (ROOT / "docs" / "deploy.md").read_text().split("```sh\n")[1:]
    return next(part for part in (block.partition("```")[0] for block in blocks) if text in part)


def run(script: str, folder: Path, **given: str) -> None:
    """Runs commands of the guide in a folder, with the Python of this suite in front."""
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **given}
    env["EMBEDDINGS"] = os.environ["EMBEDDINGS"]
    subprocess.run(["bash", "-ec", script], cwd=folder, env=env, check=True, timeout=PATIENCE_SECONDS)


def test_a_copy_made_while_the_server_runs_opens_elsewhere(tmp_path):
    """The guide's way: journals first, then the document, with its commands."""
    with Server(tmp_path / "data") as server:
        for _ in range(3):
            assert server.call(requests, "POST", "/api/tickets", TICKET).status_code == 201
        run(block("copy=foyer-").replace("/var/lib/foyer", str(tmp_path / "data")), tmp_path)
    (copy,) = tmp_path.glob("foyer-*")
    assert {path.name for path in copy.iterdir()} >= {"foyer.json", "foyer.json.journal", "secret_key"}
    with Server(copy) as again:
        assert tickets(again) == 3


def test_the_tickets_of_a_demo_can_be_exported(tmp_path):
    """The guide's way from free to paid, with its commands."""
    with Server(tmp_path / "free") as demo, Server(tmp_path / "paid") as paid:
        assert demo.call(requests, "POST", "/api/demo", {}).status_code == 200
        run(block("> tickets.json"), tmp_path, URL=demo.url, KEY=KEY)
        move = f"flask import {tmp_path / 'tickets.json'} --url {paid.url}"
        run(move, ROOT, API_KEY=KEY, DATA_DIR=str(tmp_path / "here"))
        assert tickets(paid) == tickets(demo) > 0
        old, new = (
            {
                (ticket["title"], ticket["customer_email"], ticket["status"], ticket["created_at"])
                for ticket in server.call(requests, "GET", "/api/tickets?limit=200").json()["data"]
                if ticket["status"] != "ai_responded"  # its answer is not taken along, so it is new again
            }
            for server in (demo, paid)
        )
        assert old <= new
