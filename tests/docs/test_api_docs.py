"""docs/api.md: generated from the scenario, complete, and every curl line works on a running server."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.fakes.running_server import KEY, ROOT, running_server
from tests.support.spec_check import is_navigation, openapi_path
from tools.api_examples.api_docs import page
from tools.api_examples.scenario import Chapter, Scenario, ScenarioError, Step

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(curl .*?)\n```\n\nAnswers (\d+):\n\n```(json|text)\n(.*?)\n```", TEXT, re.DOTALL)
PLACEHOLDER = re.compile(r"01920000-0000-7000-8000-\d{12}|EXAMPLE-\w+-\d+|2026-03-02T[\d:.]+Z")


def test_the_page_is_up_to_date_in_any_environment(monkeypatch):
    for name, value in {"OPENAI_API_KEY": "sk-not-asked", "SMTP_HOST": "mail.example", "RENDER": "true"}.items():
        monkeypatch.setenv(name, value)
    assert page(Scenario()) == TEXT, "run flask api-docs"


def test_a_different_page_is_reported_and_not_changed(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "api.md").write_text("# Mine\n")
    command = [sys.executable, "-m", "flask", "api-docs", "--check", "--folder", str(tmp_path)]
    env = {**os.environ, "DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "docs/api.md" in done.stderr
    assert (tmp_path / "docs" / "api.md").read_text() == "# Mine\n"
    assert not (tmp_path / "data").exists(), "a generator opened the store"


def test_every_route_is_on_the_page_once(app):
    routes = sorted(
        f"{method} {openapi_path(rule.rule)}"
        for rule in app.url_map.iter_rules()
        if (rule.rule.startswith("/api") or rule.rule == "/health") and not is_navigation(app, rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    )
    assert sorted(re.findall(r"^`([A-Z]+ /\S+)` \(\w+\)", TEXT, re.MULTILINE)) == routes
    assert TEXT.count("curl -s") == len(EXAMPLES)
    assert {int(status) for _, status, *_ in EXAMPLES} >= {200, 201, 400, 401, 403, 404, 405, 409, 412, 415}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": 201}, "List them: 200 instead of 201"),
        ({"status": 400, "code": "not_found", "query": {"statu": "open"}}, "List them: 400 instead of 400 not_found"),
        ({"query": {"user": "{{nobody}}"}}, "List them: nobody is not known yet"),
        ({"saves": {"ticketId": "0.id"}}, r"List them: the answer has no 0\.id"),
    ],
)
def test_a_step_with_an_unexpected_response_is_reported(fields, sentence):
    step = Step(operation="ListTickets", name="List them", **fields)
    with pytest.raises(ScenarioError, match=sentence):
        page(Scenario([Chapter("Wrong", "", [step])]))


def same_shape(shown: Any, answer: Any, values: dict[str, str]) -> bool:
    """Whether keys and kinds agree; learns the real value of each placeholder on the way."""
    if isinstance(shown, dict) and isinstance(answer, dict):
        return set(shown) == set(answer) and all(same_shape(shown[name], answer[name], values) for name in shown)
    if isinstance(shown, list) and isinstance(answer, list):
        return all([same_shape(one, other, values) for one, other in zip(shown, answer, strict=False)])
    if isinstance(shown, str) and isinstance(answer, str) and PLACEHOLDER.fullmatch(shown):
        values.setdefault(shown, answer)
    numbers = (int, float)
    return type(shown) is type(answer) or (type(shown) in numbers and type(answer) in numbers)


def test_every_curl_line_is_answered_as_the_page_says(tmp_path):
    values: dict[str, str] = {}
    nowhere = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9"}  # the page is of a server with a mail server
    with running_server(tmp_path, **nowhere) as url:
        env = {"PATH": os.environ["PATH"], "URL": url, "KEY": KEY}
        for line, status, language, shown in EXAMPLES:
            call = PLACEHOLDER.sub(lambda match: values[match[0]], line) + " -w '\\n%{http_code}'"
            done = subprocess.run(["bash", "-c", call], env=env, capture_output=True, text=True, timeout=60, check=True)
            body, _, code = done.stdout.rpartition("\n")
            assert code == status, (line, body)
            if language == "json":
                assert same_shape(json.loads(shown), json.loads(body), values), (line, body)
            else:
                assert body.removeprefix("\ufeff").splitlines()[0] == shown.splitlines()[0], line
