"""Fixtures of the tests of stores: a private file for each JSON store, and PostgreSQL's databases and server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import storage as storage_module
from database.json_store.engine import JsonFile
from storage import Storage, open_storage
from tests.fakes.postgres_server import Databases, Server


@pytest.fixture(autouse=True)
def own_private_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests look at files, so no store uses the private file of another."""
    monkeypatch.setattr(storage_module, "JsonFile", JsonFile)


@pytest.fixture
def url(postgresql: Databases) -> Iterator[str]:
    """The address of an empty database."""
    with postgresql.fresh() as address:
        yield address


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Storage]:
    """A store on that database."""
    storage = open_storage(url, tmp_path)
    yield storage
    storage.close()


@pytest.fixture
def second(url: str, tmp_path: Path) -> Iterator[Storage]:
    """A second store on that database, as another process opens it."""
    storage = open_storage(url, tmp_path)
    yield storage
    storage.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A database server that the test can stop and start."""
    database_server = Server("max_connections=20")
    database_server.start()
    yield database_server
    database_server.remove()
