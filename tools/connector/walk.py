"""Ways through a Swagger 2.0 document: its operations, its schemas, its references."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


@dataclass(frozen=True)
class Op:
    """One method of one path."""

    path: str
    method: str
    doc: Json

    @property
    def where(self) -> str:
        """Its id, or method and path without one."""
        return str(self.doc.get("operationId") or f"{self.method.upper()} {self.path}")

    @property
    def internal(self) -> bool:
        """Whether makers do not see it."""
        return self.doc.get("x-ms-visibility") == "internal"

    @property
    def parameters(self) -> list[Json]:
        """Its parameters, the body among them."""
        return list(self.doc.get("parameters", []))

    @property
    def responses(self) -> Json:
        """Its responses by status."""
        return {str(status): response for status, response in self.doc.get("responses", {}).items()}

    @property
    def successes(self) -> Json:
        """Its responses with a status of 2xx."""
        return {status: response for status, response in self.responses.items() if status.startswith("2")}


@dataclass(frozen=True)
class Place:
    """A schema, or a parameter that is not a body, and where it stands."""

    where: str
    schema: Json
    in_request: bool  # part of a request
    name: str = ""  # of the field or parameter; "" for a whole schema and for items
    required: bool = False
    hidden: bool = False  # makers do not see the operation


def operations(document: Json) -> Iterator[Op]:
    """Every operation."""
    for path, item in document.get("paths", {}).items():
        for method, doc in item.items():
            if method in METHODS:
                yield Op(path, method, doc)


def places(document: Json) -> Iterator[Place]:
    """Every parameter and schema, each reference followed once for requests and once for answers."""
    visited: set[tuple[str, bool]] = set()
    for op in operations(document):
        for parameter in op.parameters:
            name = str(parameter.get("name", ""))
            if parameter.get("in") == "body":
                yield from _within(
                    document, Place(f"{op.where}/body", parameter["schema"], True, hidden=op.internal), visited
                )
            else:
                yield Place(f"{op.where}/{name}", parameter, True, name, parameter.get("required") is True)
        for status, response in op.responses.items():
            if "schema" in response:
                yield from _within(
                    document, Place(f"{op.where}/{status}", response["schema"], False, hidden=op.internal), visited
                )


def _within(document: Json, place: Place, visited: set[tuple[str, bool]]) -> Iterator[Place]:
    yield place
    schema = place.schema
    if "$ref" in schema:
        key = (str(schema["$ref"]), place.in_request)
        target = resolved(document, schema)
        if target is not None and key not in visited:
            visited.add(key)
            yield from _within(document, replace(place, schema=target, name=""), visited)
        return
    for name, inner in schema.get("properties", {}).items():
        required = name in schema.get("required", [])
        field = replace(place, where=f"{place.where}/{name}", schema=inner, name=name, required=required)
        yield from _within(document, field, visited)
    if "items" in schema:
        items = replace(place, where=f"{place.where}[]", schema=schema["items"], name="", required=False)
        yield from _within(document, items, visited)


def resolved(document: Json, schema: Json) -> Json | None:
    """The schema itself where it is a reference, followed to its end; None when that leads nowhere."""
    visited: set[str] = set()
    while "$ref" in schema:
        ref = str(schema["$ref"])
        place: Any = document
        for name in ref.removeprefix("#/").split("/"):
            place = place.get(name) if isinstance(place, dict) else None
        if not isinstance(place, dict) or ref in visited:
            return None
        visited.add(ref)
        schema = place
    return schema


def at_path(document: Json, schema: Json, path: str) -> Json | None:
    """The schema at a path like data/key within another; array items are passed through."""
    place: Json | None = resolved(document, schema)
    for name in filter(None, path.split("/")):
        if place is not None and place.get("type") == "array":
            place = resolved(document, place.get("items", {}))
        place = place.get("properties", {}).get(name) if place is not None else None
        place = resolved(document, place) if place is not None else None
    return place


def objects(value: Any) -> Iterator[Json]:
    """Every object anywhere within, the outermost first."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)
