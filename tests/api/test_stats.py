"""The dashboard's figures, compared with counts in Python and with manual sums."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import Engine, event

from ai.embeddings import open_embeddings
from api.stats import AgentFigures, Stats
from core import models, timestamps
from core.models import Actor
from database.tables import companies
from services.stats import report
from services.tickets import create
from services.triage.trained_models import TrainedModels
from tests.conftest import OTHER_COMPANY

pytestmark = pytest.mark.every_engine

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
ADMIN = Actor("default", "admin", "test")
AGENTS = ("", "ben@example.com", "Zoe", "ann@example.com")
METRICS = Path(__file__).parent.parent.parent / "docs" / "metrics.md"
DAY = 86_400  # seconds

TRAINED_MODELS = TrainedModels(open_embeddings("static"))


@pytest.fixture
def store(open_app):
    """The store of a server whose clock stands still."""
    return open_app(clock=lambda: NOW).extensions["runtime"].storage


@pytest.fixture
def varied(store):
    """Eighty tickets in every state, opened over the last forty days; gives their rows."""
    dice = random.Random(20)
    with store.unit_of_work(ADMIN, write=True) as uow:
        return [add(uow, number, **past(dice, number)) for number in range(80)]


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
        taken = dice.randrange(9 * DAY)
        columns |= {"resolution_seconds": taken, "resolved_at": timestamps.later(opened, seconds=taken)}
    return columns


def before(seconds):
    """The moment so many seconds ago."""
    return timestamps.stamp(NOW - timedelta(seconds=seconds))


def overview(store, actor=ADMIN, **limits):
    with store.unit_of_work(actor) as uow:
        return report.overview(uow, **limits)


def by_hand(rows, *, start="", end=""):
    """The same figures, ticket by ticket."""
    rows = [row for row in rows if row["created_at"] >= start and (not end or row["created_at"] < end)]
    status = Counter(row["status"] for row in rows)
    finished = [row for row in rows if row["status"] in ("resolved", "closed")]
    by_ai = [row for row in finished if row["ai_response"] and not row["human_replied"]]
    teams = [*models.TEAMS, *sorted({row["assigned_team"] for row in rows} - set(models.TEAMS))]
    last = timestamps.moment(end) - timedelta(milliseconds=1) if end else NOW
    days = [(last - timedelta(days=ago)).date().isoformat() for ago in range(29, -1, -1)]
    figures = {
        "total_tickets": len(rows),
        "new_tickets": status["new"],
        "ai_responded_tickets": status["ai_responded"],
        "assigned_tickets": status["assigned"],
        "resolved_tickets": status["resolved"],
        "ai_resolution_rate": tenths(Fraction(100 * len(by_ai), len(finished))) if finished else 0.0,
        "open_tickets": len(rows) - len(finished),
        "backlog": len(rows) - len(finished),
        "by_status": table(rows, "status", models.STATUSES),
        "by_priority": table(rows, "priority", models.PRIORITIES),
        "by_category": table(rows, "category", models.CATEGORIES),
        "by_team": table(rows, "assigned_team", teams),
        "by_sentiment": table(rows, "sentiment", models.SENTIMENTS),
        "by_source": table(rows, "source", models.SOURCES),
        "by_tier": table(rows, "customer_tier", models.TIERS),
        "created_per_day": table(rows, "created_at", days),
        "resolved_per_day": table(rows, "resolved_at", days),
        **middle(rows, "first_response_seconds"),
        **middle(rows, "resolution_seconds"),
        "agents": [share(rows, agent) for agent in sorted({row["assigned_to"] for row in rows} - {""})],
    }
    if rows:
        figures["average_urgency"] = tenths(Fraction(sum(round(row["urgency"] * 10) for row in rows), 10 * len(rows)))
    return figures


def table(rows, column, keys):
    values = [str(row[column])[:10] if column.endswith("_at") else row[column] for row in rows]
    return [{"key": key, "label": models.label(key), "count": values.count(key)} for key in keys]


def share(rows, agent):
    theirs = [row for row in rows if row["assigned_to"] == agent]
    resolved = sum(row["status"] in ("resolved", "closed") for row in theirs)
    return {
        "agent": agent,
        "open": len(theirs) - resolved,
        "resolved": resolved,
        **middle(theirs, "resolution_seconds"),
    }


def middle(rows, column):
    values = [Fraction(row[column]) for row in rows if row[column] is not None]
    return {f"{column}_median": int(median(values) + Fraction(1, 2))} if values else {}


def tenths(value):
    """Rounded to one decimal, halves up."""
    return int(value * 10 + Fraction(1, 2)) / 10


def test_every_figure_equals_a_count_of_the_tickets(store, varied):
    figures = overview(store)
    assert figures == by_hand(varied)
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
    left_out = {"average_urgency", "first_response_seconds_median", "resolution_seconds_median"}
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
    assert figures["agents"] == [
        {"agent": "Zoe", "open": 1, "resolved": len(values), "resolution_seconds_median": wanted}
    ]


def test_an_agent_without_resolved_tickets_has_no_median(store):
    with store.unit_of_work(ADMIN, write=True) as uow:
        add(uow, assigned_to="Zoe", status="assigned")
    assert overview(store)["agents"] == [{"agent": "Zoe", "open": 1, "resolved": 0}]


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


def test_the_number_of_statements_does_not_grow_with_the_tickets(store, varied):
    with statements() as seen:
        overview(store)
    assert len(seen) == 6
    with statements() as seen:
        overview(store, start="0001-01-01T00:00:00.000Z")
    assert len(seen) == 4


def test_counters_match_a_full_count(store, varied):
    assert overview(store) == overview(store, start="0001-01-01T00:00:00.000Z")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every SELECT that reaches a database meanwhile."""
    seen: list[str] = []

    def note(connection, cursor, statement, *_):
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_stats_route_counts_changes(admin, agent):
    answered, helped, waiting = (admin.ticket() for _ in range(3))
    admin.data(admin.post(f"/api/tickets/{answered['id']}/resolve", {"resolution": "The AI did."}))
    path = f"/api/tickets/{helped['id']}"
    admin.data(admin.post(f"{path}/assign", {"agent_email": "ben@example.com"}))
    admin.data(agent.post(f"{path}/replies", {"body": "Like this."}), 201)
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Told how."}))
    admin.data(agent.post(f"/api/tickets/{waiting['id']}/replies", {"body": "A note.", "internal": True}), 201)
    figures = agent.data(agent.get("/api/stats"))
    assert (figures["total_tickets"], figures["resolved_tickets"], figures["ai_responded_tickets"]) == (3, 2, 1)
    assert (figures["open_tickets"], figures["ai_resolution_rate"]) == (1, 50.0)
    assert [(row["agent"], row["open"], row["resolved"]) for row in figures["agents"]] == [("ben@example.com", 0, 1)]
    assert figures["created_per_day"][-1]["count"] + figures["created_per_day"][-2]["count"] == 3
    assert set(figures) == set(Stats().fields)
    assert Stats().validate(figures) == {}
    assert set(figures["agents"][0]) == set(AgentFigures().fields)


def test_customers_cannot_read_statistics(customer):
    refused = customer.get("/api/stats")
    assert (refused.status_code, refused.json["data"]["code"]) == (403, "forbidden")


def test_a_stranger_sees_only_their_own_company(admin, stranger):
    admin.ticket()
    assert stranger.data(stranger.get("/api/stats"))["total_tickets"] == 0
    assert admin.data(admin.get("/api/stats"))["total_tickets"] == 1


def test_from_and_to_are_read_like_every_time(admin):
    opened = admin.ticket()["created_at"]
    later = timestamps.later(opened, seconds=0.001)

    def total(query):
        return admin.data(admin.get(f"/api/stats?{query}"))["total_tickets"]

    assert total(f"from={opened}") == 1
    assert total(f"from={later}") == 0
    assert total(f"to={opened}") == 0
    assert total(f"to={later}") == 1
    assert total("from=2020-01-01&to=2020-01-02") == 0
    assert total("from=&to=") == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=32", "to"),
        ("from=2026-11-20&to=2026-11-20", "to"),
        ("from=2026-11-21&to=2026-11-20", "to"),
        ("form=2026-11-20", "form"),
        ("start=2026-11-20", "start"),
    ],
)
def test_an_invalid_period_is_rejected(admin, query, field):
    refused = admin.get(f"/api/stats?{query}")
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json["data"]["errors"]] == [field]


def test_metrics_md_describes_exactly_the_fields_of_the_answer():
    page, _, _ = METRICS.read_text(encoding="utf-8").partition("## The use of AI")
    whole, agent = page.split("## An agent's figures")
    for text, schema in ((whole, Stats), (agent, AgentFigures)):
        described = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]{10,} \|$", text, re.MULTILINE)
        assert sorted(described) == sorted(schema().fields)
