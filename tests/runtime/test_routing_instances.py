"""Two gunicorns on one PostgreSQL assign tickets at once, and one is killed while an agent's tickets go back to the queue."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from database import tables
from storage import open_storage
from tests.conftest import SECRET
from tests.fakes.fake_smtp import FakeSmtp
from tests.fakes.postgres_server import wait_until
from tests.fakes.server import Server

CAPACITY = {"ann@example.com": 20, "bob@example.com": 9}
CREATES, MORE = 50, 30
TICKET = {"title": "Question", "description": "How does it work?", "customer_email": "ada@example.com"}


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def test_case_19_two_instances_assign_within_capacity_and_a_killed_one_loses_no_ticket(
    postgresql: Any, tmp_path: Any
) -> None:
    with postgresql.fresh() as url, FakeSmtp() as smtp, requests.Session() as session:
        more = {"DATABASE_URL": url, "SMTP_HOST": smtp.host, "SMTP_PORT": str(smtp.port), "SMTP_SECURITY": "none"}
        more |= {"MAIL_FROM": "desk@example.com", "SECRET_KEY": SECRET, "RATE_LIMIT": "off", "EMBEDDINGS": "static"}
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        one, two = (Server(folder, **more) for folder in folders)
        with one, two:
            storage = open_storage(url, tmp_path)
            team = data(one.call(session, "POST", "/api/teams", {"name": "Night", "assignment": "least_loaded"}), 201)
            data(one.call(session, "PUT", "/api/settings", {"support_email": "desk@example.com"}))
            people = [
                data(one.call(session, "POST", "/api/users", person(email, capacity, team["key"])), 201)
                for email, capacity in CAPACITY.items()
            ]
            rule = {"conditions": [{"field": "word", "op": "is", "value": "question"}], "team": "Night"}
            data(two.call(session, "POST", "/api/routing/rules", rule), 201)
            create_at_once((one, two), CREATES)
            assert load(storage) == Counter({**CAPACITY, "": CREATES - sum(CAPACITY.values())})
            # More room: both instances have the periodic work, and one of them at a time does it.
            data(two.call(session, "PATCH", f"/api/users/{people[1]['id']}", {"clear": ["capacity"]}))
            wait_until(lambda: load(storage)[""] == 0)
            create_at_once((one, two), MORE)
            assert events(storage, "assigned") == Counter({1: CREATES + MORE})
            # Bob has most of them and leaves; the server that began to return them is killed.
            data(one.call(session, "PATCH", f"/api/users/{people[0]['id']}", {"available": False}))
            his = load(storage)["bob@example.com"]
            data(one.call(session, "PATCH", f"/api/users/{people[1]['id']}", {"disabled": True}))
            one.kill9()
            wait_until(lambda: load(storage) == Counter({"ann@example.com": 20, "": his}))
            assert events(storage, "unassigned") == Counter({1: his})
            wait_until(lambda: len(told(smtp)) == 1)
            storage.close()
        assert len(told(smtp)) == 1


def person(email: str, capacity: int, team: str) -> dict[str, Any]:
    return {"name": email.partition("@")[0], "email": email, "role": "agent", "capacity": capacity, "team": team}


def create_at_once(servers: tuple[Server, ...], number: int) -> None:
    together = threading.Barrier(10)

    def create(place: int) -> None:
        with requests.Session() as own:
            if place < 10:
                together.wait(60)
            data(servers[place % 2].call(own, "POST", "/api/tickets", TICKET), 201)

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(create, range(number)))


def load(storage: Any) -> Counter[str]:
    """The number of tickets of each agent."""
    with storage.unit_of_work(None) as uow:
        return Counter(row["assigned_to"] for row in uow.find(uow.query(tables.tickets, tables.tickets.c.assigned_to)))


def events(storage: Any, action: str) -> Counter[int]:
    """How many tickets have how many events of that action about their agent."""
    e = tables.events.c
    with storage.unit_of_work(None) as uow:
        rows = uow.find(
            uow.query(tables.events, e.subject_id).where(
                e.action == action, e.field == "assigned_to", e.subject == "ticket"
            )
        )
    return Counter(Counter(row["subject_id"] for row in rows).values())


def told(smtp: FakeSmtp) -> list[Any]:
    return [one for one in smtp.messages if "Tickets without an agent" in str(one["Subject"])]
