"""The webhook trigger of the connector, used as Power Platform uses it: by what the definition says and nothing else."""

from urllib.parse import urlsplit

import jsonschema
import pytest

from api.specs.pages import connector
from tests.fakes.webhook_receiver import Receiver
from tools.connector.walk import operations, resolved

DOCUMENT = connector("foyer.example.com")
TRIGGERS = [op for op in operations(DOCUMENT) if op.doc.get("x-ms-trigger") == "single"]


@pytest.fixture
def app(open_app):
    return open_app(webhook_allow_hosts="127.0.0.1")


def body_schema(op):
    [body] = [parameter for parameter in op.parameters if parameter["in"] == "body"]
    return resolved(DOCUMENT, body["schema"])


def notification_field(op):
    """The required, hidden field that takes the platform's address."""
    schema = body_schema(op)
    [name] = [name for name, field in schema["properties"].items() if field.get("x-ms-notification-url") is True]
    assert name in schema["required"]
    assert schema["properties"][name]["x-ms-visibility"] == "internal"
    return name


def test_the_platform_subscribes_is_called_with_what_the_definition_says_and_unsubscribes(app, admin, runtime):
    [op] = TRIGGERS
    with Receiver() as platform:
        response = admin.post(op.path, {notification_field(op): platform.url, "events": ["ticket.created"]})
        assert (response.status_code, list(op.successes)) == (201, ["201"])
        admin.ticket()
        runtime.webhooks.run_due()
        [call] = platform.calls
        content = DOCUMENT["paths"][op.path]["x-ms-notification-content"]["schema"]
        schema = {**DOCUMENT, **resolved(DOCUMENT, content)}
        jsonschema.Draft4Validator(schema).validate(call.json)
        assert set(call.json) <= set(schema["properties"])
        assert set(call.json["ticket"]) <= set(resolved(DOCUMENT, schema["properties"]["ticket"])["properties"])
        location = urlsplit(response.headers["Location"])
        assert location.netloc
        for _ in range(2):  # the platform may ask twice
            assert admin.data(admin.delete(location.path)) == {"deleted": True}
        admin.ticket()
        runtime.webhooks.run_due()
        assert len(platform.calls) == 1


def test_what_ends_a_subscription_is_hidden_from_makers():
    [delete] = [op for op in operations(DOCUMENT) if op.where == "DeleteWebhook"]
    assert delete.internal


def test_location_names_the_public_address_of_the_server(open_app):
    from tests.support.caller import Caller

    admin = Caller(open_app(public_url="https://help.example.com/foyer").test_client(), "admin-key")
    response = admin.post("/api/webhooks", {"url": "https://1.1.1.1/", "events": ["ticket.created"]})
    webhook = admin.data(response, 201)
    assert response.headers["Location"] == f"https://help.example.com/foyer/api/webhooks/{webhook['id']}"
