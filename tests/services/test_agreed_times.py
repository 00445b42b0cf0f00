"""Agreed times of tickets: due times, pauses, status, alerts once each, and what changes of settings do."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from core.timestamps import stamp
from database.tables import companies, tickets
from jobs.agreed_times import Sweep
from services.sla.targets import DEFAULT_HOURS
from tests.support.caller import Caller
from tests.support.clock import Clock
from tests.support.noted_statements import noted
from tests.support.office import MONDAY, OFFICE


@pytest.fixture
def clock():
    return Clock(MONDAY)


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock, support_email="desk@example.com")


@pytest.fixture
def sweep(runtime):
    return Sweep(lambda: runtime.storage)


@pytest.fixture
def alerts(mailer, run_jobs):
    """The subjects and recipients of the alerts that were mailed since the last call."""

    def read():
        run_jobs()
        mails = [(mail.to, mail.subject) for mail in mailer.sent if mail.kind.startswith("sla_")]
        mailer.sent.clear()
        return mails

    return read


def read(admin, ticket):
    return admin.data(admin.get(f"/api/tickets/{ticket['id']}"))


def reply(admin, ticket, role="agent"):
    return admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Hello.", "author_role": role}), 201)


def after(hours):
    """The moment so many hours after Monday at eight."""
    return stamp(MONDAY + timedelta(hours=hours))


def is_near(moment, hours):
    """Whether a moment is that of `after`, or some milliseconds later: order stamps of rows only increase."""
    return after(hours) <= moment < after(hours + 0.001)


def events(admin, ticket):
    rows = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    return [(row["action"], row["field"]) for row in rows if row["action"].startswith("sla_")]


@pytest.mark.every_engine
@pytest.mark.parametrize(
    ("priority", "first_hours", "hours"), [("urgent", 1, 8), ("high", 4, 24), ("medium", 8, 72), ("low", 24, 120)]
)
def test_a_new_ticket_has_the_due_times_of_its_priority(admin, customer, priority, first_hours, hours):
    ticket = admin.ticket(priority=priority, customer_email="ada@example.com")
    assert is_near(ticket["first_response_due_at"], first_hours)
    assert is_near(ticket["resolve_due_at"], hours)
    assert ticket["sla_status"] == "on_track"
    seen = customer.data(customer.get(f"/api/tickets/{ticket['id']}"))
    assert seen["resolve_due_at"] == ticket["resolve_due_at"]


def test_another_priority_or_tier_moves_the_due_times_at_once(admin, clock):
    agreed = admin.data(admin.get("/api/settings"))["sla"]
    premium = {"priority": "high", "tier": "premium", "first_response_minutes": 30, "resolution_minutes": 600}
    admin.data(admin.put("/api/settings", {"sla": [*agreed, premium]}))
    ticket = admin.ticket(priority="low")
    clock.forward(hours=2)
    changed = admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"priority": "high"}))
    assert is_near(changed["first_response_due_at"], 4)
    assert is_near(changed["resolve_due_at"], 24)
    changed = admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"customer_tier": "premium"}))
    assert is_near(changed["first_response_due_at"], 0.5)
    assert is_near(changed["resolve_due_at"], 10)
    assert changed["sla_status"] == "breached"
    changed = admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"priority": "low"}))
    assert (changed["sla_status"], is_near(changed["resolve_due_at"], 120)) == ("on_track", True)


@pytest.mark.every_engine
def test_the_clock_pauses_while_the_customer_is_asked(admin, clock, sweep):
    ticket = admin.ticket(priority="high")
    clock.forward(hours=1)
    reply(admin, ticket)
    waiting = read(admin, ticket)
    assert (waiting["status"], waiting["sla_status"]) == ("waiting_customer", "on_track")
    assert "resolve_due_at" not in waiting
    assert is_near(waiting["first_response_due_at"], 4), "it stays as it was kept"
    clock.forward(hours=100)
    sweep()
    assert read(admin, ticket)["sla_status"] == "on_track"
    reply(admin, ticket, "customer")
    resumed = read(admin, ticket)
    assert is_near(resumed["resolve_due_at"], 124)
    assert resumed["sla_status"] == "on_track"


@pytest.mark.every_engine
def test_risk_and_breach_are_told_once_each_to_support_and_agent(admin, clock, sweep, alerts):
    ticket = admin.ticket(priority="urgent", assigned_to="ben@example.com")
    number = ticket["number"]
    clock.forward(minutes=44, seconds=59)
    sweep()
    assert read(admin, ticket)["sla_status"] == "on_track"
    assert alerts() == []
    clock.forward(seconds=2)
    for _ in range(2):
        sweep()
    at_risk = read(admin, ticket)
    assert (at_risk["sla_status"], at_risk["version"]) == ("at_risk", ticket["version"])
    assert at_risk["updated_at"] > ticket["updated_at"]
    assert alerts() == [
        ("desk@example.com", f"[#{number}] Due soon: {ticket['title']}"),
        ("ben@example.com", f"[#{number}] Due soon"),
    ]
    clock.forward(minutes=15)
    for _ in range(2):
        sweep()
    assert read(admin, ticket)["sla_status"] == "breached"
    assert [to for to, subject in alerts() if "Overdue" in subject] == ["desk@example.com", "ben@example.com"]
    clock.forward(hours=20)
    for _ in range(2):
        sweep()
    assert len(alerts()) == 2
    assert events(admin, ticket) == [
        ("sla_at_risk", "first_response_due_at"),
        ("sla_breached", "first_response_due_at"),
        ("sla_breached", "resolve_due_at"),
    ]


def test_a_time_that_is_at_risk_again_is_not_told_again(admin, clock, sweep, alerts):
    ticket = admin.ticket(priority="urgent")
    clock.forward(minutes=50)
    sweep()
    assert len(alerts()) == 1
    for priority in ("low", "urgent"):
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"priority": priority}))
        sweep()
    assert (read(admin, ticket)["sla_status"], alerts()) == ("at_risk", [])


def test_an_ai_answer_is_no_first_response(admin, clock, sweep):
    ticket = admin.ticket(priority="urgent")
    assert ticket["status"] == "ai_responded"
    clock.forward(hours=1, seconds=1)
    sweep()
    assert read(admin, ticket)["sla_status"] == "breached"


@pytest.mark.parametrize(("hours", "status"), [(7, "met"), (9, "breached")])
def test_a_resolved_ticket_is_met_or_breached_for_good(admin, clock, sweep, hours, status):
    ticket = admin.ticket(priority="urgent")
    reply(admin, ticket)
    reply(admin, ticket, "customer")
    clock.forward(hours=hours)
    resolved = admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    assert (resolved["sla_status"], is_near(resolved["resolve_due_at"], 8)) == (status, True)
    admin.data(admin.put("/api/settings", {"sla": []}))
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"priority": "low"}))
    clock.forward(days=30)
    sweep()
    closed = admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"status": "closed"}))
    assert (closed["sla_status"], closed["resolve_due_at"]) == (status, resolved["resolve_due_at"])


def test_a_breach_just_before_the_end_is_recorded(admin, clock, sweep, alerts):
    ticket = admin.ticket(priority="urgent")
    clock.forward(hours=9)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    sweep()
    assert events(admin, ticket) == [("sla_breached", "first_response_due_at"), ("sla_breached", "resolve_due_at")]
    assert len(alerts()) == 2


@pytest.mark.parametrize(("worked", "due", "status"), [(2, 106, "on_track"), (9, 8, "breached")])
def test_a_reopened_ticket_goes_on_where_it_stopped(admin, clock, worked, due, status):
    ticket = admin.ticket(priority="urgent")
    reply(admin, ticket)
    reply(admin, ticket, "customer")
    clock.forward(hours=worked)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    clock.forward(hours=100 - worked)
    reopened = admin.data(admin.post(f"/api/tickets/{ticket['id']}/reopen", {}))
    assert (reopened["sla_status"], is_near(reopened["resolve_due_at"], due)) == (status, True)


def test_business_time_counts_opening_hours_alone(admin, clock, runtime):
    clock.now = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)  # Friday, 16:30 in Berlin; on Sunday the clocks change
    kept = admin.data(admin.put("/api/settings", {"hours": OFFICE}))["hours"]
    assert kept["days"][0] == {"day": "monday", "opens": "09:00", "closes": "17:00"}
    ticket = admin.ticket(priority="urgent")
    assert ticket["first_response_due_at"][:16] == "2026-03-30T07:30", "Monday, 9:30 in Berlin"
    admin.data(
        admin.put("/api/settings", {"hours": {**OFFICE, "own_holidays": ["2026-03-30"], "holidays_country": "de"}})
    )
    assert admin.ticket(priority="urgent")["first_response_due_at"][:16] == "2026-03-31T07:30"
    assert admin.ticket(priority="high")["resolve_due_at"][:16] == "2026-04-02T14:30", "before Good Friday"


@pytest.mark.every_engine
def test_new_settings_reach_open_tickets_and_alert_nobody_to_what_is_overdue_by_them(
    admin, clock, sweep, run_jobs, alerts
):
    ticket, done = admin.ticket(priority="low"), admin.ticket(priority="low")
    admin.data(admin.post(f"/api/tickets/{done['id']}/resolve", {"resolution": "Done."}))
    clock.forward(hours=3)
    short = {"priority": "low", "first_response_minutes": 60, "resolution_minutes": 360}
    admin.data(admin.put("/api/settings", {"sla": [short]}))
    run_jobs()
    changed = read(admin, ticket)
    assert (changed["sla_status"], is_near(changed["resolve_due_at"], 6)) == ("breached", True)
    assert is_near(read(admin, done)["resolve_due_at"], 120)
    assert admin.ticket(priority="high")["sla_status"] == "", "no row names it"
    sweep()
    assert (alerts(), events(admin, ticket)) == ([], [])
    clock.forward(hours=2)
    sweep()
    assert [subject[:12] for _, subject in alerts()] == [f"[#{ticket['number']}] Due soo"]
    admin.data(admin.put("/api/settings", {"clear": ["sla"]}))
    run_jobs()
    assert is_near(read(admin, ticket)["resolve_due_at"], 120)


def test_an_imported_ticket_that_is_overdue_alerts_nobody(admin, clock, sweep, alerts):
    rows = [
        {"description": "Old", "created_at": "2026-01-01", "customer_email": "ada@example.com", "priority": "high"},
        {"description": "Done", "created_at": "2026-01-01", "customer_email": "ada@example.com", "status": "resolved"},
    ]
    admin.data(admin.post("/api/import", {"tickets": rows}))
    sweep()
    found = {row["title"]: row for row in admin.data(admin.get("/api/tickets"))}
    assert found["Old"]["resolve_due_at"] == "2026-01-02T00:00:00.000Z"
    assert found["Old"]["sla_status"] == "breached"
    assert "resolve_due_at" not in found["Done"]
    assert found["Done"]["sla_status"] == ""
    assert (alerts(), events(admin, found["Old"])) == ([], [])


def test_demo_tickets_alert_nobody(admin, sweep, alerts):
    admin.data(admin.post("/api/demo", {}))
    sweep()
    assert alerts() == []
    statuses = {row["sla_status"] for row in admin.data(admin.get("/api/tickets?limit=200"))}
    assert statuses <= {"on_track", "at_risk", "breached", "met"}
    assert {"met", "breached"} <= statuses


@pytest.mark.every_engine
def test_tickets_of_an_earlier_release_get_their_times_without_alerts(admin, runtime, clock, sweep, alerts):
    ticket = admin.ticket(priority="urgent")
    before = {"sla_running_since": ticket["created_at"], "sla_next_at": ticket["created_at"], "sla_status": ""}
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update(tickets, ticket["id"], {**before, "resolve_due_at": None, "first_response_due_at": None})
    clock.forward(hours=2)
    sweep()
    assert (read(admin, ticket)["sla_status"], is_near(read(admin, ticket)["resolve_due_at"], 8)) == ("breached", True)
    assert alerts() == []
    clock.forward(hours=5)
    sweep()
    assert len(alerts()) == 1, "what comes later is told"


def test_after_a_clock_that_was_wrong_the_status_is_right_again(admin, clock, sweep, run_jobs):
    ticket = admin.ticket(priority="urgent")
    clock.forward(days=400)
    sweep()
    assert read(admin, ticket)["sla_status"] == "breached"
    clock.forward(days=-400)
    sweep()
    run_jobs()
    assert read(admin, ticket)["sla_status"] == "on_track"


@pytest.mark.every_engine
def test_the_sort_by_due_time_puts_tickets_without_one_last(admin):
    low, urgent, waiting = (admin.ticket(priority=priority) for priority in ("low", "urgent", "high"))
    reply(admin, waiting)
    for sort, order in (("due", [urgent, low, waiting]), ("-due", [low, urgent, waiting])):
        assert [row["id"] for row in admin.data(admin.get(f"/api/tickets?sort={sort}"))] == [row["id"] for row in order]


def test_a_ticket_that_fails_keeps_no_other_from_its_turn(admin, runtime, clock, sweep):
    broken, whole = admin.ticket(priority="urgent"), admin.ticket(priority="urgent")
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update(tickets, broken["id"], {"sla_running_since": "no time"})
    clock.forward(hours=2)
    sweep()
    assert read(admin, whole)["sla_status"] == "breached"


def test_the_clock_of_a_ticket_is_kept_in_the_file(admin, clock, open_app, runtime):
    ticket = admin.ticket(priority="high")
    clock.forward(hours=1)
    reply(admin, ticket)
    runtime.storage.close()
    clock.forward(hours=1)
    admin = Caller(open_app(clock=clock).test_client(), "admin-key")
    reply(admin, ticket, "customer")
    assert is_near(read(admin, ticket)["resolve_due_at"], 25)


@pytest.mark.every_engine
def test_two_sweeps_at_once_tell_once(admin, runtime, clock, alerts):
    for _ in range(5):
        admin.ticket(priority="urgent")
    clock.forward(minutes=50)
    sweeps = [Thread(target=Sweep(lambda: runtime.storage)) for _ in range(4)]
    for thread in sweeps:
        thread.start()
    for thread in sweeps:
        thread.join()
    assert len(alerts()) == 5


def test_agreed_times_cost_a_new_ticket_no_statement(admin):
    def statements():
        with noted() as asked:
            admin.ticket(priority="high")
        return len(asked)

    statements()
    admin.data(admin.put("/api/settings", {"hours": OFFICE}))
    with_times = statements()
    admin.data(admin.put("/api/settings", {"sla": []}))
    assert with_times == statements() > 0


def test_stored_settings_that_are_not_known_any_more_stop_no_ticket(admin, runtime):
    with runtime.storage.unit_of_work(None, write=True) as uow:
        hours = {**DEFAULT_HOURS, "holidays_country": "YU", "business_time": True}
        uow.update(companies, "default", {"settings": {"hours": hours}})
    assert is_near(admin.ticket(priority="urgent")["resolve_due_at"], 8)
