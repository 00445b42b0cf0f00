"""The Postman collection: it is what Postman reads, it names only what exists, it holds no key, and it runs."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running_desk import KEY, ROOT, running_desk

FILE = ROOT / "postman_collection.json"
COLLECTION = json.loads(FILE.read_text(encoding="utf-8"))
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
NEWMAN = os.environ.get("NEWMAN") or shutil.which("newman")


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


def test_it_is_written_in_one_form():
    assert FILE.read_text(encoding="utf-8") == json.dumps(COLLECTION, indent=2, ensure_ascii=False) + "\n"


def test_it_is_small_enough_for_every_importer():
    assert FILE.stat().st_size < 1_000_000


def test_it_holds_no_key():
    values = {variable["key"]: variable["value"] for variable in COLLECTION["variable"]}
    assert values["apiKey"] == ""
    assert values["baseUrl"] == "http://127.0.0.1:5000"
    auth = {part["key"]: part["value"] for part in COLLECTION["auth"]["apikey"]}
    assert auth == {"key": "X-API-Key", "value": "{{apiKey}}", "in": "header"}
    assert "fk_" not in FILE.read_text(encoding="utf-8")
    assert not any("key" in header["key"].lower() and header["key"] != "Idempotency-Key" for header in headers())


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
    assert "pm.response.to.have.status(" in script(item)


def test_every_request_asks_for_a_route_that_exists(app):
    routes = app.url_map.bind("localhost")
    for item in REQUESTS:
        address = item["request"]["url"]
        path = "/" + "/".join(address["path"])
        assert address["raw"].partition("?")[0] == "{{baseUrl}}" + path, item["name"]
        assert routes.test(path, item["request"]["method"]), f"{item['name']}: {path}"


def test_newman_runs_it(tmp_path: Path):
    if not NEWMAN:
        sentence = "Newman is not here: npm i newman@6, and NEWMAN=<path to it> if it is not on PATH."
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with running_desk(tmp_path) as url:
        report = tmp_path / "report.json"
        command = [NEWMAN, "run", str(FILE), "--color", "off", "--reporters", "cli,json"]
        command += ["--reporter-json-export", str(report)]
        command += ["--env-var", f"baseUrl={url}", "--env-var", f"apiKey={KEY}"]
        ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    run = json.loads(report.read_text(encoding="utf-8"))["run"]
    assert run["failures"] == []
    assert run["stats"]["requests"]["total"] == len(REQUESTS)
