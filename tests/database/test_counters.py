"""The ticket counters equal a count of the tickets after every kind of change."""

import contextlib
import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select

from ai.embeddings import Embeddings, open_embeddings
from auth.erasure_marks import ErasureMarks
from core import models, timestamps
from core.errors import AppError
from core.models import Actor
from database import ticket_sums
from database.tables import derived, jobs, stale_days
from database.tables import tickets as table
from jobs.statistics import count_days
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

MARKS = ErasureMarks("a secret of the tests")
KNOWLEDGE = Knowledge(Embeddings(None, "none"))
TRAINED_MODELS = TrainedModels(open_embeddings("static"))


def cells(row):
    """The counters that count one ticket."""
    for kind, fields in counters.KINDS.items():
        for tag in set(row["tags"]) if kind == "tag" else [""]:
            words = [tag if name == "tag" else row[name] for name in fields]
            if words[0]:
                yield kind, *words


def numbers(row):
    """What one ticket adds to the sums."""
    finished = row["status"] in models.FINISHED
    by_ai = bool(finished and row["ai_response"] and not row["human_replied"])
    score, half = row["csat_score"], int(row["created_at"][11:13]) * 2 + (row["created_at"][14:16] >= "30")
    confirmed = score >= 4 if score is not None else row["closed_by_customer"]
    sums = {"number": 1, "urgency": round(row["urgency"] * 10), "replies": row["agent_replies"], "finished": finished}
    sums |= {"by_ai": by_ai, "csat_sum": score or 0, "csat_count": score is not None}
    sums |= {"ai_confirmed": by_ai and confirmed, "ai_reopened": row["reopened_after_ai"]}
    sums |= {"ai_assumed": by_ai and score is None and not row["closed_by_customer"]}
    sums |= {"ai_handed_over": bool(row["ai_response"]) and (row["human_replied"] or row["handed_over"])}
    sums |= {f"sla_{word}": row["sla_status"] == word for word in ("met", "breached")}
    sums |= {f"{field}_{row[field]}": 1 for field in ticket_sums.WORDS} | {f"half_{half:02}": 1}
    for name, column in ticket_sums.DURATIONS.items():
        if row[column] is not None:
            sums[f"{name}_{max(step for step in ticket_sums.STEPS if step <= row[column])}"] = 1
    return sums


def places(row):
    """The rows of the sums in which one ticket counts."""
    for span, size in (("months", 7), ("days", 10)):
        for kind in ("all", "team", "agent", "pair"):
            team = row["assigned_team"] if kind in ("team", "pair") else ""
            agent = row["assigned_to"] if kind in ("agent", "pair") else ""
            yield row["company_id"], kind, span, row["created_at"][:size], team, agent


def check_sums(rows, stored, stored_words, stale):
    """Compares the sums of days and months with the tickets. Stale days have none, nor have their months."""
    sums, words = defaultdict(Counter), Counter()
    stale_spans = stale | {(company, day[:7]) for company, day in stale}
    for row in rows:
        for company, kind, span, first, team, agent in places(row):
            if (company, first) not in stale_spans:
                sums[company, f"{kind}_{span}", first, team, agent].update(numbers(row))
                if kind in ("all", "pair"):
                    texts = {("topic", row["topic"])} | {("tag", tag) for tag in row["tags"]}
                    words.update(
                        (company, f"{of}_{kind}_{span}", first, word, team, agent) for of, word in texts if word
                    )
    key = ("company_id", "kind", "span", "team", "agent")
    found = {
        tuple(row[name] for name in key): Counter({name: row[name] for name in ticket_sums.SUMS}) for row in stored
    }
    assert {key: +counter for key, counter in found.items()} == {key: +counter for key, counter in sums.items()}
    key = ("company_id", "kind", "span", "word", "team", "agent")
    assert {tuple(row[name] for name in key): row["number"] for row in stored_words} == words


def check(storage):
    """Compares every counter and every tag with the tickets."""
    counts, tagged = Counter(), set()
    with storage.unit_of_work(None) as uow:
        rows = uow.find(select(table))
        counter_rows = uow.find(select(derived.tables["tallies"]))
        tags = uow.aggregate(select(derived.tables["ticket_tags"]))
        stored_sums = uow.find(select(derived.tables["ticket_sums"]))
        stored_words = uow.find(select(derived.tables["word_sums"]))
        stale = set(uow.aggregate(select(derived.tables["stale_days"])))
    check_sums(rows, stored_sums, stored_words, stale)
    for row in rows:
        counts.update((row["company_id"], *cell, *[""] * (8 - len(cell))) for cell in cells(row))
        tagged |= {(row["company_id"], tag, row["created_at"], row["id"]) for tag in row["tags"]}
    stored = {tuple(row[name] for name in ("company_id", "kind", *"abcdefg")): row for row in counter_rows}
    assert {key: row["number"] for key, row in stored.items()} == counts
    assert set(tags) == tagged
    return rows


def check_counted(storage):
    """Counts the days but today, and compares again."""
    count_days(storage)
    with storage.unit_of_work(None) as uow:
        assert not uow.find(uow.query(stale_days).where(stale_days.c.day != uow.real_now[:10]))
        assert uow.find(
            select(derived.tables["ticket_sums"]).where(derived.tables["ticket_sums"].c.kind == "all_months")
        )
    return check(storage)


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
    columns |= {"first_response_seconds": dice.choice((None, 0, dice.randrange(10**6), 10**8))}
    columns |= {"csat_score": dice.choice((None, 1, 4)), "sla_status": dice.choice(("", *models.SLA_STATUSES))}
    columns |= {"agent_replies": dice.randrange(3), "closed_by_customer": dice.random() < 0.3}
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
                erasure.erase(uow, f"c{dice.randrange(6)}@example.com", MARKS)
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


def test_counters_equal_a_count_after_many_changes(open_app):
    app = open_app()
    storage = app.extensions["runtime"].storage
    dice = random.Random(1)
    with storage.unit_of_work(ADMIN, write=True) as uow:
        demo.fill(uow, TRAINED_MODELS)
    check(storage)
    answer_by_ai(storage)
    for _ in range(4):
        for _ in range(30):
            change_something(storage, dice)
        check(storage)
        rows = check_counted(storage)
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
    with runtime.storage.unit_of_work(ADMIN, write=True) as uow:
        uow.count_day(ticket["created_at"][:10])
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.find(select(derived.tables["tallies"])) == []
        for name in ("ticket_tags", "ticket_sums", "word_sums"):
            assert uow.aggregate(select(derived.tables[name])) == []


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


def test_a_change_during_a_count_is_in_the_sums_or_its_day_is_stale(open_app):
    storage = open_app().extensions["runtime"].storage
    with storage.unit_of_work(ADMIN, write=True) as uow:
        days = [f"2026-05-{3 + n:02}T08:00:00.000Z" for n in range(4)]
        ids = [
            create.import_ticket(uow, TRAINED_MODELS, new_ticket(random.Random(n)), created_at=day)["id"]
            for n, day in enumerate(days)
        ]

    def change_all():
        for number in range(12):  # system writers do not wait for those of a company
            with storage.unit_of_work(None, write=True) as uow:
                uow.update(table, ids[number % 4], {"agent_replies": number})

    with ThreadPoolExecutor(1) as other:
        changing = other.submit(change_all)
        while not changing.done():
            count_days(storage)
        changing.result()
    check(storage)
    check_counted(storage)


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_month_is_counted_right_although_a_day_of_it_was_changed_meanwhile(open_app):
    """Writers of the system do not wait for those of a company."""
    storage = open_app().extensions["runtime"].storage
    with storage.unit_of_work(ADMIN, write=True) as uow:
        first, second = (
            create.import_ticket(
                uow, TRAINED_MODELS, new_ticket(random.Random(n)), created_at=f"2026-05-0{n}T08:00:00.000Z"
            )
            for n in (1, 2)
        )
    count_days(storage)
    with storage.unit_of_work(None, write=True) as uow:
        uow.update(table, first["id"], {"agent_replies": 7})
    with storage.unit_of_work(None, write=True) as changing:
        changing.update(table, second["id"], {"agent_replies": 8})
        with storage.unit_of_work(ADMIN, write=True) as uow:
            uow.count_day("2026-05-01")
    check_counted(storage)
