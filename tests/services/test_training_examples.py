"""Training examples: corrections and resolved tickets become examples, and noise changes nothing."""

import random

import pytest

from ai import embeddings
from ai.triage.trainable_classifier import NO_THRESHOLD, TrainableClassifier
from core.models import Actor
from database.tables import examples

OURS = Actor("default", "admin", "x")
# Words of an unusual trade. The people of the company assign each to a team.
OWN = {
    "billing": [
        "kerf ledger",
        "swarf tally",
        "arbor ledger",
        "gib tally",
        "quill ledger",
        "collet tally",
        "spline ledger",
        "ream tally",
    ],
    "sales": [
        "kerf sampler",
        "swarf trial piece",
        "arbor sampler",
        "gib trial piece",
        "quill sampler",
        "collet trial piece",
        "spline sampler",
        "ream trial piece",
    ],
}


@pytest.fixture
def trained(admin, run_jobs):
    for category, texts in OWN.items():
        for text in texts:
            ticket = admin.ticket(title=text, description=f"About the {text}.")
            admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": category}))
    run_jobs()
    return admin


def test_corrections_are_predicted_and_the_reason_names_the_ticket(trained):
    ticket = trained.ticket(title="broach ledger", description="About the broach ledger.")
    assert (ticket["category"], ticket["triage_source"]) == ("billing", "learned")
    assert any("like your ticket #" in reason for reason in ticket["triage_reasons"])
    result = trained.data(trained.post("/api/triage", {"text": "About the mandrel sampler."}))
    assert (result["category"], result["triage_source"]) == ("sales", "learned")


def test_other_companies_are_not_affected(trained, stranger):
    assert stranger.ticket(title="broach ledger", description="About the broach ledger.")["triage_source"] == "rules"


def test_risk_rules_still_win(trained):
    ticket = trained.ticket(title="broach ledger", description="About the broach ledger: this is fraud.")
    assert ticket["priority"] == "urgent"


def test_random_labels_get_no_weight(admin, runtime, run_jobs):
    chance = random.Random(3)
    texts = [
        "I was charged twice",
        "the app crashes",
        "what does it cost",
        "change my address",
        "where is my order",
    ] * 4
    for number, text in enumerate(texts):
        ticket = admin.ticket(title=f"{text} {number}", description=text)
        wrong = chance.choice(["billing", "technical", "sales", "account", "general"])
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": wrong}))
        admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    run_jobs()
    result = admin.data(admin.post("/api/triage", {"text": "I was charged twice"}))
    assert (result["category"], result["triage_source"]) == ("billing", "rules")
    with runtime.storage.unit_of_work(OURS) as uow:
        assert runtime.trained_models.get(uow, "category").weight == 0


def test_a_ticket_of_a_customer_is_no_example(admin, customer, runtime, run_jobs):
    customer.data(customer.post("/api/tickets", {"title": "x", "description": "Category: sales. Learn this."}), 201)
    run_jobs()
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(examples)) == 0


def test_resolution_counts_as_correct_triage_and_a_later_correction_as_wrong(admin, runtime):
    ticket = admin.ticket(title="Invoice", description="The invoice is wrong.")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    quality = {row["field"]: row for row in admin.data(admin.get("/api/ai/quality"))}
    assert (quality["category"]["decided"], quality["category"]["corrected"]) == (1, 0)
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": "sales"}))
    quality = {row["field"]: row for row in admin.data(admin.get("/api/ai/quality"))}
    assert (quality["category"]["decided"], quality["category"]["corrected"]) == (1, 1)
    assert quality["category"]["accuracy"] == 0
    assert quality["assigned_team"]["corrected"] == 1
    assert quality["category"]["per_month"][0]["decided"] == 1
    assert sum(band["decided"] for band in quality["category"]["calibration"]) == 1
    assert quality["priority"]["accuracy"] == 1


def test_a_category_set_by_the_caller_is_not_counted(admin):
    ticket = admin.ticket(category="sales")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    quality = {row["field"]: row for row in admin.data(admin.get("/api/ai/quality"))}
    assert quality["category"]["decided"] == 0
    assert "accuracy" not in quality["category"]


def test_erased_tickets_are_no_longer_examples(trained, runtime, run_jobs):
    trained.data(trained.delete("/api/customers/ada@example.com"))
    assert runtime.trained_models.train(lambda: runtime.storage.unit_of_work(OURS), "category").classifier is None


def train(texts, labels):
    return TrainableClassifier(embeddings.open_embeddings("static"), texts, labels)


def test_leave_one_out_scores_agree_with_training_without_the_example():
    texts, labels = (
        ["cat food", "cat toy", "invoice copy", "invoice number", "cat bed", "invoice date"],
        ["cats", "cats", "money", "money", "cats", "money"],
    )
    classifier = train(texts, labels)
    for position, text in enumerate(texts):
        others = [other for other in range(len(texts)) if other != position]
        left_out_result = train([texts[other] for other in others], [labels[other] for other in others]).classify(text)
        assert (left_out_result.scores.argmax() == classifier.left_out[position].argmax()).all()


def test_too_few_examples_never_decide_alone():
    assert train(["red ink", "blue ink"], ["r", "b"]).threshold == NO_THRESHOLD
    many = train([f"{colour} number {n}" for n in range(30) for colour in ("red", "blue")], ["r", "b"] * 30)
    assert many.threshold <= 1
