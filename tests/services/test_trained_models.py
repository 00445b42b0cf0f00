"""Trained models of priority, sentiment and team: they follow corrections, in every process, and ignore noise."""

import random

import pytest

from ai.embeddings import open_embeddings
from ai.triage import cross_validation
from ai.triage.example_sentences import CATEGORIES as KNOWN
from ai.triage.text_classifier import TextClassifier
from ai.triage.trainable_classifier import NO_THRESHOLD, TrainableClassifier
from core.models import CATEGORIES, PRIORITIES, Actor
from database.tables import examples, jobs
from jobs.handlers import ModelSync
from services.triage import trained_models

STATIC = open_embeddings("static")
OURS = Actor("default", "admin", "x")
PARTS = "spindle arbor quill collet gib ram knee table saddle vice chuck tailstock".split()


def correct(admin, changes, *, text="The {} makes a hum"):
    for part in PARTS:
        words = text.format(part)
        ticket = admin.ticket(title=words, description=words + ".")
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", changes))


@pytest.mark.parametrize(
    ("field", "value", "reason_name"),
    [("priority", "urgent", "priority"), ("sentiment", "positive", "sentiment"), ("assigned_team", "sales", "team")],
)
def test_repeated_corrections_are_predicted(admin, run_jobs, field, value, reason_name):
    correct(admin, {field: value})
    for part in PARTS:  # and other tickets that they do not correct
        other = admin.ticket(title=f"Invoice {part}", description=f"A question about my invoice for the {part}.")
        admin.data(admin.post(f"/api/tickets/{other['id']}/resolve", {"resolution": "Done."}))
    run_jobs()
    ticket = admin.ticket(title="The pulley makes a hum", description="The pulley makes a hum.")
    assert (ticket[field], ticket["triage_source"]) == (value, "learned")
    assert any(reason.startswith(f"{reason_name} {value}: like your ticket #") for reason in ticket["triage_reasons"])
    invoice = admin.ticket(title="Invoice", description="A question about my invoice.")
    assert invoice[field] != value or invoice["triage_source"] == "rules"


def test_a_predicted_priority_has_a_score_of_its_band_and_never_lowers_a_risk(admin, run_jobs):
    correct(admin, {"priority": "low"}, text="Urgent, the {} is blocked")
    correct(admin, {"priority": "high"}, text="A question about my invoice for the {}")
    run_jobs()
    ticket = admin.ticket(title="Urgent, the pulley is blocked", description="Urgent, the pulley is blocked.")
    assert (ticket["priority"], ticket["triage_source"]) == ("low", "learned")
    assert ticket["priority_score"] <= 39
    risk = admin.ticket(
        title="Urgent, the pulley is blocked", description="Urgent, the pulley is blocked. It is fraud."
    )
    assert risk["priority"] == "urgent"


def test_other_processes_train_after_one_process_has_trained(admin, runtime, run_jobs):
    def current_model():
        with runtime.storage.unit_of_work(OURS) as uow:
            return runtime.trained_models.get(uow, "priority")

    sync = ModelSync(runtime)
    sync()
    correct(admin, {"priority": "urgent"})
    correct(admin, {"priority": "high"}, text="A question about my invoice for the {}")
    run_jobs()
    trained = current_model()
    runtime.trained_models.clear()  # from here on it acts as another process, which has a model of the company
    runtime.trained_models.train(lambda: runtime.storage.unit_of_work(OURS), "topic")
    assert current_model() is None
    runtime.trained_models.pop_missing_companies()
    sync()
    assert current_model().classifier.labels == trained.classifier.labels
    assert current_model().threshold == trained.threshold < 1


def test_a_new_process_trains_the_models_that_its_tickets_miss(admin, runtime, run_jobs):
    admin.data(
        admin.post("/api/topics/examples", {"examples": [{"text": t, "topic": t} for t in ("ink", "paper")]}), 201
    )
    run_jobs()
    sync = ModelSync(runtime)
    sync()
    runtime.trained_models.clear()
    assert admin.ticket(title="ink", description="ink")["topic"] == ""
    sync()
    assert admin.ticket(title="ink", description="ink")["topic"] == "ink"
    runtime.trained_models.clear()
    ModelSync(runtime)()  # in a new process: it trains the companies with the newest examples at once
    assert admin.ticket(title="ink", description="ink")["topic"] == "ink"


def test_the_oldest_models_are_dropped_when_there_are_too_many(admin, runtime, run_jobs, monkeypatch):
    monkeypatch.setattr(trained_models, "MAX_EXAMPLES", 3)
    for topic in ("a", "b", "c", "d"):
        admin.data(admin.post("/api/topics/examples", {"text": f"about {topic}", "topic": topic}), 201)
    run_jobs()
    assert {field for _, field in runtime.trained_models._models} == {"topic"}


def test_with_many_examples_training_is_delayed(admin, runtime, run_jobs):
    many = [{"text": f"question {number}", "topic": f"{number % 7}"} for number in range(400)]
    admin.data(admin.post("/api/topics/examples", {"examples": many}), 201)
    run_jobs()  # the first training runs at once
    for text in ("one more", "and another"):
        admin.data(admin.post("/api/topics/examples", {"text": text, "topic": "1"}), 201)
    with runtime.storage.unit_of_work(None) as uow:
        (job,) = uow.find(uow.query(jobs).where(jobs.c.lane == "learn", jobs.c.state == "waiting"))
    assert job["run_at"] > job["created_at"]


def train(texts, labels):
    return TrainableClassifier(STATIC, texts, labels)


TEXTS = [text for texts in KNOWN.values() for text in texts]


def test_random_labels_rarely_get_a_weight():
    tries, weighted, overruling = 40, 0, 0
    built_in = TextClassifier(STATIC)
    for seed in range(tries):
        generator = random.Random(seed)
        texts = generator.sample(TEXTS, 60)
        trained = train(texts, generator.choices(CATEGORIES, k=60))
        weighted += cross_validation.category_weight(trained, built_in.category_scores(texts)) > 0
        rule_labels = generator.choices(PRIORITIES, k=60)
        overruling += (
            cross_validation.find_threshold(train(texts, generator.choices(PRIORITIES, k=60)), rule_labels)
            < NO_THRESHOLD
        )
    assert weighted <= tries / 10
    assert overruling <= tries / 5


def test_random_corrections_without_resolved_tickets_rarely_overrule():
    tries, overruling = 40, 0
    for seed in range(tries):
        chance = random.Random(seed)
        labels = chance.choices(("low", "high"), k=60)
        overruling += (
            cross_validation.find_threshold(train(chance.sample(TEXTS, 60), labels), ["medium"] * 60) < NO_THRESHOLD
        )
    assert overruling <= tries / 5


def test_examples_that_agree_with_the_rules_never_overrule_them():
    labels = [category for category, texts in KNOWN.items() for _ in texts]
    assert cross_validation.find_threshold(train(TEXTS, labels), labels) == NO_THRESHOLD


def test_seven_corrections_are_needed_to_overrule():
    rule_labels = ["low"] * 24
    for wrong, enough in ((6, False), (7, True)):
        texts = [f"the {part} hums" for part in PARTS[:wrong]] + [f"invoice {n} please" for n in range(24 - wrong)]
        labels = ["high"] * wrong + ["low"] * (24 - wrong)
        assert (cross_validation.find_threshold(train(texts, labels), rule_labels) <= 1) is enough


def test_a_ticket_that_is_changed_often_is_one_example(admin, runtime):
    ticket = admin.ticket(title="Invoice", description="My invoice is wrong.")
    for category in ("sales", "technical", "account", "sales"):
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": category}))
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    with runtime.storage.unit_of_work(OURS) as uow:
        rows = uow.find(uow.query(examples).where(examples.c.field == "category"))
    assert [(row["decided"], row["label"], row["text"]) for row in rows] == [("billing", "sales", "")]


def test_the_figures_of_other_fields_do_not_change_with_a_correction(admin):
    ticket = admin.ticket(title="Invoice", description="My invoice is wrong.")
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": "sales"}))
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    figures = {row["field"]: (row["decided"], row["corrected"]) for row in admin.data(admin.get("/api/ai/quality"))}
    of_triage = {"category": (1, 1), "priority": (1, 0), "sentiment": (1, 0), "assigned_team": (1, 1)}
    assert figures == of_triage | {"draft": (0, 0), "expected_resolution_seconds": (0, 0)}
