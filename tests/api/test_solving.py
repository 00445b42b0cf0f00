"""A customer says that their ticket is solved."""

import pytest

from core.permissions import ACT_FOR_CUSTOMERS
from tests.conftest import add_key
from tests.support.caller import Caller


@pytest.fixture
def ada(app):
    """Calls of Ada, through a key that acts for customers."""
    key = add_key(app.extensions["runtime"], "customer", scopes=[ACT_FOR_CUSTOMERS])
    return Caller(app.test_client(), key, {"X-On-Behalf-Of": "ada@example.com"})


def test_the_customer_resolves_and_reopens_and_nobody_is_mailed(app, admin, ada):
    ticket = admin.ticket(customer_email="ada@example.com")
    app.extensions["runtime"].runner.run_due()
    jobs = len(admin.data(admin.get("/api/jobs")))
    path = f"/api/tickets/{ticket['id']}"

    solved = ada.data(ada.post(f"{path}/solved", {}))
    assert solved["status"] == "resolved"
    assert "assigned_to" not in solved
    assert ada.data(ada.post(f"{path}/solved", {}))["version"] == solved["version"], "said twice is said once"
    app.extensions["runtime"].runner.run_due()
    assert len(admin.data(admin.get("/api/jobs"))) == jobs
    assert admin.data(admin.get(path))["resolution"] == "The customer said that it is solved."
    assert any(one["action"] == "resolved" for one in admin.data(admin.get(f"{path}/history")))

    assert ada.data(ada.post(f"{path}/csat", {"score": 5}))["csat_score"] == 5
    ada.post(f"{path}/replies", {"body": "It is back."})
    assert admin.data(admin.get(path))["status"] in ("new", "in_progress")


def test_a_conversation_is_closed_by_its_customer(admin, ada):
    ticket_id = ada.data(ada.post("/api/chat", {"message": "Where is my refund?"}))["ticket_id"]
    assert ada.data(ada.post(f"/api/tickets/{ticket_id}/solved", {}))["status"] == "closed"
    assert admin.data(admin.get(f"/api/chat/{ticket_id}"))["ended_by"] == "customer"


def test_staff_and_other_customers_may_not(admin, ada):
    ticket = admin.ticket(customer_email="bob@example.com")
    assert admin.post(f"/api/tickets/{ticket['id']}/solved", {}).status_code == 403
    assert ada.post(f"/api/tickets/{ticket['id']}/solved", {}).status_code == 404


def test_a_chat_message_may_demand_a_person_whatever_it_says(ada):
    answer = ada.data(ada.post("/api/chat", {"message": "How do I reset my password?", "person": True}))
    assert (answer["escalation"], answer["escalation_reason"], answer["status"]) == (True, "asked", "handoff")
