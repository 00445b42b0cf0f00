"""A real server in a process group of its own, that can be stopped politely or killed at any moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.fakes.running_server import KEPT, KEY, PATIENCE_SECONDS, ROOT, free_port

GUNICORN = (sys.executable, "-m", "gunicorn", "app:app")


class Server:
    """`gunicorn app:app` on a free port with its data in `folder`; `under` goes in front of the command (strace).

    `at` is the port when the command names another one than the environment.
    """

    def __init__(
        self,
        folder: Path,
        *,
        under: tuple[str, ...] = (),
        command: tuple[str, ...] = GUNICORN,
        at: int = 0,
        **environment: str,
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{at or port}"
        self._log = folder.with_name(f"{folder.name}-{port}.log")
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "API_KEY": KEY}
        env |= {"EMBEDDINGS": "static", **environment}  # the full encoder, where it is installed, takes long to start
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*under, *command], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def __enter__(self) -> "Server":
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=PATIENCE_SECONDS).ok:
                    return self
            except requests.exceptions.ConnectionError:
                time.sleep(0.05)
        self.kill9()
        raise AssertionError(f"The server did not open: {self.log}")

    def __exit__(self, *exc: object) -> None:
        self.kill9()

    @property
    def log(self) -> str:
        """What the server wrote to its terminal."""
        return self._log.read_text()

    def call(self, session: Any, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request with the admin's key."""
        given = {"X-API-Key": KEY, **headers}
        return session.request(method, self.url + path, json=body, headers=given, timeout=PATIENCE_SECONDS)

    def kill9(self) -> None:
        """Ends every process of the server without a warning."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Asks the server to finish, as a platform does at a deployment."""
        under = psutil.Process(self.process.pid).children() if self.process.args[0] == "strace" else []
        (under[0] if under else psutil.Process(self.process.pid)).terminate()
        self.process.wait(PATIENCE_SECONDS)
