"""What Schemathesis must know of Foyer beyond /openapi.json: callers have addresses, and input is read tolerantly.

A negative case that holds a form which the server takes on purpose is left out; the same fault comes without it in others.
A header of many operations is read in one place, so it is sent to a few of them only.
"""

from collections import Counter
from itertools import count
from typing import Any

import schemathesis
from marshmallow import Schema
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

import api.routes  # noqa: F401  # declares every schema
from api.http.fields import Id
from api.specs.empty_inputs import SHOWS_SOMETHING
from core.plain_text import clean

Json = dict[str, Any]
_GENERATED: set[tuple[str, ...]] = set()
EACH_METHOD = 2  # operations of each method that get a header of many
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
def before_load_schema(context: Any, raw_schema: Json) -> None:
    """Changes what costs much time and proves nothing more."""
    operations = [(method, item[method]) for item in raw_schema["paths"].values() for method in item]
    _send_to_few(operations)
    _keep_apart(raw_schema)


def _send_to_few(operations: list[tuple[str, Json]]) -> None:
    """Leaves the headers of many operations, which they refer to, with the first `EACH_METHOD` of each method."""
    seen: Counter[tuple[str, str]] = Counter()
    for method, operation in operations:
        kept = []
        for parameter in operation.get("parameters", []):
            seen[method, parameter.get("$ref", "")] += 1
            if "$ref" not in parameter or seen[method, parameter["$ref"]] <= EACH_METHOD:
                kept.append(parameter)
        operation["parameters"] = kept


def _keep_apart(node: Any) -> None:
    """Writes the pattern of a required text in a form that Schemathesis does not join with the longest length.

    The joined form takes seconds, is too large for the longest texts, and makes no text with a space within.
    """
    if isinstance(node, dict):
        if node.get("pattern") == SHOWS_SOMETHING:
            node["pattern"] = f"{SHOWS_SOMETHING}|{SHOWS_SOMETHING}"
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            _keep_apart(inner)


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
    """False for a boundary that another case shows, and for a case that is meant to be wrong and holds a form that is taken."""
    if case.meta is None:
        return True
    if case.meta.phase.name == TestPhase.COVERAGE and _is_shown_by_another(case):
        return False
    if not case.meta.generation.mode.is_negative:
        return True
    document: Json = case.operation.schema.raw_schema
    operation = document["paths"][case.operation.path][case.operation.method]
    if any(
        _is_read_from_address(one["schema"], case.query.get(one["name"]))
        for one in operation["parameters"]
        if "schema" in one
    ):
        return False
    if not isinstance(case.body, dict | list):
        return True
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get(case.media_type or "application/json", {}).get("schema", {})
    return not _is_tolerated(document, schema, case.body)


def _is_shown_by_another(case: Any) -> bool:
    """Whether a case has a header that is nobody's, one wrong parameter and no other, lies within bounds, or came before.

    A wrong parameter also comes among all others. Nobody reads a header by another name. Both bounds of a field are sent
    themselves; those of a list's only item are not.
    """
    about = case.meta.phase.data
    where, description = getattr(about, "parameter_location", None), getattr(about, "description", "")
    if where == ParameterLocation.BODY and "Near-boundary" in description and "Single-item" not in description:
        return True
    if where == ParameterLocation.HEADER and description == "Object with unexpected properties":
        return True
    if where == ParameterLocation.QUERY and description.startswith(f"{about.parameter}: "):
        return True
    parts = (case.path_parameters, case.query, dict(case.headers), dict(case.cookies), case.media_type, case.body)
    request = (case.operation.label, case.method, *map(repr, parts))
    if request in _GENERATED:
        return True
    _GENERATED.add(request)
    return False


def _is_tolerated(document: Json, schema: Json, value: Any, name: str = "") -> bool:
    """Whether a form of api/http/fields.py is anywhere within: an id as a number, 0 and 1, what is empty or not kept."""
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
    if _is_shorter_when_kept(schema, value):
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if schema.get("type") == "boolean":
        return is_number and value in (0, 1)
    return is_number and schema.get("type") == "string" and name in IDS


def _is_read_from_address(schema: Json, value: Any) -> bool:
    """Whether a parameter is a text that is kept in a shorter form, or a whole number that is written like 2.0."""
    is_whole = schema.get("type") == "integer" and str(value).endswith(".0")
    return is_whole or _is_shorter_when_kept(schema, value)


def _is_shorter_when_kept(schema: Json, value: Any) -> bool:
    """Whether a text is longer than it may be only by what is not kept of it (core/plain_text.py)."""
    most = schema.get("maxLength", 0)
    return isinstance(value, str) and 0 < most < len(value) and len(clean(value)) <= most


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
