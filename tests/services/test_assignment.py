"""Automatic assignment: who is free, who is next, what waits, and that capacity holds whoever assigns at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.models import TEAMS, Actor
from database.tables import tickets, users
from jobs import routing
from services.routing import agents
from tests.support.accounts import bearing
from tests.support.caller import Caller
from tests.support.clock import Clock

MANY = 50


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


def add_agents(admin, *names, team="support", **fields):
    for name in names:
        row = {
            "name": name.title(),
            "email": f"{name}@example.com",
            "role": "agent",
            **({"team": team} if team else {}),
        }
        admin.data(admin.post("/api/users", {**row, **fields}), 201)


def automatic(admin, key="support"):
    team = next(team for team in admin.data(admin.get("/api/teams")) if team["key"] == key)
    return admin.data(admin.call("PATCH", f"/api/teams/{team['id']}", {"assignment": "Least loaded"}))


def set_user(runtime, name, **values):
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        assert uow.update_where(users, users.c.email == f"{name}@example.com", **values) == 1


def general(caller, **fields):
    return caller.ticket(category="general", **fields)


def name_of(ticket):
    return ticket["assigned_to"].partition("@")[0]


def read(admin, ticket):
    return admin.data(admin.get(f"/api/tickets/{ticket['id']}"))


@pytest.mark.every_engine
def test_a_new_ticket_goes_to_the_least_loaded_then_the_longest_idle_member(admin, runtime):
    add_agents(admin, "ann", "bob", "cid")
    add_agents(admin, "eve", team="sales")
    assert name_of(general(admin)) == ""
    automatic(admin)
    made = [general(admin) for _ in range(4)]
    assert [name_of(ticket) for ticket in made] == ["ann", "bob", "cid", "ann"]
    assert {ticket["status"] for ticket in made} == {"assigned"}
    assert made[3]["triage_reasons"][-1] == "assigned to ann@example.com: least open work (1) in team support"
    admin.data(admin.post(f"/api/tickets/{made[1]['id']}/resolve", {"resolution": "Done."}))
    admin.data(admin.post(f"/api/tickets/{made[2]['id']}/resolve", {"resolution": "Done."}))
    # Bob and Cid have no open work; Bob has got none for longer.
    assert [name_of(general(admin)) for _ in range(2)] == ["bob", "cid"]
    assert name_of(admin.ticket(category="sales")) == ""
    history = [(row["action"], row["actor"]) for row in admin.data(admin.get(f"/api/tickets/{made[0]['id']}/history"))]
    assert history == [("created", "API_KEY"), ("ai_answered", "API_KEY"), ("assigned", "system")]


def test_the_customer_is_answered_and_the_agent_is_mailed(admin, customer, mailer, run_jobs):
    add_agents(admin, "ann")
    for team in TEAMS:
        automatic(admin, team)
    body = {"title": "Hello", "description": "How does it work?"}
    ticket = customer.data(customer.post("/api/tickets", body), 201)
    assert "assigned_to" not in ticket
    ticket = read(admin, ticket)
    assert (name_of(ticket), ticket["ai_status"], bool(ticket["ai_response"])) == ("ann", "done", True)
    run_jobs()
    assert sorted((mail.kind, mail.to) for mail in mailer.sent) == [
        ("ai_answer", "ada@example.com"),
        ("assigned", "ann@example.com"),
        ("ticket_received", "ada@example.com"),
    ]


@pytest.mark.parametrize("gone", [{"available": False}, {"capacity": 0}, {"disabled": True}, {"role": "customer"}])
def test_who_is_not_free_gets_nothing_and_the_ticket_waits(admin, runtime, gone):
    add_agents(admin, "ann")
    automatic(admin)
    set_user(runtime, "ann", **gone)
    ticket = general(admin)
    assert name_of(ticket) == ""
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == ""
    set_user(runtime, "ann", available=True, capacity=None, disabled=False, role="agent")
    routing.assign_waiting(runtime.storage)
    after = read(admin, ticket)
    assert (name_of(after), after["status"], after["version"]) == ("ann", "assigned", ticket["version"])


def test_a_team_without_members_is_served_by_everybody_and_others_only_help_when_asked(admin, runtime):
    add_agents(admin, "ann")
    add_agents(admin, "eve", team="")
    automatic(admin)
    automatic(admin, "sales")
    assert {name_of(admin.ticket(category="sales")) for _ in range(2)} == {"ann", "eve"}
    set_user(runtime, "ann", available=False)
    ticket = general(admin)
    assert name_of(ticket) == ""
    assigned = admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"auto": True}))
    assert name_of(assigned) == "eve"
    assert assigned["triage_reasons"][-1].endswith("in all teams")


def test_nobody_is_assigned_while_the_desk_is_closed(admin, runtime, clock):
    days = [{"day": "monday", "opens": "09:00", "closes": "17:00"}]
    admin.data(admin.put("/api/settings", {"hours": {"time_zone": "UTC", "days": days, "business_time": False}}))
    add_agents(admin, "ann")
    automatic(admin)
    ticket = general(admin)  # on a Sunday
    assert name_of(ticket) == ""
    refused = admin.post(f"/api/tickets/{ticket['id']}/assign", {"auto": True})
    assert (refused.status_code, refused.json["data"]["code"]) == (409, "no_agents")
    assert "2026-03-02 09:00 (UTC)" in refused.json["message"]
    clock.forward(hours=24)
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == ""
    clock.forward(hours=2)
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == "ann"


def test_auto_keeps_the_agent_whom_a_ticket_has(admin, mailer, run_jobs):
    add_agents(admin, "ann", "bob")
    path = f"/api/tickets/{admin.ticket()['id']}/assign"
    assert {admin.data(admin.post(path, {"auto": True}))["assigned_to"] for _ in range(3)} == {"ann@example.com"}
    run_jobs()
    assert [mail.kind for mail in mailer.sent].count("assigned") == 1


def test_what_a_person_put_back_does_not_return_to_the_same_agent(admin, runtime):
    add_agents(admin, "ann", "bob")
    automatic(admin)
    ticket = general(admin)
    assert name_of(ticket) == "ann"
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/unassign"))
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == "bob"
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/unassign"))
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == ""


def test_a_ticket_that_changes_its_team_is_assigned_there(admin, runtime):
    add_agents(admin, "ann")
    automatic(admin)
    ticket = admin.ticket(category="sales")
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == ""
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"assigned_team": "support"}))
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == "ann"


def test_imported_and_finished_tickets_and_chats_with_the_ai_are_left_alone(admin, runtime):
    rows = [
        {"title": "Old", "description": "From elsewhere", "customer_email": "ada@example.com", "category": "general"}
    ]
    admin.data(admin.post("/api/import", rows))
    resolved = general(admin)
    admin.data(admin.post(f"/api/tickets/{resolved['id']}/resolve", {"resolution": "Done."}))
    message = {"message": "How do I change my plan?", "customer_email": "ada@example.com"}
    admin.data(admin.post("/api/chat", message))
    waiting = general(admin)
    add_agents(admin, "ann")
    for team in TEAMS:
        automatic(admin, team)
    routing.assign_waiting(runtime.storage)
    assigned = [row["id"] for row in admin.data(admin.get("/api/tickets")) if row["assigned_to"]]
    assert assigned == [waiting["id"]]


def test_a_handed_over_chat_is_assigned_once_somebody_is_free(admin, runtime):
    add_agents(admin, "ann", available=False)
    for team in TEAMS:
        automatic(admin, team)
    message = {"message": "I want to talk to a human please", "customer_email": "ada@example.com"}
    chat = admin.data(admin.post("/api/chat", message))
    ticket = {"id": chat["conversation_id"]}
    assert (read(admin, ticket)["status"], name_of(read(admin, ticket))) == ("handoff", "")
    set_user(runtime, "ann", available=True)
    routing.assign_waiting(runtime.storage)
    assert (read(admin, ticket)["status"], name_of(read(admin, ticket))) == ("assigned", "ann")


def test_a_signed_in_agent_says_whether_they_are_available(admin, agent):
    add_agents(admin, "ann", password="correct horse battery")
    login = {"email": "ann@example.com", "password": "correct horse battery"}
    ann = bearing(admin, admin.data(admin.post("/api/auth/login", login))["access_token"])
    me = ann.data(ann.get("/api/me"))
    assert (me["available"], me["team"]) == (True, "support")
    assert ann.data(ann.call("PATCH", "/api/me", {"available": False}))["available"] is False
    assert admin.data(admin.get("/api/users"))[0]["available"] is False
    ticket = general(admin)
    assert admin.post(f"/api/tickets/{ticket['id']}/assign", {"auto": True}).status_code == 409
    assert agent.call("PATCH", "/api/me", {"available": False}).status_code == 403  # a key is nobody
    assert ann.call("PATCH", "/api/me", {"role": "admin"}).status_code == 400


def test_the_capacity_of_a_user_is_set_and_cleared(admin):
    add_agents(admin, "ann")
    user = admin.data(admin.get("/api/users"))[0]
    assert "capacity" not in user
    path = f"/api/users/{user['id']}"
    assert admin.data(admin.call("PATCH", path, {"capacity": "3"}))["capacity"] == 3
    assert "capacity" not in admin.data(admin.call("PATCH", path, {"clear": ["capacity"]}))
    for wrong in (-1, 1.5, "many", 10_001):
        assert admin.call("PATCH", path, {"capacity": wrong}).status_code == 400


def at_once(app, number, work):
    with ThreadPoolExecutor(10) as threads:
        return list(threads.map(lambda place: work(Caller(app.test_client(), "admin-key"), place), range(number)))


@pytest.mark.every_engine
def test_case_19_capacity_holds_under_50_creates_at_once(app, admin, runtime):
    add_agents(admin, "ann", capacity=7)
    add_agents(admin, "bob", capacity=5)
    automatic(admin)
    at_once(app, MANY, lambda caller, place: general(caller))
    load = dict.fromkeys(("ann", "bob", ""), 0)
    for row in admin.data(admin.get("/api/tickets?limit=200")):
        load[name_of(row)] += 1
    assert load == {"ann": 7, "bob": 5, "": MANY - 12}


@pytest.mark.every_engine
def test_case_19_workers_who_assign_at_once_assign_each_ticket_once(app, admin, runtime, mailer, run_jobs):
    add_agents(admin, "ann", "bob", capacity=4)
    made = [general(admin) for _ in range(12)]
    run_jobs()
    mailer.sent.clear()
    automatic(admin)
    path = f"/api/tickets/{made[-1]['id']}/assign"

    def work(caller, place):
        if place % 2:
            routing.assign_waiting(runtime.storage)
        else:
            caller.post(path, {"auto": True})

    at_once(app, 10, work)
    rows = [read(admin, ticket) for ticket in made]
    assert sorted(map(name_of, rows)) == [""] * 4 + ["ann"] * 4 + ["bob"] * 4
    for row in rows:
        history = admin.data(admin.get(f"/api/tickets/{row['id']}/history"))
        events = [event for event in history if (event["action"], event["field"]) == ("assigned", "assigned_to")]
        assert len(events) == bool(row["assigned_to"])
    run_jobs()
    assert sorted(mail.to for mail in mailer.sent) == ["ann@example.com"] * 4 + ["bob@example.com"] * 4


def test_the_periodic_work_opens_no_writer_when_nobody_is_free(admin, runtime, monkeypatch):
    add_agents(admin, "ann", capacity=0)
    automatic(admin)
    general(admin)
    before = runtime.storage.clocks.order_now()
    with runtime.storage.unit_of_work(Actor.system("default")) as uow:
        assert agents.Pool(uow).choose("support") is None
        row = uow.first(uow.query(tickets))
    routing.assign_waiting(runtime.storage)
    with runtime.storage.unit_of_work(Actor.system("default")) as uow:
        assert uow.first(uow.query(tickets)) == row
    assert before
