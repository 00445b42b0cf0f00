"""The ticket counters equal a count of the tickets after every kind of change."""

import contextlib
import random
from collections import Counter

import pytest
from sqlalchemy import delete, select

from ai.embeddings import Embeddings, open_embeddings
from core import models, timestamps
from core.errors import AppError
from core.models import Actor
from database.tables import derived, jobs
from database.tables import tickets as table
from services.import_export import demo
from services.knowledge.search import Knowledge
from services.privacy import erasure
from services.stats import counters
from services.tickets import ai_answers, create, removal, replies
from services.tickets import changes as rules
from services.triage.trained_models import TrainedModels

pytestmark = pytest.mark.every_engine

ADMIN = Actor("default", "admin", "test")
AGENTS = ("ben@example.com", "Zoe", "ann@example.com")
TAGS = ("vip", 'a"b', "50%", "naïve", "x'y")

KNOWLEDGE = Knowledge(Embeddings(None, "none"))
TRAINED_MODELS = TrainedModels(open_embeddings("static"))


def size(seconds):
    """The size of a duration: its number of digits and its first digit."""
    return str(len(str(seconds)) * 10 + int(str(seconds)[0]))


def cells(row):
    """The counters that count one ticket."""
    for kind, fields in counters.KINDS.items():
        for tag in set(row["tags"]) if kind == "tag" else [""]:
            words = [tag if name == "tag" else row[name] for name in fields]
            if words[0]:
                yield kind, *words
    yield "opened", row["created_at"][:10], row["status"]
    if row["resolved_at"]:
        yield "ended", row["resolved_at"][:10]
    if row["first_response_seconds"] is not None:
        yield "answer", size(row["first_response_seconds"])
    if row["resolution_seconds"] is not None:
        yield "solution", row["assigned_to"], size(row["resolution_seconds"])


def check(storage):
    """Compares every counter and every tag with the tickets."""
    numbers, urgency, by_ai, tagged = Counter(), Counter(), Counter(), set()
    with storage.unit_of_work(None) as uow:
        rows = uow.find(select(table))
        counter_rows = uow.find(select(derived.tables["tallies"]))
        tags = uow.aggregate(select(derived.tables["ticket_tags"]))
    for row in rows:
        helped = row["status"] in models.FINISHED and row["ai_response"] and not row["human_replied"]
        for cell in cells(row):
            key = (row["company_id"], *cell, *[""] * (8 - len(cell)))
            numbers[key] += 1
            urgency[key] += round(row["urgency"] * 10)
            by_ai[key] += bool(helped)
        tagged |= {(row["company_id"], tag, row["created_at"], row["id"]) for tag in row["tags"]}
    stored = {tuple(row[name] for name in ("company_id", "kind", *"abcdefg")): row for row in counter_rows}
    assert {key: row["number"] for key, row in stored.items()} == numbers
    assert {key: row["urgency"] for key, row in stored.items()} == urgency
    assert {key: row["by_ai"] for key, row in stored.items()} == by_ai
    assert set(tags) == tagged
    return rows


def new_ticket(dice):
    words = {"category": models.CATEGORIES, "priority": models.PRIORITIES, "sentiment": models.SENTIMENTS}
    fields = {name: dice.choice(values) for name, values in words.items() if dice.random() < 0.7}
    fields |= {"source": dice.choice(models.SOURCES), "customer_tier": dice.choice(models.TIERS)}
    fields |= {"title": "A question", "description": "How?", "tags": dice.sample(TAGS, dice.randrange(4))}
    return fields | {"customer_email": f"c{dice.randrange(6)}@example.com"}


def past(dice, now):
    created_at = timestamps.later(now, seconds=-dice.randrange(90 * 86_400))
    columns = {"created_at": created_at, "status": dice.choice(models.STATUSES), "topic": dice.choice(("", "refund"))}
    columns |= {"assigned_to": dice.choice(("", *AGENTS)), "ai_response": dice.choice(("", "Try this."))}
    columns |= {"first_response_seconds": dice.choice((None, 0, dice.randrange(10**6)))}
    if columns["status"] in models.FINISHED:
        took = dice.randrange(80 * 86_400)
        columns |= {"resolution_seconds": took, "resolved_at": timestamps.later(created_at, seconds=took)}
    return columns


def change(uow, dice, ticket):
    """Makes one kind of change to a ticket."""
    match dice.randrange(9):
        case 0:
            rules.assign(uow, ticket, dice.choice(AGENTS))
        case 1:
            rules.unassign(uow, ticket)
        case 2:
            rules.resolve(uow, ticket, "Done.")
        case 3:
            rules.reopen(uow, ticket)
        case 4:
            replies.add(uow, ticket, {"body": "Hello", "author_name": "Ben"})
        case 5:
            rules.update(uow, ticket, {"tags": dice.sample(TAGS, dice.randrange(3)), "urgency": 4.2})
        case 6:
            rules.update(uow, ticket, {name: new_ticket(dice)[name] for name in ("customer_tier", "title")})
        case 7:
            rules.update(uow, ticket, {"priority": dice.choice(models.PRIORITIES), "assigned_team": "sales"})
        case 8:
            rules.update(uow, ticket, {"status": "closed"})


def change_something(storage, dice):
    """Makes one change in a transaction, which is rolled back if a rule refuses it."""
    with contextlib.suppress(AppError), storage.unit_of_work(ADMIN, write=True) as uow:
        ids = sorted(row[0] for row in uow.aggregate(uow.query(table, table.c.id)))
        match dice.randrange(8) if ids else 0:
            case 0:
                create.open_ticket(uow, TRAINED_MODELS, new_ticket(dice), model_ready=False)
            case 1:
                create.import_ticket(uow, TRAINED_MODELS, new_ticket(dice), **past(dice, uow.now))
            case 2 if dice.random() < 0.3:
                removal.remove(uow, dice.choice(ids), None)
            case 3 if dice.random() < 0.2:
                erasure.erase(uow, f"c{dice.randrange(6)}@example.com")
            case 4 if dice.random() < 0.2:
                erasure.erase_old_tickets(uow, erasure.find_old_tickets(uow, 30), 30)
            case _:
                change(uow, dice, dice.choice(ids))


def answer_by_ai(storage):
    with storage.unit_of_work(ADMIN, write=True) as uow:
        asked = create.open_ticket(uow, TRAINED_MODELS, new_ticket(random.Random(1)), model_ready=True)
        uow.delete(jobs)
    ai_answers.answer_new_ticket(
        lambda write=False: storage.unit_of_work(ADMIN, write=write), asked["id"], None, TRAINED_MODELS, KNOWLEDGE
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_counters_equal_a_count_after_many_changes(open_app, seed):
    app = open_app()
    storage = app.extensions["runtime"].storage
    dice = random.Random(seed)
    with storage.unit_of_work(ADMIN, write=True) as uow:
        demo.fill(uow, TRAINED_MODELS)
    check(storage)
    answer_by_ai(storage)
    for _ in range(4):
        for _ in range(30):
            change_something(storage, dice)
        rows = check(storage)
    assert len(rows) > 20
    app.extensions["runtime"].stop()
    check(open_app().extensions["runtime"].storage)


def test_a_change_that_is_rolled_back_is_not_counted(open_app):
    storage = open_app().extensions["runtime"].storage

    def fail():
        with storage.unit_of_work(ADMIN, write=True) as uow:
            create.open_ticket(uow, TRAINED_MODELS, new_ticket(random.Random(3)), model_ready=False)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert check(storage) == []


def test_counters_of_values_without_tickets_are_deleted(admin, runtime):
    ticket = admin.ticket(tags=["Ada Lovelace"], assigned_to="Charles", category="billing")
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.find(select(derived.tables["tallies"])) == []
        assert uow.aggregate(select(derived.tables["ticket_tags"])) == []


def test_totals_from_counters_equal_a_count_of_the_rows(open_app):
    storage = open_app().extensions["runtime"].storage
    dice = random.Random(7)
    with storage.unit_of_work(ADMIN, write=True) as uow:
        for _ in range(60):
            create.import_ticket(uow, TRAINED_MODELS, new_ticket(dice), **past(dice, uow.now))
    rows = check(storage)
    fields = {name for kind in counters.KINDS.values() for name in kind if name != "tag"}
    compared = some = 0
    with storage.unit_of_work(ADMIN) as uow:
        for _ in range(60):
            named = dice.sample(sorted(fields), dice.randrange(4))
            filters = {name: sorted({row[name] for row in dice.sample(rows, 2)}) for name in named}
            total = counters.count(uow, filters)
            expected = sum(all(row[name] in words for name, words in filters.items()) for row in rows)
            if total is not None and "" not in filters.get("assigned_to", []) + filters.get("topic", []):
                assert total == expected, filters
                compared += 1
                some += 0 < expected < len(rows)
    assert compared > 20, "most totals come from counters"
    assert some > 10, "and many of them are neither none nor all"


def test_rows_deleted_by_sql_are_counted(runtime):
    with runtime.storage.unit_of_work(ADMIN, write=True) as uow:
        for number in range(3):
            create.import_ticket(uow, TRAINED_MODELS, new_ticket(random.Random(number)))
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow._connection.execute(delete(table).where(table.c.number == 2))
    assert len(check(runtime.storage)) == 2
