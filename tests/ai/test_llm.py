"""The door to the model, against a real HTTP server: deadlines, retries, the breaker, the limit on calls at once."""

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai.llm import Model, ModelUnavailable, open_model
from tests.fakes.fake_model import REPLY, FakeModel

KEY = "sk-test-0123456789abcdefghij"
MESSAGES = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
# Far more than any deadline used here; only a call that hangs takes so long.
HANGING = 10.0


@pytest.fixture
def fake() -> Iterator[FakeModel]:
    with FakeModel() as server:
        yield server


@pytest.fixture
def make(fake: FakeModel) -> Iterator[Callable[..., Model]]:
    models: list[Model] = []

    def made(**settings: object) -> Model:
        models.append(Model(**{"api_key": KEY, "base_url": fake.url, "name": "fake-1", **settings}))
        return models[-1]

    yield made
    for model in models:
        model.close()


def ask(model: Model, deadline_seconds: float | None = None, *, company: str = "") -> dict[str, object]:
    return model.complete(MESSAGES, SCHEMA, schema_name="test", deadline_seconds=deadline_seconds, company=company)


def reason(model: Model, deadline_seconds: float | None = None, *, company: str = "") -> str:
    with pytest.raises(ModelUnavailable) as caught:
        ask(model, deadline_seconds, company=company)
    return caught.value.reason


def test_the_answer_is_the_models_json_object(fake, make):
    assert ask(make()) == REPLY
    assert fake.count == 1


def test_the_request_is_a_chat_completion_with_a_strict_schema(fake, make):
    ask(make())
    [body] = fake.requests
    assert fake.paths == ["/v1/chat/completions"]
    assert body["model"] == "fake-1"
    assert body["messages"] == MESSAGES
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "test", "strict": True, "schema": SCHEMA},
    }
    assert fake.headers[0]["authorization"] == f"Bearer {KEY}"


def test_nothing_of_the_environment_is_sent_to_the_endpoint(fake, make, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-from-the-environment")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-from-the-environment")
    ask(make(api_key=""))
    assert "from-the-environment" not in str(fake.headers)


@pytest.mark.parametrize("mode", ["silent", "slow", "drip", "drip_head"])
def test_a_server_that_takes_too_long_is_a_timeout_within_the_deadline(fake, make, mode):
    fake.mode, fake.seconds = mode, 30.0
    model = make(timeout_seconds=0.4)
    started = time.monotonic()
    assert reason(model) == "timeout"
    assert time.monotonic() - started < HANGING
    assert fake.count == 1


def test_a_dripping_server_does_not_keep_its_line_busy(fake, make):
    fake.script = ["drip_head"]
    model = make(timeout_seconds=0.4, concurrency=1)
    assert reason(model) == "timeout"
    wait_until(lambda: model._lines.qsize() == 1)
    assert ask(model, 5.0) == REPLY


def test_the_deadline_of_the_call_goes_before_the_models_own(fake, make):
    fake.mode = "silent"
    started = time.monotonic()
    assert reason(make(timeout_seconds=60.0), 0.3) == "timeout"
    assert time.monotonic() - started < HANGING


def test_a_deadline_that_has_passed_sends_nothing(fake, make):
    assert reason(make(), 0.0) in {"timeout", "busy"}
    assert fake.count == 0


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("refuse", "refused"),
        ("filtered", "refused"),
        ("nonsense", "bad_answer"),
        ("empty", "bad_answer"),
        ("truncated", "bad_answer"),
        ("not_json", "bad_answer"),
        ("gzip", "bad_answer"),
        ("huge", "too_large"),
        ("unauthorized", "wrong_key"),
        ("forbidden", "wrong_key"),
        ("not_found", "unknown_model"),
        ("redirect", "error"),
    ],
)
def test_an_answer_that_would_not_get_better_is_not_asked_for_twice(fake, make, mode, expected):
    fake.mode = mode
    assert reason(make()) == expected
    assert fake.count == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("error500", "error"),
        ("reset", "error"),
        ("cut_off", "error"),
        ("rate_limit", "rate_limited"),
        ("request_timeout", "timeout"),
    ],
)
def test_a_passing_failure_is_tried_a_second_time_and_never_a_third(fake, make, mode, expected):
    fake.mode = mode
    assert reason(make()) == expected
    assert fake.count == 2


@pytest.mark.parametrize("mode", ["error500", "reset", "rate_limit"])
def test_the_second_try_can_succeed(fake, make, mode):
    fake.script = [mode]
    assert ask(make()) == REPLY
    assert fake.count == 2


def test_a_second_try_that_the_provider_wants_after_the_deadline_is_not_made(fake, make):
    fake.mode, fake.retry_after = "rate_limit", "3600"
    assert reason(make()) == "rate_limited"
    assert fake.count == 1


def test_nobody_at_the_address_is_an_error(make):
    assert reason(make(base_url="http://127.0.0.1:9/v1")) == "error"


def test_an_object_of_the_wrong_shape_is_handed_on_and_a_list_is_not(fake, make):
    fake.mode = "wrong_shape"
    assert ask(make()) == {"answer": 42}


def test_a_message_that_cannot_be_encoded_is_an_error(fake, make):
    with pytest.raises(ModelUnavailable) as caught:
        make().complete([{"role": "user", "content": "\ud800"}], SCHEMA, schema_name="test")
    assert caught.value.reason == "error"
    assert fake.count == 0


OUTAGES = ["error500", "rate_limit", "reset", "request_timeout", "cut_off"]
BAD_ANSWERS = [
    "refuse",
    "filtered",
    "nonsense",
    "empty",
    "truncated",
    "not_json",
    "gzip",
    "huge",
    "bad_request",
    "unauthorized",
]


class TestBreaker:
    @pytest.mark.parametrize("mode", OUTAGES)
    def test_it_opens_after_five_outages_and_then_asks_nobody(self, fake, make, mode):
        model = make(clock=lambda: 0.0)
        fake.mode = mode
        assert "breaker_open" not in [reason(model) for _ in range(5)]
        asked = fake.count
        assert reason(model) == "breaker_open"
        assert fake.count == asked

    def test_answers_that_come_too_late_open_it(self, fake, make):
        fake.mode = "silent"
        model = make(timeout_seconds=0.2)
        assert [reason(model) for _ in range(6)] == ["timeout"] * 5 + ["breaker_open"]

    @pytest.mark.parametrize("mode", BAD_ANSWERS)
    def test_a_bad_or_refused_answer_is_no_outage(self, fake, make, mode):
        model = make(clock=lambda: 0.0)
        ask(model)
        fake.mode = mode
        assert "breaker_open" not in [reason(model) for _ in range(7)]
        assert fake.count == 8

    @pytest.mark.parametrize("between", ["ok", "nonsense"])
    def test_an_answer_between_starts_the_count_again(self, fake, make, between):
        model = make(clock=lambda: 0.0)
        for mode in ["error500"] * 4 + [between] + ["error500"] * 4:
            fake.mode = mode
            with contextlib.suppress(ModelUnavailable):
                ask(model)
        fake.mode = "ok"
        assert ask(model) == REPLY

    def test_after_thirty_seconds_one_trial_decides(self, fake, make):
        now = [0.0]
        model = make(clock=lambda: now[0])
        fake.mode = "error500"
        for _ in range(5):
            reason(model)
        now[0] = 29.9
        assert reason(model) == "breaker_open"
        now[0] = 30.1
        assert reason(model) == "error"
        assert reason(model) == "breaker_open"
        now[0], fake.mode = 60.2, "ok"
        assert ask(model) == REPLY
        assert ask(model) == REPLY

    def test_only_one_trial_is_under_way_at_a_time(self, fake, make):
        now = [0.0]
        model = make(clock=lambda: now[0])
        fake.mode = "error500"
        for _ in range(5):
            reason(model)
        asked = fake.count
        now[0], fake.mode = 31.0, "silent"
        trial = threading.Thread(target=reason, args=(model, 0.7))
        trial.start()
        wait_until(lambda: fake.count == asked + 1)
        assert reason(model) == "breaker_open"
        trial.join()

    def test_callers_in_a_hurry_do_not_open_it(self, fake, make):
        model = make()
        fake.mode = "silent"
        for _ in range(6):
            assert reason(model, 0.02) in {"timeout", "busy"}
        fake.mode = "ok"
        wait_until(lambda: model._lines.qsize() == 4)
        assert ask(model) == REPLY

    @pytest.mark.parametrize("mode", OUTAGES)
    def test_a_company_whose_tickets_bring_the_model_down_stops_nobody_else(self, fake, make, mode):
        model = make(clock=lambda: 0.0)
        fake.mode = mode
        for _ in range(6):
            last = reason(model, company="acme")
        assert last == "breaker_open"
        fake.mode = "ok"
        assert ask(model, company="other") == REPLY
        assert reason(model, company="acme") == "breaker_open"

    def test_late_answers_to_one_company_stop_nobody_else(self, fake, make):
        model = make(timeout_seconds=0.3)
        fake.mode = "silent"
        assert [reason(model, company="acme") for _ in range(6)][-1] == "breaker_open"
        fake.mode = "ok"
        assert ask(model, HANGING, company="other") == REPLY

    def test_a_provider_that_nobody_can_reach_is_left_alone_by_all(self, fake, make, free_port):
        now = [0.0]
        model = make(clock=lambda: now[0], base_url=f"http://127.0.0.1:{free_port}/v1")
        assert [reason(model, company=f"company {n}") for n in range(6)] == ["error"] * 5 + ["breaker_open"]
        model._base_url, now[0] = fake.url, 31.0
        model.close()
        assert ask(model, company="company 9") == REPLY
        assert ask(model, company="company 0") == REPLY


def test_more_calls_than_lines_are_told_that_the_model_is_busy(fake, make):
    fake.mode, fake.seconds = "slow", 0.7
    model = make(concurrency=2, timeout_seconds=HANGING)
    reasons: list[str] = []

    def one() -> None:
        try:
            ask(model)
            reasons.append("answered")
        except ModelUnavailable as error:
            reasons.append(error.reason)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reasons) == ["answered"] * 2 + ["busy"] * 4
    assert fake.count == 2


def test_calls_from_many_threads_each_get_an_answer(fake, make):
    model = make(concurrency=8)
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(model))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [REPLY] * 8


@pytest.mark.parametrize("key", [KEY, "sk-broken-key\nwith a line", "sk-schlüssel-geheim"])
def test_the_key_is_in_no_log_and_no_exception(fake, make, caplog, key):
    fake.mode = "unauthorized"
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelUnavailable) as caught:
        ask(make(api_key=key))
    shown = caplog.text + repr(caught.value) + str(caught.value.__cause__) + str(vars(caught.value))
    assert key.splitlines()[0] not in shown


def test_a_failure_is_one_line_in_the_log_with_reason_and_elapsed_time(fake, make, caplog):
    fake.mode = "nonsense"
    reason(make())
    [record] = [record for record in caplog.records if record.name == "foyer.llm"]
    assert "reason=bad_answer" in record.getMessage()
    assert "elapsed=" in record.getMessage()


def test_the_query_of_the_base_url_goes_with_every_call(fake, make):
    assert ask(make(base_url=f"{fake.url}?api-version=2026-01-01")) == REPLY
    assert fake.paths[-1].endswith("/chat/completions?api-version=2026-01-01")


def test_a_model_is_opened_with_a_key_or_a_base_url_and_not_without_both(fake):
    assert open_model("", None, "m", 8.0) is None
    assert open_model("", "", "m", 8.0) is None
    assert open_model(KEY, None, "m", 8.0).name == "m"
    keyless = open_model("", fake.url, "llama", 8.0)
    assert ask(keyless) == REPLY
    keyless.close()


def test_importing_the_module_does_not_import_the_library():
    code = "import sys, ai.llm; sys.exit('openai' in sys.modules)"
    root = Path(__file__).parent.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + HANGING
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.005)
