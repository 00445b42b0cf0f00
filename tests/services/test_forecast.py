"""The expected time of resolution: what it is learned from, and how its error is measured."""

import random
from datetime import UTC, datetime
from statistics import median

import pytest

from ai.embeddings import open_embeddings
from core import timestamps
from core.models import CATEGORIES, PRIORITIES, Actor
from services.stats import forecast
from services.tickets import create
from services.triage.trained_models import TrainedModels

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
ADMIN = Actor("default", "admin", "test")
TRAINED_MODELS = TrainedModels(open_embeddings("static"))
LIKE = {"category": "billing", "priority": "high", "customer_tier": "premium"}
OPEN = {"title": "An invoice", "description": "It is wrong.", "customer_email": "ada@example.com"}


@pytest.fixture
def app(open_app):
    return open_app(api_key="admin-key", clock=lambda: NOW)


def add(app, seconds, *, days_ago=60, **fields):
    """A resolved ticket of the past that took so long."""
    opened = timestamps.later(timestamps.stamp(NOW), seconds=-days_ago * 86_400)
    past = {"created_at": opened, "status": "resolved", "resolution_seconds": seconds}
    past |= {"resolved_at": timestamps.later(opened, seconds=seconds)} | LIKE | fields
    with app.extensions["runtime"].storage.unit_of_work(ADMIN, write=True) as uow:
        return create.import_ticket(uow, TRAINED_MODELS, OPEN, **past)


def expected(ticket):
    return [ticket.get(f"expected_resolution_seconds{end}") for end in ("", "_low", "_high")]


def quality(caller):
    rows = caller.data(caller.get("/api/ai/quality"))
    return next(row for row in rows if row["field"] == "expected_resolution_seconds")


def test_it_is_the_median_of_like_tickets_with_the_middle_eighty_percent(app, admin):
    for hours in range(1, 11):
        add(app, hours * 3600)
        add(app, 9 * 86_400, category="sales")
    ticket = admin.ticket(**LIKE)
    assert expected(ticket) == [19_800, 3600, 32_400]
    assert expected(admin.data(admin.get(f"/api/tickets/{ticket['id']}"))) == [19_800, 3600, 32_400]


@pytest.mark.parametrize(("resolved", "opened", "due"), [(8, 9, False), (8, 10, True), (48, 11, False), (48, 12, True)])
def test_it_is_learned_again_after_a_quarter_of_new_tickets_or_ten(app, resolved, opened, due):
    for _ in range(resolved):
        add(app, 3600)
    times = forecast.ResolutionTimes()
    with app.extensions["runtime"].storage.unit_of_work(ADMIN) as uow:
        times.learn(uow)
    times.expected("default", {"number": opened} | LIKE)
    assert times.is_due("default") is due


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 100),
        ({"customer_tier": "free"}, 200),  # few are like it: all of its category and priority count
        ({"category": "general"}, 250),  # all of its priority
        ({"category": "general", "priority": "low"}, 300),  # all
    ],
)
def test_where_few_are_like_it_a_wider_group_counts(app, admin, fields, seconds):
    for _ in range(10):
        add(app, 100)
        add(app, 300, category="technical")
    for _ in range(9):
        add(app, 200, customer_tier="standard")
        add(app, 250, category="account")
        add(app, 900, category="sales", priority="medium")
        add(app, 700, category="sales", priority="medium")
    values = {"a": [100] * 10 + [200] * 9, "b": [100] * 10 + [200] * 9 + [300] * 10 + [250] * 9}
    values["c"] = values["b"] + [900] * 9 + [700] * 9
    wanted = {100: 100, 200: median(values["a"]), 250: median(values["b"]), 300: median(values["c"])}
    assert expected(admin.ticket(**{**LIKE, **fields}))[0] == wanted[seconds]


def test_it_is_left_out_without_enough_history_and_comes_as_soon_as_there_is(app, admin):
    for _ in range(9):
        add(app, 100)
    assert expected(admin.ticket(**LIKE)) == [None, None, None]
    add(app, 100)
    assert expected(admin.ticket(**LIKE)) == [100, 100, 100]


def test_customers_get_it_from_the_history_of_the_whole_company(app, customer):
    for _ in range(10):
        add(app, 100, customer_row=add(app, 1)["customer_row"])
    body = {"title": "An invoice", "description": "It is wrong."}
    assert expected(customer.data(customer.post("/api/tickets", body), 201))[0] is not None


def test_another_company_has_its_own_history(app, admin, stranger):
    for _ in range(10):
        add(app, 100)
    assert expected(admin.ticket())[0] == 100
    assert expected(stranger.ticket()) == [None, None, None]
    assert quality(stranger)["decided"] == 0


def test_the_error_is_measured_with_what_was_resolved_before(app, admin):
    dice = random.Random(5)
    rows = [
        add(
            app,
            dice.randrange(60, 5 * 86_400),
            days_ago=dice.randrange(1, 90),
            category=dice.choice(CATEGORIES[:2]),
            priority=dice.choice(PRIORITIES[:2]),
        )
        for _ in range(120)
    ]
    errors, right = [], 0
    for row in rows:
        before = [other for other in rows if other["resolved_at"] < row["created_at"]]
        for names in forecast.GROUPS:
            values = [one["resolution_seconds"] for one in before if all(one[name] == row[name] for name in names)]
            if len(values) >= 10:
                errors.append(abs(int(median(values) + 0.5) - row["resolution_seconds"]))
                low, high = (sorted(values)[-(-tenths * len(values) // 10) - 1] for tenths in (1, 9))
                right += low <= row["resolution_seconds"] <= high
                break
    figures = quality(admin)
    assert 50 < len(errors) < 120
    assert (figures["decided"], figures["corrected"]) == (len(errors), len(errors) - right)
    assert figures["accuracy"] == round(right / len(errors), 3)
    assert figures["median_absolute_error_seconds"] == round(median(errors))
    assert sum(month["decided"] for month in figures["per_month"]) == len(errors)
