"""Rules of drop-downs that ask another operation for their choices, and of the call that tries a connection out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.walk import Op, Place, at_path

OLD, NEW = "x-ms-dynamic-values", "x-ms-dynamic-list"


@dataclass(frozen=True)
class _Call:
    """One call of an operation that an extension makes."""

    where: str
    target: str
    parameters: Json
    rows: str | None = None  # the path of the list in the answer; None when no list is wanted
    fields: tuple[str, ...] = ()


def _calls(connector: Connector) -> Iterator[_Call]:
    test = _object(_object(connector.definition.get("x-ms-capabilities")).get("testConnection"))
    if test:
        yield _Call("x-ms-capabilities/testConnection", str(test.get("operationId")), _object(test.get("parameters")))
    for place in connector.places:
        yield from _drop_downs(place)


def _drop_downs(place: Place) -> Iterator[_Call]:
    old, new = _object(place.schema.get(OLD)), _object(place.schema.get(NEW))
    for said, rows, value, title in (
        (old, "value-collection", "value-path", "value-title"),
        (new, "itemsPath", "itemValuePath", "itemTitlePath"),
    ):
        if said.get("operationId"):
            fields = tuple(str(said[name]) for name in (value, title) if said.get(name))
            parameters = _object(said.get("parameters"))
            yield _Call(place.where, str(said["operationId"]), parameters, str(said.get(rows, "")), fields)


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _met(connector: Connector) -> Iterator[tuple[_Call, Op]]:
    for call in _calls(connector):
        target = connector.operation(call.target)
        if target:
            yield call, target


def _rows(connector: Connector, call: _Call, target: Op) -> Json | None:
    """The schema of the list in the target's answer, where it is one."""
    for response in target.successes.values():
        found = at_path(connector.definition, response.get("schema"), call.rows or "")
        if found and found.get("type") == "array":
            return found
    return None


@rule
def operation_id_not_found(connector: Connector) -> Said:
    """The operation that is asked exists."""
    return [
        (call.where, f"there is no operation {call.target}.")
        for call in _calls(connector)
        if not connector.operation(call.target)
    ]


@rule
def operation_missing_required_property(connector: Connector) -> Said:
    """The call gives everything the operation requires."""
    return [
        (call.where, f"{call.target} requires {parameter.get('name')}.")
        for call, target in _met(connector)
        for parameter in target.parameters
        if parameter.get("required") is True and parameter.get("name") not in call.parameters
        if parameter.get("in") != "body"
    ]


@rule
def dynamic_parameter_not_found(connector: Connector) -> Said:
    """The call gives nothing the operation does not know."""
    return [
        (call.where, f"{call.target} has no parameter {name}.")
        for call, target in _met(connector)
        for name in call.parameters
        if name not in [parameter.get("name") for parameter in target.parameters]
    ]


@rule
def invoked_operation_should_produce_array(connector: Connector) -> Said:
    """Choices are a list in the answer."""
    return [
        (call.where, f"{call.target} answers no list at {call.rows or 'its root'}.")
        for call, target in _met(connector)
        if call.rows is not None and _rows(connector, call, target) is None
    ]


@rule
def invoked_operation_should_produce_property(connector: Connector) -> Said:
    """Each choice has the fields that are shown and sent."""
    return [
        (call.where, f"the rows of {call.target} have no {name}.")
        for call, target in _met(connector)
        for rows in [_rows(connector, call, target)]
        for name in call.fields
        if rows and at_path(connector.definition, rows, name) is None
    ]


@rule
def dynamic_list_extension_required(connector: Connector) -> Said:
    """New designers read one extension and old ones the other; both stand there."""
    return [
        (place.where, f"use {OLD} and {NEW} together, for the same operation.")
        for place in connector.places
        if {OLD, NEW} & set(place.schema) and _target(place, OLD) != _target(place, NEW)
    ]


def _target(place: Place, extension: str) -> object:
    return _object(place.schema.get(extension)).get("operationId")


@rule
def dynamic_extension_definition_not_allowed_in_answer(connector: Connector) -> Said:
    """Only what people fill in has choices."""
    return [
        (place.where, "drop-downs belong to what is asked, not to answers.")
        for place in connector.places
        if not place.asked and {OLD, NEW} & set(place.schema)
    ]


@rule
def invoked_operation_should_be_internal(connector: Connector) -> Said:
    """What only feeds drop-downs and tests is not offered as an action."""
    return [
        (call.where, f"hide {call.target}: x-ms-visibility internal.")
        for call, target in _met(connector)
        if not target.internal
    ]


@rule
def test_connection_must_be_fetch(connector: Connector) -> Said:
    """Trying a connection changes nothing."""
    return [
        (call.where, f"{call.target} is no GET.")
        for call, target in _met(connector)
        if call.rows is None and target.method != "get"
    ]
