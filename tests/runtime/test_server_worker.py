"""HTTP of a real gunicorn, byte by byte: framing, pipelining, stops, and its own refusals."""

import json
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
import requests

from tests.fakes.fake_model import FakeModel
from tests.fakes.postgres_server import wait_until
from tests.fakes.running_server import PATIENCE_SECONDS
from tests.fakes.server import GUNICORN, Server
from tests.support.raw_connection import RawConnection, chunks, head, post

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn is not for Windows")

TICKET = json.dumps({"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}).encode()
JSON, CHUNKED = "Content-Type: application/json", "Transfer-Encoding: chunked"
MEBI = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("worker") / "data", RATE_LIMIT="off") as server:
        yield server


@pytest.fixture
def client(server) -> Iterator[RawConnection]:
    with RawConnection(server) as client:
        yield client


def total(server: Server) -> int:
    return int(server.call(requests, "GET", "/api/tickets").json()["total"])


def test_a_request_may_arrive_in_single_bytes(client):
    for byte in post("/api/tickets", TICKET):
        client.send(bytes([byte]))
    assert client.answer().status == 201


def test_requests_sent_at_once_are_answered_in_their_order(client, server):
    before = total(server)
    chunked = head("POST", "/api/tickets", JSON, CHUNKED) + chunks(TICKET, 7, b"X-Trailer: a\r\n")
    client.send(head("GET", "/health") + post("/api/tickets", TICKET) + chunked + head("GET", "/nowhere"))
    assert [client.answer().status for _ in range(4)] == [200, 201, 201, 404]
    assert total(server) == before + 2


def test_a_connection_serves_one_request_after_another(client):
    for _ in range(3):
        client.send(post("/api/tickets", TICKET))
        assert client.answer().status == 201
        client.send(head("HEAD", "/api/health"))
        answer = client.answer(without_body=True)
        assert (answer.status, answer.headers["connection"]) == (200, "keep-alive")
        assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("request_line", ["GET /health HTTP/1.0", "HEAD /health HTTP/1.0"])
def test_a_connection_of_http_1_0_is_closed_after_the_response(client, request_line):
    client.send(f"\r\n{request_line}\r\n\r\n".encode())
    assert client.answer(without_body=request_line.startswith("HEAD")).status == 200
    assert client.ended()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_expect_100_continue_is_answered_once(client, framing):
    body = TICKET if framing == "length" else chunks(TICKET, 10)
    length = f"Content-Length: {len(TICKET)}" if framing == "length" else CHUNKED
    client.send(head("POST", "/api/tickets", JSON, length, "Expect: 100-continue"))
    assert client.answer().status == 100
    client.send(body)
    assert client.answer().status == 201


def test_a_chunked_body_larger_than_the_route_takes_is_413(client):
    client.send(head("POST", "/api/tickets", JSON, CHUNKED) + chunks(TICKET.ljust(2 * MEBI), 65536))
    assert client.answer().status == 413


def test_a_body_larger_than_any_route_takes_is_413_before_it_is_sent(client, server):
    client.send(head("POST", "/api/import", JSON, f"Content-Length: {40 * MEBI}"))
    answer = client.answer()
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_an_interrupted_body_is_refused(client, server):
    before = total(server)
    client.send(post("/api/tickets", TICKET)[:-3])
    client.socket.shutdown(socket.SHUT_WR)
    answer = client.answer()
    assert (answer.status, answer.json["data"]["code"]) == (400, "bad_body")
    assert total(server) == before


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"5\nabcde\r\n0\r\n\r\n", b"2\r\nabcde\r\n0\r\n\r\n", b"f" * 9000, b"-5\r\n"]
)
@pytest.mark.parametrize("path", ["/api/tickets", "/nowhere"])
def test_the_rest_of_a_badly_chunked_body_is_not_a_request(client, body, path):
    client.send(head("POST", path, JSON, CHUNKED) + body + head("GET", "/health"))
    assert client.answer().status in (400, 404)
    client.socket.shutdown(socket.SHUT_WR)
    rest = b"".join(iter(lambda: client.socket.recv(65536), b""))
    assert b" 200 " not in rest
    assert b"<html" not in rest


REFUSED = {
    "no method": (b"nonsense\r\n\r\n", 400, "bad_request"),
    "bare line feeds": (b"GET /health HTTP/1.1\nHost: server\n\n", 400, "bad_request"),
    "bad header": (b"GET /api/tickets HTTP/1.1\r\nno colon\r\n\r\n", 400, "bad_request"),
    "bad length": (head("POST", "/api/tickets", "Content-Length: ten"), 400, "bad_request"),
    "two framings": (head("POST", "/api/tickets", "Content-Length: 5", CHUNKED), 400, "bad_request"),
    "unending address": (b"GET /api/tickets?q=" + b"a" * 70_000, 414, "uri_too_long"),
    "large headers": (head("GET", "/health", *["X-Large: " + "a" * 8000] * 10), 431, "request_header_fields_too_large"),
    "many headers": (head("GET", "/health", *["X-Many: a"] * 200), 431, "request_header_fields_too_large"),
    "unending header": (b"GET /health HTTP/1.1\r\nX-Large: " + b"a" * 70_000, 431, "request_header_fields_too_large"),
    "expectation": (head("POST", "/api/tickets", "Expect: tea", "Content-Length: 0"), 417, "expectation_failed"),
    "transfer coding": (head("POST", "/api/tickets", "Transfer-Encoding: brotli"), 501, "not_implemented"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_of_the_server_itself_have_the_envelope(client, name):
    sent, status, code = REFUSED[name]
    client.send(sent)
    answer = client.answer()
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json == {"success": False, "message": answer.json["message"], "data": {"code": code, "errors": []}}
    assert answer.json["message"].endswith((".", ")."))
    assert answer.headers["x-request-id"]
    assert client.ended()


@pytest.mark.parametrize(
    "request_head",
    [head("GET", f"/health?{'a' * 16_000}"), head("GET", "/health", "Authorization: Bearer " + "a" * 12_000)],
    ids=["an address of 16 KB", "a header of 12 KB"],
)
def test_long_addresses_and_headers_reach_the_app(client, request_head):
    client.send(request_head)
    assert client.answer().status == 200


def test_the_number_of_large_bodies_at_once_is_limited(server):
    large = head("POST", "/api/import", JSON, f"Content-Length: {2 * MEBI}")
    senders = [RawConnection(server) for _ in range(8)]
    try:
        for sender in senders:
            sender.send(large + b"[")
            sender.send(b"\n" * MEBI)
        with RawConnection(server) as another:
            another.send(large)
            answer = another.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "10")
        with RawConnection(server) as small:
            small.send(post("/api/tickets", TICKET))
            assert small.answer().status == 201
        for sender in senders:
            sender.send(b"\n" * (MEBI - 2) + b"]")
            assert sender.answer().status == 200
    finally:
        for sender in senders:
            sender.close()


def test_reads_are_answered_while_more_writes_wait_than_there_are_threads(tmp_path, postgresql):
    with ExitStack() as opened:
        url = opened.enter_context(postgresql.fresh())
        settings = {"DATABASE_URL": url, "SECRET_KEY": "s" * 40, "THREADS": "3"}
        server = opened.enter_context(Server(tmp_path / "data", **settings))
        somebody = opened.enter_context(psycopg.connect(url))
        somebody.execute("SELECT 1 FROM companies FOR UPDATE")
        writers = [opened.enter_context(RawConnection(server)) for _ in range(5)]
        for writer in writers:
            writer.send(post("/api/tickets", TICKET))
        for _ in range(10):
            assert total(server) == 0
        somebody.rollback()
        assert sorted(writer.answer().json["data"]["number"] for writer in writers) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("threads", ["2", "3"])
def test_a_write_that_waits_for_a_model_leaves_a_turn_to_another(tmp_path, threads):
    with FakeModel() as model, ExitStack() as opened:
        settings = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": model.url, "AI_TIMEOUT_SECONDS": "60"}
        server = opened.enter_context(Server(tmp_path / "data", THREADS=threads, **settings))
        ticket = server.call(requests, "POST", "/api/tickets", json.loads(TICKET)).json()["data"]["id"]
        wait_until(lambda: model.count == 1)  # the job of its answer
        model.mode, model.seconds = "slow", 2 * PATIENCE_SECONDS
        drafting = opened.enter_context(RawConnection(server))
        drafting.send(post(f"/api/tickets/{ticket}/draft", b"{}"))
        wait_until(lambda: model.count == 2)
        assert server.call(requests, "POST", "/api/tickets", json.loads(TICKET)).status_code == 201
        assert not select.select([drafting.socket], [], [], 0)[0], "the draft was answered first"
        model.stopping.set()
        assert drafting.answer().status == 200


def test_a_stop_waits_for_running_requests_and_not_for_idle_connections(tmp_path):
    with Server(tmp_path / "data") as server, RawConnection(server) as idle, RawConnection(server) as used:
        used.send(head("GET", "/health"))
        assert used.answer().status == 200
        with RawConnection(server) as sender:
            sender.send(post("/api/tickets", TICKET)[:-1])
            assert server.call(requests, "GET", "/health").status_code == 200
            server.process.send_signal(signal.SIGTERM)
            assert idle.ended(), "the stop has begun"
            sender.send(TICKET[-1:])
            assert sender.answer().status == 201
        assert server.process.wait(PATIENCE_SECONDS) == 0
        assert "Traceback" not in server.log


def test_connections_are_limited_by_the_limit_of_open_files(tmp_path):
    """Without a limit the worker ends as soon as it cannot accept, and everything at hand is lost."""
    few = ("bash", "-c", 'ulimit -n 300; exec "$@"', "few", *GUNICORN)
    with Server(tmp_path / "data", command=few) as server:
        waiting = [RawConnection(server) for _ in range(400)]
        for one in waiting:
            one.close()
        assert server.call(requests, "GET", "/health").status_code == 200
        server.stop()
        assert server.process.returncode == 0
        assert "Traceback" not in server.log


def test_gunicorn_can_still_serve_tls(tmp_path, monkeypatch):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-days", "2"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = Server(tmp_path / "data", GUNICORN_CMD_ARGS=f"--certfile {certificate} --keyfile {key}")
    server.url = server.url.replace("http:", "https:")
    with server, requests.Session() as session:
        for _ in range(3):
            assert server.call(session, "POST", "/api/tickets", json.loads(TICKET)).status_code == 201
