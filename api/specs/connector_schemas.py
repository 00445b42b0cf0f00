"""Schemas as low-code tools can read them: flat, labelled, described, with the few formats and words they know."""

from collections.abc import Iterator
from typing import Any

from api.specs.connector_choices import DropDowns, display_name
from api.specs.declarations import HEADERS, Json, label, sentence

FORMATS = frozenset(
    "int32 int64 float double byte binary date date-time password date-no-tz email html uri uuid".split()
)
LIKE = {"url": "uri", "decimal": "double", "time": "", "ip": "", "": ""}  # formats of others and what stands for them
LARGEST_INT32 = 2**31 - 1
NOT_FOR_LOW_CODE = {
    "additionalProperties",
    "nullable",
    "x-nullable",
    "readOnly",
    "writeOnly",
    "title",
    "example",
    "pattern",
}
RARELY_NEEDED = {"client_reference", "user", "action", "version", *HEADERS}
# Words for what its declaration leaves undescribed.
ABOUT = {"data": "What was asked for.", "sort": "Order of the list.", "offset": "How many to skip."}


def flat(schema: Json) -> Json:
    """A schema without what low-code tools cannot read, every property labelled and described."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if len(schema.get("allOf", [])) == 1:
        return flat(schema["allOf"][0])
    result = {name: value for name, value in schema.items() if name not in NOT_FOR_LOW_CODE}
    _plain_type(result)
    if "enum" in result:
        result["x-ms-enum-values"] = [{"value": word, "displayName": display_name(word)} for word in result["enum"]]
    if "items" in result:
        result["items"] = flat(result["items"])
    if isinstance(result.get("properties"), dict):
        result["type"] = "object"
        result["properties"] = {name: labelled(name, inner) for name, inner in result["properties"].items()}
    return result


def labelled(name: str, schema: Json) -> Json:
    """A property or parameter of this name, with its label and a sentence."""
    result = flat(schema)
    if "$ref" in result:
        return result  # nothing may stand beside a reference
    about = result.get("description") or ABOUT.get(name) or label(name)
    return {**result, "description": sentence(about), "x-ms-summary": label(name)}


def body_fields(schema: Json, choices: DropDowns) -> Json:
    """The schema of a body: drop-downs, what is required first and what is rarely needed last."""
    required = schema.get("required", [])
    properties = {name: _body_field(name, inner, choices) for name, inner in schema.get("properties", {}).items()}
    order = sorted(properties, key=lambda name: (name not in required, name in RARELY_NEEDED))
    result = {**schema, **({"properties": {name: properties[name] for name in order}} if properties else {})}
    if isinstance(result.get("items"), dict):
        result["items"] = body_fields(result["items"], choices)
    return result


def _body_field(name: str, schema: Json, choices: DropDowns) -> Json:
    result = choices.apply(name, schema)
    return {**result, "x-ms-visibility": "advanced"} if name in RARELY_NEEDED and "$ref" not in result else result


def _plain_type(schema: Json) -> None:
    """One type, a format of the closed list, and bounds as Swagger 2.0 writes them."""
    if isinstance(schema.get("type"), list):
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
    format_name = schema.pop("format", "")
    known_format = format_name if format_name in FORMATS else LIKE.get(format_name, "")
    if schema.get("type") == "integer":
        known_format = "int64" if schema.get("maximum", 0) > LARGEST_INT32 else known_format or "int32"
    elif schema.get("type") == "number":
        known_format = known_format or "double"
    if known_format:
        schema["format"] = known_format
    for end, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if not isinstance(schema.get(end, False), bool):
            schema[bound], schema[end] = schema[end], True


def reachable(start: Any, definitions: Json) -> set[str]:
    """The names of the definitions that are referred to from `start`, directly or through others."""
    names: set[str] = set()
    pending = [start]
    while pending:
        for name in set(_references(pending.pop())) - names:
            names.add(name)
            pending.append(definitions[name])
    return names


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from _references(inner)
