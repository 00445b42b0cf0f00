"""The files of connector/ as bytes, made from the declared routes. Nothing here reads or writes a file."""

from typing import Any

from api.specs.connector import TRIGGERS, watched
from api.specs.pages import connector, serialized
from tools.connector.icon import COLOUR, icon
from tools.connector.readme import readme

HOST = "foyer.example.com"  # stands in the checked-in file until somebody's own server takes its place
DEFINITION, PROPERTIES = "apiDefinition.swagger.json", "apiProperties.json"
SETTINGS, ICON, README = "settings.template.json", "icon.png", "README.md"


def connector_files(host: str) -> dict[str, bytes]:
    """Every file of the connector for the server at this host, by name."""
    document = connector(host)
    about = properties(document)
    return {
        DEFINITION: serialized(document),
        PROPERTIES: serialized(about),
        SETTINGS: serialized(settings()),
        ICON: icon(),
        README: readme(document, about, checked_in=HOST).encode(),
    }


def properties(document: dict[str, Any]) -> dict[str, Any]:
    """How a connection is made, and how each polling trigger remembers what it has seen."""
    key = {
        "displayName": "API key",
        "description": "A key of your server; it decides what the connection may do.",
        "tooltip": "An admin of the server makes keys; the first one stands in the file api_key of the server's data folder.",
        "constraints": {"required": "true", "clearText": False, "tabIndex": 2},
    }
    policies = [
        _polling(operation["operationId"], field=watched(path)[0])
        for path, item in document["paths"].items()
        for operation in item.values()
        if path.startswith(TRIGGERS) and "x-ms-trigger" in operation
    ]
    return {
        "properties": {
            "connectionParameters": {"api_key": {"type": "securestring", "uiDefinition": key}},
            "iconBrandColor": COLOUR,
            "capabilities": ["actions", "triggers"] if policies else ["actions"],
            "policyTemplateInstances": policies,
            "publisher": "Foyer",
        }
    }


def _polling(operation: str, *, field: str) -> dict[str, Any]:
    """The newest row comes first, so its time is what the next poll asks to be later than."""
    return {
        "templateId": "pollingtrigger",
        "title": f"Remember the newest row of {operation}",
        "parameters": {
            "x-ms-apimTemplate-operationName": [operation],
            "x-ms-apimTemplateParameter.triggerConfig": {"after": f"@{{triggerBody().data[0].{field}}}"},
            "x-ms-apimTemplateParameter.triggerDataPath": "@triggerBody().data",
        },
    }


def settings() -> dict[str, str]:
    """What paconn is told; a copy named settings.json holds your own ids and stays out of the repository."""
    return {
        "connectorId": "",
        "environment": "00000000-0000-0000-0000-000000000000",
        "apiProperties": PROPERTIES,
        "apiDefinition": DEFINITION,
        "icon": ICON,
        "powerAppsUrl": "https://api.powerapps.com",
        "powerAppsApiVersion": "2016-11-01",
    }
