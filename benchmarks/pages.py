"""What the desk costs in a browser, and an open tab the server: `python benchmarks/pages.py`.

Needs Chromium (Debian: apt-get install chromium). One gunicorn worker, 4 threads, 10,000 tickets. In one run:

1. The desk until its first row is shown, in a browser that has nothing of it, beside one call for the same 50 tickets.
2. What the desk loads, in bytes as they are sent.
3. The palette, from the key to the next frame.
4. Computing of the server for a poll without news, which an idle tab sends every 10 seconds, beside a bare Flask view.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.run import KEY, SETTINGS, seed, server  # noqa: E402
from tools.screenshots.browser import open_browser  # noqa: E402

HEADERS = {"X-API-Key": KEY}
ROUNDS, POLLS = 7, 3_000
AGENT = {"name": "Bo", "email": "bo@example.com", "role": "agent", "password": "a few good words"}
# Milliseconds from the request for the page to its first row.
FIRST_ROW = """() => new Promise((done) => {
    const look = () => (document.querySelector(".rows .row") ? done(performance.now()) : requestAnimationFrame(look));
    look();
})"""
BYTES = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .map(({ name, encodedBodySize }) => [new URL(name).pathname.startsWith("/api/"), encodedBodySize])"""
PALETTE = """() => new Promise((done) => {
    const start = performance.now();
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true }));
    const shown = () => done([performance.now() - start, Boolean(document.querySelector("dialog[open]"))]);
    requestAnimationFrame(() => requestAnimationFrame(shown));
})"""


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        seed(Path(name), arguments.tickets)
        with server("app:app", 5191, DATA_DIR=name, API_KEY=KEY, **SETTINGS) as url:
            _in_a_browser(url)
            poll = _computing_of_polls(url)
    with server("benchmarks.bare:app", 5192) as url:
        bare = _computing(url, "/", {})
    print(
        f"an idle tab: {poll * 1_000:.2f} ms of computing in 10 s, {poll / bare:.1f} bare views ({bare * 1_000:.2f} ms)"
    )


def _in_a_browser(url: str) -> None:
    requests.post(f"{url}/api/users", json=AGENT, headers=HEADERS, timeout=30).raise_for_status()
    with requests.Session() as session:
        session.headers.update(HEADERS)
        calls = [_seconds_of(session, f"{url}/api/tickets?view=open&limit=50") for _ in range(ROUNDS)]
    first_rows, palette, resources = [], [], []
    with open_browser() as browser:
        for _ in range(ROUNDS):
            with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
                page = context.new_page()
                page.goto(f"{url}/desk#key={KEY}", wait_until="commit")
                first_rows.append(page.evaluate(FIRST_ROW))
                page.wait_for_load_state("networkidle")
                resources = page.evaluate(BYTES)
                milliseconds, is_open = page.evaluate(PALETTE)
                assert is_open, "the palette did not open"
                palette.append(milliseconds)
    first, call = statistics.median(first_rows), statistics.median(calls) * 1_000
    print(f"first row of the desk: {first:.0f} ms, {first / call:.0f} calls for its tickets ({call:.1f} ms)")
    pages, data = (sum(size for is_data, size in resources if is_data is kind) for kind in (False, True))
    print(f"the desk, compressed: {pages / 1024:.1f} KiB of pages, {data / 1024:.1f} KiB of tickets and views")
    print(f"palette: {statistics.median(palette):.0f} ms to the frame that shows it")


def _seconds_of(session: requests.Session, url: str) -> float:
    start = time.perf_counter()
    session.get(url, timeout=30).raise_for_status()
    return time.perf_counter() - start


def _computing_of_polls(url: str) -> float:
    """Seconds of computing for a poll of a signed-in agent, which is answered 304."""
    credentials = {name: AGENT[name] for name in ("email", "password")}
    token = requests.post(f"{url}/api/auth/login", json=credentials, timeout=30).json()["data"]["access_token"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    path, headers = f"/api/events?limit=50&after={now}", {"Authorization": f"Bearer {token}"}
    etag = requests.get(url + path, headers=headers, timeout=30).headers["ETag"]
    return _computing(url, path, {**headers, "If-None-Match": etag}, status=304)


def _computing(url: str, path: str, headers: dict[str, str], *, status: int = 200) -> float:
    """Seconds of computing of the server for one request: the mean of many on one connection."""
    with requests.Session() as session:
        session.headers.update(headers)
        for _ in range(200):
            session.get(url + path, timeout=30)
        before = _children_seconds(os.getpid())
        for _ in range(POLLS):
            assert session.get(url + path, timeout=30).status_code == status
    return (_children_seconds(os.getpid()) - before) / POLLS


def _children_seconds(process: int) -> float:
    """Seconds of computing of all child processes: the server."""
    children = [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    total = 0.0
    for child in children:
        times = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11:13]
        total += sum(map(int, times)) / os.sysconf("SC_CLK_TCK") + _children_seconds(child)
    return total


if __name__ == "__main__":
    main()
