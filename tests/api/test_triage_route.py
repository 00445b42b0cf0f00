"""POST /api/triage: the triage of a text, without storing anything."""

import pytest

from ai.embeddings import open_embeddings
from database.tables import events, jobs, tickets
from services.triage.trained_models import TrainedModels

ASKED = {"text": "I was charged twice and want my money back"}


def test_a_text_is_triaged_and_nothing_is_stored(admin, runtime):
    answer = admin.post("/api/triage", ASKED)
    found = admin.data(answer)
    assert answer.json["message"] == f"This would be a {found['category']} ticket of {found['priority']} priority."
    assert (found["category"], found["assigned_team"], found["triage_source"]) == ("billing", "finance", "rules")
    assert found["category_confidence"] > 0.7
    assert found["triage_reasons"]
    assert {"priority", "priority_score", "urgency", "sentiment", "escalation_score", "wants_human_score"} <= set(found)
    with runtime.storage.unit_of_work(None) as uow:
        assert [uow.count(uow.query(table)) for table in (tickets, events, jobs)] == [0, 0, 0]


def test_title_and_description_are_triaged_like_a_ticket(agent):
    body = {"title": "Cannot login", "description": "My team is blocked today.", "customer_tier": "enterprise"}
    found = agent.data(agent.post("/api/triage", body))
    ticket = agent.ticket(**body)
    for name in ("category", "priority", "priority_score", "urgency", "sentiment", "next_action", "triage_reasons"):
        assert found[name] == ticket[name]


@pytest.mark.parametrize("body", [{}, {"text": " "}, {"text": "a", "title": "b"}, {"customer_tier": "free"}])
def test_neither_or_both_is_refused(agent, body):
    assert agent.post("/api/triage", body).status_code == 400


@pytest.mark.parametrize("text", ["😀" * 30, "a" * 20_000, "blocked " * 2_400, "\u202eabc"])
def test_odd_texts_are_triaged(agent, text):
    assert agent.data(agent.post("/api/triage", {"text": text}))["triage_reasons"]


def test_customers_cannot_use_the_route(customer):
    assert customer.post("/api/triage", ASKED).status_code == 403


def test_health_names_the_embeddings(admin):
    ai = admin.data(admin.get("/api/health"))["ai"]
    assert (ai["embeddings"], ai["note"]) == ("static", "")


def test_with_a_damaged_table_tickets_are_triaged_by_words(admin, runtime, tmp_path):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 not a table")
    runtime.trained_models = TrainedModels(open_embeddings("static", table=broken))
    ticket = admin.ticket(title="Invoice", description="My invoice is wrong.")
    assert ticket["category"] == "billing"
    assert 'category billing: the words "invoice"' in ticket["triage_reasons"]
