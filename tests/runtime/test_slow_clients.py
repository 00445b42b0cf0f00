"""Slow clients of a real gunicorn: they do not delay other clients, and they get 408.

All clients of this file run at the same time, so that the tests wait only once for the slowest.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.fakes.server import Server
from tests.support.raw_connection import Answer, RawConnection, head
from web.pages import SWAGGER_UI, SWAGGER_UI_VERSION

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn is not for Windows")

EACH = 50
ALLOWED_SECONDS = 15  # what a caller may have to wait while 200 others are slow
MEBI = 1024 * 1024
BUNDLE = SWAGGER_UI / "swagger-ui-bundle.js"
BUNDLE_PATH = f"/docs/assets/{SWAGGER_UI_VERSION}/{BUNDLE.name}"
TICKET = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}
JSON = "Content-Type: application/json"
SLOW = {
    "head": b"GET /health HTTP/1.1\r\nX-Slow: ",
    "body": head("POST", "/api/tickets", JSON, "Content-Length: 5000", key=""),
    "chunked body": head("POST", "/api/tickets", JSON, "Transfer-Encoding: chunked", key="") + b"5000\r\n",
    "large body": head("POST", "/api/import", "Content-Type: text/csv", "Content-Length: 5000000", key=""),
}
ONES = {**dict.fromkeys(("head", "body", "chunked body"), EACH), "large body": 6}


@dataclass
class Outcome:
    """What the clients met."""

    refused: dict[str, list[Answer]] = field(default_factory=dict)
    health: list[int] = field(default_factory=list)
    silent_closed: int = 0
    uploads: dict[str, Answer] = field(default_factory=dict)
    read_slowly: int = 0


def drip(slow: list[RawConnection], done: threading.Event) -> None:
    """Sends a byte on every connection now and then, for as long as the server takes it."""
    while not done.wait(0.5):
        for connection in slow:
            try:
                connection.send(b"x")
            except OSError:
                continue


def upload(server: Server, path: str, body: bytes, *, seconds: float) -> Answer:
    """Sends a body evenly over a time."""
    size = -(-len(body) // 50)
    with RawConnection(server) as sender:
        sender.send(head("POST", path, JSON, f"Content-Length: {len(body)}"))
        for start in range(0, len(body), size):
            sender.send(body[start : start + size])
            time.sleep(seconds / 50)
        return sender.answer()


def read_slowly(server: Server) -> int:
    """Reads an answer that is larger than what the system keeps, a little at a time; returns how much of its body came."""
    with RawConnection(server, receive_buffer=4096) as reader:
        reader.send(head("GET", BUNDLE_PATH, key=""))
        time.sleep(2)
        return len(reader.answer().body)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> Iterator[Outcome]:
    with Server(tmp_path_factory.mktemp("slow") / "data") as server:
        yield play(server)


def play(server: Server) -> Outcome:
    outcome, done = Outcome(), threading.Event()
    slow = {kind: [RawConnection(server) for _ in range(count)] for kind, count in ONES.items()}
    silent = [RawConnection(server) for _ in range(EACH)]
    for kind, connections in slow.items():
        for connection in connections:
            connection.send(SLOW[kind])
    readers = [RawConnection(server, receive_buffer=4096) for _ in range(EACH)]
    for reader in readers:
        reader.send(head("GET", BUNDLE_PATH, key="") * 10)  # more than the system keeps for it, and it never reads

    padded = json.dumps(TICKET).encode().ljust(MEBI)
    rows = json.dumps([TICKET]).encode().ljust(int(2.4 * MEBI))

    def keep(name: str, work: Callable[[], Any]) -> Callable[[], None]:
        return lambda: outcome.uploads.__setitem__(name, work())

    work = [
        lambda: drip([one for some in slow.values() for one in some], done),
        keep("a small body", lambda: upload(server, "/api/tickets", padded, seconds=4)),
        keep("a large body", lambda: upload(server, "/api/import", rows, seconds=12)),
        lambda: setattr(outcome, "read_slowly", read_slowly(server)),
    ]
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for _ in range(3):
        outcome.health.append(requests.get(f"{server.url}/health", timeout=ALLOWED_SECONDS).status_code)
    outcome.refused = {kind: [one.answer() for one in connections] for kind, connections in slow.items()}
    done.set()
    outcome.silent_closed = sum(one.ended() for one in silent)
    for thread in threads:
        thread.join(120)
    for one in [*silent, *readers, *(one for some in slow.values() for one in some)]:
        one.close()
    return outcome


def test_other_clients_are_answered_during_slow_requests(outcome):
    assert outcome.health == [200, 200, 200]


@pytest.mark.parametrize("kind", SLOW)
def test_a_slow_request_is_408_in_the_envelope(outcome, kind):
    answers = outcome.refused[kind]
    assert [answer.status for answer in answers] == [408] * ONES[kind]
    assert answers[0].json["data"] == {"code": "request_timeout", "errors": []}
    assert answers[0].json["success"] is False
    assert len({answer.headers["x-request-id"] for answer in answers}) == ONES[kind]


def test_a_silent_connection_is_closed_without_a_response(outcome):
    assert outcome.silent_closed == EACH


def test_a_body_of_1_mib_at_the_minimum_pace_is_accepted(outcome):
    assert outcome.uploads["a small body"].status == 201


def test_a_larger_body_may_take_longer(outcome):
    assert outcome.uploads["a large body"].json["data"]["created"] == 1


def test_a_response_arrives_complete_at_a_client_that_reads_late(outcome):
    assert outcome.read_slowly == BUNDLE.stat().st_size
