"""Rules of how schemas hang together: references that lead somewhere, no circles, no towers."""

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.walk import references, resolved

DEEPEST = 8
MOST_SCHEMAS = 512


@rule
def additional_property_not_allowed_adjacent_to_ref(connector: Connector) -> Said:
    """What stands beside a reference is lost."""
    return [
        (place.where, "nothing may stand beside a $ref.")
        for place in connector.places
        if "$ref" in place.schema and len(place.schema) > 1
    ]


@rule
def schema_reference_not_found(connector: Connector) -> Said:
    """A reference leads somewhere."""
    return [
        (place.where, f"{place.schema['$ref']} is not there.")
        for place in connector.places
        if "$ref" in place.schema and not _leads(connector.definition, str(place.schema["$ref"]))
    ]


def _leads(document: Json, ref: str) -> bool:
    kind, _, name = ref.removeprefix("#/").partition("/")
    return ref.startswith("#/") and name in document.get(kind, {})


@rule
def schema_ref_loop_not_allowed(connector: Connector) -> Said:
    """A schema that holds itself comes out empty."""
    definitions = connector.definition.get("definitions", {})
    direct = {name: {ref.rpartition("/")[2] for ref in references(schema)} for name, schema in definitions.items()}
    return [(f"definitions/{name}", "it holds itself.") for name in direct if name in _holds(name, direct)]


def _holds(name: str, direct: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for inner in direct.get(waiting.pop(), set()) - found:
            found.add(inner)
            waiting.append(inner)
    return found


@rule
def schema_too_deep(connector: Connector) -> Said:
    """Deep nesting makes labels nobody can read."""
    return [
        (place.where, f"keep it within {DEEPEST} levels.")
        for place in connector.roots
        if _depth(connector.definition, place.schema, ()) > DEEPEST
    ]


def _depth(document: Json, schema: Json, above: tuple[int, ...]) -> int:
    found = resolved(document, schema) or {}
    if id(found) in above or len(above) > DEEPEST:
        return len(above)
    return 1 + max((_depth(document, part, (*above, id(found))) for part in _parts(found)), default=0)


def _parts(schema: Json) -> list[Json]:
    within = [*schema.get("properties", {}).values(), schema.get("items", {})]
    return [part for part in within if isinstance(part, dict) and part]


@rule
def too_many_schemas(connector: Connector) -> Said:
    """A body or answer has at most 512 schemas."""
    return [
        (place.where, f"it has more than {MOST_SCHEMAS} schemas.")
        for place in connector.roots
        if _count(connector.definition, place.schema, ()) > MOST_SCHEMAS
    ]


def _count(document: Json, schema: Json, above: tuple[int, ...]) -> int:
    found = resolved(document, schema) or {}
    if id(found) in above:
        return 1
    return 1 + sum(_count(document, part, (*above, id(found))) for part in _parts(found))
