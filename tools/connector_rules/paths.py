"""Rules of paths and what stands in them."""

import re

from tools.connector_rules.base import Connector, Said, rule
from tools.connector_rules.walk import Op

ENCODINGS = ("single", "double")


def _template(path: str) -> list[str]:
    return re.findall(r"{([^{}]*)}", path)


def _named(op: Op, place: str) -> list[str]:
    return [str(parameter.get("name")) for parameter in op.parameters if parameter.get("in") == place]


def _paths(connector: Connector) -> list[str]:
    paths = connector.definition.get("paths")
    return list(paths) if isinstance(paths, dict) else []


@rule
def path_redefined(connector: Connector) -> Said:
    """Paths that differ only in case are one path."""
    paths = _paths(connector)
    return [
        (path, "the same path stands here in other letters.")
        for number, path in enumerate(paths)
        if path.lower() in {earlier.lower() for earlier in paths[:number]}
    ]


@rule
def duplicate_operation_path(connector: Connector) -> Said:
    """Paths that differ only in the names of their parameters are one path."""
    paths = _paths(connector)
    shapes = [re.sub(r"{[^{}]*}", "{}", path).lower() for path in paths]
    return [
        (path, "another path differs only in the name of a parameter.")
        for number, path in enumerate(paths)
        if any(
            shape == shapes[number] and earlier.lower() != path.lower()
            for earlier, shape in zip(paths[:number], shapes, strict=False)
        )
    ]


@rule
def partial_duplicate_operation_path(connector: Connector) -> Said:
    """The gateway cannot tell /tickets/stats from /tickets/{id}."""
    return [
        (path, f"it could be taken for {other}.")
        for path in _paths(connector)
        for other in _paths(connector)
        if _could_be(path, other)
    ]


def _could_be(path: str, other: str) -> bool:
    """Whether `path` has a word where `other` has a parameter, and they are alike besides."""
    mine, others = path.lower().split("/"), other.lower().split("/")
    differing = [(word, name) for word, name in zip(mine, others, strict=False) if word != name]
    only_words = all("{" in name and "{" not in word for word, name in differing)
    return len(mine) == len(others) and bool(differing) and only_words


@rule
def operation_path_contains_unsupported_characters(connector: Connector) -> Said:
    """A path is letters, digits and a few signs."""
    return [
        (path, "use letters, digits, - . _ ~ and parameters in braces only.")
        for path in _paths(connector)
        if not re.fullmatch(r"(/|[\w.~$()@:,'-]|{[\w-]+})+", path.partition("?")[0].partition("#")[0])
    ]


@rule
def operation_path_may_not_contain_query_or_fragment(connector: Connector) -> Said:
    """Query parameters are declared, not written into the path."""
    return [(path, "leave ? and # out of the path.") for path in _paths(connector) if re.search(r"[?#]", path)]


@rule
def operation_missing_path_parameter(connector: Connector) -> Said:
    """Every parameter in the path is declared."""
    return [
        (op.where, f"declare the path parameter {name}.")
        for op in connector.operations
        for name in _template(op.path)
        if name not in _named(op, "path")
    ]


@rule
def path_parameter_not_defined_in_template(connector: Connector) -> Said:
    """Every declared path parameter stands in the path."""
    return [
        (f"{op.where}/{name}", "the path has no such parameter.")
        for op in connector.operations
        for name in _named(op, "path")
        if name not in _template(op.path)
    ]


@rule
def path_parameter_must_be_required(connector: Connector) -> Said:
    """A path has no gaps."""
    return [
        (f"{op.where}/{parameter.get('name')}", "a path parameter is required.")
        for op in connector.operations
        for parameter in op.parameters
        if parameter.get("in") == "path" and parameter.get("required") is not True
    ]


@rule
def path_parameter_missing_encoding(connector: Connector) -> Said:
    """Without it a value with a slash makes another path."""
    return [
        (f"{op.where}/{parameter.get('name')}", 'add x-ms-url-encoding "single".')
        for op in connector.operations
        for parameter in op.parameters
        if parameter.get("in") == "path" and parameter.get("x-ms-url-encoding") not in ENCODINGS
    ]


@rule
def query_parameter_encoding_not_supported(connector: Connector) -> Said:
    """Only path parameters say how they are encoded."""
    return [
        (f"{op.where}/{parameter.get('name')}", "x-ms-url-encoding belongs to path parameters only.")
        for op in connector.operations
        for parameter in op.parameters
        if parameter.get("in") != "path" and "x-ms-url-encoding" in parameter
    ]
