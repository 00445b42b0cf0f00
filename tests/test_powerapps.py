"""powerapps/ against the connector: every formula, control, file and line that a maker pastes."""

import json
import re
import shlex
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.power_fx import PROPERTIES, Node, parse
from tests.test_powerapps_checker import Control, Maker

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "powerapps"
STARTER = sorted((FOLDER / "starter").glob("*.pa.yaml"))
PAGES = sorted(FOLDER.rglob("*.md"))
SCHEMA = Path("/work/shared/schemas/pa.schema.yaml")
SCREENS = {"customer": "scrCustomer", "agent": "scrAgent", "admin": "scrAdmin"}
FLOWS = {"FoyerNewTicket"}
DESK = "https://desk.example.com"


def pasted(path: Path) -> Any:
    """A starter file as Studio reads it."""
    return yaml.safe_load(path.read_text())


def named(items: list[Any], gallery: str = "") -> list[tuple[str, dict[str, Any], str]]:
    """Every control of a pasted list as (name, what is written of it, the gallery it is a row of)."""
    found = []
    for item in items:
        [(name, written)] = item.items()
        found.append((name, written, gallery))
        inside = name if written["Control"].startswith("Gallery") else gallery
        found += named(written.get("Children", []), inside)
    return found


CONTROLS = [(path, *each) for path in STARTER for each in named(pasted(path))]


def blocks(path: Path, language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page in one language, in lists too, each as (what stands behind the language, the text)."""
    fenced = rf"^( *)```{language}\b *([^\n]*)\n(.*?)^\1```$"
    found = re.findall(fenced, path.read_text(), re.DOTALL | re.MULTILINE)
    return [(info, dedent(text)) for _, info, text in found]


def formulas() -> list[tuple[str, str, str]]:
    """Every formula of the folder as (where it stands, the formula, the gallery it is in)."""
    found = []
    for path, name, written, gallery in CONTROLS:
        for key, formula in written["Properties"].items():
            if not key.startswith("Items."):
                inside = name if key == "OnSelect" and written["Control"].startswith("Gallery") else gallery
                found.append((f"{path.name} {name}.{key}", formula.removeprefix("="), inside))
    for page in PAGES:
        for info, text in blocks(page, "powerfx"):
            found.append((f"{page.name}: {text.splitlines()[0]}", text, info.removeprefix("in ").strip()))
    return found


@pytest.fixture(scope="module")
def maker() -> Maker:
    """The whole app on the connector, with what its variables hold."""
    controls = {
        name: Control(
            written["Control"].partition("@")[0], {k: v[1:] for k, v in written["Properties"].items()}, gallery
        )
        for _, name, written, gallery in CONTROLS
    }
    made = Maker(controls=controls, screens=set(SCREENS.values()), flows=FLOWS)
    made.learn(formulas())
    return made


@pytest.mark.parametrize("path", [*STARTER, *PAGES], ids=lambda path: path.name)
def test_every_formula_fits_the_connector_and_the_app(maker, path):
    maker.problems.clear()
    for where, formula, gallery in formulas():
        if where.startswith(path.name):
            maker.check(where, formula, gallery)
    assert maker.problems == []


def test_every_variable_that_is_read_has_a_known_kind(maker):
    assert [name for name, shape in maker.variables.items() if shape is None] == ["gFlowAnswer"]  # what a flow gives


def test_every_variable_that_is_set_is_read_somewhere(maker):
    """A misspelt name on the left of a Set makes a variable nobody reads."""
    assert set(maker.variables) <= maker.read


def test_control_names_are_unique_and_their_properties_known(maker):
    names = [name for _, name, _, _ in CONTROLS]
    assert sorted(names) == sorted(set(names))
    for path, name, written, _ in CONTROLS:
        kind = written["Control"].partition("@")[0]
        assert set(written["Properties"]) <= PROPERTIES[kind], f"{path.name} {name}"
        assert all(str(value).startswith("=") for value in written["Properties"].values()), f"{path.name} {name}"


def test_columns_that_controls_show_are_columns_of_their_items(maker):
    for _, name, written, _ in CONTROLS:
        for key, column in written["Properties"].items():
            if key.startswith("Items."):
                assert column.removeprefix("=") in maker.row(name)["properties"], f"{name} {key}"


@pytest.mark.parametrize("path", STARTER, ids=lambda path: path.name)
def test_a_starter_file_is_what_power_apps_calls_source(path):
    screen = SCREENS[path.name.partition("-")[0]]
    assert path.name[-8:] == ".pa.yaml"
    if SCHEMA.exists():
        schema = yaml.safe_load(SCHEMA.read_text())
        app = {"Screens": {screen: {"Children": pasted(path)}}}
        assert [error.message for error in Draft7Validator(schema).iter_errors(app)] == []
    assert "\t" not in path.read_text()


def test_the_schema_would_catch_a_bad_starter_file():
    if SCHEMA.exists():
        bad = {"Screens": {"scrAdmin": {"Children": [{"lblBad": {"Control": "label", "Properties": {"Text": "x"}}}]}}}
        assert list(Draft7Validator(yaml.safe_load(SCHEMA.read_text())).iter_errors(bad))


def calls(node: Node) -> list[tuple[str, Node]]:
    """Every connector call below a node as (operation, the call)."""
    return [
        (each.parts[0].value, each)
        for each in node.walk()
        if each.kind == "call" and each.parts[0].kind == "dot" and each.parts[0].parts[0].value == "Foyer"
    ]


def test_the_customer_screen_never_calls_as_anybody_but_the_customer():
    found = [call for where, formula, _ in formulas() if where.startswith("customer") for call in calls(parse(formula))]
    assert {name for name, _ in found} == {"CreateTicket", "ListTickets", "ListReplies", "CreateReply"}
    email = parse("User().Email")
    for name, call in found:
        last = call.parts[-1]
        assert last.kind == "record", name
        assert dict(zip(last.names, last.parts, strict=True))["X-On-Behalf-Of"] == email, name


def test_what_must_not_happen_twice_carries_a_reference():
    once = {"CreateTicket", "CreateReply", "AssignTicket", "UnassignTicket", "ResolveTicket", "ReopenTicket"}
    for where, formula, _ in formulas():
        for name, call in calls(parse(formula)):
            if ".pa.yaml" in where and name in once:
                assert "client_reference" in call.parts[-1].names, where


def test_every_answer_of_the_desk_is_checked_for_an_error():
    """Each call of a starter file is kept in a variable whose error the very next step shows."""
    for where, formula, _ in formulas():
        if ".pa.yaml" not in where or "Foyer." not in formula:
            continue
        tree = parse(formula)
        for step, following in zip(tree.parts, tree.parts[1:], strict=False):
            if calls(step):
                kept = step.parts[1]
                assert step.parts[0].value == "Set", where
                assert following.parts[:2] == (Node("name", "IfError"), kept), where
        assert not calls(tree.parts[-1]), where


def test_every_operation_named_anywhere_exists(maker):
    for path in [*STARTER, *PAGES, *FOLDER.rglob("*.json")]:
        named_here = set(re.findall(r"\bFoyer\.([A-Z]\w+)", path.read_text()))
        assert named_here <= set(maker.operations), path.name


# ---- the pages


def test_the_readme_says_where_every_starter_file_goes():
    """A row for each control that lands on a screen; only the first of a file names the file, so that it is pasted once."""
    expected = []
    for path in STARTER:
        tops = [each for item in pasted(path) for each in item.items()]
        for place, (name, written) in enumerate(tops):
            file = "with the row above" if place else f"`starter/{path.name}`"
            values = [written["Properties"][key].removeprefix("=") for key in ("X", "Y", "Width", "Height")]
            expected.append([SCREENS[path.name.partition("-")[0]], file, f"`{name}`", *values])
    lines = re.findall(r"^\| (scr[A-Z].*) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted((line.split(" | ") for line in lines), key=lambda row: row[0]) == expected


def test_the_readme_and_the_collection_of_formulas_agree():
    collected = {text for _, text in blocks(FOLDER / "formulas.md", "powerfx")}
    assert {text for _, text in blocks(FOLDER / "README.md", "powerfx")} <= collected


def test_the_messages_the_readme_explains_are_the_desks():
    rows = re.findall(r"^\| \*4\d\d ([^*…]+)\*", (FOLDER / "README.md").read_text(), re.MULTILINE)
    source = "".join(path.read_text() for folder in (".", "api", "services") for path in (ROOT / folder).glob("*.py"))
    assert len(rows) >= 4
    assert [row for row in rows if row not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_file_a_page_names_is_there(page):
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [name for name in re.findall(r"`(starter/[\w./-]+)`", text) if not (FOLDER / name).exists()] == []


def test_controls_and_screens_named_on_the_pages_exist(maker):
    known = {*maker.controls, *maker.screens}
    for page in PAGES:
        named_here = set(re.findall(r"\b((?:con|btn|txt|drp|lbl|gal|cht|rec|scr)[A-Z]\w+)", page.read_text()))
        assert named_here <= known, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_json_block_is_json(page):
    for _, text in blocks(page, "json"):
        json.loads(text)


def test_every_fenced_block_says_its_language():
    known = {"powerfx", "json", "sh", "expression", "text"}
    for page in PAGES:
        fences = re.findall(r"^ *```(\w*)", page.read_text(), re.MULTILINE)
        assert set(fences[::2]) <= known, page.name
        assert set(fences[1::2]) <= {""}, page.name


def curls(page: Path) -> list[str]:
    """The curl commands of a page."""
    return [line for _, block in blocks(page, "sh") for line in block.splitlines() if line.startswith("curl")]


def sent(app: Any, line: str) -> Any:
    """The answer of the app to a curl command."""
    words = iter(shlex.split(line)[1:])
    method, url, headers, body = "", "", {}, None
    for word in words:
        if word in ("-H", "-X", "-d"):
            value = next(words)
            if word == "-H":
                name, _, content = value.partition(": ")
                headers[name] = content.replace("<key>", "admin-key")
            method, body = (value, body) if word == "-X" else (method, value if word == "-d" else body)
        elif word != "-s":
            url = word
    assert url.startswith(DESK), line
    return app.test_client().open(
        url.removeprefix(DESK), method=method or ("POST" if body else "GET"), headers=headers, data=body
    )


def test_every_curl_line_works(app):
    lines = [line for page in PAGES for line in curls(page)]
    assert len(lines) == sum(page.read_text().count("curl -s") for page in PAGES)
    for line in lines:
        response = sent(app, line)
        assert response.status_code < 300, f"{line}: {response.get_data(as_text=True)}"
