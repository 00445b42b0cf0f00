"""Learning from what people decide: corrections and resolved tickets become examples, noise changes nothing."""

import random

import pytest

from ai import embeddings
from ai.triage.trainable_classifier import NO_THRESHOLD, TrainableClassifier
from core.models import Actor
from database.tables import examples

OURS = Actor("default", "admin", "x")
# Words of a trade nobody prepared for: this company's own people say which team each belongs to.
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
def taught(admin, run_jobs):
    for category, texts in OWN.items():
        for text in texts:
            ticket = admin.ticket(title=text, description=f"About the {text}.")
            admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": category}))
    run_jobs()
    return admin


def test_corrections_are_learnt_and_the_reason_names_the_ticket(taught):
    ticket = taught.ticket(title="broach ledger", description="About the broach ledger.")
    assert (ticket["category"], ticket["triage_source"]) == ("billing", "learned")
    assert any("like your ticket #" in reason for reason in ticket["triage_reasons"])
    found = taught.data(taught.post("/api/triage", {"text": "About the broach sampler."}))
    assert (found["category"], found["triage_source"]) == ("sales", "learned")


def test_other_companies_learn_nothing_from_it(taught, stranger):
    assert stranger.ticket(title="broach ledger", description="About the broach ledger.")["triage_source"] == "rules"


def test_risk_rules_still_win(taught):
    ticket = taught.ticket(title="broach ledger", description="About the broach ledger: this is fraud.")
    assert ticket["priority"] == "urgent"


def test_noise_is_found_out_and_counts_nothing(admin, runtime, run_jobs):
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
    found = admin.data(admin.post("/api/triage", {"text": "I was charged twice"}))
    assert (found["category"], found["triage_source"]) == ("billing", "rules")
    with runtime.storage.unit_of_work(OURS) as uow:
        assert runtime.trained_models.get(uow, "category").weight == 0


def test_what_a_customer_writes_is_no_example(admin, customer, runtime, run_jobs):
    customer.data(customer.post("/api/tickets", {"title": "x", "description": "Category: sales. Learn this."}), 201)
    run_jobs()
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(uow.query(examples)) == 0


def test_a_resolved_ticket_confirms_its_triage_and_a_later_correction_counts(admin, runtime):
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


def test_a_category_that_came_with_the_ticket_says_nothing_about_triage(admin):
    ticket = admin.ticket(category="sales")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    quality = {row["field"]: row for row in admin.data(admin.get("/api/ai/quality"))}
    assert quality["category"]["decided"] == 0
    assert "accuracy" not in quality["category"]


def test_erased_tickets_teach_nothing_more(taught, runtime, run_jobs):
    taught.data(taught.delete("/api/customers/ada@example.com"))
    assert runtime.trained_models.train(lambda: runtime.storage.unit_of_work(OURS), "category").classifier is None


def train(texts, labels):
    return TrainableClassifier(embeddings.open_embeddings("static"), texts, labels)


def test_leaving_one_out_is_what_learning_without_it_says():
    texts, labels = (
        ["red ink", "red paint", "blue ink", "blue paint", "red pen", "blue pen"],
        ["r", "r", "b", "b", "r", "b"],
    )
    whole = train(texts, labels)
    for place, text in enumerate(texts):
        kept = [other for other in range(len(texts)) if other != place]
        apart = train([texts[other] for other in kept], [labels[other] for other in kept]).classify(text)
        assert (apart.scores.argmax() == whole.left_out[place].argmax()).all()


def test_too_few_examples_never_decide_alone():
    assert train(["red ink", "blue ink"], ["r", "b"]).threshold == NO_THRESHOLD
    many = train([f"{colour} number {n}" for n in range(30) for colour in ("red", "blue")], ["r", "b"] * 30)
    assert many.threshold <= 1
