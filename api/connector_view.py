"""/swagger.json: Swagger 2.0 as low-code tools want it: flat, labelled, one schema per operation and none on errors.

Every rule here is one of Power Platform's for custom connectors; its absence makes an import fail or a screen ugly.
"""

from collections.abc import Iterator
from typing import Any

from api.spec_source import HEADERS, Json, Operation, body_schema, label, read_declarations, sentence
from version import VERSION

ABOUT = "Customer support with AI: open, triage, answer, assign, resolve and measure support tickets."
JSON = "application/json"
TAGS_BEHIND_THE_SCENES = {"lookups"}  # operations that feed drop-downs
TWINS = {"Idempotency-Key": "client_reference", "If-Match": "version"}  # body fields that do what a header does
RARELY_NEEDED = {"client_reference", "user", "action", "version", *HEADERS}
NOT_FOR_LOW_CODE = {"additionalProperties", "nullable", "x-nullable", "readOnly", "title"}
ANY_OTHER = "Any other error; the message says what to do."


def connector_document() -> Json:
    """The whole document; `host` is for whoever serves it to fill in."""
    source = read_declarations("2.0")
    raw = source.document
    paths: Json = {}
    for operation in source.operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(raw, operation)
    definitions = {name: _flat(schema) for name, schema in raw["definitions"].items()}
    used = _reachable(paths, definitions)
    return {
        "swagger": "2.0",
        "info": {"title": "Foyer", "description": ABOUT, "version": VERSION},
        "host": "",
        "basePath": "/",
        # The platform calls over TLS only; a desk behind a proxy does not see that it is spoken to that way.
        "schemes": ["https"],
        "consumes": [JSON],
        "produces": [JSON],
        "paths": paths,
        "definitions": {name: schema for name, schema in definitions.items() if name in used},
        "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        "tags": raw["tags"],
    }


def _operation(raw: Json, operation: Operation) -> Json:
    doc = operation.doc
    body = _body_of_other_media(doc)
    parameters = [*doc["parameters"], *body, *_headers(raw, operation)]
    made = {
        "operationId": doc["operationId"],
        "summary": doc["summary"],
        "description": sentence(doc["description"]),
        "tags": doc["tags"],
        "parameters": [_parameter(parameter) for parameter in parameters],
        "responses": _responses(operation),
        "security": [] if operation.public else [{"api_key": []}],
    }
    if _is_internal(raw, operation):
        made["x-ms-visibility"] = "internal"
    if body:
        made["consumes"] = _media_of(doc["requestBody"]["content"])
    return {**made, **{name: doc[name] for name in ("consumes", "produces") if name in doc}}


def _is_internal(raw: Json, operation: Operation) -> bool:
    """Operations makers do not pick themselves: a second way to do the same, and what feeds drop-downs."""
    twin = operation.method == "patch" and "put" in raw["paths"][operation.path]
    for_hosts = f"/api{operation.path}" in raw["paths"]
    return twin or for_hosts or not TAGS_BEHIND_THE_SCENES.isdisjoint(operation.doc["tags"])


def _body_of_other_media(doc: Json) -> list[Json]:
    """The body of a route that documents itself in OpenAPI 3's words: its JSON form, or else the bytes of a file."""
    content = doc.get("requestBody", {}).get("content", {})
    if not content or any(parameter["in"] in ("body", "formData") for parameter in doc["parameters"]):
        return []
    schema = content.get(JSON, {}).get("schema") or {"type": "string", "format": "binary"}
    about = doc["requestBody"].get("description", "What to send.")
    return [{"in": "body", "name": "body", "required": True, "description": about, "schema": schema}]


def _media_of(content: Json) -> list[str]:
    """What such a body can be sent as; parts of a form are no body in Swagger 2.0."""
    return [JSON] if JSON in content else [media for media in content if not media.startswith("multipart/")]


def _headers(raw: Json, operation: Operation) -> list[Json]:
    fields = body_schema(raw, operation.doc).get("properties", {})
    return [
        {"in": "header", "name": name, "description": HEADERS[name], "required": False, "type": "string"}
        for name in operation.headers
        if TWINS.get(name) not in fields
    ]


def _parameter(parameter: Json) -> Json:
    name, place = parameter["name"], parameter["in"]
    if place == "body":
        return {
            "in": "body",
            "name": "body",
            "required": parameter.get("required", True),
            "description": parameter.get("description", "What to send."),
            "schema": _flat(parameter["schema"]),
        }
    made = {**_flat(parameter), "description": sentence(parameter.get("description") or label(name))}
    made["x-ms-summary"] = label(name)
    if place == "path":
        made["x-ms-url-encoding"] = "single"
    if name in RARELY_NEEDED:
        made["x-ms-visibility"] = "advanced"
    return made


def _responses(operation: Operation) -> Json:
    """The one success with its schema; errors in words only, so that makers are shown the desk's own message."""
    found: Json = {}
    for status, response in sorted(operation.doc["responses"].items()):
        if status[0] == "2":
            found[status] = {"description": response["description"], "schema": _flat(response.get("schema", {}))}
        elif status != "default" and operation.can_answer(status):
            found[status] = {"description": response["description"]}
    return {**found, "default": {"description": ANY_OTHER}}


def _flat(schema: Json) -> Json:
    """A schema without what low-code tools cannot read, every property labelled and described."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if len(schema.get("allOf", [])) == 1:
        return _flat(schema["allOf"][0])
    made = {name: value for name, value in schema.items() if name not in NOT_FOR_LOW_CODE}
    if "items" in made:
        made["items"] = _flat(made["items"])
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _property(name, inner) for name, inner in made["properties"].items()}
    return made


def _property(name: str, schema: Json) -> Json:
    made = _flat(schema)
    if "$ref" in made:
        return made  # nothing may stand beside a reference
    made = {**made, "description": sentence(made.get("description") or label(name)), "x-ms-summary": label(name)}
    if name in RARELY_NEEDED and name != "version":
        made["x-ms-visibility"] = "advanced"
    return made


def _reachable(start: Any, definitions: Json) -> set[str]:
    """The names of the definitions that are referred to from `start`, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in set(_references(waiting.pop())) - found:
            found.add(name)
            waiting.append(definitions[name])
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from _references(inner)
