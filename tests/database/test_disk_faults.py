"""A disk that fails under a running server: the system's own calls are made to fail by strace, so nothing here is a double.

What a loss of power leaves, and folding, is in test_json_recovery.py; full disks are in test_faults.py.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.fakes.postgres_server import not_here, wait_until
from tests.fakes.server import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}
CALLS = {"fsync": "fsync,fdatasync", "write": "write,pwrite64", "rename": "rename,renameat,renameat2"}


@contextmanager
def failing(server: Server, call: str, error: str, *paths: Path) -> Iterator[None]:
    """While this lasts, the server's system calls of that name (on these files) fail with that error."""
    if not shutil.which("strace"):
        not_here("there is no strace here; the doubles in test_json_recovery.py show the same")
    (worker,) = psutil.Process(server.process.pid).children()
    names = CALLS[call]
    only = [word for path in paths for word in ("-P", str(path))]
    command = [
        "strace",
        "-f",
        "-q",
        "-o",
        "/dev/null",
        *only,
        "-e",
        f"trace={names}",
        "-e",
        f"inject={names}:error={error}",
    ]
    strace = subprocess.Popen([*command, "-p", str(worker.pid)], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: strace.poll() is not None or _is_traced(worker.pid))
        if strace.poll() is not None:
            not_here(f"strace may not look into processes here: {strace.stderr.read().decode()}")  # type: ignore[union-attr]
        yield
    finally:
        strace.terminate()
        strace.wait(60)
        strace.stderr.close()  # type: ignore[union-attr]


def _is_traced(process: int) -> bool:
    """Whether every thread of it is."""
    return all("TracerPid:\t0" not in status.read_text() for status in Path(f"/proc/{process}/task").glob("*/status"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "desk"
    made.mkdir()
    return made


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def more(engine: str, folder: Path) -> dict[str, str]:
    return {} if engine == "json" else {"DATABASE_URL": f"sqlite:///{folder / 'desk.db'}"}


def written(engine: str, folder: Path) -> list[Path]:
    """The files a commit is written to."""
    return [folder / "foyer.json.journal"] if engine == "json" else [folder / "desk.db-wal", folder / "desk.db"]


def create(server: Server, session: Any) -> Any:
    return server.call(session, "POST", "/api/tickets", TICKET)


def numbers(server: Server, session: Any) -> list[int]:
    answer = server.call(session, "GET", "/api/tickets?sort=created_at")
    assert answer.status_code == 200, answer.text
    return [ticket["number"] for ticket in answer.json()["data"]]


def created(server: Server, session: Any) -> int:
    """The number of a ticket, as soon as there is one."""
    answers: list[Any] = []
    wait_until(lambda: answers.append(create(server, session)) or answers[-1].status_code == 201)
    return int(answers[-1].json()["data"]["number"])


@pytest.mark.parametrize("engine", ["json", "sqlite"])
@pytest.mark.parametrize(("call", "error"), [("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO")])
def test_a_write_that_fails_is_503_in_a_sentence_and_memory_and_disk_agree(
    folder: Path, session: Any, engine: str, call: str, error: str
) -> None:
    with Server(folder, **more(engine, folder)) as server:
        assert [created(server, session), created(server, session)] == [1, 2]
        with failing(server, call, error, *written(engine, folder)):
            for _ in range(3):
                answer = create(server, session)
                assert (answer.status_code, answer.json()["data"]["code"]) == (503, "unavailable"), answer.text
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.json()["message"].endswith(".")
                assert numbers(server, session) == [1, 2]
        assert created(server, session) == 3, "the desk goes on by itself, and the numbers have no gap"
        assert numbers(server, session) == [1, 2, 3]
        server.kill9()
    with Server(folder, **more(engine, folder)) as server:
        assert numbers(server, session) == [1, 2, 3], "what was acknowledged, and nothing that was refused"
        assert created(server, session) == 4


@pytest.mark.parametrize(("call", "error"), [("rename", "EIO"), ("fsync", "EIO"), ("write", "ENOSPC")])
def test_a_stop_whose_folding_fails_leaves_everything_for_the_next_start(
    folder: Path, session: Any, call: str, error: str
) -> None:
    """From the answer on nothing needs to work any more: neither the new document, nor its name."""
    with Server(folder) as server:
        assert [created(server, session) for _ in range(3)] == [1, 2, 3]
        time.sleep(1.5)  # the jobs of the tickets are done, so that the stop is all that writes
        document = (folder / "foyer.json").read_bytes()
        with failing(server, call, error):
            psutil.Process(server.process.pid).terminate()
            server.process.wait(60)
        assert (folder / "foyer.json").read_bytes() == document
    with Server(folder) as server:
        assert numbers(server, session) == [1, 2, 3]
        assert created(server, session) == 4
    assert not [path for path in folder.iterdir() if "tmp-" in path.name]
