"""POST /api/import/records: what comes in of another help desk, silently, once, and for one company."""

import pytest

from core.models import EVENTS
from database.tables import deliveries, jobs, tickets, users
from tests.support.caller import Caller

THEN = "2025-03-01T08:00:00.000Z"
TICKET = {
    "external_id": "zendesk:1",
    "title": "Invoice is wrong",
    "description": "It shows the old address.",
    "customer_email": "eve@example.com",
    "status": "waiting_customer",
    "created_at": THEN,
    "replies": [
        {"author_role": "agent", "author_name": "Bea", "body": "Which one?", "created_at": "2025-03-01T09:00:00Z"},
        {
            "author_role": "customer",
            "author_name": "Eve",
            "author_email": "eve@example.com",
            "body": "The last.",
            "created_at": "2025-03-01T10:00:00Z",
        },
        {
            "author_role": "agent",
            "author_name": "Bea",
            "body": "Psst",
            "internal": True,
            "created_at": "2025-03-01T10:30:00Z",
        },
        {"author_role": "agent", "author_name": "Bea", "body": "Here it is.", "created_at": "2025-03-01T11:00:00Z"},
    ],
}
CUSTOMER = {"customer_email": "eve@example.com", "customer_name": "Eve", "customer_tier": "premium"}
MACRO = {"name": "Thanks", "body": "Thank you, {{customer_name}}.", "set": {"priority": "low"}}
AGENT = {"email": "bea@example.com", "name": "Bea"}


def sent(admin, **kinds):
    return admin.data(admin.post("/api/import/records", kinds))


def ticket(**fields):
    return {**TICKET, **fields}


def read(admin, external_id="zendesk:1"):
    (row,) = admin.data(admin.get(f"/api/tickets?external_id={external_id}"))
    return row


@pytest.mark.every_engine
def test_a_ticket_comes_with_its_thread_and_the_times_of_then(admin):
    result = sent(admin, customers=[CUSTOMER], tickets=[TICKET])
    assert (result["customers"]["created"], result["tickets"]["created"], result["tickets"]["replies"]) == (1, 1, 4)
    row = read(admin)
    assert (row["created_at"], row["status"], row["customer_tier"]) == (THEN, "waiting_customer", "premium")
    assert row["first_response_at"] == "2025-03-01T09:00:00.000Z"
    thread = admin.data(admin.get(f"/api/tickets/{row['id']}/replies"))
    assert [(reply["author_role"], reply["body"], reply["internal"]) for reply in thread] == [
        ("agent", "Which one?", False),
        ("customer", "The last.", False),
        ("agent", "Psst", True),
        ("agent", "Here it is.", False),
    ]
    assert thread[1]["created_at"] == "2025-03-01T10:00:00.000Z"
    assert [event["action"] for event in admin.data(admin.get(f"/api/tickets/{row['id']}/history"))] == ["imported"]


def test_the_same_records_again_change_nothing(admin):
    everything = {"customers": [CUSTOMER], "agents": [AGENT], "macros": [MACRO], "tickets": [TICKET]}
    first = sent(admin, **everything)
    row = read(admin)
    changed = {
        "customers": [{**CUSTOMER, "customer_name": "Other"}],
        "agents": [{**AGENT, "name": "Other"}],
        "macros": [{**MACRO, "body": "Other"}],
        "tickets": [ticket(title="Other")],
    }
    again = sent(admin, **changed)
    for kind in everything:
        assert (first[kind]["created"], first[kind]["skipped"]) == (1, 0)
        assert (again[kind]["created"], again[kind]["skipped"]) == (0, 1)
    assert read(admin) == row
    assert [macro["body"] for macro in admin.data(admin.get("/api/macros"))] == [MACRO["body"]]
    assert admin.data(admin.get("/api/customers/eve@example.com"))["name"] == "Eve"


def test_a_dry_run_says_the_same_and_changes_nothing(admin):
    everything = {"customers": [CUSTOMER], "agents": [AGENT], "macros": [MACRO], "tickets": [TICKET]}
    dry = sent(admin, **everything, dry_run=True)
    assert admin.get("/api/tickets").json["total"] == 0
    assert admin.get("/api/customers").json["total"] == 0
    assert admin.get("/api/macros").json["total"] == 0
    assert sent(admin, **everything) == dry
    assert read(admin)["number"] == 1


def test_an_agent_is_disabled_until_an_admin_says_otherwise(admin):
    sent(admin, agents=[AGENT])
    (bea,) = [user for user in admin.data(admin.get("/api/users")) if user["email"] == AGENT["email"]]
    assert (bea["role"], bea["disabled"]) == ("agent", True)
    person = {"name": "Cem", "email": "cem@example.com", "role": "agent"}  # while nobody is at work, any name is taken
    admin.data(admin.post("/api/users", person), 201)
    refused = sent(admin, tickets=[ticket(external_id="zendesk:2", assigned_to=AGENT["email"])])["tickets"]
    assert (refused["rejected"], refused["errors"][0]["field"]) == (1, "assigned_to")


def test_nobody_is_told_of_anything(open_app):
    app = open_app(webhook_allow_hosts="127.0.0.1")
    admin, runtime = Caller(app.test_client(), "admin-key"), app.extensions["runtime"]
    admin.data(admin.post("/api/webhooks", {"url": "http://127.0.0.1:9/x", "events": list(EVENTS)}), 201)
    solved = ticket(external_id="zendesk:2", status="resolved", resolved_at="2025-03-02T00:00:00Z")
    sent(admin, customers=[CUSTOMER], macros=[MACRO], agents=[AGENT], tickets=[TICKET, solved])
    runtime.runner.run_due()
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(jobs)) == 0
        assert uow.count(uow.query(deliveries)) == 0
    assert read(admin)["ai_status"] == "off"
    admin.ticket()
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(deliveries)) == 1, "a webhook is told of what happens here"


def test_what_would_close_by_itself_at_once_comes_as_closed(admin):
    admin.data(admin.put("/api/settings", {"auto_close_days": 10}))
    sent(
        admin,
        tickets=[
            ticket(status="resolved", resolved_at="2025-03-02T00:00:00Z"),
        ],
    )
    assert (read(admin)["status"], read(admin)["closed_at"]) == ("closed", "2025-03-12T00:00:00.000Z")


def test_without_automatic_closing_a_resolved_ticket_stays_resolved(admin):
    admin.data(admin.put("/api/settings", {"auto_close_days": 0}))
    sent(admin, tickets=[ticket(status="resolved", resolved_at="2025-03-02T00:00:00Z")])
    assert read(admin)["status"] == "resolved"


WAITING = [
    ([], THEN),
    (TICKET["replies"][:1], "2025-03-01T09:00:00.000Z"),
    (TICKET["replies"][:2], "2025-03-01T10:00:00.000Z"),
    (TICKET["replies"][:3], "2025-03-01T10:00:00.000Z"),
]


@pytest.mark.parametrize(("replies", "since"), WAITING)
def test_an_open_ticket_waits_since_the_customer_last_asked(admin, runtime, replies, since):
    sent(admin, tickets=[ticket(status="in_progress", replies=replies)])
    with runtime.storage.unit_of_work(None) as uow:
        (row,) = uow.find(uow.query(tickets))
    assert row["queue_place"] == f"1{since}"


def test_a_reply_of_the_customer_reopens_and_the_ai_leaves_it_alone(admin, customer, run_jobs):
    sent(admin, tickets=[ticket(customer_email="ada@example.com")])
    path = f"/api/tickets/{read(admin)['id']}"
    customer.data(customer.post(f"{path}/replies", {"body": "And now?"}), 201)
    run_jobs()
    row = read(admin)
    assert (row["status"], row["ai_status"]) == ("new", "off")
    assert [reply["body"] for reply in customer.data(customer.get(f"{path}/replies"))] == [
        "Which one?",
        "The last.",
        "Here it is.",
        "And now?",
    ]


REFUSED = [
    ({"created_at": "2099-01-01T00:00:00Z", "replies": []}, "created_at"),
    ({"replies": [{"body": "x", "created_at": "2099-01-01T00:00:00Z"}]}, "replies"),
    ({"status": "in_progress", "resolved_at": "2025-03-02T00:00:00Z"}, "resolved_at"),
    ({"customer_email": "ada@example.com", "customer_id": "of-eve"}, ""),
]


@pytest.mark.parametrize(("fields", "field"), REFUSED)
def test_one_ticket_that_cannot_be_used_leaves_the_others(admin, fields, field):
    sent(
        admin,
        customers=[
            {"customer_email": "eve@example.com", "customer_id": "of-eve"},
            {"customer_email": "ada@example.com"},
        ],
    )
    result = sent(admin, tickets=[ticket(external_id="zendesk:0"), ticket(**fields), ticket(external_id="zendesk:2")])[
        "tickets"
    ]
    assert (result["created"], result["rejected"]) == (2, 1)
    assert [(error["line"], error["field"]) for error in result["errors"]] == [(2, field)]


BAD = [
    {"tickets": [{**TICKET, "external_id": ""}]},
    {"tickets": [ticket(replies=[{"body": "x"}])]},
    {"tickets": [ticket(replies=[{"body": "", "created_at": THEN}])]},
    {"tickets": [ticket(replies=[{"body": "x", "created_at": THEN, "author_role": "boss"}])]},
    {"customers": [{"customer_email": "no address"}]},
    {"agents": [{"name": "Bea"}]},
    {"macros": [{"body": "x"}]},
    {"tickets": [TICKET] * 101},
    {"people": []},
]


@pytest.mark.parametrize("body", BAD)
def test_records_in_another_form_are_refused_as_a_whole(admin, body):
    response = admin.post("/api/import/records", body)
    assert response.status_code == 400, response.json
    assert admin.get("/api/tickets").json["total"] == 0


def test_a_macro_with_an_unknown_variable_is_refused_by_place(admin):
    result = sent(admin, macros=[MACRO, {"name": "Other", "body": "{{password}}"}])["macros"]
    assert (result["created"], result["rejected"], result["errors"][0]["line"]) == (1, 1, 2)


def test_another_company_may_have_the_same_records_and_sees_none_of_ours(admin, other_admin, runtime):
    everything = {"customers": [CUSTOMER], "agents": [AGENT], "macros": [MACRO], "tickets": [TICKET]}
    sent(admin, **everything)
    theirs = other_admin.data(other_admin.post("/api/import/records", everything))
    assert {kind: theirs[kind]["created"] for kind in everything} == dict.fromkeys(everything, 1)
    assert other_admin.get("/api/tickets").json["total"] == 1
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(users).where(users.c.email == AGENT["email"])) == 2


def test_only_an_admin_may(agent, customer):
    for caller in (agent, customer):
        assert caller.post("/api/import/records", {"tickets": [TICKET]}).status_code == 403


def test_an_erased_customer_leaves_no_name_in_the_threads(admin):
    sent(admin, tickets=[TICKET])
    row = read(admin)
    admin.data(admin.delete("/api/customers/eve@example.com"))
    thread = admin.get(f"/api/tickets/{row['id']}/replies").text
    assert "Eve" not in thread
    assert "eve@example.com" not in thread
