"""Says in OpenAPI 3 which input may be empty: an optional field may be null or "", a required text may not.

api/http/parsing.py drops null and "" before a schema checks the input.
"""

from collections.abc import Iterator
from typing import Any

from api.specs.declarations import Json, Operation, resolved

# A required text that shows nothing is refused like an empty one: spaces, control characters and the usual invisible ones.
SHOWS_SOMETHING = r"[^\s\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"

EMPTY = "^$|"  # begins the pattern of a text that may be empty


def describe(document: Json, operation: Operation) -> None:
    """Marks the query parameters and the body of an operation."""
    for parameter in operation.doc["parameters"]:
        if parameter.get("in") == "query":
            _mark_parameter(parameter)
        if parameter.get("in") == "path":
            parameter["schema"]["minLength"] = 1
    content = operation.doc.get("requestBody", {}).get("content", {})
    for schema in _schemas_within(document, content.get("application/json", {}).get("schema", {})):
        _mark_fields(schema)


def _mark_parameter(parameter: Json) -> None:
    if parameter["required"]:
        _require_text(parameter["schema"])
    else:
        parameter["allowEmptyValue"] = True


def _mark_fields(schema: Json) -> None:
    """Marks the fields of one object. Doing it again changes nothing."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        if name in required:
            _require_text(field)
        else:
            field["nullable"] = True
            if "enum" in field and None not in field["enum"]:
                field["enum"] = [*field["enum"], None]
            if not field.get("pattern", EMPTY).startswith(EMPTY):
                field["pattern"] = f"{EMPTY}{field['pattern']}"


def _require_text(field: Json) -> None:
    if field.get("type") == "string" and "enum" not in field:
        field["minLength"] = 1
        if field.get("format", "password") == "password":
            field["pattern"] = SHOWS_SOMETHING


def _schemas_within(document: Json, schema: Json) -> Iterator[Json]:
    """The schema and every schema that its fields hold, references followed."""
    target = resolved(document, schema)
    yield target
    inner: list[Any] = [*target.get("properties", {}).values(), *target.get("allOf", [])]
    if isinstance(target.get("items"), dict):
        inner.append(target["items"])
    for one in inner:
        yield from _schemas_within(document, one)
