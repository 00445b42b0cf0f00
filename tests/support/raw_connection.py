"""A client that writes HTTP byte by byte, for tests of what a server does with it."""

import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.fakes.running_server import KEY, PATIENCE_SECONDS
from tests.fakes.server import Server


@dataclass(frozen=True)
class Answer:
    """One response. `headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RawConnection:
    """One TCP connection to a server of the tests. `receive_buffer`: bytes the system keeps for a client that does not read."""

    def __init__(self, server: Server, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
        self._reader = self.socket.makefile("rb")

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, without_body: bool = False) -> Answer:
        """The next response. Raises AssertionError when the server closes instead."""
        line = self._reader.readline()
        assert line.startswith(b"HTTP/1."), line
        headers = {}
        while (header := self._reader.readline().strip()) != b"":
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        status = int(line.split()[1])
        length = 0 if without_body or status < 200 else int(headers["content-length"])
        return Answer(status, headers, self._reader.read(length))

    def ended(self) -> bool:
        """Whether the server closes without another byte."""
        return self._reader.read(1) == b""


def head(method: str, path: str, *lines: str, key: str = KEY) -> bytes:
    """The head of a request, with the admin's key unless told otherwise."""
    credentials = [f"X-API-Key: {key}"] if key else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: server", *credentials, *lines, "", ""]).encode()


def post(path: str, body: bytes, *lines: str, key: str = KEY) -> bytes:
    """A whole request with a JSON body."""
    return head("POST", path, "Content-Type: application/json", f"Content-Length: {len(body)}", *lines, key=key) + body


def chunks(body: bytes, size: int, trailers: bytes = b"") -> bytes:
    """A body in the chunked form."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x;part\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"
