"""SupportFlow: the requests of its own README, byte for byte, and what its clients rely on."""

import pytest

from tests.api.dialects.conftest import Client
from tests.conftest import add_key

JSON = "application/json"
# The body of its curl line, as the shell hands it on, and the answer it shows.
SENT = (
    b'{"customer_name":"Ava Stone","customer_email":"ava@example.com","subject":"Cannot login","message":"This is urgent. '
    b'I cannot login and my team is blocked today.","source":"email","customer_tier":"standard"}'
)
SHOWN = {
    "id": 1,
    "customer_name": "Ava Stone",
    "customer_email": "ava@example.com",
    "subject": "Cannot login",
    "message": "This is urgent. I cannot login and my team is blocked today.",
    "source": "email",
    "customer_tier": "standard",
    "category": "technical",
    "priority": "urgent",
    "priority_score": 95,
    "sentiment": "neutral",
    "assigned_team": "technical_support",
    "suggested_reply": "…",
    "next_action": "…",
    "status": "open",
    "created_at": "2026-06-02T08:00:00",
    "updated_at": "2026-06-02T08:00:00",
}
OURS = ("suggested_reply", "next_action", "created_at", "updated_at")
BEN = {"customer_name": "Ben Reed", "customer_email": "ben@example.com", "subject": "Invoice refund"}
BEN |= {"message": "I need a refund for a duplicate invoice charge.", "source": "chat", "customer_tier": "standard"}


def created(client, body=SENT):
    response = client.post("/tickets", data=body, content_type=JSON)
    assert response.status_code == 201, response.json
    return response.json


def test_the_example_of_its_readme_gives_the_answer_of_its_readme(client):
    ticket = created(client)
    assert list(ticket) == list(SHOWN)
    assert {name: ticket[name] for name in ticket if name not in OURS} == {
        name: value for name, value in SHOWN.items() if name not in OURS
    }
    assert ticket["suggested_reply"]
    assert ticket["next_action"]
    assert len(ticket["created_at"]) == len(SHOWN["created_at"])


def test_lists_are_arrays_narrowed_by_its_filters(client):
    ava = created(client)
    ben = client.post("/tickets", json=BEN).json
    assert client.get("/tickets").json == [ben, ava]
    assert client.get("/tickets?category=technical&priority=urgent").json == [ava]
    assert client.get("/tickets?q=invoice").json == [ben]
    assert client.get("/tickets?q=Ava").json == [ava]
    assert client.get("/tickets?status=open&assigned_team=finance&sentiment=").json == [ben]
    page = client.get("/tickets?limit=1&offset=1")
    assert (page.json, page.headers["X-Total-Count"]) == ([ava], "2")


def test_one_ticket_by_its_number(client):
    ava = created(client)
    assert client.get("/tickets/1").json == ava
    for number in ("999", "0", "-1", "x", "1.0", "99999999999", "٣"):
        response = client.get(f"/tickets/{number}")
        assert (response.status_code, response.json) == (404, {"detail": "Not found."}), number


STATES = ("open", "in_progress", "waiting_customer", "resolved", "closed")


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_every_state_leads_to_every_other_but_closed_to_resolved(client, before, after):
    created(client)
    for status in (before, after):
        response = client.patch("/tickets/1/status", data=b'{"status":"%s"}' % status.encode(), content_type=JSON)
    if (before, after) == ("closed", "resolved"):
        assert response.status_code == 409
        assert "Reopen it first" in response.json["detail"]
    else:
        assert (response.status_code, response.json["status"]) == (200, after)
    stored = client.get("/tickets/1").json["status"]
    assert stored == (before if response.status_code == 409 else after)


def test_resolving_tells_the_customer(client, mailer, run_jobs):
    created(client)
    client.patch("/tickets/1/status", json={"status": "resolved"})
    run_jobs()
    assert any("Your request was resolved." in mail.text for mail in mailer.sent if mail.to == "ava@example.com")


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "/tickets/1/status", {"status": "paused"}, "status"),
        ("PATCH", "/tickets/1/status", {}, "status"),
        ("POST", "/tickets", {**BEN, "subject": ""}, "subject"),
        ("POST", "/tickets", {**BEN, "customer_email": "x"}, "customer_email"),
        ("POST", "/tickets", {**BEN, "customer_tier": "gold"}, "customer_tier"),
        ("POST", "/tickets", {**BEN, "priority": "urgent"}, "priority"),
        ("GET", "/tickets?status=new", None, "status"),
        ("GET", "/tickets?colour=red", None, "colour"),
        ("GET", "/tickets/1?colour=red", None, "colour"),
    ],
)
def test_what_is_invalid_is_a_422_that_names_the_field(client, method, path, body, field):
    before = created(client)
    response = client.call(method, path, json=body)
    assert response.status_code == 422
    assert [problem["loc"][-1] for problem in response.json["detail"]] == [field]
    assert all(problem["msg"] and problem["type"] for problem in response.json["detail"])
    assert client.get("/tickets").json == [before]


def test_the_summary_counts_in_its_words(client):
    created(client)
    client.post("/tickets", json=BEN)
    client.patch("/tickets/2/status", json={"status": "closed"})
    summary = client.get("/analytics/summary").json
    assert {name: summary[name] for name in summary if not name.startswith("by_")} == {
        "total_tickets": 2,
        "open_tickets": 1,
        "resolved_tickets": 1,
    }
    assert summary["by_status"] == dict.fromkeys(STATES, 0) | {"open": 1, "closed": 1}
    assert summary["by_category"]["billing"] == summary["by_priority"]["urgent"] == summary["by_team"]["finance"] == 1
    assert sum(summary["by_sentiment"].values()) == 2


def test_seeding_makes_the_demo_tickets_once(client):
    response = client.post("/seed")
    assert response.status_code == 200
    assert response.json["created"] == client.get("/analytics/summary").json["total_tickets"] > 0
    again = client.post("/seed")
    assert (again.status_code, list(again.json)) == (409, ["detail"])


def test_the_start_page_is_json_for_those_who_ask_for_it(client):
    browser = client.app.test_client().get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert browser.mimetype == "text/html"
    assert "Accept" in browser.headers["Vary"]
    response = client.get("/", headers={"Accept": "application/json"})
    assert set(response.json) == {"name", "description", "version", "docs"}
    assert "Accept" in response.headers["Vary"]


def test_a_customer_sees_their_own_tickets_without_what_staff_sees(client, runtime):
    created(client)
    client.post("/tickets", json=BEN)
    key = add_key(runtime, "agent", scopes=["act_for_customers"])
    ben = Client(client.app, key, {"X-On-Behalf-Of": "ben@example.com"})
    assert [ticket["id"] for ticket in ben.get("/tickets").json] == [2]
    assert not {"priority_score", "next_action"} & set(ben.get("/tickets/2").json)
    assert ben.get("/tickets/1").json == {"detail": "Not found."}
    raised = ben.post("/tickets", json={**BEN, "customer_tier": "enterprise"})
    assert (raised.status_code, raised.json["detail"][0]["loc"]) == (422, ["body", "customer_tier"])


def test_a_repeated_post_is_done_once(client):
    headers = {"Idempotency-Key": "one"}
    first, second = (client.post("/tickets", json=BEN, headers=headers) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replay"] == "true"
    other = client.post("/tickets", json={**BEN, "subject": "Another"}, headers=headers)
    assert (other.status_code, list(other.json)) == (409, ["detail"])
    assert len(client.get("/tickets").json) == 1
