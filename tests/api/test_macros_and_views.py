"""Macros and saved views: what they hold, who sees them, and what they do to a ticket or a list."""

from datetime import UTC, datetime, timedelta

import pytest

from services.tickets import queries
from tests.conftest import add_key
from tests.support.caller import Caller

MACRO = {"name": "Ask for the invoice", "body": "Hello {{customer_name}}, ticket #{{ ticket_number }}: which invoice?"}


def add_macro(caller, **fields):
    return caller.data(caller.post("/api/macros", {**MACRO, **fields}), 201)


@pytest.mark.every_engine
def test_a_macro_is_shown_first_and_then_replies_and_sets_fields_together(admin, customer):
    macro = add_macro(admin, set={"status": "in progress", "priority": "high"})
    ticket = admin.ticket(customer_name="Ada")
    path = f"/api/tickets/{ticket['id']}/macro"
    shown = admin.data(admin.post(path, {"macro_id": macro["id"]}))
    assert (shown["applied"], shown["body"]) == (False, f"Hello Ada, ticket #{ticket['number']}: which invoice?")
    assert shown["ticket"] == ticket
    used = admin.data(admin.post(path, {"macro_id": macro["id"], "apply": True, "version": ticket["version"]}))
    assert (used["ticket"]["status"], used["ticket"]["priority"], used["applied"]) == ("in_progress", "high", True)
    thread = customer.data(customer.get(f"/api/tickets/{ticket['id']}/replies"))
    assert thread[-1]["body"] == shown["body"]
    assert admin.post(path, {"macro_id": macro["id"], "apply": True, "version": 1}).status_code == 412


def test_a_macro_whose_change_is_not_possible_sends_no_reply_either(admin):
    macro = add_macro(admin, set={"status": "resolved"})
    ticket = admin.ticket()
    assert admin.post(f"/api/tickets/{ticket['id']}/macro", {"macro_id": macro["id"], "apply": True}).status_code == 400
    assert len(admin.data(admin.get(f"/api/tickets/{ticket['id']}/replies"))) == 1


def test_variables_are_filled_in_once_and_never_evaluated(admin):
    macro = add_macro(admin, body="{{customer_name}} {{ticket_title}} {7*7} %s ${x} <%= 1 %>")
    ticket = admin.ticket(customer_name="{{customer_email}}", title="{{company_name}} {{7*7}}")
    shown = admin.data(admin.post(f"/api/tickets/{ticket['id']}/macro", {"macro_id": macro["id"]}))
    assert shown["body"] == "{{customer_email}} {{company_name}} {{7*7}} {7*7} %s ${x} <%= 1 %>"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"body": "{{customer}}"}, "body"),
        ({"body": "{{}}"}, "body"),
        ({"body": ""}, "body"),
        ({"name": ""}, "name"),
        ({"set": {"stat": "new"}}, "set.stat"),
        ({"set": {"priority": "huge"}}, "set.priority"),
        ({"set": "high"}, "set"),
    ],
)
def test_a_macro_that_cannot_work_is_refused_by_field(admin, fields, field):
    answer = admin.post("/api/macros", {**MACRO, **fields})
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json["data"]["errors"]}


def test_macros_are_listed_changed_and_deleted_in_their_company_alone(admin, agent, other_admin):
    macro = add_macro(admin, set={"priority": "high"})
    assert [row["name"] for row in agent.data(agent.get("/api/macros"))] == [MACRO["name"]]
    changed = agent.data(agent.call("PATCH", f"/api/macros/{macro['id']}", {"name": "Invoice?"}))
    assert (changed["name"], changed["set"]) == ("Invoice?", {"priority": "high"})
    assert other_admin.data(other_admin.get("/api/macros")) == []
    assert other_admin.delete(f"/api/macros/{macro['id']}").status_code == 404
    assert admin.data(admin.delete(f"/api/macros/{macro['id']}")) == {"deleted": True}
    assert admin.data(admin.get("/api/macros")) == []


@pytest.mark.every_engine
def test_a_view_lists_what_its_filter_says_and_counts_it(admin):
    for number in range(3):
        admin.ticket(
            title=f"Ticket {number}", product="Card" if number else "Loan", priority="high" if number == 2 else "low"
        )
    view = admin.data(
        admin.post("/api/views", {"name": "Cards", "filter": {"product": "Card"}, "sort": "priority"}), 201
    )
    assert (view["filter"], view["sort"], view["own"], view["shared"]) == ({"product": "Card"}, "priority", True, False)
    (listed,) = admin.data(admin.get("/api/views"))
    assert listed["count"] == 2
    rows = admin.data(admin.get(f"/api/tickets?view={view['id']}"))
    assert [row["title"] for row in rows] == ["Ticket 2", "Ticket 1"]
    assert admin.get(f"/api/tickets?view={view['id']}&product=Loan").json["total"] == 1
    assert admin.get(f"/api/tickets?view={view['id']}&limit=1").json["total"] == 2
    admin.data(admin.call("PATCH", f"/api/views/{view['id']}", {"filter": {"status": "resolved", "q": "card"}}))
    assert admin.get(f"/api/tickets?view={view['id']}").json["total"] == 0


@pytest.mark.parametrize("sort", queries.SORTS)
def test_a_view_has_each_order_of_the_list(admin, sort):
    view = admin.data(admin.post("/api/views", {"name": "All", "filter": {"status": "all"}, "sort": sort}), 201)
    assert view["sort"] == sort
    assert admin.get(f"/api/tickets?view={view['id']}").status_code == 200
    assert admin.get(f"/api/tickets?sort={sort}").status_code == 200


@pytest.mark.every_engine
def test_everybody_has_standard_views_whose_counts_are_those_of_their_lists(admin, agent):
    name = agent.data(agent.get("/api/me"))["name"]
    mine, snoozed, handed, _ = (admin.ticket(title=f"Ticket {number}") for number in range(4))
    for ticket in (mine, snoozed):
        admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": name}))
    admin.data(admin.post(f"/api/tickets/{snoozed['id']}/snooze", {"until": later()}))
    admin.data(admin.call("PATCH", f"/api/tickets/{handed['id']}", {"status": "handoff"}))
    listed = {view["id"]: view for view in agent.data(agent.get("/api/views?standard=true"))}
    assert {name: view["count"] for name, view in listed.items()} == {
        "mine": 1, "unassigned": 2, "open": 4, "handoff": 1, "due": 0, "snoozed": 1, "resolved": 0
    }  # fmt: skip
    for view_id, view in listed.items():
        assert agent.get(f"/api/tickets?view={view_id}").json["total"] == view["count"]
        assert view["standard"]
    assert agent.get("/api/tickets?view=unassigned&priority=urgent").json["total"] == 0
    assert agent.get("/api/tickets?unassigned=false").json["total"] == 2
    assert admin.delete("/api/views/mine").status_code == 404
    assert agent.data(agent.get("/api/views")) == []


def later() -> str:
    """A time to come that a ticket may be snoozed until."""
    return f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"


def test_a_view_is_its_owners_until_it_is_shared(admin, agent, customer, other_admin, app, runtime):
    view = admin.data(admin.post("/api/views", {"name": "Mine", "filter": {"priority": "high"}}), 201)
    path = f"/api/tickets?view={view['id']}"
    assert agent.data(agent.get("/api/views")) == []
    assert agent.get(path).status_code == 404
    admin.data(admin.call("PATCH", f"/api/views/{view['id']}", {"shared": True}))
    assert [(row["name"], row["own"]) for row in agent.data(agent.get("/api/views"))] == [("Mine", False)]
    assert agent.get(path).status_code == 200
    assert customer.get(path).status_code == 400
    assert customer.get("/api/views").status_code == 403
    assert other_admin.get(path).status_code == 404
    assert other_admin.delete(f"/api/views/{view['id']}").status_code == 404
    for change in (
        lambda: agent.delete(f"/api/views/{view['id']}"),
        lambda: agent.call("PATCH", f"/api/views/{view['id']}", {}),
    ):
        assert change().status_code == 403
    second = Caller(app.test_client(), add_key(runtime, "admin"))
    assert second.data(second.delete(f"/api/views/{view['id']}")) == {"deleted": True}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"filter": {"prority": "high"}}, "filter.prority"),
        ({"filter": {"priority": "huge"}}, "filter.priority"),
        ({"filter": {"view": "x"}}, "filter.view"),
        ({"filter": "priority=high"}, "filter"),
        ({"sort": "name"}, "sort"),
        ({"name": ""}, "name"),
        ({"filter": {"user": "ada@example.com"}}, "filter.role"),
    ],
)
def test_a_view_that_cannot_work_is_refused_by_field(admin, fields, field):
    answer = admin.post("/api/views", {"name": "Bad", "filter": {"priority": "high"}, **fields})
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json["data"]["errors"]}


def test_views_and_macros_that_name_an_erased_customer_are_gone(admin):
    admin.ticket()
    admin.data(admin.post("/api/views", {"name": "Ada's", "filter": {"customer_email": "ada@example.com"}}), 201)
    add_macro(admin, body="Write to ada@example.com")
    add_macro(admin, name="Other")
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert admin.data(admin.get("/api/views")) == []
    assert [macro["name"] for macro in admin.data(admin.get("/api/macros"))] == ["Other"]


def test_no_name_of_a_key_is_in_a_reply(admin):
    macro = add_macro(admin, body="I am {{agent_name}}.")
    path = f"/api/tickets/{admin.ticket()['id']}/macro"
    assert admin.data(admin.post(path, {"macro_id": macro["id"]}))["body"] == "I am Support."
    assert admin.data(admin.post(path, {"macro_id": macro["id"], "user": "Bob"}))["body"] == "I am Bob."


@pytest.mark.parametrize(
    ("body", "fields"), [("{{customer_name}}", {}), ("{{ticket_title}}" * 1200, {"title": "x" * 900})]
)
def test_a_macro_sends_no_reply_that_is_empty_or_too_long(admin, body, fields):
    macro, ticket = add_macro(admin, body=body), admin.ticket(**fields)
    answer = admin.post(f"/api/tickets/{ticket['id']}/macro", {"macro_id": macro["id"], "apply": True})
    assert answer.status_code == 400
    assert len(admin.data(admin.get(f"/api/tickets/{ticket['id']}/replies"))) == 1


def test_the_values_of_a_views_filter_are_texts(admin):
    fields = {"name": "Seven", "filter": {"number": 7, "customer_id": 12}}
    assert admin.data(admin.post("/api/views", fields), 201)["filter"] == {"number": "7", "customer_id": "12"}


def test_a_change_can_empty_a_field(admin):
    macro = add_macro(admin, body="Hello.", set={"priority": "high"})
    path = f"/api/macros/{macro['id']}"
    assert admin.data(admin.call("PATCH", path, {"clear": ["set"]}))["set"] == {}
    assert admin.call("PATCH", path, {"clear": ["body"]}).status_code == 400, "it would do nothing"
    assert admin.call("PATCH", path, {"clear": ["body"], "body": "Hi."}).status_code == 400
    assert admin.call("PATCH", path, {"clear": ["name"]}).status_code == 400
    assert admin.data(admin.call("PATCH", path, {"clear": ["body"], "set": {"priority": "low"}}))["body"] == ""
    view = admin.data(admin.post("/api/views", {"name": "High", "filter": {"priority": "high"}, "sort": "due"}), 201)
    assert admin.data(admin.call("PATCH", f"/api/views/{view['id']}", {"clear": ["sort"]}))["sort"] == ""
    assert admin.call("PATCH", f"/api/views/{view['id']}", {"clear": ["filter"]}).status_code == 400
    assert admin.post("/api/views", {"name": "x", "filter": {"priority": "high"}, "clear": ["sort"]}).status_code == 400


def test_a_bulk_uses_a_macro_on_each_ticket(admin):
    macro = add_macro(admin, body="Dear {{customer_name}}, thank you.", set={"priority": "high"})
    tickets = [admin.ticket(customer_name=name) for name in ("Ada", "Bob")]
    body = {"ids": [ticket["id"] for ticket in tickets], "action": "macro"}
    results = admin.data(admin.post("/api/bulk/tickets", {**body, "arguments": {"macro_id": macro["id"]}}))
    assert all(result["success"] for result in results)
    for ticket, name in zip(tickets, ("Ada", "Bob"), strict=True):
        thread = admin.data(admin.get(f"/api/tickets/{ticket['id']}/replies"))
        assert thread[-1]["body"] == f"Dear {name}, thank you."
    answer = admin.post("/api/bulk/tickets", {**body, "arguments": {"macro_id": "none"}})
    assert answer.status_code == 404, "the macro, and so nothing was tried"
    admin.data(admin.post("/api/bulk/undo", {"bulk_id": results[0]["bulk_id"]}))
    after = admin.data(admin.get(f"/api/tickets/{tickets[0]['id']}"))
    assert (after["priority"], after["status"]) == (tickets[0]["priority"], tickets[0]["status"])
