"""Requests that arrive in pieces: gunicorn reads the same requests for any split of the bytes."""

import itertools
import socket
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.raw_connection import chunks, head

if sys.platform == "win32":
    pytest.skip("gunicorn is not for Windows", allow_module_level=True)

from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from runtime.server import pace
from runtime.server.outlet import UNSENT_MOST, Outlet
from runtime.server.request_intake import Intake

CFG, PEER = Config(), ("127.0.0.1", 5000)
BODIES = st.binary(max_size=60)


@st.composite
def requests(draw) -> bytes:
    """The bytes of a request, well formed or nearly so."""
    body = draw(BODIES)
    kind = draw(st.sampled_from(["none", "length", "chunked", "torn"]))
    if kind == "none":
        return head("GET", "/health")
    if kind == "length":
        return head("POST", "/a", f"Content-Length: {len(body)}") + body
    whole = head("POST", "/b", "Transfer-Encoding: chunked") + chunks(body, draw(st.integers(1, 100)), b"T: a\r\n")
    return whole if kind == "chunked" else whole.replace(b";part", draw(st.sampled_from([b"", b"\n", b"g", b" ; a=b"])))


def by_gunicorn(stream: bytes) -> list[tuple[str, str, bytes]]:
    """What gunicorn's parser makes of a whole stream, up to where it finds it wrong or cut."""
    parser, found = RequestParser(CFG, iter([stream]), PEER), []
    try:
        for request in parser:
            found.append((request.method, request.uri, request.body.read()))
    except Exception:
        return found
    return found


def in_pieces(pieces: list[bytes]) -> list[tuple[str, str, bytes]]:
    """What the intake makes of the same stream in pieces."""
    intake, found = Intake(CFG, PEER, 1), []
    for piece in pieces:
        intake.add(piece)
        while intake.complete:
            try:
                request = next(intake.request)
                found.append((request.method, request.uri, request.body.read()))
            except Exception:
                return found
            finally:
                rest = intake.rest
                intake.request.unreader.close()
            intake = Intake(CFG, PEER, 1)
            intake.add(rest)
    return found


@given(st.lists(requests(), max_size=4).map(b"".join), st.lists(st.integers(0, 500), max_size=20))
def test_requests_are_the_same_for_any_split_of_their_bytes(stream, cuts):
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert in_pieces(pieces) == by_gunicorn(stream)


@given(st.lists(st.binary(max_size=50) | st.sampled_from([b"\r\n\r\n", b"GET / HTTP/1.1\r\n", b"\r\n", b"\n", b": a"])))
def test_any_bytes_are_handled(pieces):
    assert in_pieces(pieces) == by_gunicorn(b"".join(pieces))


def test_a_proxy_protocol_head_is_read_first():
    cfg = Config()
    cfg.set("proxy_protocol", "v2")
    intake = Intake(cfg, PEER, 1)
    ports = (10).to_bytes(2) * 2  # a line feed, as any byte may be
    intake.add(b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([203, 0, 113, 7, 127, 0, 0, 1]) + ports)
    assert not intake.complete
    intake.add(head("GET", "/health"))
    assert intake.complete
    assert next(intake.request).proxy_protocol_info["client_addr"] == "203.0.113.7"


@pytest.mark.parametrize(
    ("moved", "now", "expected"),
    [(0, 100, 110), (500_000, 104, 114), (500_000, 106, 115), (5_000_000, 130, 140), (5_000_000, 158, 160)],
)
def test_a_pace_of_100_kb_a_second_is_enough_and_no_pause_is_longer_than_10_seconds(moved, now, expected):
    assert pace.deadline(100, moved, now) == expected


def test_an_interrupted_request_holds_the_received_bytes():
    intake = Intake(CFG, PEER, 1)
    intake.add(head("POST", "/a", "Content-Length: 10") + b"12345")
    intake.end()
    assert next(intake.request).body.read() == b"12345"
    intake.request.unreader.close()


@pytest.mark.parametrize("size", [10, 300_000, UNSENT_MOST])
def test_an_unread_response_is_kept_and_sent_later(size):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outlet, answer = Outlet(ours), bytes(range(251)) * (size // 251 + 1)
        outlet.sendall(answer)
        received = bytearray()
        while len(received) < len(answer):
            received += theirs.recv(100_000)
            outlet.flush()
        assert received == answer
        assert outlet.unsent == 0


def test_a_client_that_reads_nothing_is_disconnected(monkeypatch):
    monkeypatch.setattr(pace, "SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outlet = Outlet(ours)
        with pytest.raises(ConnectionResetError):
            outlet.sendall(b"x" * 100_000_000)
        assert outlet.deadline <= time.monotonic()
        outlet.forget()
