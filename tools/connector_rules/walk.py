"""Ways through a Swagger 2.0 document, also a broken one: every operation, every schema, every reference, never in circles."""

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
        name = self.doc.get("operationId")
        return name if isinstance(name, str) and name else f"{self.method.upper()} {self.path}"

    @property
    def internal(self) -> bool:
        """Whether makers do not see it."""
        return self.doc.get("x-ms-visibility") == "internal"

    @property
    def parameters(self) -> list[Json]:
        """Its parameters as far as they are objects."""
        return [parameter for parameter in self.doc.get("parameters", []) if isinstance(parameter, dict)]

    @property
    def successes(self) -> Json:
        """Its responses with a status of 2xx."""
        return {status: response for status, response in self.responses.items() if status.startswith("2")}

    @property
    def responses(self) -> Json:
        """Its responses as far as they are objects."""
        found = self.doc.get("responses")
        given = found.items() if isinstance(found, dict) else ()
        return {str(status): response for status, response in given if isinstance(response, dict)}


@dataclass(frozen=True)
class Place:
    """A schema, or a parameter that is not a body, and where it stands."""

    where: str
    schema: Json
    asked: bool  # part of a request
    name: str = ""  # of the property or parameter; "" for a whole schema and for items
    required: bool = False
    hidden: bool = False  # the operation is internal
    parameter: bool = False


def operations(document: Json) -> Iterator[Op]:
    """Every operation."""
    for path, item in _items(document.get("paths")):
        for method, doc in _items(item):
            if method in METHODS and isinstance(doc, dict):
                yield Op(path, method, doc)


def places(document: Json, ops: list[Op]) -> Iterator[Place]:
    """Every parameter and schema, with references followed; what is referred to comes once per direction."""
    seen: set[tuple[str, bool]] = set()
    for op in ops:
        for parameter in op.parameters:
            if parameter.get("in") != "body":
                name = str(parameter.get("name", ""))
                where = f"{op.where}/{name}"
                required = parameter.get("required") is True
                yield Place(where, parameter, True, name, required=required, hidden=op.internal, parameter=True)
    for root in schema_roots(document, ops):
        yield from _within(document, root, seen)


def schema_roots(document: Json, ops: list[Op]) -> Iterator[Place]:
    """The schemas of bodies, answers and notifications, and the definitions that nothing refers to."""
    for op in ops:
        for parameter in op.parameters:
            if parameter.get("in") == "body" and isinstance(parameter.get("schema"), dict):
                yield Place(f"{op.where}/body", parameter["schema"], True, hidden=op.internal)
        for status, response in op.responses.items():
            if isinstance(response.get("schema"), dict):
                yield Place(f"{op.where}/{status}", response["schema"], False, hidden=op.internal)
    for path, item in _items(document.get("paths")):
        content = item.get("x-ms-notification-content") if isinstance(item, dict) else None
        if isinstance(content, dict) and isinstance(content.get("schema"), dict):
            yield Place(f"{path}/x-ms-notification-content", content["schema"], False)
    for name, schema in _items(document.get("definitions")):
        if isinstance(schema, dict) and f"#/definitions/{name}" not in set(references(document)):
            yield Place(f"definitions/{name}", schema, False)


def _within(document: Json, place: Place, seen: set[tuple[str, bool]]) -> Iterator[Place]:
    yield place
    schema = place.schema
    if "$ref" in schema:
        target = resolved(document, schema)
        if target is not None and (str(schema["$ref"]), place.asked) not in seen:
            seen.add((str(schema["$ref"]), place.asked))
            yield from _within(document, replace(place, schema=target, name=""), seen)
        return
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    for name, inner in _items(schema.get("properties")):
        if isinstance(inner, dict):
            where = f"{place.where}/{name}"
            yield from _within(
                document, replace(place, where=where, schema=inner, name=name, required=name in names), seen
            )
    if isinstance(schema.get("items"), dict):
        item = replace(place, where=f"{place.where}[]", schema=schema["items"], name="", required=False)
        yield from _within(document, item, seen)


def resolved(document: Json, schema: Json) -> Json | None:
    """The schema itself where it is a reference, followed to its end; None when that leads nowhere."""
    met: set[str] = set()
    while "$ref" in schema:
        ref = str(schema["$ref"])
        place: Any = document
        for name in ref.removeprefix("#/").split("/"):
            place = place.get(name) if isinstance(place, dict) else None
        if not isinstance(place, dict) or ref in met:
            return None
        met.add(ref)
        schema = place
    return schema


def at_path(document: Json, schema: Json | None, path: str) -> Json | None:
    """The schema at a path like data/key within another; array items are passed through."""
    for name in [step for step in path.split("/") if step]:
        schema = resolved(document, schema) if schema is not None else None
        if schema is not None and schema.get("type") == "array":
            schema = resolved(document, schema.get("items", {}))
        schema = schema.get("properties", {}).get(name) if schema is not None else None
    return resolved(document, schema) if schema is not None else None


def references(value: Any) -> Iterator[str]:
    """Every reference anywhere within."""
    for inner in objects(value):
        if isinstance(inner.get("$ref"), str):
            yield inner["$ref"]


def objects(value: Any) -> Iterator[Json]:
    """Every object anywhere within, the outermost first."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    yield from value.items() if isinstance(value, dict) else ()
