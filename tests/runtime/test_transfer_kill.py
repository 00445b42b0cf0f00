"""An import on a real server that is killed midway, more than once: it goes on, and nothing is missing or twice."""

import time

import requests

from tests.fakes.running_server import KEY
from tests.fakes.server import Server
from tests.support.transfers import ZIP, packed

NOW = "2026-01-02T03:04:05.000Z"
TICKETS, REPLIES = 1500, 2
KILLED_AT = (900, 2500)  # rows that are done by then


def a_company():
    """Customers, tickets and threads, with files on some of them."""
    times = {"created_at": NOW, "updated_at": NOW}
    people = [{"id": f"c{one}", "email": f"c{one}@example.com", "created_at": NOW} for one in range(100)]
    tickets = [
        {**times, "id": f"t{one}", "customer_row": f"c{one % 100}", "title": f"Ticket {one}", "number": one}
        for one in range(1, TICKETS + 1)
    ]
    replies = [
        {"id": f"r{one}-{part}", "ticket_id": f"t{one}", "body": f"Part {part}.", "created_at": NOW}
        for one in range(1, TICKETS + 1)
        for part in range(REPLIES)
    ]
    files = {f"a{one}": b"Hello" * one for one in range(1, 21)}
    attachments = [{"id": name, "ticket_id": f"t{name[1:]}", "name": "a.txt", "created_at": NOW} for name in files]
    rows = {"customers": people, "tickets": tickets, "replies": replies, "attachments": attachments}
    return packed(rows, files), sum(map(len, rows.values()))


def state_of(server, transfer_id):
    return server.call(requests, "GET", f"/api/transfers/{transfer_id}").json()["data"]


def wait_for(server, transfer_id, *, done):
    """Waits until so many rows are done, or the import is over."""
    for _ in range(6000):
        state = state_of(server, transfer_id)
        if state["done"] >= done or state["state"] in ("done", "failed"):
            return state
        time.sleep(0.01)
    raise AssertionError(state)


def test_an_import_goes_on_after_kill_9(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    data, rows = a_company()
    transfer_id, stopped_at = "", []
    for done in KILLED_AT:
        with Server(folder, RATE_LIMIT="off") as server:
            if not transfer_id:
                transfer_id = server.call(requests, "POST", "/api/transfers", {"kind": "import"}).json()["data"]["id"]
                headers = {"X-API-Key": KEY, "Content-Type": ZIP}
                path = f"{server.url}/api/transfers/{transfer_id}/file"
                assert requests.put(path, data=data, headers=headers, timeout=60).ok
            stopped_at.append(wait_for(server, transfer_id, done=done))
            server.kill9()
    assert [state["state"] for state in stopped_at] == ["running", "running"], "killed too late to prove anything"
    with Server(folder, RATE_LIMIT="off") as server:
        state = wait_for(server, transfer_id, done=rows + 1)
        assert (state["state"], state["errors"], state["skipped"]) == ("done", [], 0)
        assert (state["created"], state["total"]) == (rows, rows)
        assert server.call(requests, "GET", "/api/tickets?limit=1").json()["total"] == TICKETS
        last = server.call(requests, "GET", "/api/tickets?limit=1&sort=created_at").json()["data"][0]
        assert server.call(requests, "GET", f"/api/tickets/{last['id']}/replies").json()["total"] == REPLIES
    kept = [path for path in (folder / "attachments" / "default").iterdir() if path.stat().st_size]
    assert len(kept) >= 20
