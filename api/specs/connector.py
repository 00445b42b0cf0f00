"""/swagger.json: Swagger 2.0 as low-code tools want it: flat, labelled, one schema per operation and none on errors.

Every rule here is one of Power Platform's for custom connectors; its absence makes an import fail or a screen ugly.
"""

from dataclasses import dataclass

from api.http.resource import ANY_MEDIA
from api.specs import connector_webhooks
from api.specs.connector_choices import DropDowns, find_drop_downs
from api.specs.connector_schemas import RARELY_NEEDED, body_fields, flat, labelled, reachable
from api.specs.declarations import HEADERS, Json, Operation, Source, body_schema, read_declarations, resolved, sentence
from core.version import VERSION

ABOUT = "Customer support with AI: open, triage, answer, assign, resolve and measure support tickets."
SITE = "https://foyer.example.com"
JSON = "application/json"
TAGS_BEHIND_THE_SCENES = {"lookups"}  # operations that feed drop-downs
SIGNING_IN = "/api/auth/"  # a connection has its key; people sign in elsewhere
TRIGGERS = "/api/triggers/"
IMPORTANT = {"/api/tickets", "/api/tickets/{ticket_id}"}  # what makers look for first
# By the first word of a trigger's path: the time it goes by, and what makes it fire.
WATCHED = {"new": ("created_at", "open"), "updated": ("updated_at", "change")}
TWINS = {"Idempotency-Key": "client_reference", "If-Match": "version"}  # body fields that do what a header does
FILE = {"type": "string", "format": "binary"}  # what is no JSON
ANY_OTHER = "Any other error; the message says what to do."


@dataclass(frozen=True)
class _View:
    """What every operation is made with."""

    raw: Json
    choices: DropDowns


def connector_document() -> Json:
    """The whole document; `host` is for whoever serves it to fill in."""
    source = read_declarations("2.0")
    view = _View(source.document, find_drop_downs(source.operations))
    paths = _paths(source, view)
    definitions = {name: flat(schema) for name, schema in source.document["definitions"].items()}
    bodies = [p for item in paths.values() for op in item.values() for p in op["parameters"] if p["in"] == "body"]
    for name in reachable(bodies, definitions):
        definitions[name] = body_fields(definitions[name], view.choices)
    connector_webhooks.add_notification(paths, definitions)
    reachable_names = reachable(paths, definitions)
    return {
        "swagger": "2.0",
        "info": {
            "title": "Foyer",
            "description": ABOUT,
            "version": VERSION,
            "contact": {"name": "Foyer", "url": SITE, "email": "support@foyer.example.com"},
        },
        "host": "",
        "basePath": "/",
        # The platform calls over TLS only; a server behind a proxy does not see that it is spoken to that way.
        "schemes": ["https"],
        "consumes": [JSON],
        "produces": [JSON],
        "paths": paths,
        "definitions": {name: schema for name, schema in definitions.items() if name in reachable_names},
        "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        "security": [{"api_key": []}],
        "tags": source.document["tags"],
        "x-ms-connector-metadata": [
            {"propertyName": "Website", "propertyValue": SITE},
            {"propertyName": "Privacy policy", "propertyValue": f"{SITE}/privacy"},
            {"propertyName": "Categories", "propertyValue": "IT Operations;Business Management"},
        ],
        **_capabilities(view.choices),
    }


def watched(path: str) -> tuple[str, str]:
    """For the path of a polling trigger: the field that says how new a row is, and what people do to make it fire."""
    return WATCHED[path.removeprefix(TRIGGERS).partition("-")[0]]


def _capabilities(choices: DropDowns) -> Json:
    """A connection is tried out by asking for a short list that every role may read."""
    return {"x-ms-capabilities": {"testConnection": choices.call("statuses")}} if choices.operation else {}


def _paths(source: Source, view: _View) -> Json:
    paths: Json = {}
    for operation in source.operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(view, operation)
    return paths


def _operation(view: _View, operation: Operation) -> Json:
    doc = operation.doc
    files = _files(doc)
    produced = [*([JSON] if _json_schema(doc) else []), *files]
    body = _body_of_other_media(doc)
    parameters = [*doc["parameters"], *body, *_headers(view.raw, operation)]
    rows = _row_fields(view.raw, doc)
    definition = {
        "operationId": doc["operationId"],
        "summary": doc["summary"],
        "description": sentence(doc["description"]),
        "tags": doc["tags"],
        "parameters": [_parameter(view, operation, parameter, rows) for parameter in parameters],
        "responses": _responses(operation),
        "security": [] if operation.public else [{"api_key": []}],
        **_visibility(view.raw, operation, of_several_media=len(produced) > 1),
        **_trigger(operation),
        **connector_webhooks.trigger(operation),
    }
    if body:
        definition["consumes"] = _media_of(doc["requestBody"]["content"])
    if files:
        definition["produces"] = produced
    return {**definition, **{name: doc[name] for name in ("consumes", "produces") if name in doc}}


def _visibility(raw: Json, operation: Operation, *, of_several_media: bool) -> Json:
    if _is_internal(raw, operation) or of_several_media:
        return {"x-ms-visibility": "internal"}
    if operation.path in IMPORTANT and operation.method in ("get", "post", "put"):
        return {"x-ms-visibility": "important"}
    return {}


def _is_internal(raw: Json, operation: Operation) -> bool:
    """What makers do not pick themselves: a second way to the same, what feeds drop-downs, signing in, shapeless input."""
    path = operation.path
    twin = operation.method == "patch" and "put" in raw["paths"][path]
    for_hosts = f"/api{path}" in raw["paths"]
    signing_in = path.startswith(SIGNING_IN) or (operation.public and operation.method != "get")
    shapeless = bool(_body_of_other_media(operation.doc)) and not _has_shape(body_schema(raw, operation.doc))
    feeds = not TAGS_BEHIND_THE_SCENES.isdisjoint(operation.doc["tags"])
    return twin or for_hosts or signing_in or shapeless or feeds


def _has_shape(schema: Json) -> bool:
    return bool(schema.get("properties") or schema.get("items", {}).get("properties"))


def _trigger(operation: Operation) -> Json:
    """The platform polls it and starts a flow for each new row; apiProperties.json says how it remembers the newest."""
    if not operation.path.startswith(TRIGGERS):
        return {}
    thing = operation.path.rpartition("-")[2].removesuffix("s")
    return {
        "x-ms-trigger": "batch",
        "x-ms-trigger-hint": f"To see it work now, {watched(operation.path)[1]} a {thing}.",
        "x-ms-trigger-metadata": {"kind": "query", "mode": "polling"},
    }


def _files(doc: Json) -> list[str]:
    """The media types of a success that can be a file."""
    answers = [response for status, response in doc["responses"].items() if status[0] == "2"]
    return [media for response in answers for media in response.get("content", {}) if media not in (JSON, ANY_MEDIA)]


def _json_schema(doc: Json) -> Json:
    """The schema of a success in JSON; {} where the answer is always a file."""
    return next(
        (answer["schema"] for status, answer in doc["responses"].items() if status[0] == "2" and "schema" in answer), {}
    )


def _body_of_other_media(doc: Json) -> list[Json]:
    """The body of a route that documents itself in OpenAPI 3's words: its JSON form, or else the bytes of a file."""
    content = doc.get("requestBody", {}).get("content", {})
    if not content or any(parameter["in"] in ("body", "formData") for parameter in doc["parameters"]):
        return []
    schema = content.get(JSON, {}).get("schema") or FILE
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


def _parameter(view: _View, operation: Operation, parameter: Json, rows: Json) -> Json:
    name, place = parameter["name"], parameter["in"]
    if place == "body":
        return {
            "in": "body",
            "name": "body",
            "required": parameter.get("required", True),
            "description": sentence(parameter.get("description", "What to send.")),
            "schema": body_fields(flat(parameter["schema"]), view.choices),
        }
    definition = labelled(name, parameter)
    if place == "path":
        definition["x-ms-url-encoding"] = "single"
    if place == "query":
        definition = view.choices.apply(name, definition, rows.get(name))
    if operation.path.startswith(TRIGGERS) and name == "after":
        definition["x-ms-visibility"] = "internal"  # the platform fills it in with the newest row it has seen
    elif name in RARELY_NEEDED or operation.path.startswith(TRIGGERS):
        definition["x-ms-visibility"] = "advanced"
    return definition


def _row_fields(raw: Json, doc: Json) -> Json:
    """The fields of the rows that a list answers with; {} for anything else."""
    for status, response in doc["responses"].items():
        if status[0] == "2" and "schema" in response:
            data = resolved(raw, response["schema"]).get("properties", {}).get("data", {})
            fields: Json = resolved(raw, data.get("items", {})).get("properties", {})
            return fields
    return {}


def _responses(operation: Operation) -> Json:
    """The one success with its schema; errors in words only, so that makers are shown the server's own message."""
    responses: Json = {}
    schema: Json = {}
    for status, response in sorted(operation.doc["responses"].items()):
        if status[0] == "2" and not schema:
            schema = flat(response.get("schema") or FILE)
            responses[status] = {"description": sentence(response.get("description", "Done")), "schema": schema}
        elif status != "default" and (status[0] in "23" or operation.can_answer(status)):
            responses[status] = {"description": response.get("description", "Done.")}
    return {**responses, "default": {"description": ANY_OTHER}}
