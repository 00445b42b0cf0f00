"""PostgreSQL only: many processes on one database, and outages of the database server."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from auth import passwords
from auth.tokens import Tokens
from config import Settings
from core.errors import AppError
from core.models import Actor
from database import postgres_engine, tables
from database.writer_shares import Exhausted
from runtime import first_start
from services.accounts import lockout, sign_in, users
from services.accounts.admission import Entry
from storage import open_storage
from tests.conftest import SECRET
from tests.fakes.postgres_server import wait_until
from tests.support.rows import ONE, TWO, actor, add_company, add_customer, add_ticket

TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}


def test_polling_misses_no_row_in_any_order_of_commits(store, second):
    """Two processes write for one company. A third polls for rows newer than the last one it has seen."""
    add_company(store)
    with store.unit_of_work(None, write=True) as uow:
        ada = add_customer(uow)
    finished, polled_ids = threading.Event(), []
    slow = [time.sleep, lambda seconds: None]

    def write(process, number):
        with process.unit_of_work(actor(ONE), write=True) as uow:
            written_ids = add_ticket(uow, ada, number)
            slow[number % 2](0.003)  # between the moment and the commit, which others must not overtake
            return written_ids

    def poll():
        after = ""
        while True:
            last = finished.is_set()
            with store.unit_of_work(actor(ONE)) as uow:
                t = tables.tickets
                rows = uow.find(uow.query(t, t.c.id, t.c.updated_at).where(t.c.updated_at > after))
            polled_ids.extend(row["id"] for row in rows)
            after = max([after, *(row["updated_at"] for row in rows)])
            if last:
                return

    with ThreadPoolExecutor(7) as pool:
        poller = pool.submit(poll)
        written_ids = list(pool.map(lambda n: write((store, second)[n // 2 % 2], n), range(200)))
        finished.set()
        poller.result()
    assert sorted(polled_ids) == sorted(written_ids)
    assert len(set(polled_ids)) == 200


def test_order_stamps_increase_across_processes_with_different_clocks(url, tmp_path):

    ahead = open_storage(url, tmp_path, clock=lambda: datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC))
    behind = open_storage(url, tmp_path, clock=lambda: datetime(2026, 5, 1, 12, tzinfo=UTC))
    add_company(ahead)
    with ahead.unit_of_work(None, write=True) as uow:
        ada = add_customer(uow)
    moments = []
    for number in range(6):
        with (ahead, behind)[number % 2].unit_of_work(actor(ONE), write=True) as uow:
            add_ticket(uow, ada, number)
            moments.append(uow.now)
    ahead.close()
    behind.close()
    assert moments == sorted(set(moments))


def test_writers_of_different_companies_do_not_wait_for_each_other(store, second):
    add_company(store, ONE)
    add_company(store, TWO)
    with store.unit_of_work(actor(ONE), write=True) as one, second.unit_of_work(actor(TWO), write=True) as two:
        add_customer(one, company=ONE)
        add_customer(two, company=TWO)
        with store.unit_of_work(None, write=True) as unscoped:
            assert unscoped.claim("mail", limit=1) == []


def test_two_concurrent_claims_share_the_jobs_without_waiting(store, second):
    add_company(store)
    with store.unit_of_work(None, write=True) as uow:
        for _ in range(6):
            values = {"company_id": ONE, "lane": "mail", "kind": "received", "run_at": uow.now}
            uow.insert(tables.jobs, {**values, "created_at": uow.now})
    with store.unit_of_work(None, write=True) as one, second.unit_of_work(None, write=True) as two:
        first = {job["id"] for job in one.claim("mail", limit=4)}
        rest = {job["id"] for job in two.claim("mail", limit=4)}
    assert (len(first), len(rest), first & rest) == (4, 2, set())


@contextmanager
def lock_of_somebody_else(url, statement):
    """An idle transaction of another program that holds a lock."""
    with psycopg.connect(url) as other:
        other.execute(statement)
        yield


def test_a_locked_row_of_one_company_does_not_block_others(store, url):
    add_company(store, ONE)
    add_company(store, TWO)

    def write(company):
        with store.unit_of_work(actor(company), write=True) as uow:
            return uow.count_up(tables.companies, company, "last_number")["last_number"]

    with ThreadPoolExecutor(postgres_engine.WRITERS) as pool:
        with lock_of_somebody_else(url, f"SELECT * FROM companies WHERE id = '{ONE}' FOR UPDATE"):
            stuck = [pool.submit(write, ONE) for _ in range(postgres_engine.WRITERS)]
            wait_until(lambda: blocked(store) == postgres_engine.WRITERS_OF_ONE)
            assert write(TWO) == 1
            wait_until(
                lambda: (
                    len([one for one in stuck if one.done()])
                    == postgres_engine.WRITERS - postgres_engine.WRITERS_OF_ONE
                )
            )
            assert [status_of(one) for one in stuck if one.done()] == [503] * (
                postgres_engine.WRITERS - postgres_engine.WRITERS_OF_ONE
            )
            assert write(TWO) == 2
            with store.unit_of_work(None, write=True) as uow, pytest.raises(Exhausted):
                uow.as_actor(actor(ONE))
        written = [one.result() for one in stuck if not one.exception()]
    assert sorted(written) == list(range(1, postgres_engine.WRITERS_OF_ONE + 1))
    assert write(ONE) == postgres_engine.WRITERS_OF_ONE + 1


def status_of(future):
    return future.exception().status


def test_a_reader_of_a_locked_table_times_out(url, tmp_path, monkeypatch):
    monkeypatch.setattr(postgres_engine, "STATEMENT_SECONDS", 0.2)
    store = open_storage(url, tmp_path)
    with lock_of_somebody_else(url, "LOCK TABLE companies IN ACCESS EXCLUSIVE MODE"):
        assert status_and_retry_after(store) == (503, "5")
    assert works(store)
    store.close()


def test_an_exclusive_task_runs_in_one_instance_at_a_time(store, second):
    with store.exclusive_task("tidy") as acquired:
        assert acquired
        with second.exclusive_task("tidy") as acquired_by_second, second.exclusive_task("another") as acquired_other:
            assert (acquired_by_second, acquired_other) == (False, True)
    with second.exclusive_task("tidy") as acquired_by_second:
        assert acquired_by_second


def blocked(store):
    with store._engine.read() as other:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return other.exec_driver_sql(waits).scalar()


def start(store):
    """The first step of every instance without a configured key."""
    first_start.prepare(store, Settings(_env_file=None, data_dir=store.folder, secret_key=SECRET, api_key=""))


def log_in(store):
    sign_in.log_in(store, Tokens(SECRET), "ada@example.com", PASSWORD, Entry())


def open_a_ticket(uow):
    uow.count_up(tables.companies, "default", "last_number")


def change_a_password(uow):
    lockout.count_attempt(uow, "ada@example.com", "")


PASSWORD = "correct horse battery staple"


@pytest.mark.parametrize(("comes", "goes_on"), [(start, open_a_ticket), (log_in, change_a_password)])
def test_a_waiting_writer_holds_no_lock_that_the_running_one_needs(store, tmp_path, comes, goes_on):
    """Otherwise both would wait for each other, and the server would abort one of them as a deadlock."""
    store.folder = tmp_path
    start(store)
    admin = Actor("default", "admin", "test")
    with store.unit_of_work(admin, write=True) as uow:
        hashed = passwords.hashed(PASSWORD)
        users.create(uow, {"name": "Ada", "email": "ada@example.com", "role": "agent", "password_hash": hashed})
    with ThreadPoolExecutor(1) as pool:
        with store.unit_of_work(admin, write=True) as uow:
            coming = pool.submit(comes, store)
            wait_until(lambda: blocked(store) or coming.done())
            goes_on(uow)
        coming.result()


def status_and_retry_after(storage):
    with pytest.raises(AppError) as error_info, storage.unit_of_work(None) as uow:
        uow.count(uow.query(tables.companies))
    return error_info.value.status, error_info.value.headers["Retry-After"]


def test_without_free_connections_the_response_is_503_until_there_are_some(server, tmp_path):
    storage = open_storage(server.url, tmp_path)
    connections = []
    while True:
        try:
            connections.append(psycopg.connect(server.url))
        except psycopg.OperationalError:
            break
    with storage.unit_of_work(None):  # has the connection the start left
        assert status_and_retry_after(storage) == (503, "5")
        for other in connections:
            other.close()
        wait_until(lambda: works(storage))
    storage.close()


def works(storage):
    try:
        with storage.unit_of_work(None) as uow:
            return uow.count(uow.query(tables.companies)) >= 0
    except AppError:
        return False


def test_more_requests_than_connections_wait_and_then_get_503(url, tmp_path, monkeypatch):
    monkeypatch.setattr(postgres_engine, "WAIT_SECONDS", 0.05)
    store = open_storage(url, tmp_path)
    with ExitStack() as many:
        for _ in range(postgres_engine.CONNECTIONS):
            many.enter_context(store.unit_of_work(None))
        assert status_and_retry_after(store) == (503, "5")
    assert works(store)
    store.close()
