"""The route of statistics: who may read them, which periods are refused, and what docs/metrics.md says."""

import re
from pathlib import Path

import pytest

from api.stats import AgentFigures, Stats
from core import timestamps

pytestmark = pytest.mark.every_engine


METRICS = Path(__file__).parent.parent.parent / "docs" / "metrics.md"


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
    assert set(Stats().fields) - set(figures) == {"csat_average", "previous"}
    assert Stats().validate(figures) == {}
    assert set(AgentFigures().fields) - set(figures["agents"][0]) == {"csat_average"}
    assert figures["agents"][0]["replies"] == 1


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


@pytest.mark.one_engine  # refused before the store is asked
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=32", "to"),
        ("from=2026-11-20&to=2026-11-20", "to"),
        ("from=2026-11-21&to=2026-11-20", "to"),
        ("form=2026-11-20", "form"),
        ("start=2026-11-20", "start"),
        ("teams=sales", "teams"),
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
