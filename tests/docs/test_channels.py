"""docs/channels.md: its two bridges run against a real server of ours and a fake Twilio and Telegram."""

import base64
import hmac
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from standardwebhooks import Webhook
from werkzeug.serving import make_server

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "channels.md").read_text()
WHATSAPP, TELEGRAM = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes!").decode()
BRIDGE = "https://bridge.example"


class Peer(BaseHTTPRequestHandler):
    """Twilio and Telegram: keeps the path and the body of each call."""

    calls: list[tuple[str, str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Peer.calls.append((self.path, body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        """Writes nothing."""


@pytest.fixture
def peer() -> Iterator[str]:
    """The address of the fake services."""
    Peer.calls.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def foyer(app: Any, agent: Any, peer: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our server on a port, and the environment of a bridge."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    values = {"FOYER_URL": f"http://127.0.0.1:{server.server_port}", "FOYER_KEY": agent.key, "FOYER_SECRET": SECRET}
    values |= {"BRIDGE_URL": BRIDGE, "TWILIO_URL": peer, "TWILIO_SID": "AC1", "TWILIO_TOKEN": "token"}
    values |= {"TWILIO_FROM": "whatsapp:+1", "TELEGRAM_URL": peer, "TELEGRAM_TOKEN": "7:x", "TELEGRAM_SECRET": "s"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    server.server_close()


def bridge(source: str) -> Any:
    """The client of a bridge of the page."""
    names: dict[str, Any] = {"__name__": "bridge"}
    exec(compile(source, "docs/channels.md", "exec"), names)
    return names["app"].test_client()


def told(client: Any, admin: Any) -> None:
    """Sends the newest event of the feed as the webhook would."""
    event = [row for row in admin.data(admin.get("/api/events?limit=200")) if row["event"] == "ticket.replied"][-1]
    body = json.dumps(event)
    now = datetime.now(UTC)
    headers = {"webhook-id": event["id"], "webhook-timestamp": str(int(now.timestamp()))}
    headers["webhook-signature"] = Webhook(SECRET).sign(event["id"], now, body)
    assert client.post("/foyer", data=body, headers=headers).status_code == 204


@pytest.mark.usefixtures("foyer")
def test_whatsapp_is_bridged_both_ways(admin):
    client = bridge(WHATSAPP)
    form = {"From": "whatsapp:+4912345", "Body": "How do I change my plan?", "MessageSid": "SM1"}
    text = BRIDGE + "/whatsapp" + "".join(name + value for name, value in sorted(form.items()))
    signature = base64.b64encode(hmac.digest(b"token", text.encode(), "sha1")).decode()
    assert client.post("/whatsapp", data=form).status_code == 403
    answer = client.post("/whatsapp", data=form, headers={"X-Twilio-Signature": signature})
    assert re.fullmatch(r"<Response><Message>[^<]+</Message></Response>", answer.get_data(as_text=True))
    (ticket,) = admin.data(admin.get("/api/tickets"))
    assert ticket["customer_id"] == "whatsapp:+4912345"
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A person's words"}), 201)
    told(client, admin)
    ((path, body),) = Peer.calls
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert parse_qs(body) == {"From": ["whatsapp:+1"], "To": ["whatsapp:+4912345"], "Body": ["A person's words"]}
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A note", "internal": True}), 201)
    told(client, admin)
    assert len(Peer.calls) == 1, "a note goes to nobody"


@pytest.mark.usefixtures("foyer")
def test_telegram_is_bridged_both_ways(admin):
    client, secret = bridge(TELEGRAM), {"X-Telegram-Bot-Api-Secret-Token": "s"}
    update = {"update_id": 9, "message": {"chat": {"id": 4711}, "text": "How do I change my plan?"}}
    assert client.post("/telegram", json=update).status_code == 403
    for _ in range(2):  # Telegram repeats what was not answered in time
        assert client.post("/telegram", json=update, headers=secret).status_code == 204
    assert (
        client.post("/telegram", json={"update_id": 10, "message": {"chat": {"id": 1}}}, headers=secret).status_code
        == 204
    )
    (ticket,) = admin.data(admin.get("/api/tickets"))
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A person's words"}), 201)
    told(client, admin)
    assert [path for path, _ in Peer.calls] == ["/bot7:x/sendMessage"] * 3
    assert Peer.calls[0] == Peer.calls[1], "the same answer"
    assert json.loads(Peer.calls[-1][1]) == {"chat_id": "4711", "text": "A person's words"}
