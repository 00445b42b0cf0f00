"""What Schemathesis must know of Foyer beyond /openapi.json: callers have addresses, and input is read tolerantly.

A negative case that holds a form which the server takes on purpose is left out; the same fault comes without it in others.
"""

from itertools import count
from typing import Any

import schemathesis
from marshmallow import Schema

import api.routes  # noqa: F401  # declares every schema
from api.http.fields import Id

Json = dict[str, Any]
_NUMBERS = count(1)


def _subclasses(schema: type[Schema]) -> set[type[Schema]]:
    return {schema}.union(*(_subclasses(inner) for inner in schema.__subclasses__()))


IDS = {
    field.data_key or name
    for schema in _subclasses(Schema)
    for name, field in schema._declared_fields.items()
    if isinstance(field, Id)
}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Json) -> None:
    """Every call has an address of its own, since wrong keys lock out theirs, and an Idempotency-Key of its own.

    A stored answer would hide what is wrong with another header.
    """
    number = next(_NUMBERS)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    if case.headers.get("Idempotency-Key", "").isalnum():
        case.headers["Idempotency-Key"] = f"call{number}"


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Headers that a schema cannot describe: whom to act for is an address or an id, and a call has one key of its own."""
    if case.meta is not None and case.meta.generation.mode.is_positive:
        if "@" in case.headers.get("X-On-Behalf-Of", ""):
            case.headers["X-On-Behalf-Of"] = "ada@example.com"
        if isinstance(case.body, dict) and case.body.get("client_reference"):
            case.headers.pop("Idempotency-Key", None)
        if isinstance(case.body, dict) and case.body.get("version"):
            case.headers.pop("If-Match", None)
    return case


@schemathesis.serializer("application/zip")
def as_bytes(context: Any, value: Any) -> Any:
    """A file is sent as it is."""
    return value


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """False for a case that is meant to be wrong and holds a form that is taken."""
    if case.meta is None or not case.meta.generation.mode.is_negative or not isinstance(case.body, dict | list):
        return True
    document: Json = case.operation.schema.raw_schema
    operation = document["paths"][case.operation.path][case.operation.method]
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get(case.media_type or "application/json", {}).get("schema", {})
    return not _is_tolerated(document, schema, case.body)


def _is_tolerated(document: Json, schema: Json, value: Any, name: str = "") -> bool:
    """Whether a form of api/http/fields.py is anywhere within: an id as a number, 0 and 1, empty items and optional fields."""
    schema = _resolved(document, schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        items = {**_resolved(document, items), "nullable": True}
        return any(item is None or _is_tolerated(document, items, item, name) for item in value)
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return any(
            _is_tolerated(document, fields[field], inner, field) if field in fields else inner in (None, "")
            for field, inner in value.items()
        )
    if value == "":
        return schema.get("nullable", False) and (
            schema.get("type") != "string" or not {"enum", "format"}.isdisjoint(schema)
        )
    if isinstance(value, str) and not any(
        map(str.isprintable, value)
    ):  # an optional text of control characters is empty
        return schema.get("nullable", False)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if schema.get("type") == "boolean":
        return is_number and value in (0, 1)
    return is_number and schema.get("type") == "string" and name in IDS


def _resolved(document: Json, schema: Json) -> Json:
    if len(schema.get("allOf", [])) == 1:
        schema = schema["allOf"][0]
    if "$ref" not in schema:
        return schema
    node: Any = document
    for name in schema["$ref"].removeprefix("#/").split("/"):
        node = node[name]
    target: Json = node
    return target
