"""The Postman collection: generated from the scenario, complete, without a key; Newman runs it twice on one server."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from api.specs.pages import connector, openapi
from tests.fakes.running_server import KEY, ROOT, running_server
from tests.support.spec_check import is_navigation, openapi_path
from tools.api_examples.postman import collection, make_files
from tools.api_examples.scenario import Chapter, Scenario, ScenarioError, Step

FILE = ROOT / "postman_collection.json"
TEXT = FILE.read_text(encoding="utf-8")
COLLECTION = json.loads(TEXT)
NEWMAN = os.environ.get("NEWMAN") or shutil.which("newman")


def requests_in(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every request of the collection, in order."""
    for item in items:
        yield from requests_in(item["item"]) if "item" in item else [item]


REQUESTS = list(requests_in(COLLECTION["item"]))


def script(item: dict[str, Any]) -> str:
    """The test script of a request or of the collection."""
    return "\n".join(line for each in item["event"] if each["listen"] == "test" for line in each["script"]["exec"])


def test_the_files_are_up_to_date():
    for path, text in make_files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} differs; run flask postman"


def test_routes_specs_and_scenario_have_the_same_operations(app):
    routes = {
        (method, openapi_path(rule.rule))
        for rule in app.url_map.iter_rules()
        if (rule.rule.startswith("/api") or rule.rule == "/health") and not is_navigation(app, rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    for document in (openapi("http://server.example"), connector("server.example")):
        assert {
            (method.upper(), path)
            for path, item in document["paths"].items()
            for method in item
            if not method.startswith("x-")
        } == routes
    scenario = Scenario()
    assert {step.operation for step in scenario.steps if not step.method} == set(scenario.operations)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (Step(operation="CloseTicket", name="Close it"), "Close it: there is no operation CloseTicket"),
        (Step(operation="GetTicket", name="Read it", path={"id": "7"}), "Read it: GetTicket has no path parameter id"),
    ],
)
def test_a_step_that_does_not_match_the_api_is_reported(step, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        collection(Scenario([Chapter("Wrong", "", [step])]))


def test_it_holds_no_key_and_defines_every_variable():
    values = {variable["key"]: variable["value"] for variable in COLLECTION["variable"]}
    assert (values["apiKey"], values["baseUrl"]) == ("", "http://127.0.0.1:5000")
    assert "fk_" not in TEXT
    assert not {header["key"] for item in REQUESTS for header in item["request"]["header"]} & {
        "X-API-Key",
        "Authorization",
    }
    assert set(re.findall(r"{{(\w+)}}", TEXT)) <= set(values)
    for environment in (ROOT / "postman").iterdir():
        kept = {one["key"]: one for one in json.loads(environment.read_text(encoding="utf-8"))["values"]}
        assert (kept["apiKey"]["value"], kept["apiKey"]["type"]) == ("", "secret")


@pytest.mark.parametrize("item", REQUESTS, ids=[item["name"] for item in REQUESTS])
def test_every_request_has_a_status_test_and_a_description(item):
    assert re.search(r"to\.have\.status\(|expect\(pm\.response\.code\)", script(item))
    assert script(item).count("pm.test(") >= 2
    assert len(item["request"]["description"]) > 40
    url = item["request"]["url"]
    assert [part[1:] for part in url["path"] if part[0] == ":"] == [one["key"] for one in url.get("variable", [])]


def test_no_two_requests_have_the_same_name():
    assert len({item["name"] for item in REQUESTS}) == len(REQUESTS)


def test_newman_runs_it_twice_and_it_deletes_what_it_creates(tmp_path):
    if not NEWMAN:
        sentence = "Newman is not installed: npm install newman@6, then NEWMAN=<path to it> unless it is on PATH."
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with running_server(tmp_path) as url:
        run = run_newman(url, tmp_path / "report.json", times=2)
        assert run["failures"] == []
        assert run["stats"]["requests"]["total"] == 2 * len(REQUESTS)
        tickets = requests.get(f"{url}/api/tickets", headers={"X-API-Key": KEY}, timeout=30).json()
    assert tickets["total"] == 0


def run_newman(url: str, report: Path, *, times: int) -> Any:
    """Newman's report of that many runs, one after the other, with the environment of this machine."""
    environment = str(ROOT / "postman" / "foyer.local.postman_environment.json")
    command = [str(NEWMAN), "run", str(FILE), "-e", environment, "--color", "off", "--reporters", "cli,json"]
    command += ["--reporter-json-export", str(report), "--env-var", f"baseUrl={url}", "--env-var", f"apiKey={KEY}"]
    command += ["--iteration-count", str(times)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(report.read_text(encoding="utf-8"))["run"]
