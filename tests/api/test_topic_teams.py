"""Teams of topics: for new tickets, after the model's answer, and in POST /api/triage."""

from dataclasses import replace

import pytest

from ai.llm import open_model
from ai.triage.rules import blend, triage
from ai_responder import Suggestion
from tests.api.test_topics import EXAMPLES
from tests.fakes.fake_model import FakeModel

TEXT = {"title": "Password", "description": "I forgot the password of my phone"}


@pytest.fixture
def fake():
    with FakeModel() as server:
        yield server


@pytest.fixture
def with_model(open_app, fake):
    return open_app(model=open_model("sk-test", fake.url, "test-model", 2.0))


@pytest.fixture
def routed(admin, run_jobs):
    """Enough examples to know how sure is sure, and a team for one topic."""
    words = "order parcel box van depot courier label street window driver".split()
    more = [(f"my {word} was never delivered", "delivery") for word in words]
    more += [(f"I forgot the password of my {word}", "login") for word in words]
    body = {"examples": EXAMPLES + [{"text": text, "topic": topic} for text, topic in more]}
    admin.data(admin.post("/api/topics/examples", body), 201)
    teams = [{"topic": "Login", "team": "Sales"}]
    assert admin.data(admin.put("/api/settings", {"topic_teams": teams}))["topic_teams"] == [
        {"topic": "Login", "team": "sales"}
    ]
    run_jobs()
    return admin


def test_a_sure_topic_assigns_its_team(routed):
    text = {"title": "Password", "description": "I forgot the password of my phone"}
    ticket = routed.ticket(**text)
    assert (ticket["topic"], ticket["assigned_team"], ticket["triage_source"]) == ("login", "sales", "learned")
    assert any(reason.startswith('team sales: the topic "login"') for reason in ticket["triage_reasons"])
    assert routed.ticket(**text, assigned_team="finance")["assigned_team"] == "finance"
    assert routed.ticket(**text, category="billing")["assigned_team"] == "finance"


def test_an_unsure_topic_assigns_no_team(routed):
    ticket = routed.ticket(title="Hm", description="Something about a swim, a door and perhaps my account")
    assert (ticket["topic"], ticket["triage_source"]) == ("login", "rules")
    assert not any(reason.startswith("team ") for reason in ticket["triage_reasons"])


@pytest.mark.parametrize(
    "teams", ["login", [{"topic": "login"}], [{"topic": "a@b.example", "team": "sales"}], [{"topic": "a", "team": "x"}]]
)
def test_teams_of_topics_are_checked(admin, teams):
    assert admin.put("/api/settings", {"topic_teams": teams}).status_code == 400


def test_a_topic_has_one_team(admin):
    teams = [
        {"topic": name, "team": team} for name, team in (("a", "sales"), ("Delivery", "sales"), ("delivery", "finance"))
    ]
    refused = admin.put("/api/settings", {"topic_teams": teams})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json["data"]["errors"]] == ["topic_teams"]
    assert admin.data(admin.get("/api/settings"))["topic_teams"] == []


def test_changes_of_topic_teams_are_recorded_and_can_be_cleared(admin):
    admin.data(admin.put("/api/settings", {"topic_teams": [{"topic": "login", "team": "sales"}]}))
    assert admin.data(admin.put("/api/settings", {"topic_teams": []}))["topic_teams"] == []
    told = [(row["from"], row["to"]) for row in admin.data(admin.get("/api/audit?action=settings_changed"))]
    assert told == [("login: sales", ""), ("", "login: sales")]


def because_of_topic(decided):
    return any(reason.startswith('team sales: the topic "login"') for reason in decided["triage_reasons"])


def test_a_triaged_text_gets_the_team_of_its_ticket(routed):
    ticket, told = routed.ticket(**TEXT), routed.data(routed.post("/api/triage", TEXT))
    assert (told["assigned_team"], told["triage_source"]) == ("sales", "learned")
    assert told["triage_reasons"] == ticket["triage_reasons"]
    assert because_of_topic(told)


def test_a_given_priority_keeps_the_team_of_the_topic(routed):
    ticket = routed.ticket(**TEXT, priority="low")
    assert (ticket["assigned_team"], ticket["triage_source"]) == ("sales", "human")


class TestWithModel:
    """The server has a model, which answers later and has a view of its own."""

    @pytest.fixture
    def app(self, with_model):
        return with_model

    @pytest.mark.parametrize("worth", ["off", "uncertain", "always"])
    def test_an_ai_answer_keeps_the_team_of_the_topic(self, routed, run_jobs, fake, worth):
        fake.reply = {"category": "billing", "urgency": 5.0}
        routed.data(routed.put("/api/settings", {"ai_triage": worth}))
        ticket = routed.ticket(**TEXT)
        assert (ticket["ai_status"], ticket["assigned_team"]) == ("pending", "sales")
        run_jobs()
        answered = routed.data(routed.get(f"/api/tickets/{ticket['id']}"))
        assert (answered["ai_status"], answered["ai_source"]) == ("done", "model")
        assert (answered["topic"], answered["assigned_team"]) == ("login", "sales")
        assert because_of_topic(answered)
        events = routed.data(routed.get(f"/api/tickets/{ticket['id']}/history"))
        assert not {event["field"] for event in events} & {"topic", "topic_confidence", "assigned_team"}


def test_a_category_of_the_model_keeps_the_team_of_the_topic():
    view = Suggestion(category="billing", priority="low", sentiment="neutral", urgency=2.0)
    local = replace(triage("Hm", "It is there."), certain=False, category="general", assigned_team="sales")
    assert blend(local, view, tier="standard").assigned_team == "finance"
    both = blend(replace(local, topic_team="sales"), view, tier="standard")
    assert (both.category, both.assigned_team) == ("billing", "sales")
