"""The dashboard's figures, compared with counts in Python and with manual sums."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from ai.embeddings import open_embeddings
from api.stats import Stats
from core import models, timestamps
from core.models import Actor
from database.tables import companies, tickets
from jobs.statistics import count_days
from services import settings
from services.sla import targets
from services.stats import counting, report
from services.stats.period import Selection
from services.stats.sums import SumsOf
from services.tickets import create
from services.triage.trained_models import TrainedModels
from tests.conftest import OTHER_COMPANY
from tests.support.counted_tickets import NOW, by_hand
from tests.support.noted_statements import noted

pytestmark = pytest.mark.every_engine

ADMIN = Actor("default", "admin", "test")
AGENTS = ("", "ben@example.com", "Zoe", "ann@example.com")
DAY = 86_400  # seconds

TRAINED_MODELS = TrainedModels(open_embeddings("static"))


@pytest.fixture
def store(open_app):
    """The store of a server whose clock stands still."""
    return open_app(clock=lambda: NOW).extensions["runtime"].storage


@pytest.fixture
def varied(store):
    """Eighty tickets in every state, opened over the last forty days; gives their rows. A third of the days is counted."""
    dice = random.Random(20)
    with store.unit_of_work(ADMIN, write=True) as uow:
        rows = [add(uow, number, **past(dice, number)) for number in range(80)]
    count_some_days(store, dice, 1 / 3)
    return rows


def count_some_days(store, dice, share):
    """Counts a share of the stale days for statistics."""
    with store.unit_of_work(ADMIN, write=True) as uow:
        for row in counting.days_to_count(uow):
            if dice.random() < share:
                uow.count_day(row["day"])


def add(uow, number=0, **columns):
    given = {"title": "A question", "description": "How?", "customer_email": f"c{number % 7}@example.com"}
    return create.import_ticket(uow, TRAINED_MODELS, given, **columns)


def past(dice, number):
    """The columns of one of many tickets; every status has ten."""
    status = models.STATUSES[number % len(models.STATUSES)]
    opened = before(dice.randrange(40 * DAY))
    columns = {"status": status, "created_at": opened, "updated_at": before(0), "assigned_to": dice.choice(AGENTS)}
    columns |= {"priority": dice.choice(models.PRIORITIES), "category": dice.choice(models.CATEGORIES)}
    columns |= {"sentiment": dice.choice(models.SENTIMENTS), "source": dice.choice(models.SOURCES)}
    columns |= {"customer_tier": dice.choice(models.TIERS), "urgency": dice.randint(10, 50) / 10}
    columns |= {"assigned_team": dice.choice((*models.TEAMS[:4], "vip_desk", "apps"))}
    columns |= {"ai_response": dice.choice(("", "Try this.")), "human_replied": dice.random() < 0.5}
    if columns["human_replied"]:
        columns["first_response_seconds"] = dice.randrange(5 * DAY)
    if status in models.FINISHED:
        taken = dice.choice((dice.randrange(9 * DAY), dice.randrange(200), 40 * DAY))
        columns |= {"resolution_seconds": taken, "resolved_at": timestamps.later(opened, seconds=taken)}
        columns |= {"csat_score": dice.choice((None, 1, 3, 4, 5)), "closed_by_customer": dice.random() < 0.4}
    columns |= {"sla_status": dice.choice(("", *models.SLA_STATUSES)), "agent_replies": dice.randrange(4)}
    columns |= {"handed_over": dice.random() < 0.3, "reopened_after_ai": dice.random() < 0.2}
    columns |= {
        "topic": dice.choice(("", "refund", "Größe")),
        "tags": dice.sample(("vip", 'a"b', "50%"), dice.randrange(3)),
    }
    return columns


def before(seconds):
    """The moment so many seconds ago."""
    return timestamps.stamp(NOW - timedelta(seconds=seconds))


def overview(store, actor=ADMIN, **limits):
    with store.unit_of_work(actor) as uow:
        return report.overview(uow, **limits)


def test_every_figure_equals_a_count_of_the_tickets(store, varied):
    figures = overview(store)
    assert figures == by_hand(varied)
    count_days(store)
    assert overview(store) == figures, "also when every day is counted"
    assert figures["total_tickets"] == 80
    assert all(row["count"] == 10 for row in figures["by_status"])
    assert [agent["agent"] for agent in figures["agents"]] == ["Zoe", "ann@example.com", "ben@example.com"]
    assert all("resolution_seconds_median" in agent for agent in figures["agents"])


@pytest.mark.parametrize(("start", "end"), [(20, 0), (0, 10), (31, 9), (2, 1), (39, 38)])
def test_from_and_to_narrow_every_figure_alike(store, varied, start, end):
    limits = {"start": before(start * DAY)} if start else {}
    limits |= {"end": before(end * DAY)} if end else {}
    figures = overview(store, **limits)
    assert figures == by_hand(varied, **limits)
    assert figures["total_tickets"] < 80


FILTERS = [
    {"team": "sales"},
    {"team": "vip_desk", "start": before(20 * DAY)},
    {"agent": "ben@example.com"},
    {"agent": "Zoe", "end": before(5 * DAY + 7)},
    {"team": "sales", "agent": "Zoe"},
    {"team": "apps", "agent": "ann@example.com", "start": before(35 * DAY + 3), "end": before(3 * DAY)},
    {"team": "no such team"},
    {"agent": "nobody", "start": before(DAY)},
]
MIDNIGHTS = [
    "2026-10-12T00:00:00.000Z",
    "2026-11-01T00:00:00.000Z",
    "2026-11-20T00:00:00.000Z",
    "2026-12-01T00:00:00.000Z",
]


@pytest.mark.parametrize("limits", FILTERS)
def test_team_and_agent_narrow_every_figure_alike(store, varied, limits):
    assert overview(store, **limits) == by_hand(varied, **limits)


@pytest.mark.parametrize("seed", range(3))
def test_any_selection_equals_a_count_of_its_tickets(store, varied, seed):
    dice = random.Random(seed)
    for _ in range(12):
        count_some_days(store, dice, 0.2)
        start, end = sorted(dice.choice((*MIDNIGHTS, before(dice.randrange(-DAY, 45 * DAY)))) for _ in range(2))
        limits = {"start": start, "end": end, "team": dice.choice(("sales", "apps")), "agent": dice.choice(AGENTS[1:])}
        limits = {name: limits[name] for name in limits if dice.random() < 0.6}
        if start < end:
            assert overview(store, **limits) == by_hand(varied, **limits), limits


ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]


@pytest.mark.parametrize("zone", ZONES)
def test_hours_are_those_of_the_company_also_when_its_clock_changes(store, zone):
    with store.unit_of_work(ADMIN, write=True) as uow:
        settings.change(uow, {"hours": {**targets.DEFAULT_HOURS, "time_zone": zone}})
        changes = ("2026-10-25T00", "2026-11-01T05", "2026-04-04T14", "2026-03-29T00", "1921-05-05T10", "2011-12-30T09")
        moments = [f"{hour}:{minute}:00.000Z" for hour in changes for minute in ("00", "29", "44", "59")]
        moments += [timestamps.later(moments[0], seconds=number * 1013) for number in range(20)]
        rows = [add(uow, created_at=moment) for moment in moments]
    count_some_days(store, random.Random(1), 0.5)
    for limits in ({}, {"start": "2026-10-25T00:30:00.000Z"}, {"end": "2026-10-25T00:10:00.000Z"}):
        assert overview(store, **limits) == by_hand(rows, zone=zone, **limits)


def test_the_period_before_is_as_long_and_ends_where_this_one_begins(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        for day in (1, 2, 2, 3, 3, 3, 4, 4, 4, 4):
            add(uow, created_at=f"2026-11-{day:02}T12:00:00.000Z")
    figures = overview(store, start="2026-11-03T00:00:00.000Z", end="2026-11-05T00:00:00.000Z")
    assert (figures["total_tickets"], figures["previous"]["total_tickets"]) == (7, 3)
    assert "previous" not in overview(store, end="2026-11-05T00:00:00.000Z")
    assert overview(store, start="2026-11-03T00:00:00.000Z")["previous"]["total_tickets"] == 3  # this one ends now
    assert "previous" not in overview(store, start="2027-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    "limits",
    [
        {"start": "9999-12-31T23:59:59.999Z"},
        {"start": "9999-12-31T00:00:00.000Z"},
        {"start": "0001-01-01T00:00:00.000Z"},
        {"start": "0001-01-01T00:00:00.001Z", "end": "9999-12-31T23:59:59.999Z"},
        {"end": "0001-01-01T00:00:00.001Z"},
    ],
)
def test_the_ends_of_the_calendar_are_a_period_like_any_other(store, limits):
    with store.unit_of_work(ADMIN, write=True) as uow:
        rows = [
            add(uow),
            add(uow, created_at="9999-12-31T23:59:59.999Z"),
            add(uow, created_at="0001-01-01T00:00:00.000Z"),
        ]
    wanted = [row for row in rows if limits.get("start", "") <= row["created_at"] < limits.get("end", "~")]
    assert overview(store, **limits)["total_tickets"] == len(wanted)
    assert sum(row["count"] for row in overview(store, **limits)["by_hour"]) == len(wanted)


def test_fifty_topics_and_tags_at_most_are_shown(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        rows = [add(uow, topic=f"t{n % 60:02}", tags=[f"tag {n % 55:02}"]) for n in range(70)]
    figures = overview(store)
    assert figures == by_hand(rows)
    assert (len(figures["by_topic"]), len(figures["by_tag"])) == (50, 50)


def test_a_period_begins_with_from_and_ends_before_to(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        edges = [add(uow, created_at=before(seconds))["created_at"] for seconds in (3 * DAY, 2 * DAY, DAY)]
    first, second, third = edges
    assert overview(store, start=first, end=third)["total_tickets"] == 2
    assert overview(store, start=timestamps.later(first, seconds=0.001), end=third)["total_tickets"] == 1
    assert overview(store, start=first, end=timestamps.later(third, seconds=0.001))["total_tickets"] == 3
    assert overview(store, end=second)["total_tickets"] == 1
    assert overview(store, start=second)["total_tickets"] == 2


def test_statistics_without_tickets_are_zeros_without_medians(store):
    figures = overview(store)
    assert figures == by_hand([])
    durations = {
        f"{name}_{of}" for name in ("first_response_seconds", "resolution_seconds") for of in ("median", "p90")
    }
    left_out = {"average_urgency", "sla_met_percent", "csat_average", "previous"} | durations
    assert set(Stats().fields) - set(figures) == left_out
    assert (figures["total_tickets"], figures["ai_resolution_rate"], figures["agents"]) == (0, 0.0, [])
    assert isinstance(figures["ai_resolution_rate"], float)
    assert [row["key"] for row in figures["by_team"]] == list(models.TEAMS)


def test_tickets_of_another_company_are_not_counted(store, varied):
    alone = overview(store)
    elsewhere = Actor(OTHER_COMPANY, "admin", "test")
    with store.unit_of_work(None, write=True) as uow:
        uow.insert(companies, {"id": OTHER_COMPANY, "name": "Other", "created_at": uow.now})
    with store.unit_of_work(elsewhere, write=True) as uow:
        theirs = add(uow, status="closed", assigned_to="eve@example.com", resolution_seconds=1, resolved_at=uow.now)
    assert overview(store) == alone
    assert overview(store, elsewhere) == by_hand([theirs])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([7], 7), ([10, 90, 20], 20), ([10, 90, 25, 20], 23), ([3, 4], 4), ([5, 5, 5, 9], 5), ([0, 0], 0)],
)
def test_a_median_is_the_middle_value_or_the_mean_of_the_middle_two_with_halves_up(store, values, wanted):
    with store.unit_of_work(ADMIN, write=True) as uow:
        for seconds in values:
            add(uow, first_response_seconds=seconds, resolution_seconds=seconds, status="resolved", assigned_to="Zoe")
        add(uow, assigned_to="Zoe")
    figures = overview(store)
    assert figures["first_response_seconds_median"] == wanted
    assert figures["resolution_seconds_median"] == wanted
    assert [(row["agent"], row["open"], row["resolved"]) for row in figures["agents"]] == [("Zoe", 1, len(values))]
    assert (
        figures["agents"][0]["resolution_seconds_median"]
        == figures["agents"][0]["first_response_seconds_median"]
        == wanted
    )


def test_an_agent_without_resolved_tickets_has_no_median(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        add(uow, assigned_to="Zoe", status="assigned")
    assert overview(store)["agents"] == [{"agent": "Zoe", "open": 1, "resolved": 0, "replies": 0, "csat_count": 0}]


def test_the_average_urgency_rounds_halves_up(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        for urgency in (3.0, 3.0, 3.0, 4.0):
            add(uow, urgency=urgency)
    assert overview(store)["average_urgency"] == 3.3


@pytest.mark.parametrize(
    ("ai_response", "human_replied", "status", "wanted"),
    [
        ("Try this.", False, "resolved", 100.0),
        ("Try this.", False, "closed", 100.0),
        ("Try this.", True, "resolved", 0.0),
        ("", False, "closed", 0.0),
        ("Try this.", False, "ai_responded", 0.0),
    ],
)
def test_ai_resolution_counts_finished_tickets_without_human_reply(store, ai_response, human_replied, status, wanted):
    with store.unit_of_work(ADMIN, write=True) as uow:
        add(uow, ai_response=ai_response, human_replied=human_replied, status=status)
    assert overview(store)["ai_resolution_rate"] == wanted


def test_the_ai_resolution_rate_is_a_percentage_with_one_decimal(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        for answer in ("Try this.", "Try this.", ""):
            add(uow, ai_response=answer, status="resolved")
    assert overview(store)["ai_resolution_rate"] == 66.7


def test_days_are_the_last_thirty_in_utc_to_the_millisecond(store):
    first, last = "2026-10-22T00:00:00.000Z", "2026-11-20T23:59:59.999Z"
    with store.unit_of_work(ADMIN, write=True) as uow:
        for moment in (timestamps.later(first, seconds=-0.001), first, last, timestamps.later(last, seconds=0.001)):
            add(uow, created_at=moment, resolved_at=moment, status="resolved")
    figures = overview(store)
    for name in ("created_per_day", "resolved_per_day"):
        counts = {row["key"]: row["count"] for row in figures[name]}
        assert list(counts) == sorted(counts)
        assert len(counts) == 30
        assert {day: count for day, count in counts.items() if count} == {"2026-10-22": 1, "2026-11-20": 1}


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2026-11-01T00:00:00.000Z", "2026-10-31"),
        ("2026-11-01T00:00:00.001Z", "2026-11-01"),
        ("2026-03-01T12:00:00.000Z", "2026-03-01"),
        ("2027-01-01T00:00:00.000Z", "2026-12-31"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31"),
        ("0001-01-01T00:00:00.000Z", "0001-01-30"),
    ],
)
def test_the_thirty_days_end_with_the_last_day_before_to(store, end, last):
    days = [row["key"] for row in overview(store, end=end)["created_per_day"]]
    assert (len(days), days[-1]) == (30, last)


def test_a_snapshot_shows_one_moment_while_others_write_and_count(store, varied):
    count_days(store)
    with store.unit_of_work(ADMIN, snapshot=True) as uow:
        sums = SumsOf(uow, Selection())
        with store.unit_of_work(ADMIN, write=True) as other:
            other.update(tickets, varied[0]["id"], {"csat_score": 5})
        before = sums.totals()
        count_days(store)
        assert sums.totals() == before
        assert sum(one["number"] for one in sums.by_agent().values()) == before["number"] == 80
    assert overview(store)["total_tickets"] == 80


def test_tickets_of_hundreds_of_stale_months_are_counted(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        rows = [add(uow, created_at=f"{1990 + n // 12}-{n % 12 + 1:02}-03T09:00:00.000Z") for n in range(300)]
    assert overview(store) == by_hand(rows)
    count_some_days(store, random.Random(1), 0.2)
    assert overview(store) == by_hand(rows)


def test_the_number_of_statements_does_not_grow_with_the_tickets(store, varied):
    with statements() as seen:
        overview(store)
    assert len(seen) <= 24
    count_days(store)
    with statements() as seen:
        overview(store)
    assert len(seen) <= 17
    with store.unit_of_work(ADMIN, write=True) as uow:
        for number in range(80):
            add(uow, number, **past(random.Random(number), number))
    with statements() as seen:
        overview(store)
    assert len(seen) <= 24


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every SELECT that reaches a database meanwhile."""
    seen: list[str] = []
    with noted() as asked:
        yield seen
    seen += [sql for sql, _ in asked if sql.lstrip().upper().startswith(("SELECT", "WITH"))]
