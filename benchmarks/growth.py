"""The cost of a hundred times as many tickets, as ratios: `python benchmarks/growth.py [json|sqlite|postgresql …]`.

For each engine a small and a large server answer in turn in one process, so a slow minute of the machine affects both.
PostgreSQL is started here (tests/fakes/postgres_server.py). For JSON also the start: seconds, and memory for each ticket.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import create_app  # noqa: E402
from benchmarks.filling import fill, write_document  # noqa: E402
from config import Settings  # noqa: E402
from runtime.bootstrap import Runtime  # noqa: E402
from tests.fakes.postgres_server import databases  # noqa: E402

KEY = "the-key-of-a-benchmark"
LISTS = {
    "list": "",
    "status, priority": "status=new&priority=high",
    "open, by urgency": "status=open&sort=urgency",
    "category, tier": "category=billing&customer_tier=premium",
    "agent": "assigned_to=agent3@example.com&status=open",
    "tag": "tag=tag7",
    "tag, rare": "tag=tag7&status=handoff",
    "customer": "customer_email=c7@example.com",
    "customer, by urgency": "customer_email=c7@example.com&status=open&sort=urgency",
    "topic": "topic=refund",
    "topic, by update": "topic=refund&sort=updated_at",
    "source, by update": "source=web&sort=-updated_at",
    "rare, by priority": "status=handoff&sort=priority",
    "due": "sort=due",
    "rare word": "q=501",
    "rare word, by age": "q=501&sort=-created_at",
}
STATS = {
    "stats": "",
    "stats, a month": "from=2026-10-01&to=2026-11-01",
    "stats, 30 local days": "from=2026-10-05T22:00:00Z&to=2026-11-04T23:00:00Z",
    "stats, since March": "from=2026-03-15",
    "stats, team": "team=finance",
    "stats, agent": "agent=agent3@example.com",
    "stats, all four": "from=2026-10-01&to=2026-11-01&team=finance&agent=agent3@example.com",
}
LIMITS = {"get": 1.3, "create": 1.3, "stats": 20.0, "deep page": 10.0}


class MeasuredServer:
    """One server that answers repeated calls; every call is timed."""

    def __init__(self, settings: Settings, *, tickets: int, filled: bool) -> None:
        if not filled:
            runtime: Runtime = create_app(settings).extensions["runtime"]
            fill(runtime.storage, tickets)
            runtime.stop()  # the next start reads the statistics of the filled tables
        app = create_app(settings)
        self.runtime: Runtime = app.extensions["runtime"]
        self.client: Any = app.test_client()
        self.tickets = tickets
        self.times: dict[str, list[float]] = {}
        middle = self.ask("", f"/api/tickets?limit=1&offset={tickets // 2}")
        self.middle = f"/api/tickets/{middle['data'][0]['id']}"
        self.number = 0

    def ask(self, name: str, path: str, body: Any = None) -> Any:
        """The response. Records the CPU time under `name`, because wall time depends on the load of the machine."""
        begin = time.thread_time()
        response = self.client.open(path, method="POST" if body else "GET", json=body, headers={"X-API-Key": KEY})
        self.times.setdefault(name, []).append(time.thread_time() - begin)
        if response.status_code >= 400:
            raise SystemExit(f"{path} answered {response.text}")
        return response.json

    def write(self) -> None:
        """Creates a ticket, which also makes the read cache stale."""
        self.number += 1
        ticket = {"title": f"Question {self.number}", "description": "How do I change my plan?"}
        self.ask("create", "/api/tickets", {**ticket, "customer_email": f"w{self.number}@example.com"})

    def round(self) -> None:
        """Makes every call once, each list and the statistics after a write, as on a busy server."""
        for name, query in LISTS.items():
            self.write()
            self.ask(name, f"/api/tickets?limit=50&{query}")
            self.ask("get", self.middle)
        self.write()
        self.ask("deep page", f"/api/tickets?limit=50&offset={self.tickets * 9 // 10}")
        for name, query in STATS.items():
            self.write()
            self.ask(name, f"/api/stats?{query}")

    def cost(self, name: str) -> float:
        """The median CPU time of a call in seconds."""
        return statistics.median(self.times[name])


def servers(engine: str, folder: Path, sizes: tuple[int, int], undo: ExitStack) -> Iterator[MeasuredServer]:
    """A small and a large server on that engine."""
    postgres = undo.enter_context(databases()) if engine == "postgresql" else None
    for size in sizes:
        place = folder / f"{engine}-{size}"
        place.mkdir()
        url = {"json": "json:", "sqlite": f"sqlite:///{place / 'foyer.db'}"}.get(engine, "")
        url = undo.enter_context(postgres.fresh()) if postgres else url
        if engine == "json":
            write_document(place, size)
        extra = {"secret_key": "s" * 40} if postgres else {}
        settings = Settings(data_dir=place, database_url=url, api_key=KEY, rate_limit="off", _env_file=None, **extra)
        server = MeasuredServer(settings, tickets=size, filled=engine == "json")
        undo.callback(server.runtime.stop)
        yield server


def compare(engine: str, folder: Path, sizes: tuple[int, int], rounds: int) -> None:
    """Prints the cost of each call on both servers."""
    with ExitStack() as undo:
        small, large = servers(engine, folder, sizes, undo)
        for _ in range(rounds):
            small.round()
            large.round()
        print(f"{engine:22} {small.tickets:>10} {large.tickets:>10}")
        for name in ("get", *LISTS, "create"):
            a, b = small.cost(name), large.cost(name)
            print(f"  {name:20} {a * 1000:7.2f} ms {b * 1000:7.2f} ms  x {b / a:5.2f}")
        get, page = large.cost("get"), large.cost("list")
        for name in STATS:
            print(f"  {name:20} {'':10} {large.cost(name) * 1000:7.2f} ms  {large.cost(name) / get:5.1f} GETs")
        print(
            f"  {'deep page':20} {'':10} {large.cost('deep page') * 1000:7.2f} ms  {large.cost('deep page') / page:5.1f} pages"
        )


def start(folder: Path, size: int) -> None:
    """Prints the cost of opening a JSON file, measured in a separate process."""
    write_document(folder, size)
    command = [sys.executable, __file__, "--open", str(folder), "--large", str(size)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ})


def measure_start(folder: Path, size: int) -> None:
    """The work of the process that `start` starts."""
    from storage import open_storage

    begin, cpu_begin = time.perf_counter(), time.process_time()
    open_storage("json:", folder)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / size
    print(
        f"start with {size} tickets: {seconds:.1f} s, {cpu_seconds:.1f} s of CPU time; at most {memory:.1f} KiB per ticket"
    )
    os._exit(0)


def main() -> None:
    """Measures the engines named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=["json", "sqlite", "postgresql"])
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        measure_start(options.open, options.large)
    for engine in options.engines:
        folder = Path(tempfile.mkdtemp(prefix="foyer-growth-"))
        try:
            if engine == "json":
                start(folder / "start", options.large)
            compare(engine, folder, (options.small, options.large), options.rounds)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
