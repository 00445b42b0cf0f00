"""Rules of what is required, and of enumerations with the words people see."""

from collections import Counter
from collections.abc import Iterator

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.values import fits
from tools.connector_rules.walk import Place

SHOWN = "x-ms-enum-values"


def _required(connector: Connector) -> Iterator[tuple[Place, list[str]]]:
    for place in connector.places:
        if isinstance(place.schema.get("required"), list):
            yield place, place.schema["required"]


@rule
def required_property_definition_missing(connector: Connector) -> Said:
    """What is required is there."""
    return [
        (place.where, f"{name} is required but not a field.")
        for place, names in _required(connector)
        for name in names
        if "properties" in place.schema and name not in place.schema["properties"]
    ]


@rule
def required_property_array_empty(connector: Connector) -> Said:
    """A list of nothing required is left out."""
    return [(place.where, "leave the empty required list out.") for place, names in _required(connector) if not names]


@rule
def required_property_not_on_object(connector: Connector) -> Said:
    """Only objects have required fields."""
    return [
        (place.where, "only an object has required fields.")
        for place, names in _required(connector)
        if names and place.schema.get("type", "object") != "object"
    ]


@rule
def required_must_be_list(connector: Connector) -> Said:
    """In a schema `required` is a list of names; true or false is for parameters."""
    return [
        (place.where, "required is a list of names in a schema.")
        for place in connector.places
        if not place.parameter and not isinstance(place.schema.get("required", []), list)
    ]


@rule
def required_read_only_property_not_allowed_as_input(connector: Connector) -> Said:
    """Nobody can send what is read-only."""
    return [
        (place.where, "it is read-only and required in a request.")
        for place in connector.places
        if place.asked and place.required and place.schema.get("readOnly")
    ]


def _enumerated(connector: Connector) -> Iterator[tuple[Place, list[object]]]:
    for place in connector.places:
        if isinstance(place.schema.get("enum"), list):
            yield place, place.schema["enum"]


def _shown(place: Place) -> list[Json]:
    entries = place.schema.get(SHOWN, [])
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


@rule
def enum_must_contain_at_least_one_element(connector: Connector) -> Said:
    """A choice of nothing is none."""
    return [(place.where, "an enum has values.") for place, words in _enumerated(connector) if not words]


@rule
def invalid_enum_value(connector: Connector) -> Said:
    """Values are of the type, and each stands once."""
    return [
        (place.where, "the values of an enum are of its type, each once.")
        for place, words in _enumerated(connector)
        if len({str(word) for word in words}) < len(words) or not all(fits(word, place.schema) for word in words)
    ]


@rule
def enum_must_be_text(connector: Connector) -> Said:
    """Formulas know choices of texts."""
    return [
        (place.where, "use texts for a choice.")
        for place, words in _enumerated(connector)
        if words and place.schema.get("type") in ("integer", "number", "boolean")
    ]


@rule
def enum_values_extension_required(connector: Connector) -> Said:
    """People see words, not codes."""
    return [
        (place.where, f"name the values for people with {SHOWN}.")
        for place, words in _enumerated(connector)
        if words and SHOWN not in place.schema
    ]


@rule
def duplicate_enum_values_in_extension(connector: Connector) -> Said:
    """Each value, and each name for people, stands once."""
    return [
        (place.where, f"{SHOWN} has the same {part} twice.")
        for place in connector.places
        for part in ("value", "displayName")
        if any(many > 1 for many in Counter(str(entry[part]) for entry in _shown(place) if entry.get(part)).values())
    ]


@rule
def invalid_enum_values_extension_value(connector: Connector) -> Said:
    """The extension has exactly the values of the enum."""
    return [
        (place.where, f"{SHOWN} has other values than the enum.")
        for place in connector.places
        if SHOWN in place.schema
        and {str(entry.get("value")) for entry in _shown(place)} != {str(w) for w in place.schema.get("enum", [])}
    ]


@rule
def missing_enum_values_display_name(connector: Connector) -> Said:
    """Every value has a name for people."""
    return [
        (place.where, f"{SHOWN} has a value without displayName.")
        for place in connector.places
        if not all(str(entry.get("displayName", "")).strip() for entry in _shown(place))
    ]
