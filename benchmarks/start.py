"""Measures the time of a start, compared with `python -c "import flask"`: `python benchmarks/start.py`.

Each run of a step is a separate process, and the fastest run counts. The store is empty.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
OPENED = "import app, os; app.app.extensions['runtime'].start(); os._exit(0)"  # does not wait for the threads
LIMIT_SECONDS = 60


def environment(folder: str, port: int = 0) -> dict[str, str]:
    """The environment of a host: a port, a folder and no other setting."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**inherited, "DATA_DIR": folder, "HOST": "127.0.0.1", "PORT": str(port), "LOG_LEVEL": "ERROR"}


def seconds(code: str) -> float:
    """The seconds that a Python process takes to run `code`, with an empty data folder."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(folder), check=True)
        return time.perf_counter() - begin


def until_it_answers() -> float:
    """The seconds from the start of gunicorn to the first response of /health."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gunicorn", "app:app"]
        begin = time.perf_counter()
        server = subprocess.Popen(command, cwd=ROOT, env=environment(folder, port), stdout=subprocess.DEVNULL)
        try:
            while not answers(f"http://127.0.0.1:{port}/health"):
                if server.poll() is not None or time.perf_counter() - begin > LIMIT_SECONDS:
                    raise SystemExit("gunicorn did not start Foyer")
                time.sleep(0.01)
            return time.perf_counter() - begin
        finally:
            server.terminate()
            server.wait()


def answers(url: str) -> bool:
    """Whether a server responds at that address."""
    try:
        with urlopen(url, timeout=LIMIT_SECONDS):
            return True
    except (URLError, ConnectionError):
        return False


STEPS: dict[str, Callable[[], float]] = {
    "import flask": lambda: seconds("import flask"),
    "import app (create_app)": lambda: seconds("import app"),
    "and open an empty store": lambda: seconds(OPENED),
    "gunicorn to the first answer": until_it_answers,
}


def main() -> None:
    """Measures the steps in turn, so that a slow minute affects all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    best = dict.fromkeys(STEPS, float("inf"))
    for _ in range(runs):
        for name, step in STEPS.items():
            best[name] = min(best[name], step())
    for name, cost in best.items():
        print(f"{name:30} {cost:6.2f} s  {cost / best['import flask']:5.1f} x")


if __name__ == "__main__":
    main()
