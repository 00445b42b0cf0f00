"""Two gunicorns on one PostgreSQL: changes apply to both at once, and kill -9 of either loses and repeats nothing.

FOYER_CREATES=5000 creates as many tickets; CI makes fewer.
"""

import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from database import tables
from storage import open_storage
from tests.conftest import SECRET
from tests.fakes.fake_smtp import FakeSmtp, Received
from tests.fakes.postgres_server import wait_until
from tests.fakes.running_server import PATIENCE_SECONDS
from tests.fakes.server import Server

CREATES = int(os.environ.get("FOYER_CREATES", 400))
KILLS = max(4, CREATES // 250)
COMMON = {"SECRET_KEY": SECRET, "RATE_LIMIT": "off", "OPEN_REGISTRATION": "true", "EMBEDDINGS": "static"}
TICKET = {"title": "Question about my plan", "description": "How do I change it?", "customer_email": "ada@example.com"}
PERSON = {"name": "Grace", "email": "grace@example.com", "role": "agent", "password": "correct horse battery"}


class Dated(FakeSmtp):
    """A mail server that notes when each message came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: dict[str, list[float]] = defaultdict(list)

    async def handle_DATA(self, server: object, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        message: Received = self.messages.pop()
        self.came[str(message["Message-ID"])].append(time.monotonic())
        return answer


# --- what one did holds at the other ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(postgresql: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers that share nothing but the database."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    with postgresql.fresh() as url:
        one, two = (Server(folder, DATABASE_URL=url, **COMMON) for folder in folders)
        with one, two:
            yield one, two


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def test_a_key_works_and_is_revoked_on_both_instances_at_once(pair: Any, session: Any) -> None:
    one, two = pair
    made = data(one.call(session, "POST", "/api/keys", {"name": "for an app", "role": "agent"}), 201)
    mine = {"X-API-Key": made["key"]}
    for _ in range(3):
        assert two.call(session, "GET", "/api/tickets", **mine).status_code == 200
    data(one.call(session, "DELETE", f"/api/keys/{made['id']}"))
    assert two.call(session, "GET", "/api/tickets", **mine).status_code == 401


def test_sign_out_applies_to_all_instances(pair: Any, session: Any) -> None:
    one, two = pair
    user = data(one.call(session, "POST", "/api/users", PERSON), 201)

    def signed_in() -> Any:
        login = {"email": PERSON["email"], "password": PERSON["password"]}
        return data(session.post(f"{one.url}/api/auth/login", json=login, timeout=60))

    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return int(session.get(f"{two.url}/api/me", headers=headers, timeout=60).status_code)

    tokens = signed_in()
    assert status(tokens["access_token"]) == 200
    data(session.post(f"{one.url}/api/auth/logout", json={"refresh_token": tokens["refresh_token"]}, timeout=60))
    assert status(tokens["access_token"]) == 401
    tokens = signed_in()
    assert status(tokens["access_token"]) == 200
    data(one.call(session, "PATCH", f"/api/users/{user['id']}", {"disabled": True}))
    assert status(tokens["access_token"]) == 401


def test_wrong_passwords_count_together(pair: Any, session: Any) -> None:
    wrong = {"email": "mallory@example.com", "password": "not the one"}
    answers = [session.post(f"{pair[n % 2].url}/api/auth/login", json=wrong, timeout=60) for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_setting_applies_to_all_instances_at_once(pair: Any, session: Any) -> None:
    one, two = pair
    for wanted in (False, True, False):
        data(one.call(session, "PUT", "/api/settings", {"ai_enabled": wanted}))
        assert data(two.call(session, "GET", "/api/settings"))["ai_enabled"] is wanted


def test_the_same_call_sent_to_both_is_one_call(pair: Any, session: Any) -> None:
    one, two = pair
    first = one.call(session, "POST", "/api/tickets", TICKET, **{"Idempotency-Key": "both"})
    again = two.call(session, "POST", "/api/tickets", TICKET, **{"Idempotency-Key": "both"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotent-Replay"] == "true"
    together = threading.Barrier(20)

    def post(number: int) -> Any:
        with requests.Session() as own:
            together.wait(60)
            return pair[number % 2].call(own, "POST", "/api/tickets", TICKET, **{"Idempotency-Key": "all at once"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    assert [answer.headers.get("Idempotent-Replay") for answer in done].count(None) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}


def test_training_examples_apply_to_all_instances(pair: Any, session: Any) -> None:
    """Only one of them does the job of learning; both tell a ticket's topic afterwards."""
    one, _two = pair
    examples = [{"text": f"Where is my parcel {n}? It has not arrived.", "topic": "delivery"} for n in range(6)]
    examples += [{"text": f"My invoice {n} shows the wrong amount.", "topic": "invoice"} for n in range(6)]
    data(one.call(session, "POST", "/api/topics/examples", {"examples": examples}), 201)
    asked = TICKET | {"title": "Parcel", "description": "Where is my parcel? It has not arrived yet."}

    def topic(server: Server) -> Any:
        return data(server.call(session, "POST", "/api/tickets", asked), 201).get("topic")

    for server in pair:
        wait_until(lambda server=server: topic(server) == "delivery")


# --- kill -9 ------------------------------------------------------------------------------------------------------------


class Pair:
    """Two servers on one database and one mail server, either of which is killed at random and started again."""

    def __init__(self, url: str, folders: list[Any], smtp: FakeSmtp) -> None:
        more = {"DATABASE_URL": url, "SMTP_HOST": smtp.host, "SMTP_PORT": str(smtp.port), "SMTP_SECURITY": "none"}
        self._start = lambda place: Server(folders[place], MAIL_FROM="desk@example.com", **more, **COMMON)
        self.servers = [self._start(place) for place in (0, 1)]
        for server in self.servers:
            server.__enter__()
        self.kills: list[float] = []

    def kill(self, place: int) -> None:
        self.servers[place].kill9()
        self.kills.append(time.monotonic())
        self.servers[place] = self._start(place).__enter__()

    def stop(self) -> None:
        for server in self.servers:
            server.kill9()


def create(pair: Pair, reference: str, made: dict[str, tuple[str, int]]) -> None:
    """One ticket, asked for until it is acknowledged, of whichever server is there."""
    with requests.Session() as session:
        for turn in range(10_000):
            server = pair.servers[(turn + len(reference)) % 2]
            try:
                answer = server.call(session, "POST", "/api/tickets", TICKET, **{"Idempotency-Key": reference})
            except requests.exceptions.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code == 201:
                made[reference] = (answer.json()["data"]["id"], answer.json()["data"]["number"])
                return
            assert answer.status_code in (409, 503), answer.text
            assert int(answer.headers["Retry-After"]) > 0
            time.sleep(0.05)


def kill_at_random(pair: Pair, made: dict[str, Any], done: threading.Event) -> None:
    chance = random.Random(7)
    for number in range(1, KILLS + 1):
        aim = CREATES * number // (KILLS + 1)
        wait_while_it_gets_less(lambda aim=aim: 0 if done.is_set() else max(0, aim - len(made)))
        time.sleep(chance.uniform(0, 0.3))
        pair.kill(chance.randrange(2))


def test_random_kills_lose_no_ticket_repeat_no_number_and_send_each_mail_once(postgresql: Any, tmp_path: Any) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    made: dict[str, tuple[str, int]] = {}
    done, began = threading.Event(), time.monotonic()
    with postgresql.fresh() as url, Dated() as smtp:
        storage, pair = open_storage(url, tmp_path), Pair(url, folders, smtp)
        try:
            with requests.Session() as session:  # all tickets are one customer's
                limits = {"recipient_mails_per_hour": 100_000, "company_mails_per_hour": 100_000}
                data(pair.servers[0].call(session, "PUT", "/api/settings", limits))
            with ThreadPoolExecutor(9) as pool:
                killer = pool.submit(kill_at_random, pair, made, done)
                list(pool.map(lambda number: create(pair, f"call {number}", made), range(CREATES)))
                done.set()
                killer.result()
            wait_while_it_gets_less(lambda: unfinished(storage))
        finally:
            pair.stop()
        with storage.unit_of_work(None) as uow:
            t, j = tables.tickets, tables.jobs
            there = {row["id"]: row["number"] for row in uow.find(uow.query(t, t.c.id, t.c.number))}
            jobs = uow.find(uow.query(j, j.c.id, j.c.state))
        storage.close()
    assert len(made) == CREATES
    assert dict(made.values()) == there, "every acknowledged ticket, each once, and no other"
    assert sorted(there.values()) == list(range(1, CREATES + 1)), "numbers without a gap"
    assert {job["state"] for job in jobs} == {"done"}
    assert {name.strip("<>").split(".")[0] for name in smtp.came} == {job["id"] for job in jobs}
    twice = {name: times for name, times in smtp.came.items() if len(times) > 1}
    for times in twice.values():  # a kill between the mail server's "accepted" and our commit, and nothing else
        assert len(times) == 2
        assert any(times[0] <= kill <= times[1] for kill in pair.kills)
    assert len(twice) <= len(pair.kills), "one mail at a time: a kill catches at most one"
    seconds = time.monotonic() - began
    print(f"\n{CREATES} tickets, {len(pair.kills)} kills, {len(smtp.came)} mails, {len(twice)} twice, {seconds:.0f} s")  # noqa: T201


def unfinished(storage: Any) -> int:
    with storage.unit_of_work(None) as uow:
        return int(uow.count(uow.query(tables.jobs, tables.jobs.c.id).where(tables.jobs.c.state != "done")))


def wait_while_it_gets_less(left: Any) -> None:
    """Waits until nothing is left, for as long as there is progress."""
    least = before = left()
    until = time.monotonic() + PATIENCE_SECONDS
    while before:
        assert time.monotonic() < until, f"{before} are left and it goes on no more"
        time.sleep(0.1)
        before = left()
        if before < least:
            least, until = before, time.monotonic() + PATIENCE_SECONDS
