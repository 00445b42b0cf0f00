"""Rules of what an operation answers: one success with a schema, errors in words."""

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.walk import Op, resolved

NEXT_LINKS = ("nextLink", "@odata.nextLink")
EMPTY: Json = {}


def _with_schema(op: Op) -> list[str]:
    return [status for status, response in op.successes.items() if "schema" in response]


@rule
def operation_must_have_response(connector: Connector) -> Said:
    """An operation answers something."""
    return [(op.where, "say what it answers.") for op in connector.operations if not op.responses]


@rule
def operation_should_have_successful_response(connector: Connector) -> Said:
    """It can succeed."""
    return [
        (op.where, "say what it answers when it succeeds.")
        for op in connector.operations
        if op.responses and not op.successes
    ]


@rule
def schema_definition_set_incorrectly(connector: Connector) -> Said:
    """The success has a schema, and the schema is not empty."""
    return [
        (f"{op.where}/{status}", "describe the answer with a schema that is not empty.")
        for op in connector.operations
        for status, response in op.successes.items()
        if status in ("200", "201") and not response.get("schema")
    ]


@rule
def operation_has_many_responses_with_schema(connector: Connector) -> Said:
    """Makers see one form of answer."""
    return [
        (op.where, f"keep the schema of one success only, not of {', '.join(_with_schema(op))}.")
        for op in connector.operations
        if len(_with_schema(op)) > 1
    ]


@rule
def default_response_has_schema(connector: Connector) -> Said:
    """With a schema there, makers are shown a schema error instead of the service's."""
    return [
        (op.where, "leave the schema out of the default response.")
        for op in connector.operations
        if "schema" in op.responses.get("default", {})
    ]


@rule
def error_response_has_schema(connector: Connector) -> Said:
    """Errors are described in words, for the same reason."""
    return [
        (f"{op.where}/{status}", "leave the schema out of an error.")
        for op in connector.operations
        for status, response in op.responses.items()
        if status[:1] in ("3", "4", "5") and "schema" in response
    ]


@rule
def response_description_required(connector: Connector) -> Said:
    """Every response says what it means."""
    return [
        (f"{op.where}/{status}", "give it a description.")
        for op in connector.operations
        for status, response in op.responses.items()
        if "$ref" not in response and not str(response.get("description", "")).strip()
    ]


@rule
def response_example_must_be_produced_by_operation(connector: Connector) -> Said:
    """An example is in a media type the operation answers with."""
    usual = connector.definition.get("produces", [])
    return [
        (f"{op.where}/{status}", f"the operation does not produce {media}.")
        for op in connector.operations
        for status, response in op.responses.items()
        for media in response.get("examples", {})
        if media not in (op.doc.get("produces") or usual)
    ]


@rule
def invalid_next_link_name_value(connector: Connector) -> Said:
    """Paging looks for one of two names at the root of the answer."""
    return [
        (op.where, f"nextLinkName is one of {', '.join(NEXT_LINKS)} and a field at the root of the answer.")
        for op in connector.operations
        if "x-ms-pageable" in op.doc and not _pages(connector, op)
    ]


def _pages(connector: Connector, op: Op) -> bool:
    name = str((op.doc["x-ms-pageable"] or EMPTY).get("nextLinkName"))
    answers = [resolved(connector.definition, response.get("schema", {})) for response in op.successes.values()]
    return name in NEXT_LINKS and any(name in answer.get("properties", {}) for answer in answers if answer)
