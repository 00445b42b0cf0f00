"""A server in a process of its own, started as its README says; for tests of what calls a server over the network."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "fk_the-key-of-the-running-server"
PATIENCE_SECONDS = 60
KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMPDIR", "LANG", "VIRTUAL_ENV", "EMBEDDINGS", "OPENBLAS_NUM_THREADS")
# `python app.py`, except that a developer's own .env (mail server, model, database) plays no part.
START = "import config, runpy; config.Settings.model_config['env_file'] = None; runpy.run_path('app.py', run_name='__main__')"


def free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running_server(folder: Path, **environment: str) -> Iterator[str]:
    """The address of a server with its data in `folder`, and `KEY` as its admin key."""
    port = int(environment.get("PORT") or free_port())
    url, log = f"http://127.0.0.1:{port}", folder / "server.log"
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "API_KEY": KEY, "EMBEDDINGS": "static"}
    env |= environment
    with log.open("wb") as lines:
        server = subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, env=env, stdout=lines, stderr=lines)
        try:
            _wait(server, url, log)
            yield url
        finally:
            server.terminate()
            server.wait(PATIENCE_SECONDS)


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if requests.get(f"{url}/health", timeout=PATIENCE_SECONDS).ok:
                return
        except requests.exceptions.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"The server did not open: {log.read_text()}")
