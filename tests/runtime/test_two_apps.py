"""Two apps in one process share no AI state: trained models, embeddings, circuit breaker and the switch are separate."""

import pytest

from ai.llm import Model
from tests.fakes.fake_model import FakeModel
from tests.services.test_trained_models import PARTS, correct
from tests.support.caller import Caller


@pytest.fixture
def servers(open_app, tmp_path):
    """Two servers, each with a store, embeddings and a model of its own: their admins, runtimes and the fake endpoints."""
    opened = []
    with FakeModel() as first, FakeModel() as second:
        for fake, embeddings in ((first, "static"), (second, "minilm")):
            folder = tmp_path / embeddings
            model = Model(api_key="sk-test", base_url=fake.url, name="fake")
            app = open_app(
                data_dir=folder, database_url=f"json:{folder}", embeddings=embeddings, model=model, ai_timeout_seconds=5
            )
            opened.append((Caller(app.test_client(), "admin-key"), app.extensions["runtime"], fake))
        yield opened


@pytest.mark.parametrize("engine", ["json"])
def test_each_app_has_its_own_embeddings_and_trained_models(servers):
    (one, one_runtime, _), (two, two_runtime, _) = servers
    for admin in (one, two):
        admin.put("/api/settings", {"ai_enabled": False})
    correct(one, {"priority": "urgent"})
    for part in PARTS:  # and tickets that people leave as they are
        other = one.ticket(title=f"Invoice {part}", description=f"A question about my invoice for the {part}.")
        one.data(one.post(f"/api/tickets/{other['id']}/resolve", {"resolution": "Done."}))
    one_runtime.runner.run_due()
    two_runtime.runner.run_due()
    text = {"title": "The pulley makes a hum", "description": "The pulley makes a hum."}
    assert (one.ticket(**text)["priority"], two.ticket(**text)["triage_source"]) == ("urgent", "rules")
    names = [admin.data(admin.get("/api/health"))["ai"]["embeddings"] for admin in (one, two)]
    assert names == ["static", "minilm"]


@pytest.mark.parametrize("engine", ["json"])
def test_each_app_has_its_own_breaker_and_switch(servers):
    (one, one_runtime, one_fake), (two, two_runtime, two_fake) = servers
    one_fake.mode = "error500"
    for _ in range(6):
        one.ticket()
        one_runtime.runner.run_due()
    calls = one_fake.count
    one.ticket()
    one_runtime.runner.run_due()
    assert one_fake.count == calls, "the breaker of the first app is open"
    ticket = two.ticket()
    two_runtime.runner.run_due()
    assert two.data(two.get(f"/api/tickets/{ticket['id']}"))["ai_source"] == "model"
    assert two_fake.count == 1
    one.put("/api/settings", {"ai_enabled": False})
    assert two.data(two.get("/api/settings"))["ai_enabled"] is True
