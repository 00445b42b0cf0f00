"""What a start costs, as multiples of `python -c "import flask"` on the same machine: `python benchmarks/start.py`.

Each step is run in processes of its own and counted by its fastest run; the desk is empty, as after a sleep.
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
OPENED = "import app, os; app.app.extensions['foyer'].start(); os._exit(0)"  # without the wait for its threads
LIMIT_SECONDS = 60


def environment(folder: str, port: int = 0) -> dict[str, str]:
    """What a host gives: a port, a folder, nothing else of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "DATA_DIR": folder, "HOST": "127.0.0.1", "PORT": str(port), "LOG_LEVEL": "ERROR"}


def seconds(code: str) -> float:
    """How long a Python takes to run `code` and end, with an empty data folder."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(folder), check=True)
        return time.perf_counter() - begin


def until_it_answers() -> float:
    """How long gunicorn takes from its start to the first answer of /health."""
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
                    raise SystemExit("gunicorn did not open the desk")
                time.sleep(0.01)
            return time.perf_counter() - begin
        finally:
            server.terminate()
            server.wait()


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        with urlopen(url, timeout=LIMIT_SECONDS):
            return True
    except (URLError, ConnectionError):
        return False


STEPS: dict[str, Callable[[], float]] = {
    "import flask": lambda: seconds("import flask"),
    "import app (create_app)": lambda: seconds("import app"),
    "and open an empty desk": lambda: seconds(OPENED),
    "gunicorn to the first answer": until_it_answers,
}


def main() -> None:
    """Measures every step, in turn, so that a noisy minute touches all alike."""
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
