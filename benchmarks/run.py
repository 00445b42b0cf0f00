"""Requests per second of Foyer, compared with a bare Flask view: `python benchmarks/run.py`.

Needs wrk (Debian: apt-get install wrk). One gunicorn worker, 4 threads, 10,000 tickets, 16 connections.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
KEY = "the-key-of-a-benchmark"
SETTINGS = {"RATE_LIMIT": "off", "EMBEDDINGS": "static"}
TARGETS = {"get": 0.65, "list": 0.50, "create": 0.25, "reply": 0.25, "assign and resolve": 0.25}
MOST_SLOWER = 10  # the p99 of a read beside writers, as a multiple of its median without them
TICKET = '{"title": "Question %d", "description": "How do I change my plan?", "customer_email": "c%d@example.com"}'


def seed(folder: Path, count: int) -> str:
    """Fills a store with tickets. Returns the id of the middle one."""
    from app import create_app
    from config import Settings
    from core.models import Actor
    from services.tickets import create

    app = create_app(Settings(data_dir=folder, api_key=KEY, embeddings="static", _env_file=None))
    runtime = app.extensions["runtime"]
    ids = []
    for start in range(0, count, 500):
        with runtime.storage.unit_of_work(Actor("default", "admin", "seed"), write=True) as uow:
            for number in range(start, min(start + 500, count)):
                fields = {"title": f"Question {number}", "description": "How do I change my plan? " * 4}
                ticket = create.import_ticket(
                    uow, runtime.trained_models, {**fields, "customer_email": f"c{number % 997}@example.com"}
                )
                ids.append(ticket["id"])
    runtime.stop()
    return ids


@contextmanager
def server(target: str, port: int, *, threads: int = 4, workers: int = 1, **env: str) -> Iterator[str]:
    """gunicorn, with one worker unless `workers` says more."""
    config = "gunicorn.conf.py" if target == "app:app" else "benchmarks/plain_server.py"
    command = [sys.executable, "-m", "gunicorn", target, "-c", config, "--threads", str(threads)]
    command += ["--workers", str(workers), "-b", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **env, "PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def per_second(url: str, seconds: int, script: str = "") -> float:
    """Requests per second of 16 clients, measured by wrk. Ends the program if a response is an error."""
    match = re.search(r"Requests/sec:\s+([\d.]+)", _wrk(url, seconds, script))
    return float(match.group(1)) if match else 0.0


def milliseconds(url: str, seconds: int) -> dict[str, float]:
    """How long one client waits for its answers: the percentiles "50%", "75%", "90%" and "99%"."""
    found = re.findall(r"^ +(\d+%) +([\d.]+)(us|ms|s)$", _wrk(url, seconds, clients=1), re.MULTILINE)
    return {name: float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit] for name, number, unit in found}


def read_beside_writers(url: str, path: str, seconds: int) -> float:
    """The 99th percentile of a read while 16 clients create tickets, as a multiple of its median without them."""
    idle = milliseconds(url + path, seconds)["50%"]
    with ThreadPoolExecutor(1) as background:
        writers = background.submit(per_second, url, seconds + 2, CREATE)
        time.sleep(1)
        busy = milliseconds(url + path, seconds)["99%"]
        writers.result()
    return busy / idle


def _wrk(url: str, seconds: int, script: str = "", *, clients: int = 16) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(f'wrk.headers["X-API-Key"] = "{KEY}"\nwrk.headers["Content-Type"] = "application/json"\n{script}')
        file.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", file.name, url]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered errors:\n{out}")
    return out


# Scripts for wrk. Each write is a request of its own; none is ever refused.
CREATE = """
local n = 0
request = function()
  n = n + 1
  local body = '{"title": "Question", "description": "How do I change my plan?", "customer_email": "w' .. n .. '@example.com"}'
  return wrk.format("POST", "/api/tickets", nil, body)
end
"""
REPLY = """
local n = 0
request = function()
  n = n % #ids + 1
  return wrk.format("POST", "/api/tickets/" .. ids[n] .. "/replies", nil, '{"body": "Please try again now."}')
end
"""
WORK = """
local n, apart = 0, 50  -- tickets between assigning and resolving one, so that the assignment has ended
request = function()
  n = n + 1
  if n % 2 == 1 or n < 2 * apart then
    return wrk.format("POST", "/api/tickets/" .. ids[n] .. "/assign", nil, '{"agent_email": "bob@example.com"}')
  end
  return wrk.format("POST", "/api/tickets/" .. ids[n - 2 * apart + 1] .. "/resolve", nil, '{"resolution": "It is done."}')
end
"""


def _table(ids: list[str]) -> str:
    return "local ids = {" + ",".join(f'"{ticket_id}"' for ticket_id in ids) + "}\n"


def main() -> int:
    """Prints the shares. Returns 1 if one is below its target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to put the data (a disk that fsyncs fast)")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("benchmarks need wrk: apt-get install wrk")
    folder = Path(tempfile.mkdtemp(prefix="foyer-bench-", dir=options.folder))
    ids = seed(folder, options.tickets)
    list_query = "/api/tickets?status=open&priority=low,medium,high&sort=urgency&limit=50"
    slower: list[float] = []
    rates: dict[str, list[float]] = {name: [] for name in ("bare", *TARGETS)}
    for place in range(options.rounds):  # both are measured in each round, so that a slow minute affects both
        with server("benchmarks.bare:app", 5181) as url:
            rates["bare"].append(per_second(f"{url}/", options.seconds))
        with server("app:app", 5182, DATA_DIR=str(folder), API_KEY=KEY, **SETTINGS) as url:
            rates["get"].append(per_second(f"{url}/api/tickets/{ids[len(ids) // 2]}", options.seconds))
            rates["list"].append(per_second(f"{url}{list_query}", options.seconds))
            rates["create"].append(per_second(url, options.seconds, CREATE))
            rates["reply"].append(per_second(url, options.seconds, _table(ids[-1000:]) + REPLY))
            share = len(ids) // options.rounds  # each round works on other tickets
            own = _table(ids[share * place : share * (place + 1)])
            rates["assign and resolve"].append(per_second(url, options.seconds, own + WORK))
            slower.append(read_beside_writers(url, f"/api/tickets/{ids[len(ids) // 2]}", options.seconds))
    shutil.rmtree(folder)
    best = {name: max(values) for name, values in rates.items()}
    sys.stdout.write(f"bare view          {best['bare']:8.0f} /s\n")
    for name, target in TARGETS.items():
        sys.stdout.write(
            f"{name:18} {best[name]:8.0f} /s  {best[name] / best['bare']:.2f} of bare (target {target:.2f})\n"
        )
    sys.stdout.write(f"p99 of a read beside 16 writers: {min(slower):.1f} times its idle p50 (target {MOST_SLOWER})\n")
    reached = all(best[name] / best["bare"] >= target for name, target in TARGETS.items())
    return 0 if reached and min(slower) <= MOST_SLOWER else 1


if __name__ == "__main__":
    sys.exit(main())
