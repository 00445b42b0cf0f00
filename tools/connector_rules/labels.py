"""Rules of what people see of a field: its label, its description, and whether they see it at all."""

from collections.abc import Iterator

from tools.connector_rules.base import Connector, Said, rule
from tools.connector_rules.walk import Place, objects

VISIBILITIES = ("important", "advanced", "internal")
LONGEST_LABEL = 80
SMALL_WORDS = set("a an and as at by for from in of on or the to with".split())


def _fields(connector: Connector) -> Iterator[Place]:
    """What has a label in a form or in an answer."""
    for place in connector.places:
        if place.name and "$ref" not in place.schema:
            yield place


@rule
def internal_property_with_default_optional(connector: Connector) -> Said:
    """Only a required hidden field is sent with its default."""
    return [
        (place.where, "hidden with a default it must be required, or the default is never sent.")
        for place in connector.places
        if place.asked and place.name and _hidden(place) and "default" in place.schema and not place.required
    ]


@rule
def internal_required_without_default(connector: Connector) -> Said:
    """Nobody can fill in a required field that is hidden."""
    return [
        (place.where, "hidden and required it needs a default.")
        for place in connector.places
        if place.asked and _hidden(place) and place.required and "default" not in place.schema
        if not place.schema.get("x-ms-notification-url")
    ]


def _hidden(place: Place) -> bool:
    return place.schema.get("x-ms-visibility") == "internal"


@rule
def unrecognized_visibility(connector: Connector) -> Said:
    """There are three visibilities."""
    return [
        (str(found.get("name") or found.get("operationId") or "x-ms-visibility"), f"it is one of {VISIBILITIES}.")
        for found in objects(connector.definition)
        if isinstance(found.get("x-ms-visibility", "internal"), str)
        and found.get("x-ms-visibility", "internal") not in VISIBILITIES
    ]


@rule
def label_required(connector: Connector) -> Said:
    """Without a label makers see the bare name."""
    return [(place.where, "give it an x-ms-summary.") for place in _fields(connector) if not _label(place)]


@rule
def label_too_long(connector: Connector) -> Said:
    """Labels are short."""
    return [
        (place.where, f"keep x-ms-summary within {LONGEST_LABEL} characters.")
        for place in _fields(connector)
        if len(_label(place)) > LONGEST_LABEL
    ]


@rule
def label_not_title_case(connector: Connector) -> Said:
    """Labels are in title case."""
    return [
        (place.where, "write x-ms-summary in Title Case.")
        for place in _fields(connector)
        if any(word[:1].islower() and word not in SMALL_WORDS for word in _label(place).split())
    ]


def _label(place: Place) -> str:
    return str(place.schema.get("x-ms-summary", "")).strip()


@rule
def field_description_required(connector: Connector) -> Said:
    """A field without a description explains nothing."""
    return [
        (place.where, "give it a description.")
        for place in _fields(connector)
        if not str(place.schema.get("description", "")).strip()
    ]


@rule
def field_description_must_be_sentence(connector: Connector) -> Said:
    """Descriptions are full sentences."""
    return [
        (place.where, "end the description with a period.")
        for place in _fields(connector)
        if str(place.schema.get("description", ".")).strip()[-1:] not in (".", "!", "?", "")
    ]
