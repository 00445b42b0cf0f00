"""PostgreSQL that stops, restarts or loses a connection: one line in the log, and nothing acknowledged is lost."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import create_app
from config import Settings
from core.errors import AppError
from database import tables
from jobs import handlers, runner
from storage import open_storage
from tests.conftest import SECRET
from tests.fakes.postgres_server import wait_until
from tests.support.caller import Caller
from tests.support.rows import ONE, add_company

TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}


def works(storage):
    try:
        with storage.unit_of_work(None) as uow:
            return uow.count(uow.query(tables.companies)) >= 0
    except AppError:
        return False


def test_a_restart_of_the_idle_database_causes_no_error(server, tmp_path):
    storage = open_storage(server.url, tmp_path)
    add_company(storage)
    server.stop("fast")
    server.start()
    with storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(tables.companies)) == 1
    with storage.unit_of_work(None, write=True) as uow:
        uow.update_where(tables.companies, name="renamed")
    storage.close()


def test_an_outage_logs_one_line_at_its_start_and_one_at_its_end(server, tmp_path, monkeypatch, caplog):
    for name in ("POLL_SECONDS", "HEARTBEAT_SECONDS"):
        monkeypatch.setattr(runner, name, 0.02)
    for name in "SYNC TIDY CHATS AGREED CLOSING INCIDENTS ASSIGNMENT ESCALATION DIGEST STATISTICS".split():
        monkeypatch.setattr(handlers, f"{name}_SECONDS", 0.02)
    key = "fk_the-key-of-a-waiting-server"
    settings = {"database_url": server.url, "secret_key": SECRET, "api_key": key, "embeddings": "static"}
    app = create_app(Settings(_env_file=None, data_dir=tmp_path, **settings))
    runtime, admin = app.extensions["runtime"], Caller(app.test_client(), key)
    runtime.start()
    assert admin.post("/api/tickets", TICKET).status_code == 201
    wait_until(lambda: admin.get("/api/health").json["data"]["jobs"]["waiting"] == 0)
    tries = Counter()
    unit_of_work, exclusive_task = runtime.storage.unit_of_work, runtime.storage.exclusive_task

    def counting(opens):
        def count(*args, **kwargs):
            tries[threading.current_thread().name] += 1
            return opens(*args, **kwargs)

        return count

    monkeypatch.setattr(runtime.storage, "unit_of_work", counting(unit_of_work))
    monkeypatch.setattr(runtime.storage, "exclusive_task", counting(exclusive_task))
    caplog.clear()
    server.stop("fast")
    wait_until(lambda: admin.post("/api/tickets", TICKET).status_code == 503)
    tries.clear()
    threads = {thread.name for thread in threading.enumerate() if thread.name.startswith("foyer-")}
    assert len(threads) == 29
    # These write only when there is something to write.
    threads -= {"foyer-count-of-model-calls", "foyer-chat-presence", "foyer-presence", "foyer-webhooks"}
    wait_until(lambda: all(tries[name] >= 3 for name in threads))
    assert [admin.get("/api/tickets").status_code for _ in range(3)] == [503] * 3
    assert [(line.levelname, "is away" in line.message) for line in caplog.records] == [("ERROR", True)]
    server.start()
    wait_until(lambda: admin.post("/api/tickets", TICKET).status_code == 201)
    wait_until(lambda: "is back after" in caplog.text)
    tries.clear()
    wait_until(lambda: all(tries[name] >= 3 for name in threads))
    messages = [line.message for line in caplog.records if line.levelname != "INFO"]
    assert [("is away" in line, "is back after" in line) for line in messages] == [(True, False), (False, True)]
    runtime.stop()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_under_load_loses_no_acknowledged_ticket_and_no_job(server, tmp_path, mode):
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=server.url,
        secret_key=SECRET,
        api_key="fk_the-key-of-a-restarted-server",
        embeddings="static",
        rate_limit="off",
    )
    app = create_app(settings)
    runtime = app.extensions["runtime"]
    runtime.start()
    acknowledged, statuses, stop = [], set(), threading.Event()

    def work(_):
        admin = Caller(app.test_client(), "fk_the-key-of-a-restarted-server")
        while not stop.is_set():
            answer = admin.post("/api/tickets", TICKET)
            statuses.add(answer.status_code)
            if answer.status_code == 201:
                acknowledged.append(answer.json["data"]["number"])
            else:
                assert answer.headers["Retry-After"]
                time.sleep(0.02)

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, n) for n in range(4)]
        try:
            wait_until(lambda: len(acknowledged) > 10)
            server.stop(mode)
            wait_until(lambda: 503 in statuses)
            server.start()
            before = len(acknowledged)
            wait_until(lambda: len(acknowledged) > before + 10)
        finally:
            stop.set()
        for worker in workers:
            worker.result()
    assert statuses == {201, 503}
    admin = Caller(app.test_client(), "fk_the-key-of-a-restarted-server")
    assert len(set(acknowledged)) == len(acknowledged)
    total = admin.get("/api/tickets?limit=1").json["total"]
    newest = admin.get("/api/tickets?limit=1&sort=-created_at").json["data"][0]["number"]
    assert newest == total >= len(acknowledged)  # what was acknowledged is there, and the numbers have no gap
    wait_until(lambda: admin.get("/api/health").json["data"]["jobs"] == {"waiting": 0, "dead": 0})
    runtime.stop()


def test_a_connection_lost_in_a_unit_of_work_is_an_error(store, second):
    def work():
        with store.unit_of_work(None, write=True) as uow:
            uow.insert(tables.companies, {"id": ONE, "name": ONE, "created_at": uow.now})
            with second._engine.read() as other:
                other_connections = "datname = current_database() AND pid <> pg_backend_pid()"
                other.exec_driver_sql(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {other_connections}"
                ).all()

    with pytest.raises(AppError) as error_info:
        work()
    assert error_info.value.status == 503
    with store.unit_of_work(None) as uow:
        assert uow.count(uow.query(tables.companies)) == 0
