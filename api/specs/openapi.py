"""/openapi.json: OpenAPI 3.0 for developers, with every error, header, credential and an example to send."""

from collections.abc import Sequence

from api.routes import load_dialects
from api.specs import empty_inputs
from api.specs.declarations import HEADERS, Json, Operation, body_schema, read_declarations, resolved, sentence
from core.models import LIMITS
from core.version import VERSION

ABOUT = (
    "Foyer is an AI customer-support server: it opens, triages, answers, assigns, resolves and measures tickets. "
    "Every answer is an object with success, message and data; errors carry data.code and data.errors."
)
SECURITY_SCHEMES: Json = {
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key, like fk_…; x-apikey is read too.",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same key as a bearer token."},
}
ERROR: Json = {
    "type": "object",
    "description": "What every error answers.",
    "properties": {
        "success": {"type": "boolean", "enum": [False], "description": "Always false."},
        "message": {"type": "string", "description": "A sentence that can be shown to a person.", "maxLength": 200},
        "data": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "Stable name of the error."},
                "errors": {
                    "type": "array",
                    "description": "Every invalid field, [] when it is not about fields.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "field": {"type": "string", "description": "Name of the field."},
                            "message": {"type": "string", "description": "What is accepted."},
                        },
                        "required": ["field", "message"],
                    },
                },
                "current": {"type": "object", "description": "On 412: the thing as it is now."},
                "request_id": {"type": "string", "description": "On 500: the id to quote when asking for help."},
            },
            "required": ["code", "errors"],
        },
    },
    "required": ["success", "message", "data"],
    "example": {
        "success": False,
        "message": "This field is required.",
        "data": {"code": "invalid_fields", "errors": [{"field": "title", "message": "This field is required."}]},
    },
}
EXAMPLES: Json = {
    "NewTicket": {
        "title": "Cannot login",
        "description": "This is urgent. I cannot login and my team is blocked today.",
        "customer_email": "ada@example.com",
    },
    "TicketChanges": {"priority": "high", "tags": ["login"]},
    "AssignTicket": {"agent_email": "bob@example.com"},
    "ResolveTicket": {"resolution": "The password was reset."},
    "MoveTicket": {"user": "bob@example.com"},
    "NewReply": {"body": "We are looking into it."},
    "SettingsChanges": {"ai_enabled": True},
}
HEADER_SCHEMAS: Json = {
    "X-On-Behalf-Of": {"maxLength": LIMITS["email"], "pattern": f"^([^@]{{0,{LIMITS['customer_id']}}}|[^@]+@[^@]+)$"},
    "Idempotency-Key": {"maxLength": LIMITS["key"]},
    "If-Match": {"pattern": r'^(\*|(W/)?"[0-9]{1,9}")?$'},
}
MORE_ERRORS = {"413": "The request is too large.", "415": "The body is not of an accepted media type."}
ANY_OTHER = "Any other error, in the same form."


def openapi_document(dialects: Sequence[str] = ()) -> Json:
    """The whole document, with the dialects of these names; `servers` is for whoever serves it to fill in."""
    source = read_declarations("3.0.3", dialects=dialects)
    raw = source.document
    for operation in source.operations:
        _finish(raw, operation)
    schemas = {name: schema for name, schema in raw["components"]["schemas"].items() if name != "PaginationMetadata"}
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name] = {**schemas[name], "example": example}
    return {
        "openapi": raw["openapi"],
        "info": {"title": "Foyer", "version": VERSION, "description": ABOUT},
        "servers": [],
        "tags": raw["tags"],
        "paths": raw["paths"],
        "components": {
            "schemas": _with_added_properties({**schemas, "Error": ERROR}, dialects),
            "parameters": {name: _header(name) for name in HEADERS},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _finish(raw: Json, operation: Operation) -> None:
    """Puts into an operation what its declaration implies."""
    doc = operation.doc
    doc["description"] = sentence(doc["description"])
    if operation.roles:
        doc["description"] += f" Roles: {', '.join(operation.roles)}."
    doc["security"] = [] if operation.public else [{name: []} for name in SECURITY_SCHEMES]
    empty_inputs.describe(raw, operation)
    doc["parameters"] += [{"$ref": f"#/components/parameters/{name}"} for name in operation.headers]
    doc["responses"] = _responses(operation)
    for status, response in doc["responses"].items():
        for media in response.get("content", {}).values():
            if status[0] == "2":
                _open_up(raw, media.get("schema", {}))
    body = doc.get("requestBody")
    if body and list(body["content"]) == ["application/json"]:
        # No body at all is read as an empty object.
        body["required"] = bool(body_schema(raw, doc).get("required"))


def _responses(operation: Operation) -> Json:
    """The answers that are declared; flask-smorest adds a 400 without a description, which a dialect may not have."""
    declared_responses = operation.doc["responses"]
    more = MORE_ERRORS if "requestBody" in operation.doc else {}
    errors = {status: {"description": text} for status, text in more.items() if status not in declared_responses}
    result: Json = {}
    for status, response in sorted({**declared_responses, **errors}.items()):
        if status[0] == "2":
            result[status] = response
        elif status != "default" and "description" in response and operation.can_answer(status):
            result[status] = _error(response["description"], operation.error_schema)
            if status == "503":
                result[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return {**result, "default": _error(ANY_OTHER, operation.error_schema)}


def _error(description: str, schema: Json | None) -> Json:
    content = {"application/json": {"schema": schema or {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content}


def _open_up(raw: Json, schema: Json) -> None:
    """Answers may gain fields later without breaking anybody, so their schemas do not forbid more."""
    if "$ref" in schema:
        schema = resolved(raw, schema)
        if "additionalProperties" not in schema:
            return  # opened already, on the way to here or from another operation
    schema.pop("additionalProperties", None)
    for inner in [*schema.get("properties", {}).values(), *schema.get("allOf", [])]:
        _open_up(raw, inner)
    if "items" in schema:
        _open_up(raw, schema["items"])


def _with_added_properties(schemas: Json, dialects: Sequence[str]) -> Json:
    """The schemas with the fields that dialects add to answers of ours."""
    for module in load_dialects(dialects):
        for name, properties in module.blp.added_properties.items():
            own = schemas[name]
            schemas = {**schemas, name: {**own, "properties": {**own["properties"], **properties}}}
    return schemas


def _header(name: str) -> Json:
    schema = {"type": "string", **HEADER_SCHEMAS[name]}
    return {"in": "header", "name": name, "description": HEADERS[name], "schema": schema, "required": False}
