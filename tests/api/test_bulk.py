"""Many tickets at once: a result for each, nothing half done, and undoing it for a while."""

from datetime import timedelta

import pytest

from services.tickets import bulk
from tests.support.clock import Clock

pytestmark = pytest.mark.every_engine


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


@pytest.fixture
def tickets(admin):
    return [admin.ticket(title=f"Ticket {number}") for number in range(3)]


def change(caller, **body):
    return caller.data(caller.post("/api/bulk/tickets", body))


def read(caller, ticket):
    return caller.data(caller.get(f"/api/tickets/{ticket['id']}"))


def test_fields_are_set_on_each_ticket_in_order_and_can_be_put_back(admin, tickets):
    results = change(admin, ids=[ticket["id"] for ticket in tickets], set={"priority": "high", "tags": ["moved"]})
    assert [result["id"] for result in results] == [ticket["id"] for ticket in tickets]
    assert {(result["success"], result["code"]) for result in results} == {(True, "")}
    assert {read(admin, ticket)["priority"] for ticket in tickets} == {"high"}
    listed = {row["id"]: row for row in admin.data(admin.get("/api/tickets"))}
    assert [result["ticket"] for result in results] == [listed[result["id"]] for result in results]
    admin.put(f"/api/tickets/{tickets[1]['id']}", {"priority": "low"})
    undone = admin.data(admin.post("/api/bulk/undo", {"bulk_id": results[0]["bulk_id"]}))
    assert "ticket" not in undone[1]
    assert undone[0]["ticket"]["version"] == read(admin, tickets[0])["version"]
    assert [(result["success"], result["code"]) for result in undone] == [
        (True, ""),
        (False, "stale_version"),
        (True, ""),
    ]
    assert [read(admin, ticket)["priority"] for ticket in tickets] == [
        tickets[0]["priority"],
        "low",
        tickets[2]["priority"],
    ]
    assert read(admin, tickets[0])["tags"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "assign", "arguments": {"agent_email": "bob"}}, "assigned"),
        ({"action": "resolve", "arguments": {"resolution": "Done."}}, "resolved"),
        ({"set": {"status": "in progress"}}, "in_progress"),
    ],
)
def test_each_action_moves_the_tickets_and_undo_moves_them_back(admin, tickets, body, status):
    results = change(admin, ids=[tickets[0]["id"]], **body)
    assert read(admin, tickets[0])["status"] == status
    admin.data(admin.post("/api/bulk/undo", {"bulk_id": results[0]["bulk_id"]}))
    after = read(admin, tickets[0])
    assert {name: after[name] for name in after if name not in ("version", "updated_at")} == {
        name: tickets[0][name] for name in tickets[0] if name not in ("version", "updated_at")
    }


def test_a_ticket_that_fails_does_not_stop_the_others(admin, tickets, other_admin):
    foreign = other_admin.ticket()["id"]
    items = [
        {"id": tickets[0]["id"], "version": 7},
        {"id": "no such ticket"},
        {"id": foreign},
        {"id": tickets[1]["id"], "version": tickets[1]["version"]},
    ]
    results = change(admin, items=items, action="resolve", arguments={"resolution": "Done."})
    assert [(result["success"], result["code"]) for result in results] == [
        (False, "stale_version"),
        (False, "not_found"),
        (False, "not_found"),
        (True, ""),
    ]
    again = change(admin, ids=[tickets[1]["id"]], action="resolve", arguments={"resolution": "Again."})
    assert again[0]["code"] == "move_not_allowed"
    assert read(admin, tickets[1])["resolution"] == "Done."


def test_a_filter_names_the_tickets(admin, tickets):
    admin.ticket(title="Another", product="Card")
    results = change(admin, filter={"product": "Card", "status": "open"}, set={"category": "billing"})
    assert len(results) == 1
    assert admin.get("/api/tickets?category=billing").json["total"] == 1


@pytest.mark.one_engine  # refused before the store is asked
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"set": {"priority": "high"}}, "ids"),
        ({"ids": ["a"], "filter": {"tag": "x"}, "set": {"priority": "high"}}, "ids"),
        ({"ids": ["a"]}, "set"),
        ({"ids": ["a"], "set": {"priority": "high"}, "action": "reopen"}, "set"),
        ({"ids": ["a"], "set": {"prority": "high"}}, "set.prority"),
        ({"ids": ["a"], "set": {"priority": "huge"}}, "set.priority"),
        ({"ids": ["a"], "action": "resolve"}, "arguments"),
        ({"ids": ["a"], "action": "reopen", "arguments": {"auto": True}}, "arguments.auto"),
        ({"ids": ["a"], "set": {"tags": ["x"]}, "arguments": {"auto": True}}, "arguments"),
        ({"ids": [str(number) for number in range(501)], "set": {"priority": "high"}}, "ids"),
        ({"filter": {"statu": "open"}, "set": {"priority": "high"}}, "filter.statu"),
        ({"filter": {}, "set": {"priority": "high"}}, "filter"),
        ({"filter": {"status": None, "q": ""}, "set": {"priority": "high"}}, "filter"),
        ({"ids": [], "set": {"priority": "high"}}, "ids"),
        ({"items": [None], "set": {"priority": "high"}}, "items"),
        ({"items": [{"version": 1}], "set": {"priority": "high"}}, "items[0].id"),
    ],
)
def test_a_bulk_that_is_not_clear_is_refused_by_field(admin, body, field):
    answer = admin.post("/api/bulk/tickets", body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json["data"]["errors"]}


def test_a_bulk_can_be_undone_for_fifteen_minutes_once_and_only_by_its_company(admin, tickets, clock, other_admin):
    first = change(admin, ids=[tickets[0]["id"]], set={"priority": "high"})[0]["bulk_id"]
    assert other_admin.post("/api/bulk/undo", {"bulk_id": first}).status_code == 404
    assert len(admin.data(admin.post("/api/bulk/undo", {"bulk_id": first}))) == 1
    assert admin.post("/api/bulk/undo", {"bulk_id": first}).status_code == 404
    second = change(admin, ids=[tickets[0]["id"]], set={"priority": "urgent"})[0]["bulk_id"]
    clock.now += timedelta(minutes=15, seconds=1)
    assert admin.post("/api/bulk/undo", {"bulk_id": second}).status_code == 404


def test_a_repeated_bulk_with_the_same_reference_is_done_once(admin, tickets):
    body = {"ids": [tickets[0]["id"]], "set": {"priority": "high"}, "client_reference": "b-1"}
    first = admin.post("/api/bulk/tickets", body)
    assert admin.post("/api/bulk/tickets", body).get_data() == first.get_data()
    assert read(admin, tickets[0])["version"] == tickets[0]["version"] + 1


def test_an_erased_customer_is_not_brought_back_by_undoing(admin, tickets, runtime):
    bulk_id = change(admin, ids=[tickets[0]["id"]], action="resolve", arguments={"resolution": "Ada, done."})[0][
        "bulk_id"
    ]
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert admin.data(admin.post("/api/bulk/undo", {"bulk_id": bulk_id})) == []
    with runtime.storage.unit_of_work(None, write=True) as uow:
        bulk.purge(uow)


def test_there_is_a_result_for_each_id_in_its_place(admin, tickets):
    first = tickets[0]["id"]
    results = change(admin, ids=[first, first, None, 7, "x" * 500], set={"priority": "high"})
    assert [result["success"] for result in results] == [True, True, False, False, False]


def test_undoing_gives_no_ticket_to_an_agent_who_has_left(admin, tickets):
    user = {"name": "Bob", "email": "bob@example.com", "role": "agent"}
    bob = admin.data(admin.post("/api/users", user), 201)
    admin.data(admin.post("/api/users", {**user, "email": "eve@example.com"}), 201)
    admin.data(admin.post(f"/api/tickets/{tickets[0]['id']}/assign", {"agent_email": "bob@example.com"}))
    bulk_id = change(admin, ids=[tickets[0]["id"]], action="unassign")[0]["bulk_id"]
    admin.delete(f"/api/users/{bob['id']}")
    (result,) = admin.data(admin.post("/api/bulk/undo", {"bulk_id": bulk_id}))
    assert result["success"] is False
    assert "is no agent any more" in result["message"]
    assert read(admin, tickets[0])["assigned_to"] == ""


def test_undoing_says_what_is_true_of_a_ticket_that_was_changed_and_of_a_bulk_that_is_undone(admin, tickets):
    bulk_id = change(admin, ids=[tickets[0]["id"]], set={"priority": "high"})[0]["bulk_id"]
    change(admin, ids=[tickets[0]["id"]], set={"priority": "urgent"})
    (result,) = admin.data(admin.post("/api/bulk/undo", {"bulk_id": bulk_id}))
    assert result["code"] == "stale_version"
    assert result["message"].endswith("was changed since, so it stays as it is.")
    again = admin.post("/api/bulk/undo", {"bulk_id": bulk_id})
    assert again.status_code == 404
    assert "undone already" in again.json["message"]
