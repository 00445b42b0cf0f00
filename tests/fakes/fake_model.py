"""A model provider for tests: a real HTTP server that speaks Chat Completions and can misbehave in many ways."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

REPLY: dict[str, Any] = {
    "reply": "Hello, please restart the application and tell us the error message you see.",
    "category": "technical",
    "priority": "medium",
    "sentiment": "neutral",
    "urgency": 2.5,
    "confidence": 0.8,
}
STATUSES = {
    "error500": 500,
    "rate_limit": 429,
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "request_timeout": 408,
}


def bag_of_words(text: str) -> list[float]:
    """A vector of 32 numbers in which texts with the same words are alike, whatever their order."""
    vector = [0.0] * 32
    for word in text.lower().split():
        vector[sum(word.strip(".,?!").encode()) % 32] += 1.0
    return vector


class FakeModel:
    """`with FakeModel() as fake:` serves at `fake.url`.

    `mode` is how every request is met, `script` (a list of modes) how the next ones are, first item first:
    ok, slow (after `seconds`), silent, drip, drip_head, refuse, nonsense, wrong_shape, huge, error500, rate_limit,
    bad_request, unauthorized, request_timeout, drip_error, reset, not_json, empty, truncated, filtered, redirect,
    gzip, cut_off, as_is (`content` is the message), no_schema and no_form (400 for response_format).
    `reply` overrides fields of the structured answer; `requests` holds the bodies received, `headers` theirs, `paths`
    where they were sent, `count` how many came.
    """

    def __init__(self) -> None:
        self.mode = "ok"
        self.script: list[str] = []
        self.seconds = 1.0
        self.retry_after = ""
        self.sentence = "no"  # of an error
        self.content: Any = ""
        self.reply: dict[str, Any] = {}
        self.usage: Any = None  # the field of the answer, left out when None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.stopping = threading.Event()
        self.lock = threading.Lock()

    @property
    def count(self) -> int:
        return len(self.requests)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        fake = self

        class Bound(_Handler):
            model = fake

        self._server = _Server(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def take(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> str:
        """Note a request; the mode to meet it in."""
        with self.lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(body)
            return self.script.pop(0) if self.script else self.mode


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a handler may be hanging on purpose
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    model: FakeModel
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mode = self.model.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        if mode in STATUSES:
            self._send(STATUSES[mode], json.dumps({"error": {"message": self.model.sentence, "type": mode}}).encode())
            return
        form = body.get("response_format", {}).get("type")
        if (mode == "no_schema" and form == "json_schema") or (mode == "no_form" and form):
            self._send(400, json.dumps({"error": f"response_format {form} is not supported"}).encode())
            return
        act: Callable[[], None] = getattr(self, f"_{mode}", self._ok)
        act()

    def _ok(self) -> None:
        if self.path.split("?")[0].endswith("/embeddings"):
            texts = self.model.requests[-1]["input"]
            rows = [{"index": place, "embedding": bag_of_words(text)} for place, text in enumerate(texts)]
            self._send(200, json.dumps({"data": rows[::-1]}).encode())
            return
        self._say(json.dumps(REPLY | self.model.reply))

    def _slow(self) -> None:
        self.model.stopping.wait(self.model.seconds)
        self._ok()

    def _silent(self) -> None:
        self.model.stopping.wait(60)
        self.close_connection = True

    def _drip(self) -> None:
        self._head(200, 1_000_000)
        self._drip_bytes(b" ")

    def _drip_error(self) -> None:
        self._head(400, 1_000_000)
        self._drip_bytes(b" ")

    def _drip_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._drip_bytes(b"a")

    def _drip_bytes(self, piece: bytes) -> None:
        self.close_connection = True
        while not self.model.stopping.wait(0.02):
            self.wfile.write(piece)

    def _refuse(self) -> None:
        self._say(None, refusal="I cannot help with that.")

    def _nonsense(self) -> None:
        self._say("Sure! Here is the reply you asked for.")

    def _wrong_shape(self) -> None:
        self._say(json.dumps({"answer": 42}))

    def _as_is(self) -> None:
        self._say(self.model.content)

    def _empty(self) -> None:
        self._say("")

    def _truncated(self) -> None:
        self._say(json.dumps(REPLY), finish_reason="length")

    def _filtered(self) -> None:
        self._say("", finish_reason="content_filter")

    def _huge(self) -> None:
        self._say(json.dumps(REPLY | {"reply": "a" * 1_000_000}))

    def _not_json(self) -> None:
        self._send(200, b"<html><body>Bad gateway</body></html>", kind="text/html")

    def _redirect(self) -> None:
        self._send(307, b"", extra={"Location": f"{self.model.url}/elsewhere"})

    def _gzip(self) -> None:
        self._send(200, b"\x1f\x8b not what it says", extra={"Content-Encoding": "gzip"})

    def _cut_off(self) -> None:
        self._head(200, 1_000)
        self.close_connection = True

    def _reset(self) -> None:
        # Lingering for no time makes close send a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _say(self, content: Any, *, refusal: str | None = None, finish_reason: str = "stop") -> None:
        message = {"role": "assistant", "content": content, "refusal": refusal}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice]}
        if self.model.usage is not None:
            answer["usage"] = self.model.usage
        self._send(200, json.dumps(answer).encode())

    def _send(
        self, status: int, body: bytes, *, kind: str = "application/json", extra: dict[str, str] | None = None
    ) -> None:
        self._head(status, len(body), kind=kind, extra=extra)
        self.wfile.write(body)

    def _head(
        self, status: int, length: int, *, kind: str = "application/json", extra: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        if self.model.retry_after:
            self.send_header("Retry-After", self.model.retry_after)
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
