"""A real HTTP server that receives webhooks and answers as a test says: refuses, hangs, resets, redirects, drips, floods."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


class Call:
    """One call: its headers, its body as bytes, and the path."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path, self.headers, self.body = path, headers, body

    @property
    def id(self) -> str:
        """The header webhook-id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        """The body, read."""
        return orjson.loads(self.body)


# Called with the call and the handler. Returns a status, a status with headers, or None when it has answered itself.
Behaviour = Callable[[Call, BaseHTTPRequestHandler], Any]


class Receiver:
    """The server; `calls` are all that arrived. `accepted` are those that were answered with 2xx."""

    def __init__(self, behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.accepted: list[Call] = []
        self.behaviour: Behaviour = behaviour or (lambda call, handler: 200)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, count: int, *, seconds: float = 20) -> list[Call]:
        """The accepted calls, once there are so many. Fails after `seconds`."""
        until = time.monotonic() + seconds
        while len(self.accepted) < count:
            assert time.monotonic() < until, f"{len(self.accepted)} of {count} arrived"
            time.sleep(0.01)
        return self.accepted


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what tests ask for."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.calls.append(call)
            answer = receiver.behaviour(call, self)
            if answer is None:
                return
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            if 200 <= status < 300:
                receiver.accepted.append(call)
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            receiver.calls.append(Call(self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler


def resets(call: Call, handler: Any) -> None:
    """Breaks the connection off with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def drips(call: Call, handler: Any) -> None:
    """Sends one byte of a header after the other, without an end."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while True:
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.05)


def floods(call: Call, handler: Any) -> None:
    """Answers 200 with a body without an end."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"a" * 65536)


def hangs(call: Call, handler: Any) -> None:
    """Does not answer."""
    with suppress(OSError):
        handler.connection.recv(1)
