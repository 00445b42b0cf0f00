"""What only PostgreSQL has: many processes on one database, and a server that goes away and comes back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime

import psycopg
import pytest

import credentials
import passwords
import postgres
import sign_in
import tables
from app import create_app
from config import Settings
from errors import AppError
from models import Actor
from services import lockout, people
from storage import open_storage
from tests.caller import Caller
from tests.conftest import SECRET
from tests.postgres_server import Server, wait_until
from tests.rows import ONE, TWO, actor, add_company, add_customer, add_ticket
from tokens import Tokens

TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}


@pytest.fixture
def url(postgresql):
    with postgresql.fresh() as made:
        yield made


@pytest.fixture
def store(url, tmp_path):
    opened = open_storage(url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def second(url, tmp_path):
    """What another process has open, as far as the database can tell."""
    opened = open_storage(url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def server():
    """A server of the test's own, to be stopped and started."""
    made = Server("max_connections=20")
    made.start()
    yield made
    made.remove()


# --- writers side by side -----------------------------------------------------------------------------------------------


def test_who_polls_misses_nothing_whatever_the_order_of_the_commits(store, second):
    """Two processes write for one company; a third asks again and again for what is later than what it saw."""
    add_company(store)
    with store.desk(None, write=True) as desk:
        ada = add_customer(desk)
    done, seen = threading.Event(), []
    slow = [time.sleep, lambda seconds: None]

    def write(process, number):
        with process.desk(actor(ONE), write=True) as desk:
            made = add_ticket(desk, ada, number)
            slow[number % 2](0.003)  # between the moment and the commit, which others must not overtake
            return made

    def poll():
        after = ""
        while True:
            last = done.is_set()
            with store.desk(actor(ONE)) as desk:
                t = tables.tickets
                found = desk.find(desk.rows(t, t.c.id, t.c.updated_at).where(t.c.updated_at > after))
            seen.extend(row["id"] for row in found)
            after = max([after, *(row["updated_at"] for row in found)])
            if last:
                return

    with ThreadPoolExecutor(7) as pool:
        poller = pool.submit(poll)
        made = list(pool.map(lambda n: write((store, second)[n // 2 % 2], n), range(200)))
        done.set()
        poller.result()
    assert sorted(seen) == sorted(made)
    assert len(set(seen)) == 200


def test_moments_follow_each_other_across_processes_whose_clocks_differ(url, tmp_path):

    ahead = open_storage(url, tmp_path, clock=lambda: datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC))
    behind = open_storage(url, tmp_path, clock=lambda: datetime(2026, 5, 1, 12, tzinfo=UTC))
    add_company(ahead)
    with ahead.desk(None, write=True) as desk:
        ada = add_customer(desk)
    moments = []
    for number in range(6):
        with (ahead, behind)[number % 2].desk(actor(ONE), write=True) as desk:
            add_ticket(desk, ada, number)
            moments.append(desk.now)
    ahead.close()
    behind.close()
    assert moments == sorted(set(moments))


def test_writers_of_different_companies_do_not_wait_for_each_other(store, second):
    add_company(store, ONE)
    add_company(store, TWO)
    with store.desk(actor(ONE), write=True) as one, second.desk(actor(TWO), write=True) as two:
        add_customer(one, company=ONE)
        add_customer(two, company=TWO)
        with store.desk(None, write=True) as unscoped:
            assert unscoped.claim("mail", limit=1) == []


def test_two_that_claim_at_once_share_the_jobs_without_waiting(store, second):
    add_company(store)
    with store.desk(None, write=True) as desk:
        for _ in range(6):
            values = {"company_id": ONE, "lane": "mail", "kind": "received", "run_at": desk.now}
            desk.insert(tables.jobs, {**values, "created_at": desk.now})
    with store.desk(None, write=True) as one, second.desk(None, write=True) as two:
        first = {job["id"] for job in one.claim("mail", limit=4)}
        rest = {job["id"] for job in two.claim("mail", limit=4)}
    assert (len(first), len(rest), first & rest) == (4, 2, set())


def test_a_task_is_one_instances_at_a_time(store, second):
    with store.alone("tidy") as ours:
        assert ours
        with second.alone("tidy") as theirs, second.alone("another") as other:
            assert (theirs, other) == (False, True)
    with second.alone("tidy") as theirs:
        assert theirs


def blocked(store):
    with store._engine.read() as other:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return other.exec_driver_sql(waits).scalar()


def start(store):
    """What every instance does first, where no key is given."""
    credentials.prepare(store, Settings(_env_file=None, data_dir=store.folder, secret_key=SECRET, api_key=""))


def log_in(store):
    sign_in.log_in(store, Tokens(SECRET), "ada@example.com", PASSWORD, address="")


def open_a_ticket(desk):
    desk.count_up(tables.companies, "default", "last_number")


def change_a_password(desk):
    lockout.take_try(desk, "ada@example.com")


PASSWORD = "correct horse battery staple"


@pytest.mark.parametrize(("comes", "goes_on"), [(start, open_a_ticket), (log_in, change_a_password)])
def test_who_waits_for_a_turn_holds_nothing_that_whoever_has_it_needs(store, tmp_path, comes, goes_on):
    """Two that each held what the other waits for would wait in a ring, and the server would refuse one of them."""
    store.folder = tmp_path
    start(store)
    admin = Actor("default", "admin", "test")
    with store.desk(admin, write=True) as desk:
        hashed = passwords.hashed(PASSWORD)
        people.make(desk, {"name": "Ada", "email": "ada@example.com", "role": "agent", "password_hash": hashed})
    with ThreadPoolExecutor(1) as pool:
        with store.desk(admin, write=True) as desk:
            coming = pool.submit(comes, store)
            wait_until(lambda: blocked(store) or coming.done())
            goes_on(desk)
        coming.result()


# --- a server that fails ------------------------------------------------------------------------------------------------


def refused(storage):
    with pytest.raises(AppError) as failed, storage.desk(None) as desk:
        desk.count(desk.rows(tables.companies))
    return failed.value.status, failed.value.headers["Retry-After"]


def test_out_of_connections_is_503_and_over_when_there_are_some(server, tmp_path):

    storage = open_storage(server.url, tmp_path)
    others = []
    while True:
        try:
            others.append(psycopg.connect(server.url))
        except psycopg.OperationalError:
            break
    assert refused(storage) == (503, "5")
    for other in others:
        other.close()
    wait_until(lambda: works(storage))
    storage.close()


def works(storage):
    try:
        with storage.desk(None) as desk:
            return desk.count(desk.rows(tables.companies)) >= 0
    except AppError:
        return False


def test_more_at_once_than_connections_wait_and_then_get_503(store, monkeypatch):
    monkeypatch.setattr(postgres, "WAIT_SECONDS", 0.05)

    with ExitStack() as many:
        for _ in range(postgres.CONNECTIONS):
            many.enter_context(store.desk(None))
        assert refused(store) == (503, "5")
    assert works(store)


def test_restarted_while_nobody_asks_nobody_notices(server, tmp_path):
    storage = open_storage(server.url, tmp_path)
    add_company(storage)
    server.stop("fast")
    server.start()
    with storage.desk(None) as desk:
        assert desk.count(desk.rows(tables.companies)) == 1
    with storage.desk(None, write=True) as desk:
        desk.update_where(tables.companies, name="renamed")
    storage.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarted_under_load_no_acknowledged_ticket_is_lost_and_no_job_sticks(server, tmp_path, mode):
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=server.url,
        secret_key=SECRET,
        api_key="admin-key",
        embeddings="static",
        rate_limit="off",
    )
    app = create_app(settings)
    foyer = app.extensions["foyer"]
    foyer.start()
    acknowledged, statuses, stop = [], set(), threading.Event()

    def work(_):
        admin = Caller(app.test_client(), "admin-key")
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
            wait_until(lambda: len(acknowledged) > 40)
            server.stop(mode)
            wait_until(lambda: 503 in statuses)
            server.start()
            before = len(acknowledged)
            wait_until(lambda: len(acknowledged) > before + 40)
        finally:
            stop.set()
        for worker in workers:
            worker.result()
    assert statuses == {201, 503}
    admin = Caller(app.test_client(), "admin-key")
    assert len(set(acknowledged)) == len(acknowledged)
    total = admin.get("/api/tickets?limit=1").json["total"]
    newest = admin.get("/api/tickets?limit=1&sort=-created_at").json["data"][0]["number"]
    assert newest == total >= len(acknowledged)  # what was acknowledged is there, and the numbers have no gap
    wait_until(lambda: admin.get("/api/health").json["data"]["jobs"] == {"waiting": 0, "dead": 0})
    foyer.stop()


def test_a_connection_lost_within_a_unit_of_work_never_passes_for_a_commit(store, second):
    def work():
        with store.desk(None, write=True) as desk:
            desk.insert(tables.companies, {"id": ONE, "name": ONE, "created_at": desk.now})
            with second._engine.read() as other:
                others = "datname = current_database() AND pid <> pg_backend_pid()"
                other.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}").all()

    with pytest.raises(AppError) as failed:
        work()
    assert failed.value.status == 503
    with store.desk(None) as desk:
        assert desk.count(desk.rows(tables.companies)) == 0
