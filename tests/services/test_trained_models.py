"""What own examples decide beside the category, in every process, and what random ones cannot: priority, feeling and team."""

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


def tell(admin, changes, *, text="The {} makes a hum"):
    for part in PARTS:
        words = text.format(part)
        ticket = admin.ticket(title=words, description=words + ".")
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", changes))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [("priority", "urgent", "priority"), ("sentiment", "negative", "sentiment"), ("assigned_team", "sales", "team")],
)
def test_what_people_correct_again_and_again_is_decided_their_way(admin, run_jobs, field, value, named):
    tell(admin, {field: value})
    for part in PARTS:  # and something else that they leave as it is
        other = admin.ticket(title=f"Invoice {part}", description=f"A question about my invoice for the {part}.")
        admin.data(admin.post(f"/api/tickets/{other['id']}/resolve", {"resolution": "Done."}))
    run_jobs()
    ticket = admin.ticket(title="The pulley makes a hum", description="The pulley makes a hum.")
    assert (ticket[field], ticket["triage_source"]) == (value, "learned")
    assert any(reason.startswith(f"{named} {value}: like your ticket #") for reason in ticket["triage_reasons"])
    invoice = admin.ticket(title="Invoice", description="A question about my invoice.")
    assert invoice[field] != value or invoice["triage_source"] == "rules"


def test_a_learnt_priority_has_a_score_of_its_band_and_never_lowers_a_risk(admin, run_jobs):
    tell(admin, {"priority": "low"}, text="Urgent, the {} is blocked")
    tell(admin, {"priority": "high"}, text="A question about my invoice for the {}")
    run_jobs()
    ticket = admin.ticket(title="Urgent, the pulley is blocked", description="Urgent, the pulley is blocked.")
    assert (ticket["priority"], ticket["triage_source"]) == ("low", "learned")
    assert ticket["priority_score"] <= 39
    risk = admin.ticket(
        title="Urgent, the pulley is blocked", description="Urgent, the pulley is blocked. It is fraud."
    )
    assert risk["priority"] == "urgent"


def test_what_one_process_learnt_the_others_follow(admin, runtime, run_jobs):
    def at_hand():
        with runtime.storage.unit_of_work(OURS) as uow:
            return runtime.trained_models.get(uow, "priority")

    follow = ModelSync(runtime)
    follow()
    tell(admin, {"priority": "urgent"})
    tell(admin, {"priority": "high"}, text="A question about my invoice for the {}")
    run_jobs()
    learnt = at_hand()
    runtime.trained_models.clear()  # from here on it is another process, which holds something of the company
    runtime.trained_models.train(lambda: runtime.storage.unit_of_work(OURS), "topic")
    assert at_hand() is None
    runtime.trained_models.pop_missing_companies()
    follow()
    assert at_hand().classifier.labels == learnt.classifier.labels
    assert at_hand().threshold == learnt.threshold < 1


def test_a_process_that_was_started_anew_learns_what_its_tickets_ask_for(admin, runtime, run_jobs):
    admin.data(
        admin.post("/api/topics/examples", {"examples": [{"text": t, "topic": t} for t in ("ink", "paper")]}), 201
    )
    run_jobs()
    follow = ModelSync(runtime)
    follow()
    runtime.trained_models.clear()
    assert admin.ticket(title="ink", description="ink")["topic"] == ""
    follow()
    assert admin.ticket(title="ink", description="ink")["topic"] == "ink"
    runtime.trained_models.clear()
    ModelSync(runtime)()  # of a new process: it looks for whoever taught last before anybody asks
    assert admin.ticket(title="ink", description="ink")["topic"] == "ink"


def test_the_oldest_are_let_go_when_many_are_held(admin, runtime, run_jobs, monkeypatch):
    monkeypatch.setattr(trained_models, "MAX_EXAMPLES", 3)
    for topic in ("a", "b", "c", "d"):
        admin.data(admin.post("/api/topics/examples", {"text": f"about {topic}", "topic": topic}), 201)
    run_jobs()
    assert {field for _, field in runtime.trained_models._models} == {"topic"}


def test_many_changes_are_learnt_together(admin, runtime, run_jobs):
    many = [{"text": f"question {number}", "topic": f"{number % 7}"} for number in range(400)]
    admin.data(admin.post("/api/topics/examples", {"examples": many}), 201)
    run_jobs()  # the first time at once
    for text in ("one more", "and another"):
        admin.data(admin.post("/api/topics/examples", {"text": text, "topic": "1"}), 201)
    with runtime.storage.unit_of_work(None) as uow:
        (job,) = uow.find(uow.query(jobs).where(jobs.c.lane == "learn", jobs.c.state == "waiting"))
    assert job["run_at"] > job["created_at"]


def train(texts, labels):
    return TrainableClassifier(STATIC, texts, labels)


TEXTS = [text for texts in KNOWN.values() for text in texts]


def test_random_labels_hardly_ever_count():
    tries, counted, overruling = 40, 0, 0
    built_in = TextClassifier(STATIC)
    for seed in range(tries):
        chance = random.Random(seed)
        texts = chance.sample(TEXTS, 60)
        counted += cross_validation.category_weight(train(texts, chance.choices(CATEGORIES, k=60)), built_in) > 0
        ruled = chance.choices(PRIORITIES, k=60)
        overruling += (
            cross_validation.find_threshold(train(texts, chance.choices(PRIORITIES, k=60)), ruled) < NO_THRESHOLD
        )
    assert counted <= tries / 10
    assert overruling <= tries / 5


def test_corrections_at_random_that_nobody_resolved_do_not_count_either():
    tries, overruling = 40, 0
    for seed in range(tries):
        chance = random.Random(seed)
        labels = chance.choices(("low", "high"), k=60)
        overruling += (
            cross_validation.find_threshold(train(chance.sample(TEXTS, 60), labels), ["medium"] * 60) < NO_THRESHOLD
        )
    assert overruling <= tries / 5


def test_where_the_rules_are_right_own_examples_never_overrule_them():
    labels = [category for category, texts in KNOWN.items() for _ in texts]
    assert cross_validation.find_threshold(train(TEXTS, labels), labels) == NO_THRESHOLD


def test_six_corrections_are_too_few_and_seven_enough():
    ruled = ["low"] * 24
    for wrong, enough in ((6, False), (7, True)):
        texts = [f"the {part} hums" for part in PARTS[:wrong]] + [f"invoice {n} please" for n in range(24 - wrong)]
        labels = ["high"] * wrong + ["low"] * (24 - wrong)
        assert (cross_validation.find_threshold(train(texts, labels), ruled) <= 1) is enough


def test_one_ticket_is_one_example_however_often_it_is_changed(admin, runtime):
    ticket = admin.ticket(title="Invoice", description="My invoice is wrong.")
    for category in ("sales", "technical", "account", "sales"):
        admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": category}))
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    with runtime.storage.unit_of_work(OURS) as uow:
        rows = uow.find(uow.query(examples).where(examples.c.field == "category"))
    assert [(row["decided"], row["label"], row["text"]) for row in rows] == [("billing", "sales", "")]


def test_a_corrected_field_leaves_the_figures_of_the_others(admin):
    ticket = admin.ticket(title="Invoice", description="My invoice is wrong.")
    admin.data(admin.put(f"/api/tickets/{ticket['id']}", {"category": "sales"}))
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    figures = {row["field"]: (row["decided"], row["corrected"]) for row in admin.data(admin.get("/api/ai/quality"))}
    assert figures == {"category": (1, 1), "priority": (1, 0), "sentiment": (1, 0), "assigned_team": (1, 1)}
