"""Tags that rules and topics set: each has a reason, can be taken off, and does not come back when triage runs again."""

import pytest

from ai.llm import open_model
from tests.api.test_topic_teams import TEXT, routed  # noqa: F401
from tests.fakes.fake_model import FakeModel


@pytest.fixture
def fake():
    with FakeModel() as server:
        yield server


@pytest.fixture
def with_model(open_app, fake):
    return open_app(model=open_model("sk-test", fake.url, "test-model", 2.0))


def test_a_sure_topic_becomes_a_tag_where_the_setting_says_so(routed):  # noqa: F811
    assert routed.ticket(**TEXT)["tags"] == []
    routed.data(routed.put("/api/settings", {"tag_topics": True}))
    ticket = routed.ticket(**TEXT, tags=["mine"])
    assert ticket["tags"] == ["mine", "login"]
    assert any(reason.startswith('tag login: the topic "login" (') for reason in ticket["triage_reasons"])
    tried = routed.data(routed.post("/api/routing/test", TEXT))
    assert (tried["tags"], tried["topic"]) == (["login"], "login")
    assert routed.ticket(title="Hm", description="Something about a swim, a door and perhaps my account")["tags"] == []


def test_a_rule_sees_the_topic(routed):  # noqa: F811
    conditions = [{"field": "topic", "op": "is", "value": "Login"}]
    routed.data(routed.post("/api/routing/rules", {"conditions": conditions, "team": "customer_success"}), 201)
    ticket = routed.ticket(**TEXT)
    assert (ticket["topic"], ticket["assigned_team"]) == ("login", "customer_success")


class TestWithModel:
    """Triage runs again after the model's answer."""

    @pytest.fixture
    def app(self, with_model):
        return with_model

    def test_a_tag_that_was_taken_off_does_not_come_back(self, admin, run_jobs, fake):
        fake.reply = {"category": "billing", "urgency": 3.0}
        for fields in ({"tags": ["first", "second"], "team": "sales", "name": "All"},):
            admin.data(admin.post("/api/routing/rules", fields), 201)
        ticket = admin.ticket(title="Hm", description="It is there.")
        assert ticket["tags"] == ["first", "second"]
        path = f"/api/tickets/{ticket['id']}"
        admin.data(admin.put(path, {"tags": ["second"]}))
        run_jobs()
        answered = admin.data(admin.get(path))
        assert (answered["ai_source"], answered["tags"], answered["assigned_team"]) == ("model", ["second"], "sales")
        assert answered["triage_reasons"][0] == 'team sales: rule "All" (it has no conditions)'
        assert not [reason for reason in answered["triage_reasons"] if reason.startswith("tag ")]

    def test_a_rule_for_the_models_category_sets_its_tags_once_it_is_known(self, admin, run_jobs, fake):
        fake.reply = {"category": "billing", "urgency": 3.0}
        conditions = [{"field": "category", "op": "is", "value": "billing"}]
        admin.data(admin.post("/api/routing/rules", {"conditions": conditions, "tags": ["money"]}), 201)
        ticket = admin.ticket(title="Kérdés", description="Nem értem a dolgot, kérem segítsen.")
        assert ticket["tags"] == []
        run_jobs()
        answered = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
        assert (answered["category"], answered["tags"]) == ("billing", ["money"])

    def test_automatic_assignment_follows_the_models_answer(self, admin, runtime, run_jobs, fake):
        from jobs import routing
        from tests.services.test_assignment import add_agents, automatic, general, name_of, read

        add_agents(admin, "ann")
        automatic(admin)
        ticket = general(admin)
        routing.assign_waiting(runtime.storage)
        assert (ticket["ai_status"], name_of(read(admin, ticket))) == ("pending", "")
        run_jobs()
        routing.assign_waiting(runtime.storage)
        row = read(admin, ticket)
        assert (row["ai_status"], row["status"], name_of(row)) == ("done", "assigned", "ann")
