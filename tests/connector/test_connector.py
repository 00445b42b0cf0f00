"""The connector and its app: the same routes, drop-downs, triggers, and one form of response."""

import json
import re
import struct
import zlib
from typing import Any

import pytest

from api.specs.connector_choices import LOOKUP_OF_FIELD, LOOKUP_VALUES, DropDowns, display_name
from api.specs.pages import connector, openapi
from services.lookups import LOOKUPS
from tools.connector.commands import FOLDER
from tools.connector.files import DEFINITION, HOST, ICON, PROPERTIES, README, connector_files, properties
from tools.connector.lint import lint_folder
from tools.connector.walk import Op, objects, operations, resolved

DOCUMENT = connector(HOST)
OPERATIONS = {op.doc["operationId"]: op for op in operations(DOCUMENT)}
TRIGGERS = [name for name, op in OPERATIONS.items() if op.doc.get("x-ms-trigger") == "batch"]
SCHEMAS = FOLDER.parent.parent / "shared" / "schemas"  # Microsoft's, where somebody has them


@pytest.fixture
def engine() -> str:
    """What is described does not depend on where it is stored."""
    return "json"


def fields(document: Any, schema: Any) -> Any:
    """A schema as names and types only, references followed."""
    while "$ref" in schema or "allOf" in schema:
        schema = resolved(document, schema) if "$ref" in schema else schema["allOf"][0]
    if schema.get("type") == "array":
        return [fields(document, schema["items"])]
    if schema.get("properties"):
        return {name: fields(document, inner) for name, inner in schema["properties"].items()}
    return schema["type"]


def asked(op: Op, argument: str) -> Any:
    """The schema of an argument, a parameter's or a body field's."""
    for parameter in op.parameters:
        if parameter["name"] == argument:
            return parameter
        body = resolved(DOCUMENT, parameter.get("schema", {})) or {}
        if argument in body.get("properties", {}):
            return body["properties"][argument]
    raise AssertionError(f"{op.where} does not ask for {argument}")


def test_the_definition_is_what_a_server_serves(app):
    served = app.test_client().get("/swagger.json", base_url=f"https://{HOST}")
    assert connector_files(HOST)[DEFINITION] == served.data


def test_the_files_are_without_fault():
    assert [str(finding) for finding in lint_folder(FOLDER, schemas=SCHEMAS if SCHEMAS.is_dir() else None)] == []


def test_only_the_host_differs_between_servers():
    ours, theirs = connector_files(HOST), connector_files("desk.example.org:8443")
    assert [name for name in ours if ours[name] != theirs[name]] == [DEFINITION, README]
    assert loaded(theirs[DEFINITION]) == {**loaded(ours[DEFINITION]), "host": "desk.example.org:8443"}


def test_answers_have_the_same_fields_as_the_full_description():
    full = openapi("https://desk.example.com")
    for op in operations(DOCUMENT):
        [answer] = [response["schema"] for response in op.successes.values() if "schema" in response]
        described = full["paths"][op.path][op.method]["responses"]
        [content] = [response["content"] for status, response in described.items() if status[0] == "2"]
        if "application/json" in content:
            assert fields(DOCUMENT, answer) == fields(full, content["application/json"]["schema"]), op.where


def test_every_lookup_is_a_drop_down_and_every_drop_down_a_lookup():
    calls = [found["x-ms-dynamic-list"] for found in objects(DOCUMENT) if "x-ms-dynamic-list" in found]
    assert {call["parameters"]["name"]["value"] for call in calls} == set(LOOKUP_OF_FIELD.values()) == set(LOOKUPS)
    assert set(LOOKUP_VALUES) == set(LOOKUPS) - {"agents", "teams"}


@pytest.mark.parametrize("name", LOOKUP_VALUES)
def test_a_lookup_holds_the_words_of_the_enum(admin, name):
    assert [choice["key"] for choice in admin.data(admin.get(f"/api/lookups/{name}"))] == list(LOOKUP_VALUES[name])


@pytest.mark.parametrize(
    ("operation", "argument", "wanted"),
    [
        ("ListTickets", "status", "statuses"),
        ("ListTickets", "assigned_to", "agents"),
        ("CreateTicket", "priority", "priorities"),
        ("CreateTicket", "assigned_team", "teams"),
        ("UpdateTicket", "status", "statuses"),
        ("AssignTicket", "agent_email", "agents"),
    ],
)
def test_drop_downs_call_the_server(operation, argument, wanted):
    field = asked(OPERATIONS[operation], argument)
    assert field["x-ms-dynamic-values"] == {
        "operationId": "ListChoices",
        "parameters": {"name": wanted},
        "value-collection": "data",
        "value-path": "key",
        "value-title": "label",
    }
    assert field["x-ms-dynamic-list"]["parameters"] == {"name": {"value": wanted}}
    assert "enum" not in field


def test_a_field_of_the_same_name_with_other_words_gets_no_drop_down():
    choices = DropDowns("ListChoices", "name")
    other = {"type": "string", "enum": ["active", "disabled"]}
    assert choices.apply("status", other) == other
    assert choices.apply("status", {"type": "string"}, column=other) == {"type": "string"}
    assert choices.apply("status", {"type": "integer"}) == {"type": "integer"}
    assert choices.apply("colour", {"type": "string"}) == {"type": "string"}
    assert DropDowns().apply("status", {"type": "string"}) == {"type": "string"}
    assert "enum" in asked(OPERATIONS["CreateTicket"], "status")


def test_fixed_words_have_display_names():
    sort = asked(OPERATIONS["ListTickets"], "sort")
    named = {entry["value"]: entry["displayName"] for entry in sort["x-ms-enum-values"]}
    assert named["-created_at"] == "Created at, descending"
    assert list(named) == sort["enum"]
    assert display_name("") == "None"


def test_required_fields_come_first_and_rare_fields_last():
    names = list(DOCUMENT["definitions"]["NewTicket"]["properties"])
    assert names[:2] == ["title", "description"]
    assert set(names[-3:]) == {"client_reference", "user", "action"}


def test_the_most_used_operations_are_important():
    important = {name for name, op in OPERATIONS.items() if op.doc.get("x-ms-visibility") == "important"}
    assert important == {"ListTickets", "GetTicket", "CreateTicket", "UpdateTicket"}


def test_sign_in_and_downloads_are_hidden():
    for op in OPERATIONS.values():
        writes_openly = not op.doc["security"] and op.method != "get"
        if op.path.startswith("/api/auth/") or writes_openly or len(op.doc.get("produces", [])) > 1:
            assert op.internal, op.where


def test_the_connection_test_uses_a_call_that_every_role_may_make(admin, agent, customer):
    test = DOCUMENT["x-ms-capabilities"]["testConnection"]
    op = OPERATIONS[test["operationId"]]
    path = op.path.format(**test["parameters"])
    assert op.method == "get"
    for caller in (admin, agent, customer):
        assert caller.get(path).status_code == 200


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_trigger_fires_once_for_what_is_new(admin, name):
    """Polls as the platform does: the policy's expression, read in the last answer, fills in the query."""
    [policy] = [
        policy["parameters"]
        for policy in properties(DOCUMENT)["properties"]["policyTemplateInstances"]
        if policy["parameters"]["x-ms-apimTemplate-operationName"] == [name]
    ]
    assert policy["x-ms-apimTemplateParameter.triggerDataPath"] == "@triggerBody().data"
    [(query, expression)] = policy["x-ms-apimTemplateParameter.triggerConfig"].items()
    field = re.fullmatch(r"@{triggerBody\(\)\.data\[0\]\.(\w+)}", expression).group(1)
    path = OPERATIONS[name].path
    first = [admin.ticket() for _ in range(2)][-1]
    seen = admin.data(admin.get(path))[0]
    assert (seen["id"], len(admin.data(admin.get(path)))) == (first["id"], 2)
    last = seen[field]
    assert admin.data(admin.get(path, query_string={query: last})) == []
    new = admin.ticket(title="A new one")
    fired = admin.data(admin.get(path, query_string={query: last}))
    assert [row["id"] for row in fired] == [new["id"]]
    assert admin.data(admin.get(path, query_string={query: fired[0][field]})) == []


def test_triggers_are_marked_and_hide_their_state():
    assert set(TRIGGERS) == {"OnNewTicket", "OnTicketUpdated"}
    for name in TRIGGERS:
        doc = OPERATIONS[name].doc
        assert doc["x-ms-trigger-hint"].startswith("To see it work now, ")
        assert asked(OPERATIONS[name], "after")["x-ms-visibility"] == "internal"


def test_the_readme_names_every_action_and_portal_setting():
    files = connector_files(HOST)
    page, about = files[README].decode(), loaded(files[PROPERTIES])["properties"]
    assert about["iconBrandColor"] in page
    assert HOST in page
    for name, op in OPERATIONS.items():
        assert (f"| `{name}` |" in page) is not op.internal, name
    for policy in about["policyTemplateInstances"]:
        [(query, value)] = policy["parameters"]["x-ms-apimTemplateParameter.triggerConfig"].items()
        assert f"| `{query}` | `{value}` |" in page


def test_git_ignores_own_settings_in_the_folder():
    assert "settings.json" in (FOLDER / ".gitignore").read_text().split()


def test_the_icon_is_a_picture_on_the_brand_colour():
    data = connector_files(HOST)[ICON]
    place, chunks = 8, {}
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        place += length + 12
    assert struct.unpack(">IIBB", chunks[b"IHDR"][:10]) == (230, 230, 4, 3)
    pixels = zlib.decompress(chunks[b"IDAT"])
    assert len(pixels) == 230 * 116
    assert pixels[1] == 0
    assert {chunks[b"PLTE"][:3].hex(), chunks[b"PLTE"][-3:].hex()} == {"1f5f78", "ffffff"}
    assert {0x00, 0xFF} <= set(pixels)


def loaded(content: bytes) -> Any:
    return json.loads(content)
