"""Rules of the other files: apiProperties.json, the settings for paconn, and the icon."""

import re
import struct
from typing import Any

from tools.connector_rules.base import Connector, Json, Said, rule

WHERE, SETTINGS, ICON = "apiProperties.json", "settings.template.json", "icon.png"
REFUSED_COLOURS = ("#ffffff", "#007ee5")
NO_ENVIRONMENT = "00000000-0000-0000-0000-000000000000"
SIDE = 230
SECRET = re.compile(r"\b(fk_[\w-]{8,}|sk-[\w-]{8,}|eyJ[\w-]{10,})")


def _properties(connector: Connector) -> Json:
    found = connector.properties.get("properties")
    return found if isinstance(found, dict) else {}


def _parameters(connector: Connector) -> dict[str, Json]:
    return {
        str(name): _object(value) for name, value in _object(_properties(connector).get("connectionParameters")).items()
    }


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _colour(connector: Connector) -> str:
    return str(_properties(connector).get("iconBrandColor", ""))


@rule
def icon_brand_color_not_valid(connector: Connector) -> Said:
    """The colour is given, and not one of the two that are refused."""
    colour = _colour(connector).lower()
    fine = re.fullmatch(r"#[0-9a-f]{6}", colour) and colour not in REFUSED_COLOURS
    return [] if fine else [(WHERE, f"iconBrandColor is #rrggbb, and neither of {', '.join(REFUSED_COLOURS)}.")]


@rule
def connection_parameter_missing(connector: Connector) -> Said:
    """A connection asks for each key the definition names."""
    schemes = _object(connector.definition.get("securityDefinitions"))
    return [
        (WHERE, f"add the connection parameter {name}.")
        for name, scheme in schemes.items()
        if _object(scheme).get("type") == "apiKey" and name not in _parameters(connector)
    ]


@rule
def connection_parameter_not_defined(connector: Connector) -> Said:
    """A connection asks for nothing that is not sent."""
    schemes = _object(connector.definition.get("securityDefinitions"))
    return [
        (WHERE, f"{name} is not among the securityDefinitions.")
        for name, parameter in _parameters(connector).items()
        if parameter.get("type") == "securestring" and name not in schemes
    ]


@rule
def connection_parameter_not_secure(connector: Connector) -> Said:
    """Keys are kept and shown as secrets."""
    schemes = _object(connector.definition.get("securityDefinitions"))
    return [
        (WHERE, f"{name} is a secret: type securestring, clearText false.")
        for name, parameter in _parameters(connector).items()
        if name in schemes and (parameter.get("type") != "securestring" or _constraints(parameter).get("clearText"))
    ]


@rule
def connection_parameter_required_must_be_text(connector: Connector) -> Said:
    """The platform reads "true", not true."""
    return [
        (WHERE, f'the constraint required of {name} is the text "true" or "false".')
        for name, parameter in _parameters(connector).items()
        if _constraints(parameter).get("required", "true") not in ("true", "false")
    ]


@rule
def connection_parameter_label_required(connector: Connector) -> Said:
    """People read a label and an explanation."""
    return [
        (WHERE, f"{part} of {name} is missing.")
        for name, parameter in _parameters(connector).items()
        for part in ("displayName", "description", "tooltip")
        if not _object(parameter.get("uiDefinition")).get(part)
    ]


def _constraints(parameter: Json) -> Json:
    return _object(_object(parameter.get("uiDefinition")).get("constraints"))


@rule
def stack_owner_not_allowed(connector: Connector) -> Said:
    """With it paconn refuses to update."""
    return [(WHERE, "leave stackOwner out.")] if "stackOwner" in _properties(connector) else []


@rule
def publisher_required(connector: Connector) -> Said:
    """Somebody publishes it."""
    return [] if _properties(connector).get("publisher") else [(WHERE, "name a publisher.")]


@rule
def policy_operation_not_found(connector: Connector) -> Said:
    """Policies are for operations that exist."""
    return [
        (WHERE, f"the policy {policy.get('templateId')} names {name}, which is no operation.")
        for policy in map(_object, _properties(connector).get("policyTemplateInstances", []))
        if str(policy.get("templateId", "")).lower() != "pollingtrigger"
        for name in _object(policy.get("parameters")).get("x-ms-apimTemplate-operationName", [])
        if not connector.operation(name)
    ]


@rule
def secret_in_file(connector: Connector) -> Said:
    """No file holds a key."""
    files = {WHERE: connector.properties, SETTINGS: connector.settings, "apiDefinition": connector.definition}
    return [(name, "it holds what looks like a key.") for name, content in files.items() if SECRET.search(str(content))]


@rule
def settings_hold_ids(connector: Connector) -> Said:
    """The template is nobody's own."""
    held = connector.settings.get("connectorId") or connector.settings.get("environment") != NO_ENVIRONMENT
    return [(SETTINGS, "leave connectorId empty and environment all zeros.")] if held else []


@rule
def settings_file_not_found(connector: Connector) -> Said:
    """paconn is told the files that are here."""
    wanted = {"apiDefinition": "apiDefinition.swagger.json", "apiProperties": WHERE, "icon": ICON}
    return [(SETTINGS, f"{name} is {file}.") for name, file in wanted.items() if connector.settings.get(name) != file]


@rule
def icon_not_valid(connector: Connector) -> Said:
    """The icon is a square PNG of 230 pixels."""
    png = connector.icon[:8] == b"\x89PNG\r\n\x1a\n" and len(connector.icon) > SIDE
    fine = png and struct.unpack(">II", connector.icon[16:24]) == (SIDE, SIDE)
    return [] if fine else [(ICON, "a PNG of 230 x 230 pixels.")]


@rule
def icon_color_differs(connector: Connector) -> Said:
    """The icon stands on the brand colour."""
    palette = connector.icon.find(b"PLTE")
    first = connector.icon[palette + 4 : palette + 7].hex() if palette > 0 else ""
    fine = not first or f"#{first}" == _colour(connector).lower()
    return [] if fine else [(ICON, f"its background #{first} is not iconBrandColor.")]
