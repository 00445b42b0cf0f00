"""The webhook trigger of the connector: the platform subscribes an address of its own and is called when something happens.

It sends the address as `url`, and ends the subscription by a DELETE of the header Location of the answer.
"""

from api.specs.connector_schemas import flat
from api.specs.declarations import Json, Operation

SUBSCRIBE, UNSUBSCRIBE = ("post", "/api/webhooks"), ("delete", "/api/webhooks/{webhook_id}")
BODY, CONTENT = "NewWebhook", "EventOut"  # schemas of the subscription and of what is sent
HIDDEN = ("format", "name")  # fields that no flow needs


def trigger(operation: Operation) -> Json:
    """What marks the operation that subscribes as a trigger, or the one that ends it as internal; {} for all others."""
    if (operation.method, operation.path) == SUBSCRIBE:
        return {"x-ms-trigger": "single", "x-ms-trigger-hint": "To see it work now, open a ticket."}
    if (operation.method, operation.path) == UNSUBSCRIBE:
        return {"x-ms-visibility": "internal"}
    return {}


def add_notification(paths: Json, definitions: Json) -> None:
    """Says at the path what is sent, and in the body which field takes the platform's address."""
    content = {"description": "What happened.", "schema": flat({"$ref": f"#/definitions/{CONTENT}"})}
    paths[SUBSCRIBE[1]]["x-ms-notification-content"] = content
    fields = definitions[BODY]["properties"]
    fields["url"] |= {"x-ms-notification-url": True, "x-ms-visibility": "internal"}
    for name in HIDDEN:
        fields[name] = {**fields[name], "x-ms-visibility": "advanced"}
