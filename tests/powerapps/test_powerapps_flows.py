"""powerapps/flows agrees with the connector: the schemas for Parse JSON, and the fields of the expressions.

`python -m tests.powerapps.test_powerapps_flows` writes the schemas again after a response has new fields.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from tests.powerapps.test_powerapps import CONNECTOR, FIELDS, FOLDER, OPERATIONS, PAGES, blocks

SCHEMAS = {"ticket": "GetTicket", "tickets": "ListTickets", "stats": "GetStats", "reply": "CreateReply"}
ENVELOPE = {"body", "data", "success", "message", "total", "run", "name"}


def file_of(name: str) -> Path:
    return FOLDER / "flows" / f"parse-json-{name}.schema.json"


def parse_json(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of the connector as Parse JSON takes it: types and required fields, without references."""
    if "$ref" in schema:
        return parse_json(CONNECTOR["definitions"][schema["$ref"].rpartition("/")[2]])
    plain = {key: schema[key] for key in ("type", "properties", "items", "required") if key in schema}
    if "items" in plain:
        plain["items"] = parse_json(plain["items"])
    if "properties" in plain:
        plain["properties"] = {name: parse_json(inner) for name, inner in plain["properties"].items()}
    return plain


def text_of(operation: str) -> str:
    """The text of the file for an operation's answer."""
    schema = next(each["schema"] for each in OPERATIONS[operation]["responses"].values() if "schema" in each)
    return json.dumps(parse_json(schema), indent=2) + "\n"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_agree_with_the_connector(name):
    assert file_of(name).read_text() == text_of(SCHEMAS[name]), "run python -m tests.powerapps.test_powerapps_flows"


def test_the_schemas_accept_real_responses_and_refuse_a_null(agent, customer):
    ticket = customer.ticket(tags=["login"])["id"]
    answers = {
        "ticket": [caller.get(f"/api/tickets/{ticket}").json for caller in (agent, customer)],
        "tickets": [agent.get(f"/api/tickets?q={word}").json for word in ("question", "nothing-has-this")],
        "stats": [agent.get("/api/stats").json],
        "reply": [customer.post(f"/api/tickets/{ticket}/replies", {"body": "Still broken."}).json],
    }
    for name, bodies in answers.items():
        validator = Draft4Validator(json.loads(file_of(name).read_text()))
        for body in bodies:
            assert [error.message for error in validator.iter_errors(body)] == [], name
            assert list(validator.iter_errors({**body, "message": None})), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_field_an_expression_reads_exists(page):
    inline = re.findall(r"`(\w+\([^`\n]*\?\['[^`\n]*)`", page.read_text())
    for expression in blocks(page, "expression") + inline:
        answers = re.sub(r"triggerBody\(\)\?\['[^']*'\]", "", expression)  # inputs of the flow's own trigger
        keys = {key for path in re.findall(r"\['([^']*)'\]", answers) for key in path.split("/")}
        assert keys <= FIELDS | ENVELOPE, expression
        assert expression.count("(") == expression.count(")"), expression


if __name__ == "__main__":
    for each, operation in SCHEMAS.items():
        file_of(each).write_text(text_of(operation))
