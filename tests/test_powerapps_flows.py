"""powerapps/flows against the connector: the schemas for Parse JSON, and every expression of the flows.

`python -m tests.test_powerapps_flows` writes the schemas anew after the shape of an answer has grown.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from tests.test_powerapps import FOLDER, PAGES, blocks
from tests.test_powerapps_checker import Maker

FLOWS = FOLDER / "flows"
SCHEMAS = {"ticket": "GetTicket", "tickets": "ListTickets", "stats": "GetStats", "reply": "CreateReply"}
KEPT = ("type", "properties", "items", "required")
FUNCTIONS = set(
    "or and equals concat string toUpper coalesce body items item triggerOutputs triggerBody workflow first length "
    "join replace formatDateTime addDays utcNow if greater outputs div formatNumber".split()
)
INLINE = r"`(\w+\([^`\n]*\?\['[^`\n]*)`"
EXPRESSIONS = [
    (page.name, text)
    for page in PAGES
    for text in [text for _, text in blocks(page, "expression")] + re.findall(INLINE, page.read_text())
]


def file_of(name: str) -> Path:
    return FLOWS / f"parse-json-{name}.schema.json"


def pasteable(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema of the connector as Parse JSON takes it: types and what is always there, nothing else, no references."""
    if "$ref" in schema:
        return pasteable(document["definitions"][schema["$ref"].rpartition("/")[2]], document)
    made = {key: schema[key] for key in KEPT if key in schema}
    if "items" in made:
        made["items"] = pasteable(made["items"], document)
    if "properties" in made:
        made["properties"] = {name: pasteable(inner, document) for name, inner in made["properties"].items()}
    return made


def wanted(operation: str) -> str:
    """The text of the file for an operation's answer."""
    maker = Maker()
    responses = maker.operations[operation]["responses"].values()
    schema = next(each["schema"] for each in responses if "schema" in each)
    return json.dumps(pasteable(schema, maker.document), indent=2) + "\n"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_says_what_the_connector_says(name):
    assert file_of(name).read_text() == wanted(SCHEMAS[name]), "run python -m tests.test_powerapps_flows"


def test_there_is_no_schema_besides():
    assert sorted(FLOWS.glob("*.json")) == sorted(map(file_of, SCHEMAS))


def answers(agent: Any, customer: Any) -> dict[str, list[Any]]:
    """Real answers of each kind: full and nearly empty, as an agent and as a customer gets them."""
    empty = agent.get("/api/stats").json
    one = customer.ticket(tags=["login"])["id"]
    rich = agent.ticket(title="Cannot login", product="Web shop", customer_name="Ada")["id"]
    reply = customer.post(f"/api/tickets/{one}/replies", {"body": "Still broken."}).json
    note = agent.post(f"/api/tickets/{rich}/replies", {"body": "Called back.", "internal": True}).json
    agent.data(agent.post(f"/api/tickets/{rich}/assign", {"agent_email": "bob@example.com"}))
    agent.data(agent.post(f"/api/tickets/{rich}/resolve", {"resolution": "Unlocked."}))
    return {
        "ticket": [caller.get(f"/api/tickets/{one}").json for caller in (agent, customer)]
        + [agent.get(f"/api/tickets/{rich}").json],
        "tickets": [caller.get("/api/tickets").json for caller in (agent, customer)]
        + [agent.get("/api/tickets?q=nothing-has-this").json],
        "stats": [empty, agent.get("/api/stats").json],
        "reply": [reply, note],
    }


def test_the_schemas_take_real_answers(agent, customer):
    for name, found in answers(agent, customer).items():
        schema = json.loads(file_of(name).read_text())
        Draft4Validator.check_schema(schema)
        for answer in found:
            assert answer["success"], name
            assert [error.message for error in Draft4Validator(schema).iter_errors(answer)] == [], name


def test_the_schemas_refuse_a_null_and_a_missing_field(agent, customer):
    schema = Draft4Validator(json.loads(file_of("ticket").read_text()))
    answer = answers(agent, customer)["ticket"][0]
    assert list(schema.iter_errors({**answer, "data": {**answer["data"], "title": None}}))
    answer["data"].pop("id")
    assert list(schema.iter_errors(answer))


# ---- expressions


def faults_of(expression: str) -> list[str]:
    """What is wrong with a Power Automate expression: brackets, functions, and paths into answers of the connector."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", expression)
    faults = [f"{a}{b} do not match" for a, b in ("()", "[]", "{}") if bare.count(a) != bare.count(b)]
    faults += [f"no function {name}" for name in re.findall(r"\b(\w+)\(", bare) if name not in FUNCTIONS]
    for function, action, path in re.findall(
        r"(body|triggerOutputs|item)\((?:'([^']*)')?\)((?:\?\['[^']*'\])*)", expression
    ):
        keys = [key for part in re.findall(r"\['([^']*)'\]", path) for key in part.split("/")]
        faults += missing(function, action, keys)
    return faults


def missing(function: str, action: str, keys: list[str]) -> list[str]:
    """What an answer does not have: `body('Get_a_ticket')` is that action's, `body('Parse_ticket')` that schema's."""
    maker = Maker()
    named = {op["summary"].replace(" ", "_"): op for op in maker.operations.values()}
    if function == "item" or function == "triggerOutputs":
        rows = [maker.document["definitions"][name]["properties"] for name in ("Ticket", "Count")]
        key = keys[-1] if keys else ""
        return (
            [] if any(key in row for row in rows[: 1 if function == "triggerOutputs" else 2]) else [f"no field {key}"]
        )
    if action == "HTTP":
        return [key for key in keys if key not in ("success", "message", "data")]
    if action.removeprefix("Parse_") in SCHEMAS:
        shape = json.loads(file_of(action.removeprefix("Parse_")).read_text())
    elif action in named:
        shape = maker.answer(named[action])
    else:
        return [f"no action {action}"]
    for key in keys:
        if key not in shape.get("properties", {}):
            return [f"no field {key} in {action}"]
        shape = shape["properties"][key]
    return []


@pytest.mark.parametrize(("page", "expression"), EXPRESSIONS)
def test_an_expression_of_the_flows_fits_the_connector(page, expression):
    assert faults_of(expression) == [], page


WRONG = {
    "body('Get_ticket_statistics')?['data']?['open']": "no field open",
    "body('Get_statistics')?['data']": "no action Get_statistics",
    "triggerOutputs()?['body/subject']": "no field subject",
    "concatenate('a', 'b')": "no function concatenate",
    "concat('a', string(body('Parse_ticket')?['data']?['number'])": "() do not match",
}


@pytest.mark.parametrize("expression", WRONG)
def test_a_wrong_expression_is_caught(expression):
    assert WRONG[expression] in "; ".join(faults_of(expression))


def test_the_pages_name_actions_and_triggers_as_the_designer_shows_them():
    """What stands behind `Foyer ▸` on a page is the summary of an action or a trigger."""
    summaries = {operation["summary"] for operation in Maker().operations.values()}
    named = {name for page in PAGES for name in re.findall(r"Foyer ▸ ([^*]+)\*\*", page.read_text())}
    assert named
    assert named <= summaries


if __name__ == "__main__":
    for each, made_of in SCHEMAS.items():
        file_of(each).write_text(wanted(made_of))
