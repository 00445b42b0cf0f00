"""Both descriptions of the API, compared with the routes, their standards and real responses."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from api.specs.declarations import METHODS, label
from api.specs.openapi import EXAMPLES
from api.specs.pages import connector, openapi, serialized
from tests.support.spec_check import check_response, is_navigation, openapi_path, rule_of

OPENAPI, SWAGGER = openapi("http://desk.example"), connector("desk.example")
BOTH = pytest.mark.parametrize("document", [OPENAPI, SWAGGER], ids=["openapi", "swagger"])


@pytest.fixture
def engine() -> str:
    """What is described does not depend on where it is stored."""
    return "json"


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def schemas_within(value: Any) -> Iterator[Any]:
    """Every object anywhere in a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schemas_within(inner)


@BOTH
def test_the_document_is_valid(document):
    validate(document)


@BOTH
def test_every_route_is_described_and_nothing_else(document, app):
    routes = {
        (method.lower(), openapi_path(rule.rule))
        for rule in app.url_map.iter_rules()
        if (rule.rule.startswith("/api") or rule.rule == "/health") and not is_navigation(app, rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in operations(document)} == routes


@BOTH
def test_every_operation_says_what_it_is(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for _, _, operation in operations(document):
        name = operation["operationId"]
        assert re.fullmatch(r"([A-Z][a-z0-9]+)+", name), name
        assert 0 < len(operation["summary"]) <= 80, name
        assert operation["summary"][-1].isalnum(), name
        assert "/" not in operation["summary"], name
        assert operation["description"].endswith("."), name
        assert operation["description"].rstrip(".") != operation["summary"], name
        assert isinstance(operation["security"], list), name


@BOTH
def test_only_health_signing_in_and_what_has_a_proof_of_its_own_are_open_to_all(document):
    open_to_all = {path for _, path, operation in operations(document) if not operation["security"]}
    names = "confirm login refresh logout options guest accept code code/confirm register reset reset/confirm"
    names = f"{names} totp/verify oidc/exchange".split()
    signing_in = {"/api/companies", *(f"/api/auth/{name}" for name in names)}
    own_proof = {"/api/inbound/email", "/api/notices/unsubscribe/{token}"}  # INBOUND_SECRET, a signed token
    assert open_to_all == {"/health", "/api/health"} | signing_in | own_proof


@BOTH
def test_path_parameters_are_required_and_described(document):
    for _, path, operation in operations(document):
        found = [parameter for parameter in operation["parameters"] if parameter.get("in") == "path"]
        assert [parameter["name"] for parameter in found] == re.findall(r"{(\w+)}", path)
        assert all(parameter["required"] and parameter["description"] for parameter in found)


@BOTH
def test_no_path_differs_from_another_only_where_one_has_a_parameter(document):
    shapes = [re.sub(r"{\w+}", "[^/]+", path) for path in document["paths"]]
    for path, shape in zip(document["paths"], shapes, strict=True):
        assert [other for other in document["paths"] if re.fullmatch(shape, other)] == [path]


@BOTH
def test_aliases_are_accepted_but_not_described(document):
    schema = (document.get("definitions") or document["components"]["schemas"])["NewTicket"]
    assert not {"subject", "message", "email", "agent_email"} & set(schema["properties"])


def test_openapi_describes_every_error_in_the_common_form():
    for _, path, operation in operations(OPENAPI):
        for status, response in operation["responses"].items():
            ref = response["content"]["application/json"]["schema"].get("$ref", "") if status[0] in "45d" else ""
            assert status[0] == "2" or ref.endswith("/Error"), (path, status)
        assert "default" in operation["responses"]


def test_openapi_says_which_input_may_be_empty():
    fields = OPENAPI["components"]["schemas"]["NewTicket"]["properties"]
    assert (fields["title"]["minLength"], "nullable" in fields["title"]) == (1, False)
    assert fields["priority"] | {"description": ""} == {
        "type": "string",
        "description": "",
        "enum": ["low", "medium", "high", "urgent", None],
        "nullable": True,
    }
    assert "nullable" not in OPENAPI["components"]["schemas"]["Ticket"]["properties"]["priority"]
    query = {parameter.get("name"): parameter for parameter in OPENAPI["paths"]["/api/jobs"]["get"]["parameters"]}
    assert query["state"]["allowEmptyValue"] is True
    assert query["state"]["schema"]["default"] == "waiting,dead"


def test_openapi_names_headers_only_where_they_apply():
    def headers(method: str, path: str) -> set[str]:
        return {
            parameter["$ref"].rpartition("/")[2]
            for parameter in OPENAPI["paths"][path][method]["parameters"]
            if "$ref" in parameter
        }

    assert headers("post", "/api/tickets") == {"X-On-Behalf-Of", "Idempotency-Key"}
    assert headers("post", "/api/tickets/{ticket_id}/resolve") == {"Idempotency-Key", "If-Match"}
    assert headers("delete", "/api/tickets/{ticket_id}") == {"If-Match"}
    assert headers("get", "/api/health") == set()


def test_swagger_has_one_schema_per_operation_and_none_on_errors():
    for _, path, operation in operations(SWAGGER):
        with_schema = [status for status, response in operation["responses"].items() if "schema" in response]
        assert with_schema in (["200"], ["201"]), path
        assert operation["responses"][with_schema[0]]["schema"], path


def test_swagger_has_nothing_that_low_code_tools_cannot_read():
    for found in schemas_within(SWAGGER):
        assert not {"anyOf", "oneOf", "allOf", "not", "nullable", "additionalProperties"} & set(found), found
        assert not isinstance(found.get("type"), list), found
        assert found.get("type") != "array" or found["items"], found
        assert "$ref" not in found or list(found) == ["$ref"], found
    assert not {"Error", "PaginationMetadata"} & set(SWAGGER["definitions"])


def test_swagger_labels_everything_a_maker_sees():
    for _, path, operation in operations(SWAGGER):
        for parameter in operation["parameters"]:
            assert parameter["description"], (path, parameter)
            assert parameter["in"] == "body" or parameter["x-ms-summary"][0].isupper(), (path, parameter)
            assert parameter["in"] != "path" or parameter["x-ms-url-encoding"] == "single", (path, parameter)
            assert parameter["in"] != "body" or parameter["name"] == "body", (path, parameter)
    for name, definition in SWAGGER["definitions"].items():
        assert definition["properties"], name
        for field, schema in definition["properties"].items():
            assert "$ref" in schema or (schema["x-ms-summary"] and schema["description"].endswith(".")), (name, field)


def test_swagger_hides_what_makers_do_not_pick_themselves():
    hidden = {op["operationId"] for _, _, op in operations(SWAGGER) if op.get("x-ms-visibility") == "internal"}
    assert {"PatchTicket", "ListChoices", "GetHostHealth"} <= hidden
    assert not {"UpdateTicket", "CreateTicket", "ListTickets", "GetHealth"} & hidden


def test_swagger_is_a_connector_file():
    assert (SWAGGER["host"], SWAGGER["basePath"], SWAGGER["schemes"]) == ("desk.example", "/", ["https"])
    assert SWAGGER["securityDefinitions"] == {"api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
    assert len(serialized(SWAGGER)) < 1_000_000


@pytest.mark.parametrize(
    ("name", "wanted"), [("ai_status", "AI Status"), ("ticket_id", "Ticket ID"), ("q", "Search Words")]
)
def test_labels_are_in_title_case(name, wanted):
    assert label(name) == wanted


def test_both_are_served_without_a_key_and_with_the_host_asked(app):
    client = app.test_client()
    described = client.get("/openapi.json", base_url="https://desk.example:8443")
    assert described.json["servers"] == [{"url": "https://desk.example:8443"}]
    connects = client.get("/swagger.json", base_url="https://desk.example:8443")
    assert connects.json["host"] == "desk.example:8443"
    assert connects.data == serialized(connector("desk.example:8443"))
    assert client.get("/swagger.json").json["host"] == "localhost"
    for response in (described, connects):
        assert response.mimetype == "application/json"
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_examples_are_accepted_by_the_server(admin):
    ticket = admin.data(admin.post("/api/tickets", EXAMPLES["NewTicket"]), 201)
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.put(path, EXAMPLES["TicketChanges"]))
    admin.data(admin.post(f"{path}/assign", EXAMPLES["AssignTicket"]))
    admin.data(admin.post(f"{path}/replies", EXAMPLES["NewReply"]), 201)
    admin.data(admin.post(f"{path}/resolve", EXAMPLES["ResolveTicket"]))
    admin.data(admin.post(f"{path}/reopen", EXAMPLES["MoveTicket"]))
    admin.data(admin.put("/api/settings", EXAMPLES["SettingsChanges"]))
    described = OPENAPI["components"]["schemas"]
    assert all(described[name]["example"] == example for name, example in EXAMPLES.items())


def test_answers_are_as_described(app, admin, customer):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    calls: list[tuple[Any, str, str, Any]] = [
        (admin, "POST", "/api/tickets", {"title": "a", "description": "b", "customer_email": "ada@example.com"}),
        (customer, "POST", "/api/tickets", {"title": "a", "description": "b"}),
        (admin, "POST", "/api/tickets", {}),
        (admin, "GET", "/api/tickets", None),
        (customer, "GET", "/api/tickets?limit=1", None),
        (admin, "PUT", path, {"priority": "low"}),
        (admin, "PUT", path, {"priority": "high", "version": 1}),
        (admin, "POST", f"{path}/assign", {"agent_email": "bob@example.com"}),
        (admin, "POST", f"{path}/replies", {"body": "Here is how."}),
        (customer, "GET", f"{path}/replies", None),
        (admin, "GET", f"{path}/history", None),
        (admin, "GET", f"{path}/ai_response", None),
        (customer, "GET", f"{path}/history", None),
        (admin, "POST", f"{path}/resolve", {"resolution": "Done."}),
        (admin, "POST", f"{path}/resolve", {"resolution": "Again."}),
        (customer, "GET", path, None),
        (admin, "GET", "/api/customers", None),
        (admin, "GET", "/api/customers/ada@example.com", None),
        (admin, "GET", "/api/lookups/statuses", None),
        (admin, "GET", "/api/triggers/new-tickets", None),
        (admin, "GET", "/api/settings", None),
        (admin, "GET", "/api/health", None),
        (admin, "GET", "/api/tickets/nothing", None),
        (admin, "DELETE", path, None),
    ]
    for caller, method, url, body in calls:
        response = caller.call(method, url, body)
        rule = rule_of(app, method, url)
        assert rule, url
        check_response(app, response, method, rule)
