"""Rules of triggers: polling ones, and webhooks should there be any."""

from collections.abc import Iterator

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.walk import Op, Place, objects, resolved

TRIGGERS = ("batch", "single")
URL = "x-ms-notification-url"


def _triggers(connector: Connector, *kinds: str) -> list[Op]:
    return [op for op in connector.operations if op.doc.get("x-ms-trigger") in (kinds or TRIGGERS)]


def _polling(connector: Connector) -> list[Op]:
    return [op for op in _triggers(connector) if not _is_webhook(connector, op)]


def _is_webhook(connector: Connector, op: Op) -> bool:
    return op.method != "get" and (bool(_content(connector, op)) or bool(_urls(connector, op)))


def _content(connector: Connector, op: Op) -> object:
    return connector.definition["paths"][op.path].get("x-ms-notification-content")


def _urls(connector: Connector, op: Op) -> list[Place]:
    return [place for place in connector.places if place.where.startswith(f"{op.where}/") and URL in place.schema]


def _all_urls(connector: Connector) -> list[Place]:
    return [place for place in connector.places if place.schema.get(URL) is True]


@rule
def unrecognized_trigger(connector: Connector) -> Said:
    """A trigger brings one row or many."""
    return [
        (op.where, f"x-ms-trigger is one of {', '.join(TRIGGERS)}.")
        for op in connector.operations
        if op.doc.get("x-ms-trigger", "batch") not in TRIGGERS
    ]


@rule
def trigger_hint_required(connector: Connector) -> Said:
    """The designer tells people how to see it fire."""
    return [
        (op.where, "say with x-ms-trigger-hint how to see it work.")
        for op in _triggers(connector)
        if not str(op.doc.get("x-ms-trigger-hint", "")).strip()
    ]


@rule
def polling_trigger_must_be_fetch(connector: Connector) -> Said:
    """Polling reads."""
    return [(op.where, "a polling trigger is a GET.") for op in _polling(connector) if op.method != "get"]


@rule
def polling_trigger_should_produce_array(connector: Connector) -> Said:
    """A flow starts for each row of a list."""
    return [
        (op.where, "the answer of a batch trigger is a list, or has one.")
        for op in _triggers(connector, "batch")
        if op.successes and not any(_has_list(connector, response) for response in op.successes.values())
    ]


def _has_list(connector: Connector, response: Json) -> bool:
    found = resolved(connector.definition, response.get("schema", {})) or {}
    parts = [found, *found.get("properties", {}).values()]
    return any(isinstance(part, dict) and part.get("type") == "array" for part in parts)


def _policies(connector: Connector) -> Iterator[Json]:
    about = connector.properties.get("properties", {})
    for policy in about.get("policyTemplateInstances", []) if isinstance(about, dict) else []:
        if isinstance(policy, dict) and str(policy.get("templateId", "")).lower() == "pollingtrigger":
            yield policy.get("parameters", {})


def _named(policy: Json) -> list[str]:
    return list(policy.get("x-ms-apimTemplate-operationName", []))


@rule
def trigger_policy_missing(connector: Connector) -> Said:
    """Without the policy the platform does not remember what it has seen, and fires for the same rows again."""
    covered = {name for policy in _policies(connector) for name in _named(policy)}
    return [
        (op.where, "add a pollingtrigger policy for it to apiProperties.json.")
        for op in _polling(connector)
        if op.doc.get("operationId") not in covered
    ]


@rule
def trigger_policy_operation_not_found(connector: Connector) -> Said:
    """A policy is for an operation that exists."""
    return [
        ("apiProperties.json", f"there is no trigger {name} for its pollingtrigger policy.")
        for policy in _policies(connector)
        for name in _named(policy)
        if name not in [op.doc.get("operationId") for op in _triggers(connector)]
    ]


@rule
def trigger_policy_parameter_not_found(connector: Connector) -> Said:
    """What the policy fills in is a query parameter of the trigger."""
    return [
        (op.where, f"its pollingtrigger policy fills in {name}, which it does not have.")
        for policy in _policies(connector)
        for op in _triggers(connector)
        if op.doc.get("operationId") in _named(policy)
        for name in policy.get("x-ms-apimTemplateParameter.triggerConfig", {})
        if name not in [parameter.get("name") for parameter in op.parameters if parameter.get("in") == "query"]
    ]


@rule
def operation_must_have_notification_content_extension(connector: Connector) -> Said:
    """A webhook says what it will send."""
    return [
        (op.where, "add x-ms-notification-content with a schema to the path.")
        for op in connector.operations
        if _urls(connector, op) and not _content(connector, op)
    ]


@rule
def webhook_operations_missing_notification_url_property(connector: Connector) -> Said:
    """The platform gives the address to send to in a field of the body."""
    return [
        (op.where, f"mark the field for the address with {URL}.")
        for op in _triggers(connector)
        if _content(connector, op) and not _urls(connector, op)
    ]


@rule
def notification_url_not_required(connector: Connector) -> Said:
    """Without the address nothing can be sent."""
    return [(place.where, "a notification URL is required.") for place in _all_urls(connector) if not place.required]


@rule
def notification_url_not_internal(connector: Connector) -> Said:
    """The platform fills it in, not people."""
    return [
        (place.where, "a notification URL is internal.")
        for place in _all_urls(connector)
        if place.schema.get("x-ms-visibility") != "internal"
    ]


@rule
def notification_url_not_string(connector: Connector) -> Said:
    """An address is a text."""
    return [
        (place.where, "a notification URL is a string.")
        for place in _all_urls(connector)
        if place.schema.get("type") != "string"
    ]


@rule
def notification_url_not_allowed_in_this_position(connector: Connector) -> Said:
    """It stands in the body of a subscription."""
    asked = {id(place.schema) for place in connector.places if place.asked}
    return [
        (str(found.get("x-ms-summary", URL)), "a notification URL stands in the body or query of a subscription.")
        for found in objects(connector.definition)
        if found.get(URL) is True and id(found) not in asked
    ]
