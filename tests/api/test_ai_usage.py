"""What AI did and cost, day by day, and the daily budget of the model."""

from datetime import timedelta

import pytest

from ai.llm import open_model
from jobs.handlers import close_silent_chats
from tests.fakes.fake_model import FakeModel
from tests.support.clock import Clock

ADA = {"customer_email": "ada@example.com"}
TODAY = "2026-03-01"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fake():
    with FakeModel() as server:
        server.usage = {"prompt_tokens": 1000, "completion_tokens": 100}
        server.reply = {"kind": "courtesy", "articles": [], "wants_person": False}
        yield server


@pytest.fixture
def app(open_app, clock, fake):
    return open_app(clock=clock, model=open_model("sk-test", fake.url, "test-model", 2.0))


def say(caller, message="Which plans are there?", **fields):
    return caller.data(caller.post("/api/chat", {"message": message, **ADA, **fields}))


def usage_of_today(admin, runtime):
    runtime.usage.flush(runtime.storage)
    (row,) = admin.data(admin.get(f"/api/ai/usage?from={TODAY}&to={TODAY}"))
    return row


@pytest.mark.every_engine
def test_calls_tokens_and_cost_are_counted(admin, runtime, fake, run_jobs):
    admin.data(admin.put("/api/settings", {"ai_input_price": 2.5, "ai_output_price": "10"}))
    say(admin)
    admin.ticket()
    run_jobs()
    fake.mode = "nonsense"
    say(admin)
    row = usage_of_today(admin, runtime)
    assert (row["model_calls"], row["tokens_in"], row["tokens_out"]) == (3, 3000, 300)
    assert row["cost_usd"] == 0.0105
    assert (row["answers_model"], row["handoffs"]) == (2, 1)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": "many"},
        {"prompt_tokens": -5},
        [],
        {"prompt_tokens": None},
        {"completion_tokens": 10**18},
    ],
)
def test_a_provider_that_counts_no_tokens_is_counted_by_its_calls(admin, runtime, fake, usage):
    fake.usage = usage
    assert say(admin)["ai_source"] == "model"
    row = usage_of_today(admin, runtime)
    assert (row["model_calls"], row["tokens_in"], row["tokens_out"]) == (1, 0, 0)


def test_beyond_the_budget_the_model_is_not_asked_and_health_says_so(admin, runtime, fake, clock):
    assert admin.put("/api/settings", {"ai_daily_budget_usd": 0.01}).status_code == 400
    admin.data(admin.put("/api/settings", {"ai_input_price": 10, "ai_daily_budget_usd": 0.01}))
    assert say(admin)["ai_source"] == "model"
    runtime.usage.flush(runtime.storage)
    assert say(admin)["ai_source"] == "canned"
    assert fake.count == 1
    assert "budget of today is used up" in admin.get("/api/health").json["data"]["ai"]["note"]
    clock.now += timedelta(days=1)
    assert say(admin)["ai_source"] == "model"
    assert "budget" not in admin.get("/api/health").json["data"]["ai"]["note"]


def test_handoffs_and_ends_of_conversations_are_counted_and_reopened_ones_taken_away(
    admin, runtime, customer, clock, fake
):
    fake.mode = "refuse"
    say(admin, "I want to speak to a person", user_id="u1", customer_email="u1@example.com")
    say(admin, "This is ridiculous", customer_email="u2@example.com")
    first = customer.data(customer.post("/api/chat", {"message": "Hello"}))["conversation_id"]
    customer.post(f"/api/chat/{first}/close")
    silent = say(admin, "Hello", customer_email="u3@example.com")["conversation_id"]
    for minutes in (25, 5):
        clock.now += timedelta(minutes=minutes)
        close_silent_chats(runtime)
    row = usage_of_today(admin, runtime)
    assert (row["handoffs"], row["resolved_confirmed"], row["resolved_assumed"], row["reopened"]) == (2, 1, 1, 0)
    counts = {reason["key"]: reason["count"] for reason in row["handoffs_by_reason"]}
    assert (counts["asked"], counts["angry"], sum(counts.values())) == (1, 1, 2)
    for conversation in (first, silent):
        admin.data(admin.post("/api/chat", {"message": "Hello", "conversation_id": conversation}))
    row = usage_of_today(admin, runtime)
    assert (row["resolved_confirmed"], row["resolved_assumed"], row["reopened"]) == (0, 0, 2)


def test_there_is_a_row_for_each_day_and_at_most_a_year(admin):
    rows = admin.data(admin.get("/api/ai/usage"))
    assert [rows[0]["day"], rows[-1]["day"], len(rows)] == ["2026-01-31", TODAY, 30]
    assert admin.get("/api/ai/usage?from=2026-03-02&to=2026-03-01").status_code == 400
    assert admin.get("/api/ai/usage?from=2020-01-01&to=2026-03-01").status_code == 400
    assert admin.get("/api/ai/usage?from=soon").status_code == 400
    assert len(admin.data(admin.get("/api/ai/usage?to=2025-01-31"))) == 30


def test_another_company_sees_nothing_of_it(admin, other_admin, runtime):
    say(admin)
    runtime.usage.flush(runtime.storage)
    rows = other_admin.data(other_admin.get(f"/api/ai/usage?from={TODAY}&to={TODAY}"))
    assert {rows[0][name] for name in ("model_calls", "answers_model", "answers_canned", "handoffs")} == {0}
