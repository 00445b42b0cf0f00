"""Fixtures of all tests: a server in its own folder, callers of every role and of another company."""

import contextlib
import gc
import os
import socket
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from pydantic import BaseModel
from sqlalchemy import Connection, Engine
from sqlalchemy.engine.default import DefaultDialect
from werkzeug.routing import Map

import config
import storage
from ai.embeddings.static_table import TokenTable
from ai.triage import trained_heads
from api import routes
from app import create_app
from auth import passwords
from config import Settings
from core.permissions import ACT_FOR_CUSTOMERS
from database import migrations
from database.json_store import document as json_document
from database.json_store.engine import JsonFile
from database.sqlite_engine import SqliteFile, make_private
from database.tables import api_keys, companies
from notifier import MemoryMailer
from runtime.bootstrap import Runtime
from services.accounts.api_keys import hash_key
from tests.fakes.postgres_server import Databases, databases
from tests.support.caller import Caller
from tests.support.reused_file import PrivateFile, ReusedJsonFile
from tests.support.rows import file_url

FILES = ("json", "sqlite")
ENGINES = (*FILES, "postgresql")
os.environ.setdefault("EMBEDDINGS", "static")  # servers in other processes start fast, whatever is installed here
TESTS = Path(__file__).resolve().parent
# Folders of tests that wait for other programs, by the worker that begins with them.
WAITING = (("browser",), ("contract", "runtime"), ("docs", "recipes", "deploy"))
SECRET = "a secret of the tests, 32 bytes or more"
OTHER_COMPANY = "other"
MANY = 20  # texts that are encoded at once, as those of the built-in classifier are


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest --all-engines` runs every test that uses a store on each engine; `--shots DIR` keeps pictures of pages."""
    parser.addoption("--all-engines", action="store_true", help="run every test on every storage engine")
    parser.addoption("--shots", default="", help="folder for the pictures that tests in a browser take")


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto` is two workers for each core, since half of the time goes by in waiting for servers and browsers."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """The tests stay until the end, so the garbage collector need not look at them each time."""
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `every_engine` run on each engine, others and `one_engine` on the JSON file, unless a test names its engines.

    Each worker of xdist begins with an equal share of the list. So tests of one folder of WAITING come at the beginning of a
    share: while their worker waits for a server or the browser, the others compute. Idle workers take over the ends of shares.
    """
    if not config.getoption("--all-engines"):
        others = {item for item in items if _repeats_on_another_engine(item)}
        config.hook.pytest_deselected(items=[item for item in items if item in others])
        items[:] = [item for item in items if item not in others]
    items[:] = _in_shares(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _in_shares(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests, those of WAITING at the beginnings of as many equal shares."""
    groups: list[list[pytest.Item]] = [[] for _ in range(max(workers, len(WAITING)))]
    computing = []
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        begins = next((number for number, folders in enumerate(WAITING) if folder in folders), None)
        (computing if begins is None else groups[begins]).append(item)
    dealt: list[pytest.Item] = []
    for number in range(workers):
        waiting = [item for group in groups[number::workers] for item in group]
        share = (len(items) - len(dealt)) // (workers - number)
        fill = max(0, share - len(waiting))
        dealt += waiting + computing[:fill]
        del computing[:fill]
    return dealt + computing


def _repeats_on_another_engine(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if params.get("engine", ENGINES[0]) == ENGINES[0]:
        return False
    if item.get_closest_marker("every_engine") and not item.get_closest_marker("one_engine"):
        return False
    return not any("engine" in str(mark.args[0]) for mark in item.iter_markers("parametrize"))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine under test."""
    return str(request.param)


@pytest.fixture(scope="session", autouse=True)
def cheap_set_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Makes what every test repeats cheap: no fsync, the cheapest Argon2, empty stores reused, routes compiled once."""
    ReusedJsonFile.reused = PrivateFile(tmp_path_factory.mktemp("private"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        patch.setattr(SqliteFile, "synchronous", "OFF")
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(SqliteFile, "_bring_forward", _copied_when_new(SqliteFile._bring_forward))
        patch.setattr(storage, "JsonFile", ReusedJsonFile)
        patch.setattr(json_document, "texts", _copied_texts(json_document.texts))
        patch.setattr(TokenTable, "encode", _remembered_vectors(TokenTable.encode))
        patch.setattr(trained_heads, "read", _read_once(trained_heads.read))
        patch.setattr(routes, "install", _with_the_routes_of_the_first(routes.install))
        patch.setattr(Engine, "_compiled_cache", _shared_cache(), raising=False)
        patch.setattr(DefaultDialect, "__hash__", lambda dialect: hash(type(dialect)), raising=False)
        patch.setattr(DefaultDialect, "__eq__", lambda dialect, other: type(dialect) is type(other), raising=False)
        yield
    ReusedJsonFile.reused.close()


def _copied_when_new(bring_forward: Callable[..., None]) -> Callable[..., None]:
    """Makes the first new SQLite file only; later ones are its copies. Files that exist are opened as always."""
    empty = b""

    def copied(store: Any) -> None:
        nonlocal empty
        new = not store.path.exists()
        if new and empty:
            with contextlib.suppress(OSError):  # which `bring_forward` reports
                make_private(store.path)
                store.path.write_bytes(empty)
                return
            with contextlib.suppress(OSError):
                store.path.unlink()
        bring_forward(store)
        if new:
            empty = store.path.read_bytes()

    return copied


def _copied_texts(texts: Callable[..., Iterator[str]]) -> Callable[..., Iterator[str]]:
    """Reads the document of the first store without rows only; those of later ones are its copies."""
    empty: list[str] = []

    def copied(connection: Connection, seq: int, revision: str) -> Iterator[str]:
        if seq or revision != migrations.head() or connection.exec_driver_sql("SELECT 1 FROM companies").first():
            yield from texts(connection, seq, revision)
            return
        if not empty:
            empty.extend(texts(connection, seq, revision))
        yield from empty

    return copied


def _remembered_vectors(encode: Callable[..., Any]) -> Callable[..., Any]:
    """The vectors of the built-in sentences, which every app encodes: one table gives the same each time."""

    @lru_cache(maxsize=64)
    def of_many(table: TokenTable, texts: tuple[str, ...]) -> Any:
        vectors = encode(table, texts)
        vectors.flags.writeable = False
        return vectors

    return lambda table, texts: of_many(table, tuple(texts)) if len(texts) > MANY else encode(table, texts)


def _read_once(read: Callable[..., Any]) -> Callable[..., Any]:
    """The weights of the built-in classifier, which every app reads from the same file for the same table."""
    heads: dict[Any, Any] = {}

    def cached(encoder: Any, folder: Path = trained_heads.FOLDER) -> Any:
        table = getattr(encoder, "_tier", encoder)  # what `Embeddings` opens is the same for all apps
        if folder != trained_heads.FOLDER or not isinstance(table, TokenTable):
            return read(encoder, folder)
        if table not in heads:
            heads[table] = read(encoder)
        return heads[table]

    return cached


def _shared_cache() -> property:
    """Engines of one kind share the SQL that SQLAlchemy compiles, since every test opens its own engine."""
    caches: dict[str, Any] = {}
    return property(
        lambda engine: caches[engine.dialect.name],
        lambda engine, cache: caches.setdefault(engine.dialect.name, cache),
    )


def _with_the_routes_of_the_first(install: Callable[..., None]) -> Callable[..., None]:
    """Apps with the same settings of routes share the map of the first: Werkzeug takes 5 ms to make one."""
    maps: dict[Any, tuple[Map, set[Any]]] = {}

    def installed(app: Any, **options: Any) -> None:
        key = (tuple(options["dialects"]), app.extensions["runtime"].settings.mcp)
        app.url_map, known = maps.setdefault(key, (app.url_map, set()))
        add = app.add_url_rule

        def add_new(rule: str, endpoint: str, view: Any, **options: Any) -> None:
            route = (rule, endpoint, *sorted(options.get("methods") or ()))
            if route in known:
                app.view_functions[endpoint] = view
                return
            known.add(route)
            add(rule, endpoint, view, **options)

        app.add_url_rule = add_new
        install(app, **options)

    return installed


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """Creates databases; the server starts with the first test that needs one."""
    with databases() as on_server:
        yield on_server


@pytest.fixture
def database_url(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """DATABASE_URL of an empty store of that engine."""
    if engine != "postgresql":
        yield file_url(engine, tmp_path)
        return
    with request.getfixturevalue("postgresql").fresh() as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Makes settings for a server in the test's own folder, independent of the environment and .env."""
    defaults: dict[str, Any] = {
        "data_dir": tmp_path,
        "database_url": database_url,
        "api_key": "admin-key",
        "embeddings": "static",
    }
    if database_url.startswith("postgresql:"):  # which is always a production setup
        defaults |= {"secret_key": SECRET, "open_registration": True}
        monkeypatch.setattr(config, "SHORTEST_API_KEY", 0)  # one short key serves every engine

    def make(**values: Any) -> Settings:
        return Given(**{**defaults, **values})

    return make


class Given(Settings):
    """Settings that are given, and nothing else: the environment and .env are not read."""

    def __init__(self, **values: Any) -> None:
        BaseModel.__init__(self, **values)  # BaseSettings would make its sources first, which takes long


@pytest.fixture
def mailer() -> MemoryMailer:
    """Collects the mail the server sends."""
    return MemoryMailer()


@pytest.fixture
def open_app(settings: Callable[..., Settings], mailer: MemoryMailer) -> Iterator[Callable[..., Any]]:
    """Opens apps (further settings, clock=, model=, mailer= as keywords) and closes them after the test."""
    opened = []

    def make(*, clock: Any = None, model: Any = None, mailer: Any = mailer, **values: Any) -> Any:
        outside = {"clock": clock} if clock else {}
        app = create_app(settings(**values), model=model, mailer=mailer, **outside)
        opened.append(app)
        return app

    yield make
    for app in opened:
        _forget_files(app.extensions["runtime"])
        app.extensions["runtime"].stop()


def _forget_files(runtime: Runtime) -> None:
    """The test is over, and nobody reads the files of its store: they are neither written nor merged at the stop."""
    engine: Any = runtime._storage and runtime._storage._engine
    if isinstance(engine, JsonFile):
        engine._fold = lambda: None
    elif isinstance(engine, SqliteFile):
        engine.path.unlink(missing_ok=True)  # SQLite merges no log into a file that is gone


@pytest.fixture
def app(open_app: Callable[..., Any]) -> Any:
    """A server without a model; its mail goes to `mailer` when `run_jobs` is called."""
    return open_app()


@pytest.fixture
def runtime(app: Any) -> Runtime:
    """The runtime of `app`."""
    runtime: Runtime = app.extensions["runtime"]
    return runtime


@pytest.fixture
def run_jobs(runtime: Runtime) -> Callable[[], int]:
    """Runs due jobs in the test's own thread."""
    return runtime.runner.run_due


@pytest.fixture
def admin(app: Any) -> Caller:
    """The admin of the company `default`."""
    return Caller(app.test_client(), "admin-key")


@pytest.fixture
def agent(app: Any, runtime: Runtime) -> Caller:
    """An agent of the company `default`."""
    return Caller(app.test_client(), add_key(runtime, "agent"))


@pytest.fixture
def customer(app: Any, runtime: Runtime) -> Caller:
    """A customer of the company `default`: ada@example.com, through a key that acts for customers."""
    key = add_key(runtime, "agent", scopes=[ACT_FOR_CUSTOMERS])
    return Caller(app.test_client(), key, {"X-On-Behalf-Of": "ada@example.com"})


@pytest.fixture
def stranger(app: Any, runtime: Runtime) -> Caller:
    """An agent of another company."""
    return Caller(app.test_client(), add_key(runtime, "agent", company=OTHER_COMPANY))


@pytest.fixture
def other_admin(app: Any, runtime: Runtime) -> Caller:
    """The admin of another company."""
    return Caller(app.test_client(), add_key(runtime, "admin", company=OTHER_COMPANY))


def add_key(
    runtime: Runtime, role: str, *, company: str = "default", scopes: list[str] | None = None, **more: Any
) -> str:
    """Stores an API key and returns it; creates the company when it does not exist."""
    key = f"fk_test_{company}_{role}_{len(scopes or [])}"
    with runtime.storage.unit_of_work(None, write=True) as uow:
        if uow.get(companies, company) is None:
            row = {"id": company, "name": company, "name_key": company}
            uow.insert(companies, {**row, "confirmed_at": uow.now, "created_at": uow.now})
        values = {"company_id": company, "name": f"{role} key", "key_hash": hash_key(key), "role": role}
        uow.insert(api_keys, {**values, "scopes": scopes or [], "created_at": uow.now, **more})
    return key


@pytest.fixture
def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
