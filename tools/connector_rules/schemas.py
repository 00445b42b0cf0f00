"""Rules of what schemas may be made of."""

import re

from tools.connector_rules.base import Connector, Said, rule

FORMATS = set("int32 int64 float double byte binary date date-time password date-no-tz email html uri uuid".split())
KEYWORDS = {"anyOf", "oneOf", "allOf", "not", "nullable", "discriminator", "const", "$defs", "patternProperties"}
BOUNDS = [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")]


@rule
def array_has_no_items(connector: Connector) -> Said:
    """An array of nobody knows what cannot be bound."""
    return [
        (place.where, "say what the items are.")
        for place in connector.places
        if place.schema.get("type") == "array" and not place.schema.get("items")
    ]


@rule
def object_has_no_properties(connector: Connector) -> Said:
    """An object without fields is untyped in formulas."""
    return [
        (place.where, "say which fields the object has.")
        for place in connector.places
        if place.schema.get("type") == "object" and not place.schema.get("properties") and not place.hidden
    ]


@rule
def schema_type_missing(connector: Connector) -> Said:
    """Every schema has a type."""
    return [
        (place.where, "give it a type.")
        for place in connector.places
        if place.schema and not {"type", "$ref", *KEYWORDS} & set(place.schema)
    ]


@rule
def schema_type_must_be_one_word(connector: Connector) -> Said:
    """A list of types is not Swagger 2.0."""
    return [
        (place.where, "give it one type, not a list of them.")
        for place in connector.places
        if not isinstance(place.schema.get("type", ""), str)
    ]


@rule
def swagger_keyword_not_supported(connector: Connector) -> Said:
    """Alternatives, nullable and the like are ignored or make the operation unusable."""
    return [
        (place.where, f"low-code tools cannot read {', '.join(sorted(KEYWORDS & set(place.schema)))}.")
        for place in connector.places
        if KEYWORDS & set(place.schema)
    ]


@rule
def additional_properties_make_it_untyped(connector: Connector) -> Said:
    """Open objects are untyped in formulas."""
    return [
        (place.where, "leave additionalProperties out.")
        for place in connector.places
        if place.schema.get("additionalProperties")
    ]


@rule
def title_hides_label(connector: Connector) -> Said:
    """A title wins over x-ms-summary."""
    return [
        (place.where, "leave the title out; x-ms-summary is the label.")
        for place in connector.places
        if isinstance(place.schema.get("title"), str)
    ]


@rule
def unrecognized_type_format(connector: Connector) -> Said:
    """Formats are from a closed list."""
    return [
        (place.where, f"the platform does not know the format {place.schema['format']}.")
        for place in connector.places
        if "format" in place.schema and place.schema["format"] not in FORMATS
    ]


@rule
def exclusive_bound_must_be_boolean(connector: Connector) -> Said:
    """In Swagger 2.0 exclusiveMinimum says whether minimum itself is excluded."""
    return [
        (place.where, f"{name} is true or false here.")
        for place in connector.places
        for name in ("exclusiveMinimum", "exclusiveMaximum")
        if not isinstance(place.schema.get(name, False), bool)
    ]


@rule
def minimum_above_maximum(connector: Connector) -> Said:
    """A lower bound is not above the upper one."""
    return [
        (place.where, f"{low} is above {high}.")
        for place in connector.places
        for low, high in BOUNDS
        if {low, high} <= set(place.schema) and place.schema[low] > place.schema[high]
    ]


@rule
def pattern_should_be_valid_regular_expression(connector: Connector) -> Said:
    """A pattern can be read."""
    return [
        (place.where, "the pattern is no regular expression.")
        for place in connector.places
        if "pattern" in place.schema and not _is_pattern(place.schema["pattern"])
    ]


def _is_pattern(text: object) -> bool:
    try:
        re.compile(str(text))
    except re.error:
        return False
    return True
