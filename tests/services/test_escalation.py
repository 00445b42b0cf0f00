"""Escalation: what nobody takes within the setting is told once, in open hours, whatever the clock does."""

import pytest

from jobs import routing
from tests.services.test_assignment import add_agents, general, read
from tests.support.clock import Clock

ALWAYS = [{"day": day, "opens": "00:00", "closes": "24:00"} for day in ("saturday", "sunday", "monday")]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


@pytest.fixture
def escalate(admin, runtime, mailer, run_jobs):
    """Runs the periodic work and returns the subjects of the mails it sent to the desk."""
    admin.data(admin.put("/api/settings", {"support_email": "desk@example.com", "escalate_after_minutes": 30}))
    work = routing.Escalation(lambda: runtime.storage)

    def run():
        run_jobs()
        mailer.sent.clear()
        work()
        run_jobs()
        return [mail.text for mail in mailer.sent if mail.to == "desk@example.com"]

    return run


def escalated(admin, ticket):
    rows = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    return [(row["actor"], row["to"]) for row in rows if row["action"] == "escalated"]


@pytest.mark.every_engine
def test_a_ticket_that_nobody_takes_is_escalated_once(admin, clock, escalate):
    ticket = general(admin)
    clock.forward(minutes=29)
    assert escalate() == []
    clock.forward(minutes=1)
    (text,) = escalate()
    assert f"Nobody of the team Support has taken ticket #{ticket['number']} for 30 min." in text
    row = read(admin, ticket)
    assert (row["version"], row["next_action"]) == (ticket["version"], "Assign it: nobody has taken it for 30 min.")
    clock.forward(days=3)
    assert escalate() == []
    assert escalated(admin, ticket) == [("system", "support")]
    assert row["updated_at"] > ticket["updated_at"]


TAKEN = {
    "assigned": ("/assign", {"agent_email": "bob"}),
    "resolved": ("/resolve", {"resolution": "Done."}),
    "answered": ("/replies", {"body": "Please wait."}),
}


@pytest.mark.parametrize("how", TAKEN)
def test_what_somebody_took_is_not_escalated_until_it_waits_again(admin, clock, escalate, how):
    ticket = general(admin)
    below, body = TAKEN[how]
    assert admin.post(f"/api/tickets/{ticket['id']}{below}", body).status_code < 300
    clock.forward(hours=5)
    assert escalate() == []
    back = {"assigned": ("/unassign", {}), "resolved": ("/reopen", {})}
    below, body = back.get(how, ("/replies", {"body": "And now?", "author_role": "customer"}))
    assert admin.post(f"/api/tickets/{ticket['id']}{below}", body).status_code < 300
    clock.forward(minutes=29)
    assert escalate() == []
    clock.forward(minutes=1)
    assert len(escalate()) == 1


def test_only_open_hours_count(admin, clock, escalate):
    days = [
        {"day": "monday", "opens": "09:00", "closes": "17:00"},
        {"day": "tuesday", "opens": "09:00", "closes": "17:00"},
    ]
    admin.data(admin.put("/api/settings", {"hours": {"time_zone": "UTC", "days": days, "business_time": False}}))
    ticket = general(admin)  # on Sunday at 8:00
    clock.forward(hours=25, minutes=29)  # Monday at 9:29
    assert escalate() == []
    clock.forward(hours=12)  # in the night it would be over, and nobody could have taken it
    assert escalate() == []
    clock.forward(hours=12)
    assert len(escalate()) == 1
    assert len(escalated(admin, ticket)) == 1


def test_many_at_once_are_told_in_one_notice(admin, clock, escalate):
    made = [general(admin) for _ in range(7)]
    clock.forward(hours=1)
    (text,) = escalate()
    assert f"Nobody has taken 7 tickets for 30 min. #{made[0]['number']} waits for longest." in text
    assert all(len(escalated(admin, ticket)) == 1 for ticket in made)


def test_without_the_setting_nothing_is_escalated(admin, clock, escalate):
    admin.data(admin.put("/api/settings", {"escalate_after_minutes": 0}))
    general(admin)
    clock.forward(days=30)
    assert escalate() == []


def test_a_clock_that_jumps_delays_no_ticket_for_good(admin, clock, escalate):
    clock.forward(days=365)
    escalate()
    ticket = general(admin)
    clock.forward(days=-365)
    assert escalate() == []
    clock.forward(minutes=31)
    assert len(escalate()) == 1
    assert len(escalated(admin, ticket)) == 1


def test_a_restarted_server_escalates_nothing_twice(admin, clock, escalate, runtime):
    ticket = general(admin)
    clock.forward(hours=1)
    assert len(escalate()) == 1
    routing.Escalation(lambda: runtime.storage)()
    assert len(escalated(admin, ticket)) == 1


def test_snoozed_tickets_are_not_escalated_before_they_wake(admin, clock, escalate, runtime):
    ticket = general(admin)
    until = "2026-03-02T08:00:00Z"
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/snooze", {"until": until}))
    clock.forward(hours=5)
    assert escalate() == []
    clock.forward(hours=20)
    from jobs import snoozed

    snoozed.wake(runtime.storage)
    assert escalate() == []
    clock.forward(minutes=31)
    assert len(escalate()) == 1


@pytest.mark.parametrize("wrong", [-1, 1.5, "soon", 10**9])
def test_the_setting_is_checked(admin, wrong):
    assert admin.put("/api/settings", {"escalate_after_minutes": wrong}).status_code == 400


def test_an_escalated_ticket_is_still_assigned(admin, clock, escalate, runtime):
    from tests.services.test_assignment import automatic, name_of

    automatic(admin)
    ticket = general(admin)
    clock.forward(hours=1)
    assert len(escalate()) == 1
    add_agents(admin, "ann")
    routing.assign_waiting(runtime.storage)
    assert name_of(read(admin, ticket)) == "ann"
