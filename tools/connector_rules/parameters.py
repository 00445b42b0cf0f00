"""Rules of parameters: which there may be, and how they are sent."""

from collections import Counter

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.values import fits
from tools.connector_rules.walk import Op, resolved

RESERVED = {"connectionid", "$connectionid", "subscription-key", "authorization", "content-type", "accept"}
COLLECTIONS = ("csv", "ssv", "tsv", "pipes", "multi")


def _in(op: Op, *places: str) -> list[Json]:
    return [parameter for parameter in op.parameters if parameter.get("in") in places]


@rule
def body_or_form_data_parameter_in_fetch_operation_not_allowed(connector: Connector) -> Said:
    """Reading takes no body."""
    return [
        (op.where, "a GET takes no body and no form.")
        for op in connector.operations
        if op.method in ("get", "head") and _in(op, "body", "formData")
    ]


@rule
def connection_id_parameter_not_allowed(connector: Connector) -> Said:
    """The platform adds this parameter itself."""
    return [
        (f"{op.where}/{parameter['name']}", "the platform uses this name itself.")
        for op in connector.operations
        for parameter in op.parameters
        if str(parameter.get("name", "")).lower() in ("connectionid", "$connectionid")
    ]


@rule
def reserved_parameter_is_used(connector: Connector) -> Said:
    """What the gateway sends itself cannot be declared."""
    return [
        (f"{op.where}/{parameter['name']}", "the gateway sends this itself.")
        for op in connector.operations
        for parameter in op.parameters
        if str(parameter.get("name", "")).lower() in RESERVED - {"connectionid", "$connectionid"}
    ]


@rule
def operation_parameters_contain_duplicate_parameter(connector: Connector) -> Said:
    """Each parameter stands once."""
    return [
        (f"{op.where}/{name}", "it is declared twice.")
        for op in connector.operations
        for (name, place), many in Counter((p.get("name"), p.get("in")) for p in op.parameters).items()
        if many > 1 and place != "body"
    ]


@rule
def operation_parameters_contain_multiple_body_parameters(connector: Connector) -> Said:
    """There is one body."""
    return [(op.where, "it has more than one body.") for op in connector.operations if len(_in(op, "body")) > 1]


@rule
def parameter_list_contains_form_data_and_body(connector: Connector) -> Said:
    """A body is either JSON or a form."""
    return [
        (op.where, "it has a body and a form.")
        for op in connector.operations
        if _in(op, "body") and _in(op, "formData")
    ]


@rule
def argument_names_clash(connector: Connector) -> Said:
    """Formulas see parameters and body fields in one list; equal names get numbers."""
    return [
        (f"{op.where}/{name}", "a parameter and a field of the body have this name.")
        for op in connector.operations
        for body in _in(op, "body")
        for name in (resolved(connector.definition, body.get("schema", {})) or {}).get("properties", {})
        if any(parameter.get("name") == name for parameter in _in(op, "query", "path", "header"))
    ]


@rule
def consumes_missing(connector: Connector) -> Said:
    """An operation with a body says what it takes."""
    if connector.definition.get("consumes"):
        return []
    return [
        (op.where, "say what the body is: consumes application/json.")
        for op in connector.operations
        if _in(op, "body", "formData") and not op.doc.get("consumes")
    ]


@rule
def collection_format_value_not_supported(connector: Connector) -> Said:
    """Lists in queries come in one of five forms."""
    return [
        (place.where, f"collectionFormat is one of {', '.join(COLLECTIONS)}.")
        for place in connector.places
        if place.parameter and place.schema.get("collectionFormat", "csv") not in COLLECTIONS
    ]


@rule
def default_value_must_match_type(connector: Connector) -> Said:
    """A default of another type cannot be shown."""
    return [
        (place.where, "the default is not of the type.")
        for place in connector.places
        if "default" in place.schema and not fits(place.schema["default"], place.schema)
    ]
