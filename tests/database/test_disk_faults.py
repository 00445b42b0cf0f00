"""Disk faults under a running process: strace makes its system calls fail, so nothing here is mocked.

A loss of power and folding are tested in test_json_recovery.py, full disks in test_faults.py.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from database.tables import tickets
from tests.fakes.postgres_server import not_here, wait_until
from tests.fakes.running_server import ROOT
from tests.fakes.server import Server
from tests.support.rows import everything, open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace runs on Linux only")
TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}
CALLS = {"fsync": "fsync,fdatasync", "write": "write,pwrite64", "rename": "rename,renameat,renameat2"}
FILES = {"json": ("foyer.json.journal",), "sqlite": ("foyer.db-wal", "foyer.db")}  # that a commit writes
WRITES_AND_CLOSES = """
import sys
from pathlib import Path
from tests.support.rows import add_company, open_store, write_some
store = open_store(Path(sys.argv[1]))
add_company(store)
write_some(store, 3, "n")
print("written", flush=True)
sys.stdin.readline()
store.close()
"""


@contextmanager
def failing(process: int, call: str, error: str, *paths: Path) -> Iterator[None]:
    """Makes the system calls of a process (on these files) fail with that error until the block ends."""
    if not shutil.which("strace"):
        not_here("strace is not installed; test_json_recovery.py shows the same with mocks")
    names = CALLS[call]
    only = [word for path in paths for word in ("-P", str(path))]
    inject = ("-e", f"trace={names}", "-e", f"inject={names}:error={error}")
    command = ["strace", "-f", "-q", "-o", "/dev/null", *only, *inject, "-p", str(process)]
    strace = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: strace.poll() is not None or _is_traced(process))
        if strace.poll() is not None:
            not_here(f"strace may not trace processes here: {strace.stderr.read().decode()}")  # type: ignore[union-attr]
        yield
    finally:
        strace.terminate()
        strace.wait(60)
        strace.stderr.close()  # type: ignore[union-attr]


def _is_traced(process: int) -> bool:
    """Whether strace is attached to every thread of the process."""
    return all("TracerPid:\t0" not in status.read_text() for status in Path(f"/proc/{process}/task").glob("*/status"))


def create(server: Server, session: Any) -> Any:
    return server.call(session, "POST", "/api/tickets", TICKET)


def numbers(server: Server, session: Any) -> list[int]:
    response = server.call(session, "GET", "/api/tickets?sort=created_at")
    assert response.status_code == 200, response.text
    return [ticket["number"] for ticket in response.json()["data"]]


def created(server: Server, session: Any) -> int:
    """The number of a new ticket; tries until the server accepts it."""
    responses: list[Any] = []
    wait_until(lambda: responses.append(create(server, session)) or responses[-1].status_code == 201)
    return int(responses[-1].json()["data"]["number"])


def numbers_on_disk(engine: str, folder: Path, copy: Path) -> list[int]:
    """The tickets in a copy of the files as they are now, as after kill -9."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("foyer.json.sqlite*", "*.lock", "*.owner", "*-shm"))
    store = open_store(copy, "json:" if engine == "json" else f"sqlite:///{copy / 'foyer.db'}")
    rows = everything(store)[tickets.name]
    store.close()
    return sorted(row["number"] for row in rows)


@pytest.mark.parametrize("engine", ["json", "sqlite"])
def test_a_failed_write_is_503_and_memory_and_disk_agree(tmp_path: Path, engine: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    url = {} if engine == "json" else {"DATABASE_URL": f"sqlite:///{folder / 'foyer.db'}"}
    paths = [folder / name for name in FILES[engine]]
    with Server(folder, **url) as server, requests.Session() as session:
        (worker,) = psutil.Process(server.process.pid).children()
        assert created(server, session) == 1
        for last, (call, error) in enumerate((("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO")), start=1):
            before = list(range(1, last + 1))
            with failing(worker.pid, call, error, *paths):
                for _ in range(3):
                    response = create(server, session)
                    assert (response.status_code, response.json()["data"]["code"]) == (503, "unavailable"), (
                        response.text
                    )
                    assert int(response.headers["Retry-After"]) > 0
                    assert response.json()["message"].endswith(".")
                    assert numbers(server, session) == before
            assert created(server, session) == last + 1, "the server recovers, and the numbers have no gap"
            assert numbers(server, session) == [*before, last + 1]
            assert numbers_on_disk(engine, folder, tmp_path / f"copy-{last}") == [*before, last + 1]
        server.kill9()
    with Server(folder, **url) as server, requests.Session() as session:
        assert created(server, session) == 5
        assert numbers(server, session) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("call", "error"), [("rename", "EIO"), ("fsync", "EIO"), ("write", "ENOSPC")])
def test_a_failed_fold_at_the_stop_keeps_all_data_for_the_next_start(tmp_path: Path, call: str, error: str) -> None:
    folder = tmp_path / "data"
    command = [sys.executable, "-c", WRITES_AND_CLOSES, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"  # type: ignore[union-attr]
        document = (folder / "foyer.json").read_bytes()
        with failing(process.pid, call, error):
            process.communicate("\n", timeout=60)
    assert (folder / "foyer.json").read_bytes() == document
    store = open_store(folder)
    assert len(everything(store)["customers"]) == 3
    store.close()
    assert not [path for path in folder.iterdir() if "tmp-" in path.name]
