"""Incidents: several customers who write what is alike within 30 minutes, found once, answered and resolved together."""

import threading
from datetime import UTC, datetime

import pytest

from core.models import Actor
from database.tables import jobs
from jobs.incidents import Search, resume
from services.incidents import actions, detection
from tests.support.caller import Caller
from tests.support.clock import Clock
from tools.models.incidents import planted_texts

LOGIN, PAYMENT, CRASH = planted_texts()[:3]
OTHERS = [
    "Where can I read the terms of the warranty?",
    "Please send me a quote for 40 licences.",
    "How do I change the address of my delivery?",
    "I like the new colours of your shop.",
    "Do you ship to Norway?",
]


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


@pytest.fixture
def search(runtime):
    return searcher(runtime)


def searcher(runtime):
    return Search(lambda: runtime.storage, lambda: runtime.trained_models.embeddings)


def write(caller, texts, *, clock=None, minutes=0, prefix="c", **fields):
    """Each text is a ticket of its own customer."""
    made = []
    for number, text in enumerate(texts):
        title, _, rest = text.partition(". ")
        address = {"customer_email": f"{prefix}{number}@example.com"} | fields
        made.append(caller.ticket(title=title, description=rest or text, **address))
        if clock:
            clock.forward(minutes=minutes)
    return made


def listed(admin, query=""):
    return admin.data(admin.get(f"/api/incidents{query}"))


def read(admin, ticket):
    return admin.data(admin.get(f"/api/tickets/{ticket['id']}"))


def history(admin, ticket):
    return admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))


@pytest.fixture
def incident(admin, search):
    """An incident of eight tickets, beside five others."""
    write(admin, OTHERS, prefix="other")
    write(admin, LOGIN)
    search()
    (found,) = listed(admin)
    return found


@pytest.mark.every_engine
def test_customers_who_write_what_is_alike_make_one_incident(admin, search, runtime):
    others, tickets = write(admin, OTHERS, prefix="other"), write(admin, LOGIN)
    search()
    search()  # what is alike to the whole joins the next time
    (incident,) = listed(admin)
    assert incident["status"] == "open"
    assert incident["title"] == "Cannot log in"
    assert incident["ticket_count"] == len(incident["ticket_ids"]) >= 5
    assert set(incident["ticket_ids"]) <= {ticket["id"] for ticket in tickets}
    assert {read(admin, ticket)["incident_id"] for ticket in others} == {""}
    of_incident = admin.data(admin.get(f"/api/tickets?incident={incident['id']}"))
    assert {ticket["id"] for ticket in of_incident} == set(incident["ticket_ids"])
    before = read(admin, {"id": incident["ticket_ids"][0]})
    assert (before["incident_id"], before["version"]) == (incident["id"], 1)
    assert [event["to"] for event in history(admin, before) if event["action"] == "joined"] == [incident["id"]]
    search()
    searcher(runtime)()  # another process, or one after a crash
    assert listed(admin) == [incident]
    audit = [row for row in admin.data(admin.get("/api/audit")) if row["subject"] == "incident"]
    assert [(row["action"], row["subject_id"]) for row in audit] == [("opened", incident["id"])]


def test_one_customer_who_writes_often_makes_no_incident(admin, search):
    write(admin, LOGIN, customer_email="ada@example.com")
    search()
    assert listed(admin) == []


@pytest.mark.parametrize(("minutes", "number"), [(3, 1), (10, 0)])
def test_only_tickets_within_thirty_minutes_count(admin, search, clock, minutes, number):
    for place, text in enumerate(LOGIN):
        write(admin, [text], prefix=f"c{place}-", clock=clock, minutes=minutes)
        search()
    assert len(listed(admin)) == number


def test_usual_questions_of_a_company_are_no_incident(admin, search, clock):
    question = "How do I change my plan?"
    for hour in range(5):
        write(admin, [question] * 4, prefix=f"h{hour}-", clock=clock, minutes=15)
    write(admin, [question] * 5, prefix="now")
    search()
    assert listed(admin) == []


def test_a_later_alike_ticket_joins_within_thirty_minutes_of_the_newest(admin, search, clock, incident):
    for place in range(3):  # the last is more than 30 minutes after the opening
        clock.forward(minutes=20)
        (ticket,) = write(admin, [LOGIN[0]], prefix=f"late{place}-")
        search()
        assert read(admin, ticket)["incident_id"] == incident["id"]
    clock.forward(minutes=31)
    (ticket,) = write(admin, [LOGIN[0]], prefix="too-late")
    search()
    assert read(admin, ticket)["incident_id"] == ""
    assert len(listed(admin)) == 1


def test_two_matters_are_two_incidents(admin, search):
    write(admin, [text for pair in zip(LOGIN, PAYMENT, strict=True) for text in pair])
    for _ in range(4):
        search()
    assert len(listed(admin)) == 2


def test_settings_say_whether_and_from_how_many_customers(admin, search):
    admin.data(admin.put("/api/settings", {"incidents_enabled": False, "incident_customers": 3}))
    write(admin, CRASH[:4])
    search()
    assert listed(admin) == []
    admin.data(admin.put("/api/settings", {"incidents_enabled": True}))
    write(admin, CRASH[4:5], prefix="more")
    search()
    assert len(listed(admin)) == 1


def test_imports_and_demo_tickets_make_no_incident(admin, search):
    rows = [{"title": text, "description": text, "customer_email": f"i{n}@example.com"} for n, text in enumerate(LOGIN)]
    admin.data(admin.post("/api/import", {"tickets": rows}))
    search()
    assert listed(admin) == []


def test_demo_tickets_do_not_count_as_arrived(admin, runtime):
    admin.data(admin.post("/api/demo"))
    with runtime.storage.unit_of_work(Actor.system("default")) as uow:
        assert detection.load(uow) is None


def test_a_clock_that_was_ahead_or_is_set_back_makes_no_incident_of_a_day(admin, search, clock):
    clock.forward(days=2)
    admin.ticket()
    clock.forward(days=-2)  # from now on the order stamps of tickets are milliseconds apart
    for place, text in enumerate(LOGIN):
        write(admin, [text], prefix=f"c{place}-", clock=clock, minutes=12)
        search()
    assert listed(admin) == []
    write(admin, PAYMENT, prefix="real")
    search()
    assert len(listed(admin)) == 1


def test_an_erased_or_deleted_ticket_leaves_and_the_title_follows(admin, search, incident):
    first, second = incident["ticket_ids"][:2]
    address = read(admin, {"id": first})["customer_email"]
    admin.data(admin.delete(f"/api/customers/{address}"))
    (after,) = listed(admin)
    assert first not in after["ticket_ids"]
    assert after["ticket_count"] == incident["ticket_count"] - 1
    assert after["title"] != incident["title"]
    admin.data(admin.delete(f"/api/tickets/{second}"))
    assert listed(admin)[0]["ticket_count"] == incident["ticket_count"] - 2
    for ticket_id in after["ticket_ids"][1:]:
        admin.data(admin.delete(f"/api/tickets/{ticket_id}"))
    assert listed(admin) == []


def test_the_title_names_nobody(admin, search):
    for number, text in enumerate(LOGIN):
        address = {"customer_email": f"ada{number}@lovelace.example", "customer_name": "Ada Lovelace"}
        admin.ticket(title=f"Login fails - Ada Lovelace, ada{number}@lovelace.example", description=text, **address)
    search()
    assert listed(admin)[0]["title"] == "Login fails - [name], [address]"


def test_customers_do_not_see_incidents(admin, customer, incident):
    ticket = customer.ticket()
    assert "incident_id" not in ticket
    assert customer.get("/api/incidents").status_code == 403
    assert customer.get(f"/api/tickets?incident={incident['id']}").status_code == 400


@pytest.mark.every_engine
def test_a_reply_answers_each_open_ticket_and_mails_each_customer_only_theirs(admin, incident, mailer, run_jobs):
    done, *rest = incident["ticket_ids"]
    admin.data(admin.post(f"/api/tickets/{done}/resolve", {"resolution": "Done."}))
    run_jobs()
    mailer.sent.clear()
    body = {"body": "Hello {{customer_email}}, #{{ticket_number}} is known.", "user": "Bob"}
    path = f"/api/incidents/{incident['id']}/reply"
    results = admin.data(admin.post(path, body))
    assert [(row["id"], row["success"], row["code"]) for row in results] == [(name, True, "") for name in rest]
    run_jobs()
    assert len(mailer.sent) == len(rest)
    for notice in mailer.sent:
        ticket = next(ticket for name in rest if (ticket := read(admin, {"id": name}))["customer_email"] == notice.to)
        assert f"Hello {notice.to}, #{ticket['number']} is known." in notice.text
    again = admin.data(admin.post(path, body))
    assert {row["message"][-24:] for row in again} == {"has this answer already."}
    run_jobs()
    assert len(mailer.sent) == len(rest)


def test_a_killed_reply_is_finished_by_the_job_and_no_ticket_is_answered_twice(
    admin, incident, runtime, clock, mailer, run_jobs, monkeypatch
):
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    actor = Actor("default", "agent", "bob")
    with runtime.storage.unit_of_work(actor, write=True) as uow:
        job_id = actions.start(uow, incident["id"], "reply", "We are on it.", said_by="Bob")
    with runtime.storage.unit_of_work(actor, write=True) as uow:
        assert len(actions.run_some(uow, job_id)) == 2  # here the process is killed
    run_jobs()
    mailer.sent.clear()
    clock.forward(seconds=61)
    run_jobs()
    run_jobs()
    for ticket_id in incident["ticket_ids"]:
        thread = admin.data(admin.get(f"/api/tickets/{ticket_id}/replies"))
        assert [(one["body"], one["author_name"]) for one in thread if one["author_role"] == "agent"] == [
            ("We are on it.", "Bob")
        ]
        assert {event["actor"] for event in history(admin, {"id": ticket_id}) if event["action"] == "replied"} == {
            "bob"
        }
    assert len(mailer.sent) == incident["ticket_count"] - 2
    with runtime.storage.unit_of_work(None) as uow:
        job = uow.get(jobs, job_id)
    assert (job["state"], job["payload"]) == ("done", {})
    resume(runtime.storage, job | {"payload": {}})  # a job that another process took over at the same moment


def test_a_job_left_by_a_crash_does_not_repeat_what_a_second_call_answered(admin, incident, runtime, clock, run_jobs):
    actor = Actor("default", "agent", "bob")
    with runtime.storage.unit_of_work(actor, write=True) as uow:
        actions.start(uow, incident["id"], "reply", "We are on it.", said_by="Bob")  # here the process is killed
    first = incident["ticket_ids"][0]
    admin.data(admin.post(f"/api/incidents/{incident['id']}/reply", {"body": "We are on it.", "user": "Bob"}))
    clock.forward(seconds=30)
    admin.data(admin.post(f"/api/tickets/{first}/replies", {"body": "Thank you.", "author_role": "customer"}), 201)
    clock.forward(seconds=31)
    run_jobs()
    thread = admin.data(admin.get(f"/api/tickets/{first}/replies"))
    assert [one["author_role"] for one in thread if one["author_role"] != "ai"] == ["agent", "customer"]


def test_resolving_resolves_each_open_ticket_and_nothing_joins_any_more(admin, search, clock, incident):
    path = f"/api/incidents/{incident['id']}/resolve"
    results = admin.data(admin.post(path, {"resolution": "Sign-in works again, {{customer_name}}."}))
    assert all(row["success"] for row in results)
    assert {read(admin, {"id": name})["status"] for name in incident["ticket_ids"]} == {"resolved"}
    (after,) = listed(admin, "?status=resolved")
    assert after["resolved_at"] > after["opened_at"]
    assert listed(admin, "?status=open") == []
    (ticket,) = write(admin, [LOGIN[0]], prefix="late")
    search()
    assert read(admin, ticket)["incident_id"] == ""
    assert admin.post(path, {"resolution": "Again."}).status_code == 409
    actions_of_it = [row["action"] for row in admin.data(admin.get("/api/audit")) if row["subject"] == "incident"]
    assert actions_of_it == ["resolved", "opened"]


@pytest.mark.parametrize(("route", "field"), [("reply", "body"), ("resolve", "resolution")])
def test_an_unknown_variable_is_refused_before_anything_is_sent(admin, incident, route, field):
    answer = admin.post(f"/api/incidents/{incident['id']}/{route}", {field: "Hello {{password}}"})
    assert answer.status_code == 400
    assert "customer_name" in answer.json["data"]["errors"][0]["message"]
    assert listed(admin) == [incident]


def test_another_company_sees_nothing(incident, other_admin):
    assert other_admin.data(other_admin.get("/api/incidents")) == []
    assert other_admin.post(f"/api/incidents/{incident['id']}/reply", {"body": "Hello."}).status_code == 404


@pytest.mark.parametrize("engine", ["postgresql"])
def test_two_instances_find_the_same_incident_once(open_app, engine):
    runtimes = [open_app().extensions["runtime"] for _ in range(2)]
    admin = Caller(open_app().test_client(), "admin-key")
    tickets = write(admin, LOGIN)
    for _ in range(2):
        threads = [threading.Thread(target=searcher(one)) for one in runtimes * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (incident,) = listed(admin)
    joined = [[event["action"] for event in history(admin, ticket)].count("joined") for ticket in tickets]
    assert sum(joined) == incident["ticket_count"]
    assert set(joined) <= {0, 1}
