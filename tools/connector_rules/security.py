"""Rules of how one signs in."""

from collections.abc import Iterator

from tools.connector_rules.base import Connector, Json, Said, rule


def _security(connector: Connector) -> Iterator[tuple[str, str, object]]:
    """Where, and which scheme with which scopes is asked for."""
    asked = [("security", connector.definition.get("security", []))]
    asked += [(op.where, op.doc.get("security", [])) for op in connector.operations]
    for where, entries in asked:
        for entry in entries:
            for name, scopes in entry.items():
                yield where, name, scopes


def _schemes(connector: Connector) -> dict[str, Json]:
    found = connector.definition.get("securityDefinitions")
    return found if isinstance(found, dict) else {}


@rule
def security_requirement_must_be_defined(connector: Connector) -> Said:
    """What is asked for is defined."""
    return [
        (where, f"{name} is not among the securityDefinitions.")
        for where, name, _ in _security(connector)
        if name not in _schemes(connector)
    ]


@rule
def security_requirement_must_have_empty_value(connector: Connector) -> Said:
    """A key has no scopes."""
    return [
        (where, f"{name} is a key and takes no scopes: [].")
        for where, name, scopes in _security(connector)
        if scopes and _schemes(connector).get(name, {}).get("type") in ("apiKey", "basic")
    ]


@rule
def o_auth_security_requirement_value_must_be_scope_name(connector: Connector) -> Said:
    """Scopes that are asked for are defined."""
    return [
        (where, f"{name} has no scope {scope}.")
        for where, name, scopes in _security(connector)
        if _schemes(connector).get(name, {}).get("type") == "oauth2" and isinstance(scopes, list)
        for scope in scopes
        if scope not in _schemes(connector)[name].get("scopes", {})
    ]


@rule
def security_scheme_property_required(connector: Connector) -> Said:
    """A key has a name and a place; OAuth its addresses."""
    needed = {"apiKey": ("name", "in"), "oauth2": ("flow", "scopes")}
    return [
        (f"securityDefinitions/{name}", f"{part} is missing.")
        for name, scheme in _schemes(connector).items()
        for part in needed.get(str(scheme.get("type")), ())
        if part not in scheme
    ]


@rule
def api_key_must_be_in_header(connector: Connector) -> Said:
    """A key in an address ends up in logs."""
    return [
        (f"securityDefinitions/{name}", "send the key in a header.")
        for name, scheme in _schemes(connector).items()
        if scheme.get("type") == "apiKey" and scheme.get("in", "header") != "header"
    ]
