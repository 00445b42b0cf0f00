"""Tallies against the tickets they count, after everything that can happen to a ticket."""

import contextlib
import random
from collections import Counter

import pytest
from sqlalchemy import delete, select

import models
import times
from errors import AppError
from models import Actor
from services import answers, demo, intake, privacy, replies, tallies
from services import tickets as rules
from tables import derived, jobs
from tables import tickets as table

pytestmark = pytest.mark.every_engine

ADMIN = Actor("default", "admin", "test")
AGENTS = ("ben@example.com", "Zoe", "ann@example.com")
TAGS = ("vip", 'a"b', "50%", "naïve", "x'y")


def size(seconds):
    """A duration as tallies sort them: the number of its digits and the first."""
    return str(len(str(seconds)) * 10 + int(str(seconds)[0]))


def cells(row):
    """Everything one ticket is counted under."""
    for kind, fields in tallies.KINDS.items():
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
    """Holds every tally and every tag to the tickets that are there."""
    numbers, urgency, by_ai, tagged = Counter(), Counter(), Counter(), set()
    with storage.desk(None) as desk:
        rows = desk.find(select(table))
        kept = desk.find(select(derived.tables["tallies"]))
        tags = desk.aggregate(select(derived.tables["ticket_tags"]))
    for row in rows:
        helped = row["status"] in models.FINISHED and row["ai_response"] and not row["human_replied"]
        for cell in cells(row):
            key = (row["company_id"], *cell, *[""] * (8 - len(cell)))
            numbers[key] += 1
            urgency[key] += round(row["urgency"] * 10)
            by_ai[key] += bool(helped)
        tagged |= {(row["company_id"], tag, row["created_at"], row["id"]) for tag in row["tags"]}
    found = {tuple(row[name] for name in ("company_id", "kind", *"abcdefg")): row for row in kept}
    assert {key: row["number"] for key, row in found.items()} == numbers
    assert {key: row["urgency"] for key, row in found.items()} == urgency
    assert {key: row["by_ai"] for key, row in found.items()} == by_ai
    assert set(tags) == tagged
    return rows


def new_ticket(dice):
    words = {"category": models.CATEGORIES, "priority": models.PRIORITIES, "sentiment": models.SENTIMENTS}
    given = {name: dice.choice(values) for name, values in words.items() if dice.random() < 0.7}
    given |= {"source": dice.choice(models.SOURCES), "customer_tier": dice.choice(models.TIERS)}
    given |= {"title": "A question", "description": "How?", "tags": dice.sample(TAGS, dice.randrange(4))}
    return given | {"customer_email": f"c{dice.randrange(6)}@example.com"}


def past(dice, now):
    opened = times.later(now, seconds=-dice.randrange(90 * 86_400))
    columns = {"created_at": opened, "status": dice.choice(models.STATUSES), "topic": dice.choice(("", "refund"))}
    columns |= {"assigned_to": dice.choice(("", *AGENTS)), "ai_response": dice.choice(("", "Try this."))}
    columns |= {"first_response_seconds": dice.choice((None, 0, dice.randrange(10**6)))}
    if columns["status"] in models.FINISHED:
        took = dice.randrange(80 * 86_400)
        columns |= {"resolution_seconds": took, "resolved_at": times.later(opened, seconds=took)}
    return columns


def change(desk, dice, chosen):
    """One of the things that can happen to a ticket."""
    match dice.randrange(9):
        case 0:
            rules.assign(desk, chosen, dice.choice(AGENTS))
        case 1:
            rules.unassign(desk, chosen)
        case 2:
            rules.resolve(desk, chosen, "Done.")
        case 3:
            rules.reopen(desk, chosen)
        case 4:
            replies.add(desk, chosen, {"body": "Hello", "author_name": "Ben"})
        case 5:
            rules.update(desk, chosen, {"tags": dice.sample(TAGS, dice.randrange(3)), "urgency": 4.2})
        case 6:
            rules.update(desk, chosen, {name: new_ticket(dice)[name] for name in ("customer_tier", "title")})
        case 7:
            rules.update(desk, chosen, {"priority": dice.choice(models.PRIORITIES), "assigned_team": "sales"})
        case 8:
            rules.update(desk, chosen, {"status": "closed"})


def happen(storage, dice):
    """Something happens at the desk, whole or, when the rules refuse it, not at all."""
    with contextlib.suppress(AppError), storage.desk(ADMIN, write=True) as desk:
        ids = sorted(row[0] for row in desk.aggregate(desk.rows(table, table.c.id)))
        match dice.randrange(8) if ids else 0:
            case 0:
                intake.open_ticket(desk, new_ticket(dice), model_ready=False)
            case 1:
                intake.bring_in(desk, new_ticket(dice), **past(dice, desk.now))
            case 2 if dice.random() < 0.3:
                rules.remove(desk, dice.choice(ids), None)
            case 3 if dice.random() < 0.2:
                privacy.erase(desk, f"c{dice.randrange(6)}@example.com")
            case 4 if dice.random() < 0.2:
                privacy.erase_old_tickets(desk, privacy.old_tickets(desk, 30), 30)
            case _:
                change(desk, dice, dice.choice(ids))


def answer_by_ai(storage):
    with storage.desk(ADMIN, write=True) as desk:
        asked = intake.open_ticket(desk, new_ticket(random.Random(1)), model_ready=True)
        desk.delete(jobs)
    answers.write_first(lambda write=False: storage.desk(ADMIN, write=write), asked["id"], None)


@pytest.mark.parametrize("seed", [1, 2])
def test_tallies_are_what_counting_gives_whatever_happens(open_app, seed):
    app = open_app()
    storage = app.extensions["foyer"].storage
    dice = random.Random(seed)
    with storage.desk(ADMIN, write=True) as desk:
        demo.fill(desk)
    check(storage)
    answer_by_ai(storage)
    for _ in range(4):
        for _ in range(30):
            happen(storage, dice)
        rows = check(storage)
    assert len(rows) > 20
    app.extensions["foyer"].stop()
    check(open_app().extensions["foyer"].storage)


def test_a_change_that_is_undone_is_not_counted(open_app):
    storage = open_app().extensions["foyer"].storage

    def fail():
        with storage.desk(ADMIN, write=True) as desk:
            intake.open_ticket(desk, new_ticket(random.Random(3)), model_ready=False)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert check(storage) == []


def test_nothing_is_left_of_words_no_ticket_has_any_more(admin, foyer):
    made = admin.ticket(tags=["Ada Lovelace"], assigned_to="Charles", category="billing")
    admin.data(admin.delete(f"/api/tickets/{made['id']}"))
    with foyer.storage.desk(None) as desk:
        assert desk.find(select(derived.tables["tallies"])) == []
        assert desk.aggregate(select(derived.tables["ticket_tags"])) == []


def test_lists_count_by_tallies_what_the_rows_say(open_app):
    storage = open_app().extensions["foyer"].storage
    dice = random.Random(7)
    with storage.desk(ADMIN, write=True) as desk:
        for _ in range(60):
            intake.bring_in(desk, new_ticket(dice), **past(dice, desk.now))
    rows = check(storage)
    fields = {name for kind in tallies.KINDS.values() for name in kind if name != "tag"}
    compared = some = 0
    with storage.desk(ADMIN) as desk:
        for _ in range(60):
            named = dice.sample(sorted(fields), dice.randrange(4))
            wanted = {name: sorted({row[name] for row in dice.sample(rows, 2)}) for name in named}
            counted = tallies.counts(desk, wanted)
            expected = sum(all(row[name] in words for name, words in wanted.items()) for row in rows)
            if counted is not None and "" not in wanted.get("assigned_to", []) + wanted.get("topic", []):
                assert counted[""] == expected, wanted
                compared += 1
                some += 0 < expected < len(rows)
    assert compared > 20, "most questions are answered by tallies"
    assert some > 10, "and most of these neither by nothing nor by everything"


def test_deleting_behind_the_desks_back_is_counted_too(foyer):
    with foyer.storage.desk(ADMIN, write=True) as desk:
        for number in range(3):
            intake.bring_in(desk, new_ticket(random.Random(number)))
    with foyer.storage.desk(None, write=True) as desk:
        desk._connection.execute(delete(table).where(table.c.number == 2))
    assert len(check(foyer.storage)) == 2
