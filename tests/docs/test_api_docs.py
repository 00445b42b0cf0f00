"""docs/api.md: made from the routes, complete, and every curl line of it answered by a running desk as it says."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.running_server import KEY, ROOT, running_desk
from tests.support.spec_check import openapi_path
from tools.api_examples import commands
from tools.api_examples.api_docs import page
from tools.api_examples.collection import Book
from tools.api_examples.steps import Chapter, Step, StoryError

FILE = ROOT / "docs" / "api.md"
TEXT = FILE.read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"```sh\n(curl .*?)\n```\n\nAnswers (\d+):\n\n```(json|text)\n(.*?)\n```", re.DOTALL)
_PLACEHOLDER = re.compile(r"01920000-0000-7000-8000-\d{12}|EXAMPLE-\w+-\d+|2026-03-02T[\d:.]+Z")


@dataclass(frozen=True)
class Example:
    """A curl line of the page and the answer that stands below it."""

    line: str
    status: int
    kind: str
    answer: str


EXAMPLES = [Example(line, int(status), kind, answer) for line, status, kind, answer in _EXAMPLE.findall(TEXT)]


@pytest.fixture
def engine() -> str:
    """The page tells of the default store."""
    return "json"


def run(app: Any, *words: str) -> Any:
    commands.register(app)
    return app.test_cli_runner().invoke(args=list(words))


def test_the_page_is_what_the_code_makes_whatever_the_environment(app, tmp_path, monkeypatch):
    for name, value in {"OPENAI_API_KEY": "sk-not-asked", "SMTP_HOST": "mail.example", "RENDER": "true"}.items():
        monkeypatch.setenv(name, value)
    done = run(app, "api-docs", "--check")
    assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.iterdir()] == [], "a generator opened the desk"


def test_a_page_that_differs_is_named_and_left_alone(app, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "api.md").write_text("# Mine\n")
    done = run(app, "api-docs", "--check", "--folder", str(tmp_path))
    assert done.exit_code == 1
    assert "docs/api.md. Run flask api-docs." in done.output
    assert (tmp_path / "docs" / "api.md").read_text() == "# Mine\n"


def test_every_route_is_on_the_page_once(app):
    routes = sorted(
        f"{method} {openapi_path(rule.rule)}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api") or rule.rule == "/health"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    )
    assert sorted(re.findall(r"^`([A-Z]+ /\S+)` \(\w+\)", TEXT, re.MULTILINE)) == routes


def test_every_curl_line_stands_with_its_answer():
    assert TEXT.count("curl -s") == len(EXAMPLES)
    assert {example.status for example in EXAMPLES} >= {200, 201, 400, 401, 403, 404, 405, 409, 412, 415}


def test_a_step_that_is_not_answered_as_it_says_is_named():
    def told(**more: Any) -> str:
        return page(Book((Chapter("Wrong", "", [Step(operation="ListTickets", name="List them", **more)]),)))

    with pytest.raises(StoryError, match="List them: 200 instead of 201"):
        told(status=201)
    with pytest.raises(StoryError, match="List them: 400 instead of 400 not_found"):
        told(status=400, code="not_found", query={"statu": "open"})
    with pytest.raises(StoryError, match="List them: nobody is not known yet"):
        told(query={"user": "{{nobody}}"})
    with pytest.raises(StoryError, match=r"List them: the answer has no 0\.id"):
        told(saves={"ticketId": "0.id"})


def kind(value: Any) -> str:
    """What sort of JSON value it is."""
    return "number" if type(value) in (int, float) else type(value).__name__


def same_shape(said: Any, got: Any) -> bool:
    """Whether the keys and kinds are the same; a list that is empty on one side says nothing of its items."""
    if isinstance(said, dict) and isinstance(got, dict):
        return set(said) == set(got) and all(same_shape(said[name], got[name]) for name in said)
    if isinstance(said, list) and isinstance(got, list):
        return not said or not got or all(any(same_shape(one, other) for one in said) for other in got)
    return kind(said) == kind(got)


def learn(said: Any, got: Any, known: dict[str, str]) -> None:
    """Notes what stands where the page has a placeholder."""
    if isinstance(said, dict):
        for name in said:
            learn(said[name], got[name], known)
    elif isinstance(said, list):
        for one, other in zip(said, got, strict=False):
            learn(one, other, known)
    elif isinstance(said, str) and _PLACEHOLDER.fullmatch(said):
        known.setdefault(said, got)


def answer_of(line: str, url: str) -> tuple[int, str]:
    """Status and body of what a running desk answers to a curl line."""
    env = {"PATH": os.environ["PATH"], "URL": url, "KEY": KEY}
    command = ["bash", "-c", f"{line} -w '\\n%{{http_code}}'"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_every_curl_line_is_answered_as_the_page_says(tmp_path):
    known: dict[str, str] = {}
    with running_desk(tmp_path) as url:
        for example in EXAMPLES:
            line = _PLACEHOLDER.sub(lambda found: known[found[0]], example.line)
            status, body = answer_of(line, url)
            assert status == example.status, (line, body)
            if example.kind == "json":
                said, got = json.loads(example.answer), json.loads(body)
                assert same_shape(said, got), (line, body)
                learn(said, got, known)
            else:
                assert body.removeprefix("\ufeff").splitlines()[0] == example.answer.splitlines()[0], line
