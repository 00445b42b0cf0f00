"""powerapps/ and the README agree with the connector: every operation, parameter, field, control, file and curl line exists."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "powerapps"
STARTER = sorted((FOLDER / "starter").glob("*.pa.yaml"))
PAGES = [ROOT / "README.md", *sorted(FOLDER.rglob("*.md"))]
SCHEMA = ROOT.parent / "shared" / "schemas" / "pa.schema.yaml"
SCREENS = {"customer": "scrCustomer", "chat": "scrChat", "agent": "scrAgent", "admin": "scrAdmin"}
SERVER = "https://desk.example.com"
CONNECTOR = json.loads((ROOT / "connector" / "apiDefinition.swagger.json").read_text())
OPERATIONS = {
    operation["operationId"]: operation
    for methods in CONNECTOR["paths"].values()
    for method, operation in methods.items()
    if method not in ("parameters", "x-ms-notification-content")
}
FIELDS = {name for schema in CONNECTOR["definitions"].values() for name in schema.get("properties", {})}
ONCE = {
    "CreateTicket",
    "CreateReply",
    "AssignTicket",
    "UnassignTicket",
    "ResolveTicket",
    "ReopenTicket",
    "SendChatMessage",
}


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language, in lists too."""
    fenced = rf"^( *)```{language}\b[^\n]*\n(.*?)^\1```$"
    return [dedent(text) for _, text in re.findall(fenced, path.read_text(), re.DOTALL | re.MULTILINE)]


def controls(items: list[Any]) -> dict[str, dict[str, Any]]:
    """Every control of a pasted list by name, children included."""
    named: dict[str, dict[str, Any]] = {}
    for item in items:
        for name, control in item.items():
            assert name not in named, name
            named |= {name: control} | controls(control.get("Children", []))
    return named


CONTROLS = {path: controls(yaml.safe_load(path.read_text())) for path in STARTER}
NAMES = [name for named in CONTROLS.values() for name in named]


def formulas(path: Path) -> list[str]:
    """The formulas of a starter file or a page."""
    if path in PAGES:
        return blocks(path, "powerfx")
    return [str(text) for control in CONTROLS[path].values() for text in control["Properties"].values()]


def arguments(text: str) -> list[str]:
    """The arguments of a call whose opening bracket was just read, up to its closing bracket."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth < 0:
                break
        elif letter == "," and not depth:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def calls(path: Path) -> list[tuple[str, list[str], set[str]]]:
    """Every connector call as (operation, required arguments, names in the record of optional ones)."""
    found = []
    for formula in formulas(path):
        for match in re.finditer(r"\bFoyer\.(\w+)\(", formula):
            parts = arguments(formula[match.end() :])
            record = parts.pop() if parts and parts[-1].startswith("{") else "{}"
            names = {entry.partition(":")[0].strip(" '\n") for entry in arguments(record[1:-1])}
            found.append((match[1], parts, names))
    return found


def parameters(operation: str) -> tuple[int, set[str]]:
    """How many required parameters an operation has, body fields included, and the names of the optional ones."""
    required, optional = 0, set()
    for parameter in OPERATIONS[operation].get("parameters", []):
        if parameter["in"] == "body":
            schema = CONNECTOR["definitions"][parameter["schema"]["$ref"].rpartition("/")[2]]
            required += len(schema.get("required", []))
            optional |= set(schema["properties"]) - set(schema.get("required", []))
        elif parameter.get("required"):
            required += 1
        else:
            optional.add(parameter["name"])
    return required, optional


@pytest.mark.parametrize("path", [*STARTER, *PAGES], ids=lambda path: path.name)
def test_every_call_has_the_parameters_of_its_operation(path):
    for operation, positional, named in calls(path):
        required, optional = parameters(operation)
        assert len(positional) == required, f"{operation}{positional}"
        assert named <= optional, operation


def test_a_wrong_call_is_detected():
    assert arguments('gTicket.id, "a, b", {limit: 2}) && true') == ["gTicket.id", '"a, b"', "{limit: 2}"]
    assert parameters("ResolveTicket")[0] == 2


@pytest.mark.parametrize("path", [*STARTER, *PAGES], ids=lambda path: path.name)
def test_every_field_a_formula_reads_is_a_field_of_the_connector(path):
    own = set(re.findall(r"[{,]\s*(\w+):", "\n".join(formulas(path))))  # columns of tables the formulas make
    for formula in formulas(path):
        read = set(re.findall(r"\b(?:g[A-Z]\w*|ThisItem)(?:\.data)?\.([a-z]\w*)", formula))
        assert read <= FIELDS | own | {"data", "total", "message", "success"}, formula


def test_the_customer_screen_acts_as_the_customer_in_every_call():
    for path in STARTER:
        if path.name.startswith(("customer", "chat")):
            for formula in formulas(path):
                assert formula.count("Foyer.") == formula.count("'X-On-Behalf-Of': User().Email"), formula


@pytest.mark.parametrize("path", STARTER, ids=lambda path: path.name)
def test_every_call_of_a_starter_file_is_checked_and_a_write_carries_a_reference(path):
    for operation, _, named in calls(path):
        assert operation not in ONCE or "client_reference" in named, operation
    for formula in formulas(path):
        for variable in re.findall(r"Set\(\s*(\w+),\s*Foyer\.", formula):
            assert re.search(rf"IfError\(\s*{variable}\b", formula), formula


@pytest.mark.parametrize("path", STARTER, ids=lambda path: path.name)
def test_a_starter_file_is_valid_power_apps_source(path):
    assert all(
        str(text).startswith("=") or key.startswith("Items.")
        for control in CONTROLS[path].values()
        for key, text in control["Properties"].items()
    )
    if SCHEMA.exists():
        screens = {"Screens": {SCREENS[path.name.partition("-")[0]]: {"Children": yaml.safe_load(path.read_text())}}}
        validator = Draft7Validator(yaml.safe_load(SCHEMA.read_text()))
        assert [error.message for error in validator.iter_errors(screens)] == []


def test_control_names_are_unique_and_every_control_that_is_named_exists():
    assert sorted(NAMES) == sorted(set(NAMES))
    for path in [*STARTER, *PAGES]:
        named = set(re.findall(r"\b((?:con|btn|txt|drp|lbl|gal|cht|rec|scr|tmr)[A-Z]\w+)", path.read_text()))
        assert named <= {*NAMES, *SCREENS.values()}, path.name


def test_the_readme_says_where_every_starter_file_goes():
    page = (FOLDER / "README.md").read_text()
    for path in STARTER:
        assert f"| {SCREENS[path.name.partition('-')[0]]} | `starter/{path.name}` |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_operation_and_json_block_of_a_page_is_valid(page):
    text = page.read_text()
    assert [link for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text) if not (page.parent / link).exists()] == []
    assert set(re.findall(r"\bFoyer\.([A-Z]\w+)", text)) <= set(OPERATIONS)
    assert set(re.findall(r"Foyer ▸ ([^*]+)\*\*", text)) <= {each["summary"] for each in OPERATIONS.values()}
    for block in blocks(page, "json"):
        json.loads(block)


def sent(app: Any, line: str) -> Any:
    """The answer of the app to a curl command."""
    words = shlex.split(line)
    options = list(pairwise(words))
    headers = dict(value.replace("<key>", "admin-key").split(": ", 1) for word, value in options if word == "-H")
    body = next((value for word, value in options if word == "-d"), None)
    method = next((value for word, value in options if word == "-X"), "POST" if body else "GET")
    url = next(word for word in words if word.startswith(SERVER))
    return app.test_client().open(url.removeprefix(SERVER), method=method, headers=headers, data=body)


def test_every_curl_line_works(app):
    pages = PAGES[1:]  # tests/docs runs the README's
    lines = [line for page in pages for block in blocks(page, "sh") for line in block.splitlines() if "curl" in line]
    assert lines
    for line in lines:
        response = sent(app, line)
        assert response.status_code < 300, f"{line}: {response.get_data(as_text=True)}"
