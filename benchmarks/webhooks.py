"""What webhooks and the feed of events cost, as ratios of one run: `python benchmarks/webhooks.py [events]`.

The receiver is an HTTP server in the same process, so its time is part of a delivery's.
"""

import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import create_app  # noqa: E402
from config import Settings  # noqa: E402
from core.models import Actor  # noqa: E402
from services.tickets import changes  # noqa: E402

KEY = "the key of the benchmark, which nobody else has"
HEADERS = {"X-API-Key": KEY}
TICKETS = 50


class Receiver(BaseHTTPRequestHandler):
    """Takes every call."""

    def do_POST(self) -> None:
        """Reads the body and answers 204."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Writes nothing."""


def cost(work: Callable[[], Any], count: int) -> float:
    """Processor time of one call in seconds, the least of three rounds."""
    rounds = []
    for _ in range(3):
        begun = time.process_time()
        for _ in range(count):
            work()
        rounds.append((time.process_time() - begun) / count)
    return min(rounds)


def main() -> None:
    """Prints the figures."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with TemporaryDirectory() as folder:
        values: dict[str, Any] = {"data_dir": Path(folder), "api_key": KEY, "webhook_allow_hosts": "127.0.0.1"}
        app = create_app(Settings(**values, rate_limit="off", log_level="ERROR", sns_topic_arn=""))
        runtime, client = app.extensions["runtime"], app.test_client()

        def create(number: list[int] = [0]) -> str:  # noqa: B006 - counts the customers
            number[0] += 1
            body = {"title": "Help", "description": "It broke. " * 20, "customer_email": f"c{number[0]}@example.com"}
            return str(client.post("/api/tickets", json=body, headers=HEADERS).get_json()["data"]["id"])

        def get(path: str) -> Callable[[], Any]:
            return lambda: client.get(path, headers=HEADERS)

        ids = [create() for _ in range(TICKETS)]
        without = cost(create, 50)
        for number in (1, 5):
            for _ in range(number - len(client.get("/api/webhooks", headers=HEADERS).get_json()["data"])):
                client.post("/api/webhooks", json={"url": url, "events": "*"}, headers=HEADERS)
            _print(f"a create with {number} webhooks, to one without", cost(create, 50) / without)
        for webhook in client.get("/api/webhooks", headers=HEADERS).get_json()["data"][1:]:
            client.delete(f"/api/webhooks/{webhook['id']}", headers=HEADERS)
        _print("deliveries per second", _rate(runtime, ids, events))
        one = cost(get(f"/api/tickets/{ids[0]}"), 200)
        last, after = "", "start"
        while after:
            rows = client.get(f"/api/events?after={last}&limit=200", headers=HEADERS).get_json()["data"]
            after = rows[-1]["id"] if rows else ""
            last = after or last
        with_news = cost(get(f"/api/events?after={last}"), 200)
        _print(f"a poll without news after {events} events, to a read of a ticket", with_news / one)

        def poll_after_write() -> None:
            runtime.storage._cache.invalidate(["events"])  # as if something else had been written
            client.get(f"/api/events?after={last}", headers=HEADERS)

        uncached = cost(poll_after_write, 200)
        _print("the same right after a write, to a read of a ticket", uncached / one)
        _print("the same, in milliseconds of processor time", uncached * 1000)
        runtime.stop()


def _rate(runtime: Any, ids: list[str], events: int) -> float:
    while runtime.webhooks.run_due():
        pass
    for number in range(events // TICKETS):
        with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
            for id_ in ids:
                changes.write(uow, changes.get_for_update(uow, id_), {"product": f"round {number}"}, "updated")
    begun, sent = time.monotonic(), 0
    while count := runtime.webhooks.run_due():
        sent += count
    return sent / (time.monotonic() - begun)


def _print(name: str, value: float) -> None:
    print(f"{name}: {value:.2f}")


if __name__ == "__main__":
    main()
