"""Demo data: complete, plausible, the same each time, and without mail."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from core.models import SENTIMENTS, STATUSES
from database.tables import conversations, jobs, users
from notifier import ConsoleMailer
from tests.support.caller import Caller

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def tickets(admin):
    admin.data(admin.post("/api/demo"))
    return admin.data(admin.get("/api/tickets?limit=200"))


def test_demo_tickets_have_every_status(tickets):
    assert 55 <= len(tickets) <= 70
    states = Counter(ticket["status"] for ticket in tickets)
    assert set(states) == set(STATUSES)
    assert min(states.values()) >= 2
    assert {ticket["sentiment"] for ticket in tickets} == set(SENTIMENTS)
    assert sum(ticket["priority"] == "urgent" for ticket in tickets) >= 2
    assert sum(ticket["ai_source"] == "canned" for ticket in tickets) >= 40
    assert len({ticket["category"] for ticket in tickets}) == 5
    assert len({ticket["assigned_to"] for ticket in tickets} - {""}) >= 3
    assert sum("csat_score" in ticket for ticket in tickets) == 19


def test_a_newcomer_sees_a_healthy_desk(open_app):
    app = open_app(clock=lambda: NOW)
    admin = Caller(app.test_client(), "admin-key")
    admin.data(admin.post("/api/demo"))
    tickets = admin.data(admin.get("/api/tickets?limit=200&status=open"))
    states = Counter(ticket["sla_status"] for ticket in tickets)
    assert len(tickets) == 23
    assert 2 <= states["breached"] <= 4
    assert 2 <= states["at_risk"] <= 5
    stats = admin.data(admin.get("/api/stats"))
    assert stats["sla_met_percent"] >= 85
    assert sum(day["count"] for day in stats["resolved_per_day"][-3:]) >= 3
    teams = admin.data(admin.get("/api/teams"))
    assert sum(len(team["members"]) for team in teams) == 4
    lists = [admin.get(f"/api/{name}").json["total"] for name in ("macros", "views", "routing/rules", "users")]
    assert lists == [3, 1, 1, 4]


def test_nobody_can_sign_in_as_an_agent_of_the_demo(admin, tickets):
    agents = admin.data(admin.get("/api/users"))
    for agent in agents:
        wrong = {"email": agent["email"], "password": "a password of the demo"}
        assert admin.post("/api/auth/login", wrong).status_code == 401


def test_demo_response_counts_created_tickets(admin):
    counts = admin.data(admin.post("/api/demo"))
    assert counts["created"] == admin.get("/api/tickets?limit=1").json["total"]
    assert counts["customers"] == admin.get("/api/customers?limit=1").json["total"] >= 10


def test_demo_times_are_ordered_and_within_30_days(open_app):
    app = open_app(clock=lambda: NOW)
    admin = Caller(app.test_client(), "admin-key")
    admin.data(admin.post("/api/demo"))
    tickets = admin.data(admin.get("/api/tickets?limit=200&sort=created_at"))
    assert tickets[0]["created_at"] >= "2026-03-01T12"
    assert [ticket["number"] for ticket in tickets] == list(range(1, len(tickets) + 1))
    for ticket in tickets:
        assert ticket["created_at"] <= ticket["updated_at"] <= "2026-03-31T12:00:01"
        if ticket["status"] in ("resolved", "closed"):
            assert ticket["created_at"] < ticket["resolved_at"] <= ticket["updated_at"]
            assert ticket["resolution"]
        assert bool(ticket["assigned_to"]) == ("assigned_at" in ticket)


def test_history_and_thread_fit_the_state(admin, tickets):
    for ticket in tickets:
        path = f"/api/tickets/{ticket['id']}"
        events = admin.data(admin.get(f"{path}/history"))
        assert events[0]["action"] in ("created", "imported")
        moves = [event["to"] for event in events if event["field"] == "status"]
        assert (moves or ["new"])[-1] == ticket["status"]
        thread = admin.data(admin.get(f"{path}/replies"))
        public = [reply["author_role"] for reply in thread if not reply["internal"]]
        if ticket["status"] == "waiting_customer":
            assert public[-1] == "agent"
        if ticket["status"] == "ai_responded":
            assert public == (["customer", "ai"] if ticket["source"] == "chat" else ["ai"])


def test_nothing_happens_by_itself_to_a_chat_of_the_demo(admin, tickets, runtime):
    with runtime.storage.unit_of_work(None) as uow:
        rows = uow.find(uow.query(conversations))
    assert rows
    assert {row["idle_due_at"] for row in rows} == {None}


def test_nobody_is_mailed_about_demo_tickets(tickets, runtime, run_jobs, mailer):
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(jobs).where(jobs.c.lane != "learn")) == 0
    run_jobs()
    assert mailer.sent == []


def test_no_line_is_logged_for_a_mail_of_the_demo(open_app, caplog):
    caplog.set_level("INFO", logger="foyer")
    app = open_app(mailer=ConsoleMailer())
    admin = Caller(app.test_client(), "admin-key")
    admin.data(admin.post("/api/demo"))
    assert "mail (not sent" not in caplog.text
    admin.ticket(customer_email="ann@example.com")
    assert "mail (not sent" in caplog.text


def test_demo_tickets_are_refused_if_tickets_exist(admin):
    admin.ticket()
    response = admin.post("/api/demo")
    assert (response.status_code, response.json["data"]["code"]) == (409, "not_empty")
    assert admin.get("/api/tickets").json["total"] == 1


def test_every_company_gets_the_same_demo_tickets(admin, other_admin):
    def words(caller):
        caller.data(caller.post("/api/demo"))
        names = ("number", "title", "status", "priority", "assigned_to", "customer_email")
        return [[ticket[name] for name in names] for ticket in caller.data(caller.get("/api/tickets?limit=200"))]

    assert words(admin) == words(other_admin)


def test_demo_tickets_are_assigned_to_the_companys_agents(admin, runtime):
    with runtime.storage.unit_of_work(None, write=True) as uow:
        row = {"company_id": "default", "email": "zoe@example.com", "name": "Zoe", "created_at": uow.now}
        uow.insert(users, row)
    admin.data(admin.post("/api/demo"))
    tickets = admin.data(admin.get("/api/tickets?limit=200"))
    assert {ticket["assigned_to"] for ticket in tickets} == {"", "zoe@example.com"}


def test_agents_cannot_add_demo_tickets(agent, stranger):
    assert agent.post("/api/demo").status_code == 403
    assert stranger.post("/api/demo").status_code == 403
