"""What chats cost: `python benchmarks/chat.py`. Ratios of one run, with gunicorn as it is deployed.

1. Other routes while 50 customers chat at once and the model takes 8 s for an answer.
2. A poll for new messages that answers 304, beside a GET of one ticket.
"""

import argparse
import concurrent.futures
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.run import KEY, seed, server  # noqa: E402

HEADERS = {"X-API-Key": KEY}
MODEL_SECONDS = 8.0


class _SlowModel(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(MODEL_SECONDS)
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def slow_model() -> Iterator[str]:
    """The address of a model that takes MODEL_SECONDS for each answer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _SlowModel) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/v1"
        httpd.shutdown()


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def _gets(url: str, path: str, seconds: float, **headers: str) -> list[float]:
    """How long GETs took, one after the other for so many seconds."""
    times, until = [], time.monotonic() + seconds
    with requests.Session() as session:
        session.headers.update({**HEADERS, **headers})
        while time.monotonic() < until:
            start = time.perf_counter()
            session.get(url + path, timeout=30)
            times.append(time.perf_counter() - start)
    return times


def _chat(url: str, number: int) -> float:
    start = time.perf_counter()
    body = {"user_id": f"u{number}", "message": f"Where is my parcel number {number}?"}
    requests.post(f"{url}/api/chat", json=body, headers=HEADERS, timeout=60).raise_for_status()
    return time.perf_counter() - start


def main() -> None:
    """Prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--port", type=int, default=5077)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, slow_model() as model:
        ids = seed(Path(name), arguments.tickets)
        path = f"/api/tickets/{ids[len(ids) // 2]}"
        env = {"DATA_DIR": name, "API_KEY": KEY, "RATE_LIMIT": "off", "EMBEDDINGS": "static"}
        env |= {"OPENAI_BASE_URL": model, "OPENAI_API_KEY": "k", "AI_TIMEOUT_SECONDS": "10"}
        with server("app:app", arguments.port, threads=16, **env) as url:
            idle = _p99(_gets(url, path, 4))
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                chats = [pool.submit(_chat, url, number) for number in range(50)]
                busy = _p99(_gets(url, path, 4))
                waits = sorted(chat.result() for chat in chats)
            at_once = sum(wait < MODEL_SECONDS / 2 for wait in waits)
            print(f"p99 of a GET while 50 chat: {busy / idle:.1f} times idle ({idle * 1000:.1f} ms)")
            print(f"answered without waiting for the model: {at_once} of 50")
            body = {"user_id": "u1", "message": "Hello"}
            conversation = requests.post(f"{url}/api/chat", json=body, headers=HEADERS, timeout=60).json()["data"]
            messages = f"/api/chat/{conversation['conversation_id']}/messages"
            last = requests.get(url + messages, headers=HEADERS, timeout=30).json()["data"][-1]["id"]
            messages += f"?after={last}"
            etag = requests.get(url + messages, headers=HEADERS, timeout=30).headers["ETag"]
            one, poll = _gets(url, path, 3), _gets(url, messages, 3, **{"If-None-Match": etag})
            print(
                f"a poll without news: {statistics.median(poll) / statistics.median(one):.2f} times a GET of one ticket"
            )


if __name__ == "__main__":
    main()
