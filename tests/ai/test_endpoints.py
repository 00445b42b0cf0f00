"""Endpoints that are nearly OpenAI's: what is unpacked, which form is asked for, and how a failure is told."""

import json
import logging
from email.utils import format_datetime

import pytest

from ai.llm import Model, ModelUnavailable
from core.timestamps import now
from tests.fakes.fake_model import REPLY, FakeModel
from tests.support.caller import Caller

KEY = "sk-test-0123456789abcdefghij"
OBJECT = json.dumps(REPLY)
UNPACKED = {
    "a fence": f"```json\n{OBJECT}\n```",
    "a fence without a language": f"```\n{OBJECT}\n```",
    "a fence with words around": f"Here it is:\n\n```json\n{OBJECT}\n```\nAnything else?",
    "words around": f"Sure! {OBJECT}\nI hope this helps.",
    "thinking": f"<think>The customer wants {{x}}.\n\nSo…</think>\n{OBJECT}",
    "thinking without its beginning": f"The customer wants…</think>{OBJECT}",
    "thinking and a fence": f"<thinking>Hm.</thinking>\n```json\n{OBJECT}\n```",
    "a byte order mark": f"\ufeff{OBJECT}",
    "parts": [{"type": "text", "text": OBJECT[:20]}, {"type": "text", "text": OBJECT[20:]}],
    "parts with thinking": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": OBJECT}],
    "another case": json.dumps(
        REPLY | {"category": REPLY["category"].upper(), "sentiment": f" {REPLY['sentiment'].title()}"}
    ),
}


@pytest.fixture
def fake():
    with FakeModel() as running:
        yield running


@pytest.fixture
def model(fake):
    model = Model(api_key=KEY, base_url=fake.url, name="fake-1")
    yield model
    model.close()


@pytest.fixture
def server(open_app, model):
    app = open_app(model=model)
    return Caller(app.test_client(), "admin-key"), app.extensions["runtime"].runner.run_due


def answered(server):
    """A ticket after its answer, and its history."""
    admin, run_jobs = server
    ticket = admin.ticket()
    run_jobs()
    path = f"/api/tickets/{ticket['id']}"
    return admin.data(admin.get(path)), admin.data(admin.get(f"{path}/history"))


def ask(model):
    return model.complete([{"role": "user", "content": "Hello"}], {"type": "object"}, schema_name="test")


@pytest.mark.parametrize("name", UNPACKED)
def test_an_answer_is_unpacked_and_used(server, fake, name):
    fake.mode, fake.content = "as_is", UNPACKED[name]
    assert answered(server)[0]["ai_source"] == "model"


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "7", '{"reply": ', f"{OBJECT} and {OBJECT}", "<think>Hm.</think>", [], [{"x": 1}]]
)
def test_an_answer_without_one_object_is_not_used(model, fake, content):
    fake.mode, fake.content = "as_is", content
    with pytest.raises(ModelUnavailable, match="bad_answer"):
        ask(model)


@pytest.mark.parametrize(("mode", "form"), [("no_schema", "json_object"), ("no_form", None)])
def test_a_form_the_endpoint_does_not_know_is_asked_for_once(model, fake, mode, form):
    fake.mode = mode
    assert ask(model) == ask(model) == REPLY
    forms = [request.get("response_format", {}).get("type") for request in fake.requests]
    assert forms == [*["json_schema", "json_object", None][: forms.index(form) + 1], form]
    assert "JSON schema" in fake.requests[-1]["messages"][0]["content"]


def test_a_refusal_of_one_text_does_not_change_the_form(model, fake):
    ask(model)
    fake.mode = "bad_request"
    with pytest.raises(ModelUnavailable, match="rejected"):
        ask(model)
    fake.mode = "ok"
    ask(model)
    assert [request["response_format"]["type"] for request in fake.requests] == ["json_schema"] * 3


def test_a_form_that_stops_working_is_stepped_down_from(model, fake):
    ask(model)
    fake.mode = "no_schema"
    assert ask(model) == REPLY
    fake.mode = "no_form"
    assert ask(model) == ask(model) == REPLY
    forms = [request.get("response_format", {}).get("type") for request in fake.requests]
    assert forms == ["json_schema", "json_schema", "json_object", "json_object", None, None]


@pytest.mark.parametrize("key", ["sk-secret1", "sk-proj-abc", "key-0123"])
def test_a_key_in_the_words_of_a_provider_is_not_logged(model, fake, caplog, key):
    fake.mode, fake.sentence = "unauthorized", f"Incorrect API key provided: {key}. See the dashboard."
    with pytest.raises(ModelUnavailable):
        ask(model)
    assert "Incorrect API key provided: [key]" in caplog.text
    assert key not in caplog.text


def test_numbers_written_as_text_are_taken(server, fake):
    fake.reply = {"urgency": "3", "confidence": "0.8"}
    assert answered(server)[0]["ai_source"] == "model"


def test_the_body_of_an_error_that_drips_is_not_waited_for(model, fake):
    ask(model)
    fake.mode = "drip_error"
    with pytest.raises(ModelUnavailable, match="rejected"):
        ask(model)


@pytest.mark.parametrize("retry_after", ["0.5", "1", "date"])
def test_retry_after_is_seconds_or_a_date(model, fake, retry_after):
    fake.retry_after = format_datetime(now(), usegmt=True) if retry_after == "date" else retry_after
    fake.script = ["rate_limit"]
    assert ask(model) == REPLY
    assert fake.count == 2


FAULTS = {
    "unauthorized": "refused the key (OPENAI_API_KEY)",
    "not_found": "OPENAI_MODEL",
    "bad_request": "refused the request",
    "rate_limit": "limits how often",
    "nonsense": "could not be read",
    "error500": "could not be reached",
}


@pytest.mark.parametrize(("mode", "words"), FAULTS.items())
def test_a_failure_is_told_in_the_history_and_in_health_until_a_call_works(server, fake, caplog, mode, words):
    admin, _ = server
    fake.mode, fake.sentence = mode, f"You cannot do that with {KEY}, 4111 1111 1111 1111."
    with caplog.at_level(logging.WARNING, "foyer.llm"):
        ticket, history = answered(server)
    assert ticket["ai_source"] == "canned"
    assert any(words in event["to"] for event in history if event["action"] == "ai_failed")
    assert words in admin.data(admin.get("/api/health"))["ai"]["note"]
    if mode not in ("nonsense",):
        assert "You cannot do that" in caplog.text
    assert KEY not in caplog.text
    assert "4111" not in caplog.text
    fake.mode = "ok"
    answered(server)
    assert admin.data(admin.get("/api/health"))["ai"]["note"] == ""
