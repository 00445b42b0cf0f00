"""An agent who leaves with open tickets: they go back to the queues of their teams, with one event each and one notice."""

import pytest

from core.models import Actor
from database.tables import tickets
from jobs import routing
from services.routing import departures
from tests.services.test_assignment import add_agents, automatic, general, name_of, read


@pytest.fixture
def support(admin):
    admin.data(admin.put("/api/settings", {"support_email": "desk@example.com"}))


def user_of(admin, name):
    return next(row for row in admin.data(admin.get("/api/users")) if row["email"] == f"{name}@example.com")


def leave(admin, name, how):
    path = f"/api/users/{user_of(admin, name)['id']}"
    answer = admin.delete(path) if how is None else admin.call("PATCH", path, how)
    assert answer.status_code == 200, answer.json


def give(runtime, admin, number, name="ann"):
    """Opens so many tickets of an agent, the first in progress."""
    made = [general(admin, assigned_to=f"{name}@example.com") for _ in range(number)]
    admin.data(admin.put(f"/api/tickets/{made[0]['id']}", {"status": "in_progress"}))
    return made


def unassigned(admin, ticket):
    rows = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    return [(row["field"], row["from"], row["to"]) for row in rows if row["action"] == "unassigned"]


@pytest.mark.every_engine
@pytest.mark.parametrize(
    "how", [None, {"disabled": True}, {"role": "customer"}], ids=["deleted", "disabled", "no agent"]
)
def test_open_tickets_go_back_with_one_event_each_and_one_notice(
    admin, runtime, support, mailer, run_jobs, monkeypatch, how
):
    monkeypatch.setattr(departures, "AT_ONCE", 2)
    add_agents(admin, "ann", "bob")
    made = give(runtime, admin, 5)
    resolved = general(admin, assigned_to="ann@example.com")
    admin.data(admin.post(f"/api/tickets/{resolved['id']}/resolve", {"resolution": "Done."}))
    other = general(admin, assigned_to="bob@example.com")
    run_jobs()
    mailer.sent.clear()
    leave(admin, "ann", how)
    assert [name_of(read(admin, ticket)) for ticket in made].count("ann") == 3  # the others follow in the job
    run_jobs()
    for ticket in made:
        row = read(admin, ticket)
        assert (row["assigned_to"], row["status"], row["assigned_team"]) == ("", "new", "support")
        assert "assigned_at" not in row
        assert unassigned(admin, ticket) == [("assigned_to", "ann@example.com", "")]
    assert (name_of(read(admin, resolved)), name_of(read(admin, other))) == ("ann", "bob")
    (mail,) = mailer.sent
    assert (mail.to, "Tickets without an agent" in mail.subject) == ("desk@example.com", True)
    assert "Ann works here no more. 5 open tickets are back in the queues of their teams." in mail.text
    run_jobs()
    assert len(mailer.sent) == 1


def test_returned_tickets_are_assigned_to_others(admin, runtime, run_jobs):
    add_agents(admin, "ann", "bob")
    made = give(runtime, admin, 3)
    automatic(admin)
    leave(admin, "ann", {"disabled": True})
    run_jobs()
    routing.assign_waiting(runtime.storage)
    assert {name_of(read(admin, ticket)) for ticket in made} == {"bob"}


def test_the_job_may_run_twice_and_stops_when_the_agent_is_back(admin, runtime, run_jobs, monkeypatch):
    monkeypatch.setattr(departures, "AT_ONCE", 1)
    add_agents(admin, "ann")
    made = give(runtime, admin, 3)
    leave(admin, "ann", {"disabled": True})
    job = {"company_id": "default", "payload": {"agent": "ann@example.com", "to": ""}}
    admin.data(admin.call("PATCH", f"/api/users/{user_of(admin, 'ann')['id']}", {"disabled": False}))
    routing.return_tickets(runtime.storage, job)
    assert [name_of(read(admin, ticket)) for ticket in made] == ["", "ann", "ann"]
    leave(admin, "ann", {"disabled": True})
    for _ in range(2):
        routing.return_tickets(runtime.storage, job)
    assert [len(unassigned(admin, ticket)) for ticket in made] == [1, 1, 1]


def test_a_new_address_takes_the_open_tickets_along_and_nobody_is_told(admin, runtime, support, mailer, run_jobs):
    add_agents(admin, "ann")
    made = give(runtime, admin, 2)
    run_jobs()
    mailer.sent.clear()
    leave(admin, "ann", {"email": "anna@example.com"})
    run_jobs()
    assert {name_of(read(admin, ticket)) for ticket in made} == {"anna"}
    assert {read(admin, ticket)["status"] for ticket in made} == {"in_progress", "assigned"}
    assert mailer.sent == []


@pytest.mark.parametrize("change", [{"name": "Annie"}, {"available": False}, {"team": "sales"}, {"role": "admin"}])
def test_other_changes_of_an_agent_leave_their_tickets(admin, runtime, change):
    add_agents(admin, "ann")
    made = give(runtime, admin, 2)
    leave(admin, "ann", change)
    assert {name_of(read(admin, ticket)) for ticket in made} == {"ann"}


def test_an_erased_ticket_and_one_of_another_company_stay(admin, runtime, other_admin):
    add_agents(admin, "ann")
    foreign = other_admin.ticket(assigned_to="ann@example.com")
    made = give(runtime, admin, 1)
    leave(admin, "ann", None)
    assert name_of(read(other_admin, foreign)) == "ann"
    assert name_of(read(admin, made[0])) == ""
    with runtime.storage.unit_of_work(Actor.system("other")) as uow:
        assert uow.first(uow.query(tickets))["queue_since"] is None


@pytest.mark.parametrize("how", ["reply", "reopen"])
def test_a_resolved_ticket_of_who_left_opens_again_for_the_team(admin, customer, runtime, how):
    add_agents(admin, "ann", "bob")
    body = {"title": "Hello", "description": "How does it work?"}
    ticket = customer.data(customer.post("/api/tickets", body), 201)
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.post(f"{path}/assign", {"agent_email": "ann@example.com"}))
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    leave(admin, "ann", None)
    assert name_of(read(admin, ticket)) == "ann"  # who resolved it
    if how == "reply":
        customer.data(customer.post(f"{path}/replies", {"body": "It is broken again."}), 201)
    else:
        admin.data(admin.post(f"{path}/reopen"))
    row = read(admin, ticket)
    assert (row["status"], row["assigned_to"]) == ("new", "")
    automatic(admin, row["assigned_team"])
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == "bob"


def test_a_reopened_ticket_stays_with_its_agent(admin, runtime):
    add_agents(admin, "ann", "bob")
    ticket = give(runtime, admin, 1)[0]
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    reopened = admin.data(admin.post(f"/api/tickets/{ticket['id']}/reopen"))
    assert (reopened["status"], name_of(reopened)) == ("in_progress", "ann")
