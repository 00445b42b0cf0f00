"""Resolved tickets close by themselves, and a late reply opens a new ticket."""

from datetime import UTC, datetime

import pytest

from jobs.handlers import close_resolved_tickets
from services.tickets import closing
from tests.support.clock import Clock


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


def resolved(admin, **fields):
    ticket = admin.ticket(customer_email="ada@example.com", **fields)
    return admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))


def read(admin, ticket):
    return admin.data(admin.get(f"/api/tickets/{ticket['id']}"))


def reply(caller, ticket, **fields):
    return caller.post(f"/api/tickets/{ticket['id']}/replies", {"body": "It is broken again.", **fields})


@pytest.mark.every_engine
def test_a_resolved_ticket_closes_after_a_week_and_nobody_is_mailed(admin, runtime, clock, mailer, run_jobs):
    ticket, other = resolved(admin), admin.ticket()
    run_jobs()
    mailer.sent.clear()
    clock.forward(days=6, hours=23)
    close_resolved_tickets(runtime)
    assert read(admin, ticket)["status"] == "resolved"
    clock.forward(hours=2)
    for _ in range(2):
        close_resolved_tickets(runtime)
    closed = read(admin, ticket)
    assert (closed["status"], closed["resolution"], closed["version"]) == ("closed", "Done.", ticket["version"] + 1)
    assert closed["closed_at"] > closed["resolved_at"]
    assert read(admin, other)["status"] == "ai_responded"
    run_jobs()
    assert mailer.sent == []
    actions = [event["action"] for event in admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))]
    assert actions.count("closed") == 1


@pytest.mark.parametrize(("days", "status"), [(0, "resolved"), (1, "closed"), (30, "resolved")])
def test_the_setting_says_when_it_closes(admin, runtime, clock, days, status):
    admin.data(admin.put("/api/settings", {"auto_close_days": days}))
    ticket = resolved(admin)
    clock.forward(days=10)
    close_resolved_tickets(runtime)
    assert read(admin, ticket)["status"] == status


def test_many_tickets_close_in_batches(admin, runtime, clock, monkeypatch):
    monkeypatch.setattr(closing, "BATCH", 2)
    tickets = [resolved(admin) for _ in range(5)]
    clock.forward(days=8)
    close_resolved_tickets(runtime)
    assert {read(admin, ticket)["status"] for ticket in tickets} == {"closed"}


@pytest.mark.every_engine
@pytest.mark.parametrize("days", [3, 13])
def test_a_customers_reply_reopens_within_two_weeks_also_a_closed_ticket(admin, customer, runtime, clock, days):
    ticket = resolved(admin)
    clock.forward(days=days)
    close_resolved_tickets(runtime)
    answer = customer.data(reply(customer, ticket), 201)
    assert answer["ticket_id"] == ticket["id"]
    reopened = read(admin, ticket)
    assert reopened["status"] == "new"
    assert "closed_at" not in reopened


@pytest.mark.every_engine
@pytest.mark.parametrize("by_customer", [True, False])
def test_a_later_reply_opens_a_new_ticket_that_names_the_old_one(admin, customer, clock, by_customer):
    ticket = resolved(admin, title="Printer on fire", product="Lamp", customer_tier="premium")
    clock.forward(days=14, seconds=1)
    answer = reply(customer, ticket) if by_customer else reply(admin, ticket, author_role="customer")
    assert answer.status_code == 201
    opened = admin.data(admin.get(f"/api/tickets/{answer.json['data']['ticket_id']}"))
    assert opened["title"] == f"Re: [#{ticket['number']}] Printer on fire"
    assert opened["description"] == "It is broken again."
    assert f"#{opened['number']}" in answer.json["message"]
    kept = ("customer_email", "customer_name", "customer_tier", "product")
    assert [opened[name] for name in kept] == [ticket[name] for name in kept]
    thread = customer.data(customer.get(f"/api/tickets/{opened['id']}/replies"))
    assert [row["author_role"] for row in thread] == ["customer", "ai"]
    assert thread[0]["id"] == answer.json["data"]["id"]
    assert read(admin, ticket)["status"] == "resolved"
    for one in (ticket, opened):
        history = admin.data(admin.get(f"/api/tickets/{one['id']}/history"))
        found = [(event["from"], event["to"]) for event in history if event["action"] == "follow_up"]
        assert found == [(str(ticket["number"]), str(opened["number"]))]


def test_a_late_reply_that_is_repeated_opens_one_ticket(admin, customer, clock):
    ticket = resolved(admin)
    clock.forward(days=20)
    answers = [
        customer.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Again."}, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert answers[0].json["data"] == answers[1].json["data"]
    assert admin.get("/api/tickets").json["total"] == 2


def test_without_days_to_reopen_every_reply_opens_a_new_ticket(admin, customer):
    admin.data(admin.put("/api/settings", {"reopen_days": 0}))
    ticket = resolved(admin)
    assert customer.data(reply(customer, ticket), 201)["ticket_id"] != ticket["id"]


def test_an_agents_note_on_an_old_ticket_stays_a_note(admin, clock):
    ticket = resolved(admin)
    clock.forward(days=20)
    assert admin.data(reply(admin, ticket, internal=True), 201)["ticket_id"] == ticket["id"]
    assert reply(admin, ticket).status_code == 409


@pytest.mark.parametrize("name", ["auto_close_days", "reopen_days"])
@pytest.mark.parametrize("value", [-1, 3651, "soon"])
def test_days_that_are_none_are_refused(admin, name, value):
    answer = admin.put("/api/settings", {name: value})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json["data"]["errors"]] == [name]
