"""The Postman collection: made from the routes, complete, what Postman reads, without a key; and it runs, twice."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from api.specs.pages import connector, openapi
from tests.fakes.running_server import KEY, ROOT, running_desk
from tests.support.spec_check import openapi_path
from tools.api_examples import commands
from tools.api_examples.collection import CHAPTERS, Book
from tools.api_examples.postman import collection
from tools.api_examples.steps import Chapter, Step, StoryError

FILE = ROOT / "postman_collection.json"
COLLECTION = json.loads(FILE.read_text(encoding="utf-8"))
ENVIRONMENTS = sorted((ROOT / "postman").iterdir())
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
NEWMAN = os.environ.get("NEWMAN") or shutil.which("newman")


@pytest.fixture
def engine() -> str:
    """What the collection asks does not depend on where it is stored."""
    return "json"


def requests_in(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every request of the collection, in the order it is run."""
    for item in items:
        if "item" in item:
            yield from requests_in(item["item"])
        else:
            yield item


REQUESTS = list(requests_in(COLLECTION["item"]))
each_request = pytest.mark.parametrize("item", REQUESTS, ids=[item["name"] for item in REQUESTS])


def script(item: dict[str, Any]) -> str:
    """The test script of a request or of the collection."""
    lines = [event["script"]["exec"] for event in item["event"] if event["listen"] == "test"]
    return "\n".join(line for exec_ in lines for line in exec_)


def test_it_is_a_collection_of_version_2_1():
    assert COLLECTION["info"]["schema"] == SCHEMA
    assert set(COLLECTION) == {"info", "auth", "variable", "event", "item"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", COLLECTION["info"]["_postman_id"])


def ids(value: Any) -> Iterator[str]:
    for item in value:
        yield item["id"]
        yield from ids(item.get("item", []))


def test_ids_follow_from_names_so_that_diffs_are_readable():
    found = list(ids(COLLECTION["item"]))
    assert len(set(found)) == len(found)
    assert {UUID(id_).version for id_ in found} == {5}
    assert collection(Book()) == collection(Book())


def run(app: Any, *words: str) -> Any:
    commands.register(app)
    return app.test_cli_runner().invoke(args=list(words))


def test_the_files_are_what_the_code_makes(app, tmp_path):
    done = run(app, "postman", "--check")
    assert done.exit_code == 0, done.output
    assert run(app, "postman", "--folder", str(tmp_path)).exit_code == 0
    made = [path for path in tmp_path.rglob("*") if path.is_file()]  # the desk's own folder, which is not opened
    names = {"postman_collection.json", *(f"postman/{path.name}" for path in ENVIRONMENTS)}
    assert {str(path.relative_to(tmp_path)) for path in made} == names
    assert all(path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes() for path in made)


def test_a_file_that_differs_is_named(app, tmp_path):
    run(app, "postman", "--folder", str(tmp_path))
    changed = tmp_path / "postman_collection.json"
    changed.write_text(changed.read_text().replace("Foyer", "Other"))
    done = run(app, "postman", "--check", "--folder", str(tmp_path))
    assert done.exit_code == 1
    assert "postman_collection.json. Run flask postman." in done.output
    assert "Other" in changed.read_text()


def in_the_collection() -> set[tuple[str, str]]:
    """Every method and path that is asked for, but those that are there to be refused as a method."""
    return {
        (item["request"]["method"], "/" + re.sub(r":(\w+)", r"{\1}", "/".join(item["request"]["url"]["path"])))
        for item in REQUESTS
        if "to.have.status(405)" not in script(item)
    }


def described(document: Any) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def test_routes_specs_and_collection_name_the_same(app):
    routes = {
        (method, openapi_path(rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api") or rule.rule == "/health"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert in_the_collection() == routes
    assert described(openapi("http://desk.example")) == routes
    assert described(connector("desk.example")) == routes


def test_the_story_leaves_no_operation_out():
    assert Book().untold() == []


@pytest.mark.parametrize("left_out", ["GetStats", "FillDemo", "UnassignTicket"])
def test_an_operation_that_is_left_out_is_named(left_out):
    chapters = [
        Chapter(chapter.name, chapter.about, [step for step in chapter.steps if step.operation != left_out])
        for chapter in CHAPTERS
    ]
    assert Book(tuple(chapters)).untold() == [left_out]


def test_a_step_that_asks_for_what_is_not_there_is_named():
    lost = Chapter("Lost", "", [Step(operation="CloseTicket", name="Close it")])
    with pytest.raises(StoryError, match="Close it: there is no operation CloseTicket"):
        collection(Book((lost,)))
    misnamed = Chapter("Lost", "", [Step(operation="GetTicket", name="Read it", path={"id": "7"})])
    with pytest.raises(StoryError, match="Read it: GetTicket has no path parameter id"):
        collection(Book((misnamed,)))


def test_it_is_small_enough_for_every_importer():
    assert FILE.stat().st_size < 1_000_000


def test_it_holds_no_key():
    values = {variable["key"]: variable["value"] for variable in COLLECTION["variable"]}
    assert values["apiKey"] == ""
    assert values["baseUrl"] == "http://127.0.0.1:5000"
    auth = {part["key"]: part["value"] for part in COLLECTION["auth"]["apikey"]}
    assert auth == {"key": "X-API-Key", "value": "{{apiKey}}", "in": "header"}
    assert "fk_" not in FILE.read_text(encoding="utf-8")
    assert not {header["key"] for header in headers()} & {"X-API-Key", "Authorization"}


def headers() -> Iterator[dict[str, str]]:
    for item in REQUESTS:
        yield from item["request"]["header"]


def test_every_variable_it_uses_is_declared():
    used = set(re.findall(r"{{(\w+)}}", FILE.read_text(encoding="utf-8")))
    assert used <= {variable["key"] for variable in COLLECTION["variable"]}


def test_the_envelope_is_checked_for_every_request():
    assert all(name in script(COLLECTION) for name in ("success", "message", "data", "pm.response.code < 400"))


def test_no_two_requests_have_the_same_name():
    names = [item["name"] for item in REQUESTS]
    assert len(set(names)) == len(names)


@each_request
def test_every_request_has_at_least_two_tests(item):
    assert script(item).count("pm.test(") >= 2


@each_request
def test_every_request_tests_its_status(item):
    assert re.search(r"to\.have\.status\(|expect\(pm\.response\.code\)", script(item))


@each_request
def test_every_request_says_what_it_asks(item):
    request = item["request"]
    assert len(request["description"]) > 40
    url = request["url"]
    assert url["raw"].partition("?")[0] == "{{baseUrl}}/" + "/".join(url["path"])
    assert [part[1:] for part in url["path"] if part[0] == ":"] == [one["key"] for one in url.get("variable", [])]
    described = [*url.get("query", []), *url.get("variable", [])]
    refused = "to.have.status(400)" in script(item)
    assert all(one.get("description") or refused for one in described)


def test_the_first_request_of_a_route_offers_everything_it_takes():
    first = next(item for item in REQUESTS if item["name"] == "List tickets by filters")
    offered = {one["key"]: one.get("disabled", False) for one in first["request"]["url"]["query"]}
    declared = openapi("http://desk.example")["paths"]["/api/tickets"]["get"]["parameters"]
    assert set(offered) == {one["name"] for one in declared if one.get("in") == "query"}
    assert {name for name, off in offered.items() if not off} == {"status", "customer_email", "sort", "limit"}


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.name)
def test_an_environment_names_a_place_and_holds_no_key(file):
    environment = json.loads(file.read_text(encoding="utf-8"))
    values = {one["key"]: one for one in environment["values"]}
    assert set(values) == {"baseUrl", "apiKey"}
    assert re.fullmatch(r"https?://[^/]+", values["baseUrl"]["value"])
    assert (values["apiKey"]["value"], values["apiKey"]["type"]) == ("", "secret")
    assert environment["_postman_variable_scope"] == "environment"


def test_newman_runs_it_and_runs_it_again(tmp_path: Path):
    if not NEWMAN:
        sentence = "Newman is not here: npm i newman@6, and NEWMAN=<path to it> if it is not on PATH."
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with running_desk(tmp_path) as url:
        for number in (1, 2):
            told = run_by_newman(url, tmp_path / f"report{number}.json")
            assert told["failures"] == []
            assert told["stats"]["requests"]["total"] == len(REQUESTS)
        left = requests.get(f"{url}/api/tickets", headers={"X-API-Key": KEY}, timeout=30).json()
    assert left["total"] == 0, "it takes back what it makes"


def run_by_newman(url: str, report: Path) -> Any:
    """What Newman reports of a run with the environment of this machine."""
    environment = str(ROOT / "postman" / "foyer.local.postman_environment.json")
    command = [str(NEWMAN), "run", str(FILE), "-e", environment, "--color", "off", "--reporters", "cli,json"]
    command += ["--reporter-json-export", str(report)]
    command += ["--env-var", f"baseUrl={url}", "--env-var", f"apiKey={KEY}"]
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(report.read_text(encoding="utf-8"))["run"]
