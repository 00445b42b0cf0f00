"""The receiver of docs/webhooks.md, run as it stands there, against a real server."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.support.caller import Caller

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "webhooks.md"
RECEIVER = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1)


@pytest.fixture
def admin(open_app):
    return Caller(open_app(webhook_allow_hosts="127.0.0.1").test_client(), "admin-key")


def test_the_receiver_of_the_page_takes_real_calls_and_refuses_others(admin, free_port, tmp_path):
    runtime = admin.client.application.extensions["runtime"]
    url = f"http://127.0.0.1:{free_port}/hook"
    webhook = admin.data(admin.post("/api/webhooks", {"url": url, "events": ["ticket.created"]}), 201)
    (tmp_path / "receiver.py").write_text(RECEIVER)
    command = [sys.executable, "-m", "flask", "--app", "receiver", "run", "--port", str(free_port)]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, env={"SECRET": webhook["secret"]}, stdout=out, stderr=out)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                assert requests.post(url, json={"event": "forged"}, timeout=10).status_code == 401
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        ticket = admin.ticket()
        assert runtime.webhooks.run_due() == 1
        [delivery] = admin.get(f"/api/webhooks/{webhook['id']}/deliveries").json["data"]
        assert (delivery["state"], delivery["last_status"]) == ("delivered", 204)
        assert f"ticket.created {ticket['number']}" in (tmp_path / "out").read_text()
    finally:
        process.kill()
        process.wait()


def test_the_receiver_has_15_lines_of_code_at_most():
    assert len([line for line in RECEIVER.splitlines() if line.strip()]) <= 15
