"""Webhooks of real servers: killed in the middle of sending, and two of them on one PostgreSQL (cases 16, 21)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from core import timestamps
from services.webhooks.deliveries import LEASE_SECONDS
from tests.conftest import SECRET
from tests.fakes.server import Server
from tests.fakes.webhook_receiver import Receiver
from tests.support.caller import Caller
from tests.support.clock import Clock

ALLOWED = {"WEBHOOK_ALLOW_HOSTS": "127.0.0.1", "RATE_LIMIT": "off"}


def subscribe(server, receiver):
    body = {"url": receiver.url, "events": ["ticket.created", "ticket.resolved"]}
    return server.call(requests, "POST", "/api/webhooks", body).json()["data"]["id"]


def open_tickets(server, count, name):
    """Opens tickets and resolves each; returns their ids."""
    ids = []
    for number in range(count):
        new = {"title": "Help", "description": "It broke.", "customer_email": f"{name}{number}@example.com"}
        ids.append(server.call(requests, "POST", "/api/tickets", new).json()["data"]["id"])
        server.call(requests, "POST", f"/api/tickets/{ids[-1]}/resolve", {"resolution": "Done."})
    return ids


def check_order(receiver, ids):
    """Each event arrived, in order for each ticket, always with the same body."""
    first = {}
    for call in receiver.accepted:
        assert first.setdefault(call.id, call).body == call.body
    for id_ in ids:
        events = [call.json["event"] for call in first.values() if call.json["ticket_id"] == id_]
        assert events == ["ticket.created", "ticket.resolved"], id_


def test_case_16_what_a_killed_server_has_not_sent_is_sent_after_its_start(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    with Receiver() as receiver:
        calls = Counter()

        def kills_at_20(call, handler):
            calls["all"] += 1
            if calls["all"] == 20:
                server.kill9()
            return 200

        receiver.behaviour = kills_at_20
        with Server(folder, **ALLOWED) as server:
            hook = subscribe(server, receiver)
            ids = []
            try:
                for number in range(30):
                    ids += open_tickets(server, 1, f"c{number}-")
            except requests.exceptions.RequestException:
                pass  # killed while it answered
            server.process.wait(20)
        with Server(folder, **ALLOWED) as server:
            ids += open_tickets(server, 2, "after-")
            whole = {ticket["id"] for ticket in server.call(requests, "GET", "/api/tickets?limit=200").json()["data"]}
            path = f"/api/webhooks/{hook}/deliveries?limit=200"
            for _ in range(600):
                log = server.call(requests, "GET", path).json()["data"]
                if log and {row["state"] for row in log} == {"delivered"}:
                    break
                receiver.wait(1)
            assert {row["event_id"] for row in log} == {call.id for call in receiver.accepted}
            assert {row["ticket_id"] for row in log} == whole >= set(ids)
            check_order(receiver, set(ids))


@pytest.mark.parametrize("engine", ["postgresql"])
def test_two_servers_on_one_database_send_each_event_once_and_in_order(tmp_path, database_url):
    environment = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET, **ALLOWED}
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        Receiver() as receiver,
        Server(folders[0], **environment) as one,
        Server(folders[1], **environment) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        subscribe(one, receiver)
        both = [pool.submit(open_tickets, server, 15, name) for server, name in ((one, "a"), (two, "b"))]
        ids = [id_ for future in both for id_ in future.result()]
        receiver.wait(len(ids) * 2, seconds=60)
        check_order(receiver, ids)
        assert set(Counter(call.id for call in receiver.accepted).values()) == {1}


@pytest.mark.parametrize("engine", ["postgresql"])
def test_what_a_killed_process_had_claimed_is_sent_by_another_after_the_lease(open_app):
    clock = Clock(timestamps.now() + timedelta(hours=1))
    killed, other = (open_app(webhook_allow_hosts="127.0.0.1", clock=clock) for _ in range(2))
    killed, other = (app.extensions["runtime"].webhooks for app in (killed, other))
    with Receiver() as receiver:
        admin = Caller(open_app(webhook_allow_hosts="127.0.0.1", clock=clock).test_client(), "admin-key")
        hook = admin.data(admin.post("/api/webhooks", {"url": receiver.url, "events": "*"}), 201)["id"]
        admin.ticket()
        assert len(killed._claim_of(killed._storage(), hook, 8)) == 1  # and then it is gone
        assert other.run_due() == 0
        clock.forward(seconds=LEASE_SECONDS + 1)
        assert other.run_due() == 1
        assert len(receiver.accepted) == 1
