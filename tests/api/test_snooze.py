"""Snoozed tickets: at the end of the queue until their time, and awake when their customer writes."""

from datetime import UTC, datetime

import pytest

from jobs import snoozed
from jobs.agreed_times import Sweep
from tests.support.caller import Caller
from tests.support.clock import Clock

TOMORROW = "2026-03-03T08:00:00.000Z"


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


def read(caller, ticket):
    return caller.data(caller.get(f"/api/tickets/{ticket['id']}"))


def snooze(caller, ticket, until=TOMORROW, **body):
    return caller.post(f"/api/tickets/{ticket['id']}/snooze", {"until": until, **body})


def titles(caller, query):
    return [row["title"] for row in caller.data(caller.get(f"/api/tickets?{query}"))]


def actions(admin, ticket):
    return [row["action"] for row in admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))]


@pytest.mark.every_engine
def test_a_snoozed_ticket_is_last_in_the_queue_and_wakes_at_its_time_in_its_old_place(admin, runtime, clock):
    first, _ = (admin.ticket(title=title, assigned_to="bob") for title in ("first", "second"))
    asleep = admin.data(snooze(admin, first))
    assert (asleep["snoozed_until"], asleep["status"], asleep["version"]) == (TOMORROW, "assigned", 2)
    assert titles(admin, "sort=waiting") == ["second", "first"]
    assert titles(admin, "snoozed=true") == ["first"]
    assert titles(admin, "snoozed=false") == ["second"]
    counts = [admin.get(f"/api/tickets?{query}").json["total"] for query in ("snoozed=false", "snoozed=false&q=first")]
    assert counts == [1, 0]
    assert titles(admin, "sort=created_at") == ["first", "second"]
    clock.forward(hours=23)
    snoozed.wake(runtime.storage)
    assert read(admin, first)["snoozed_until"] == TOMORROW
    clock.forward(hours=2)
    for _ in range(2):
        snoozed.wake(runtime.storage)
    awake = read(admin, first)
    assert "snoozed_until" not in awake
    assert awake["version"] == asleep["version"], "what time does raises no version"
    assert titles(admin, "sort=waiting") == ["first", "second"]
    assert actions(admin, first).count("woken") == 1
    assert admin.get("/api/triggers/updated-tickets").json["data"][0]["id"] == first["id"]


@pytest.mark.every_engine
def test_words_of_the_customer_wake_a_ticket_and_words_of_an_agent_do_not(admin, customer):
    ticket = admin.ticket()
    admin.data(snooze(admin, ticket))
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "We will look."}), 201)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "A note.", "internal": True}), 201)
    assert read(admin, ticket)["snoozed_until"] == TOMORROW
    assert "snoozed" not in customer.get(f"/api/tickets/{ticket['id']}").get_data(as_text=True)
    customer.data(customer.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Now, please."}), 201)
    assert "snoozed_until" not in read(admin, ticket)
    assert actions(admin, ticket).count("woken") == 1


@pytest.mark.parametrize(
    ("what", "body"), [("resolve", {"resolution": "Done."}), ("merge", {}), ("", {"clear": ["snoozed_until"]})]
)
def test_what_ends_a_snooze(admin, runtime, clock, what, body):
    ticket = admin.ticket()
    admin.data(snooze(admin, ticket))
    if what == "merge":
        body = {"into": admin.ticket()["id"]}
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.post(f"{path}/{what}", body) if what else admin.call("PATCH", path, body))
    assert "snoozed_until" not in read(admin, ticket)
    before = read(admin, ticket)
    clock.forward(days=3)
    snoozed.wake(runtime.storage)
    assert read(admin, ticket) == before


@pytest.mark.parametrize("what", ["assign", "status"])
def test_work_on_a_snoozed_ticket_leaves_it_snoozed_at_the_end_of_the_queue(admin, what):
    ticket = admin.ticket(title="asleep")
    admin.ticket(title="awake")
    admin.data(snooze(admin, ticket))
    path = f"/api/tickets/{ticket['id']}"
    if what == "assign":
        admin.data(admin.post(f"{path}/assign", {"agent_email": "bob"}))
    else:
        admin.data(admin.put(path, {"status": "in_progress"}))
    assert titles(admin, "sort=waiting") == ["awake", "asleep"]
    admin.data(admin.call("PATCH", path, {"clear": ["snoozed_until"]}))
    assert titles(admin, "sort=waiting") == ["asleep", "awake"]


@pytest.mark.parametrize(
    "until", ["2026-03-02T08:00:00Z", "2020-01-01", "2030-01-01", "9999-12-31", "soon", "", None, 7, "2026-02-30"]
)
def test_a_time_that_has_passed_or_is_none_is_refused(admin, until):
    ticket = admin.ticket()
    answer = admin.post(f"/api/tickets/{ticket['id']}/snooze", {"until": until})
    assert answer.status_code == 400
    assert answer.json["data"]["errors"][0]["field"] == "until"
    assert read(admin, ticket) == ticket


def test_a_finished_ticket_is_not_snoozed_and_a_stale_version_is_refused(admin):
    ticket = admin.ticket()
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    answer = snooze(admin, ticket)
    assert (answer.status_code, answer.json["data"]["code"]) == (409, "move_not_allowed")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/reopen"))
    assert snooze(admin, ticket, version=1).status_code == 412


def test_a_merged_ticket_is_neither_snoozed_nor_answered_by_the_ai_and_the_way_out_is_named(admin):
    ticket, other = admin.ticket(), admin.ticket()
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/merge", {"into": other["id"]}))
    answer = snooze(admin, ticket)
    assert (answer.status_code, answer.json["data"]["code"]) == (409, "merged")
    assert "Undo the merge first." in answer.json["message"]
    asked = admin.post(f"/api/tickets/{ticket['id']}/ai_response")
    assert (asked.status_code, asked.json["data"]["code"]) == (409, "merged")


def test_a_snooze_of_a_clock_that_was_years_ahead_ends_when_the_clock_is_right(admin, runtime, clock):
    ticket = admin.ticket()
    clock.forward(days=4000)
    admin.data(snooze(admin, ticket, "2037-03-01"))
    clock.forward(days=-4000)
    snoozed.wake(runtime.storage)
    assert "snoozed_until" not in read(admin, ticket)


def test_a_clock_that_jumps_back_wakes_nothing_early_and_loses_nothing(admin, runtime, clock):
    ticket = admin.ticket()
    admin.data(snooze(admin, ticket))
    clock.forward(days=-5)
    snoozed.wake(runtime.storage)
    assert read(admin, ticket)["snoozed_until"] == TOMORROW
    clock.forward(days=7)
    snoozed.wake(runtime.storage)
    assert "snoozed_until" not in read(admin, ticket)


def test_the_agreed_times_go_on_while_a_ticket_is_snoozed(admin, runtime, clock):
    ticket = admin.ticket(priority="urgent", assigned_to="bob")
    due = ticket["resolve_due_at"]
    assert admin.data(snooze(admin, ticket, "2026-03-20"))["resolve_due_at"] == due
    clock.forward(days=10)
    Sweep(lambda: runtime.storage)()
    assert read(admin, ticket)["sla_status"] == "breached"
    assert titles(admin, "sla_status=breached") == [ticket["title"]]
    assert titles(admin, "sla_status=met,on_track") == []


@pytest.mark.every_engine
def test_a_bulk_snoozes_tickets_and_undoing_it_wakes_them(admin):
    tickets = [admin.ticket(title=f"Ticket {number}") for number in range(2)]
    body = {"ids": [ticket["id"] for ticket in tickets], "action": "snooze", "arguments": {"until": TOMORROW}}
    results = admin.data(admin.post("/api/bulk/tickets", body))
    assert all(result["success"] for result in results)
    assert {read(admin, ticket)["snoozed_until"] for ticket in tickets} == {TOMORROW}
    admin.data(admin.post("/api/bulk/undo", {"bulk_id": results[0]["bulk_id"]}))
    for ticket in tickets:
        after = read(admin, ticket)
        assert {**after, "version": 1, "updated_at": ""} == {**ticket, "version": 1, "updated_at": ""}
    late = admin.data(admin.post("/api/bulk/tickets", {**body, "arguments": {"until": "2020-01-01"}}))
    assert {result["code"] for result in late} == {"invalid_fields"}


def test_a_ticket_that_slept_while_the_server_was_stopped_wakes_after_the_start(open_app, tmp_path, clock):
    given = {"data_dir": tmp_path / "kept", "database_url": f"json:{tmp_path / 'kept'}", "clock": clock}
    app = open_app(**given)
    admin = Caller(app.test_client(), "admin-key")
    ticket = admin.ticket()
    admin.data(snooze(admin, ticket))
    app.extensions["runtime"].stop()
    clock.forward(days=2)
    second = open_app(**given)
    snoozed.wake(second.extensions["runtime"].storage)
    assert "snoozed_until" not in read(Caller(second.test_client(), "admin-key"), ticket)


def test_customers_cannot_filter_by_snooze_and_a_view_can(admin, customer):
    ticket = admin.ticket()
    admin.data(snooze(admin, ticket))
    assert customer.get("/api/tickets?snoozed=true").status_code == 400
    body = {"name": "Asleep", "filter": {"snoozed": True, "sla_status": "on_track"}}
    view = admin.data(admin.post("/api/views", body), 201)
    assert view["filter"] == {"snoozed": "true", "sla_status": "on_track"}
    assert [row["id"] for row in admin.data(admin.get(f"/api/tickets?view={view['id']}"))] == [ticket["id"]]
    assert admin.get("/api/tickets?sla_status=late").status_code == 400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sla_status=breached' OR 1=1 --", "sla_status"),
        ("sla_status=breached;DROP TABLE tickets", "sla_status"),
        ("snoozed=true OR 1=1", "snoozed"),
        ("snoozed=1)--", "snoozed"),
        ("sort=waiting; DROP TABLE tickets", "sort"),
        ("snoozed_until=2026-01-01", "snoozed_until"),
        ("merged_into=x", "merged_into"),
    ],
)
def test_what_is_no_filter_is_refused_case_33(admin, query, field):
    ticket = admin.ticket()
    answer = admin.get("/api/tickets", query_string=query.replace(" ", "%20").replace(";", "%3B"))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json["data"]["errors"]] == [field]
    assert read(admin, ticket)["id"] == ticket["id"]
