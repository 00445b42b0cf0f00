"""PostgreSQL for the tests: the server of TEST_DATABASE_URL, or one the suite starts itself.

Each test gets a new database, copied from a template that was migrated once.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from database.postgres_engine import Postgres
from tests.fakes.running_server import PATIENCE_SECONDS, free_port

# A test server need not survive a loss of power; after kill -9 its data is still there.
FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_wal_size=256MB", "shared_buffers=64MB")
MEMORY = Path("/dev/shm")  # copying a database takes a tenth of the time there
MEMORY_BYTES = 2 * 1024**3  # that must be free there
_numbers = count()


def not_here(reason: str) -> NoReturn:
    """Skips the test on this machine; in CI it fails instead."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


class Server:
    """A PostgreSQL server with its own data folder; clients sign in with a password."""

    def __init__(self, *settings: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="foyer-postgres-", dir=_place_in_memory()))
        self.port = free_port()
        self.url = f"postgresql://foyer:p%40ss%2Fword@127.0.0.1:{self.port}/postgres"
        self._settings = (*FAST, f"port={self.port}", f"unix_socket_directories={self._folder}", *settings)
        if _is_root():  # PostgreSQL refuses to run as root
            os.chown(self._folder, _unprivileged().pw_uid, _unprivileged().pw_gid)
        password = self._folder / "password"
        password.write_text("p@ss/word\n")
        password.chmod(0o644)
        options = ("--username=foyer", f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync")
        self._run("initdb", *options, "--locale=C.UTF-8")

    def start(self) -> None:
        """Starts the server and waits until it accepts connections."""
        options = " ".join(f"-c {setting}" for setting in self._settings)
        log = ("--log", str(self._folder / "log"), "--options", options)
        self._run("pg_ctl", "start", "--wait", "--silent", *log)

    def stop(self, mode: str = "immediate") -> None:
        """Stops the server: `immediate` as a crash does, or `fast`."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", mode)

    def remove(self) -> None:
        """Stops the server and removes its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_programs() / program), "--pgdata", str(self._folder / "data"), *arguments]
        user = {"user": _unprivileged().pw_uid, "group": _unprivileged().pw_gid} if _is_root() else {}
        result = subprocess.run(
            command, capture_output=False, stdout=subprocess.DEVNULL, check=False, cwd=self._folder, **user
        )
        if result.returncode:
            raise AssertionError(f"{program} failed: {self._log()}")

    def _log(self) -> str:
        log = self._folder / "log"
        return log.read_text()[-2000:] if log.exists() else ""


def _place_in_memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES else None


def _is_root() -> bool:
    return hasattr(os, "getuid") and os.getuid() == 0


@cache
def _unprivileged() -> Any:
    import pwd  # Windows has none

    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("there is no user to run PostgreSQL as")


@cache
def _programs() -> Path:
    """The folder of initdb; an empty path when PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    programs = [Path(on_path)] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return programs[-1].parent if programs else Path()


class Databases:
    """Creates databases on a server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = f"foyer_test_{os.getpid()}"
        self._connection = psycopg.connect(url, autocommit=True)
        # Half the time of the other strategy, which PostgreSQL prefers where files are slow.
        self._copied = " STRATEGY FILE_COPY" if self._connection.info.server_version >= 150_000 else ""
        self._execute(f"CREATE DATABASE {self._name} ENCODING 'UTF8' TEMPLATE template0")
        template = Postgres(self.at(self._name))
        template.open()
        template.close()

    def at(self, database: str) -> str:
        """The address of the database with that name."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    @contextmanager
    def fresh(self, *, empty: bool = False, of: str = "") -> Iterator[str]:
        """The address of a new database, dropped after the block; with `empty` without tables, or a copy of another.

        `of` is the address of the other, which nobody may have open.
        """
        name = f"{self._name}_{next(_numbers)}"
        template = "template0" if empty else urlsplit(of).path.strip("/") or self._name
        self._execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {template}{self._copied}")
        try:
            yield self.at(name)
        finally:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """Removes the template."""
        self._execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        self._connection.close()

    def _execute(self, statement: Any) -> None:
        self._connection.execute(statement)


@contextmanager
def databases() -> Iterator[Databases]:
    """Databases on the server of TEST_DATABASE_URL or on a new one. Without PostgreSQL it skips, and fails in CI."""
    if url := os.environ.get("TEST_DATABASE_URL", ""):
        on_server = Databases(url)
        yield on_server
        on_server.close()
        return
    if not _programs().name:
        not_here("PostgreSQL is not installed: install it, or name a server in TEST_DATABASE_URL")
    server = Server()
    server.start()
    try:
        on_server = Databases(server.url)
        yield on_server
        on_server.close()
    finally:
        server.remove()


def wait_until(condition: Any) -> None:
    """Waits until the condition holds."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "the condition never held"
        time.sleep(0.02)
