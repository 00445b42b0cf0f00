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
NOT_FOR_LOW_CODE = {"additionalProperties", "nullable", "x-nullable", "readOnly", "writeOnly", "title", "example"}
RARELY_NEEDED = {"client_reference", "user", "action", "version", *HEADERS}
# Words for what its declaration leaves undescribed.
ABOUT = {"data": "What was asked for.", "sort": "Order of the list.", "offset": "How many to skip."}


def flat(schema: Json) -> Json:
    """A schema without what low-code tools cannot read, every property labelled and described."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if len(schema.get("allOf", [])) == 1:
        return flat(schema["allOf"][0])
    made = {name: value for name, value in schema.items() if name not in NOT_FOR_LOW_CODE}
    _plain_type(made)
    if "enum" in made:
        made["x-ms-enum-values"] = [{"value": word, "displayName": display_name(word)} for word in made["enum"]]
    if "items" in made:
        made["items"] = flat(made["items"])
    if isinstance(made.get("properties"), dict):
        made["type"] = "object"
        made["properties"] = {name: described(name, inner) for name, inner in made["properties"].items()}
    return made


def described(name: str, schema: Json) -> Json:
    """A property or parameter of this name, with its label and a sentence."""
    made = flat(schema)
    if "$ref" in made:
        return made  # nothing may stand beside a reference
    about = made.get("description") or ABOUT.get(name) or label(name)
    return {**made, "description": sentence(about), "x-ms-summary": label(name)}


def asked(schema: Json, choices: DropDowns) -> Json:
    """The schema of a body: drop-downs, what is required first and what is rarely needed last."""
    required = schema.get("required", [])
    given = {name: _asked(name, inner, choices) for name, inner in schema.get("properties", {}).items()}
    order = sorted(given, key=lambda name: (name not in required, name in RARELY_NEEDED))
    made = {**schema, **({"properties": {name: given[name] for name in order}} if given else {})}
    if isinstance(made.get("items"), dict):
        made["items"] = asked(made["items"], choices)
    return made


def _asked(name: str, schema: Json, choices: DropDowns) -> Json:
    made = choices.apply(name, schema)
    return {**made, "x-ms-visibility": "advanced"} if name in RARELY_NEEDED and "$ref" not in made else made


def _plain_type(made: Json) -> None:
    """One type, a format of the closed list, and bounds as Swagger 2.0 writes them."""
    if isinstance(made.get("type"), list):
        made["type"] = next(kind for kind in made["type"] if kind != "null")
    wanted = made.pop("format", "")
    kept = wanted if wanted in FORMATS else LIKE.get(wanted, "")
    if made.get("type") == "integer":
        kept = "int64" if made.get("maximum", 0) > LARGEST_INT32 else kept or "int32"
    elif made.get("type") == "number":
        kept = kept or "double"
    if kept:
        made["format"] = kept
    for end, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if not isinstance(made.get(end, False), bool):
            made[bound], made[end] = made[end], True


def reachable(start: Any, definitions: Json) -> set[str]:
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
