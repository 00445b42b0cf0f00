"""The story in full: its chapters in order, its variables, and each step as the request its route's declaration makes of it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from api.specs.declarations import HEADERS, Json, Operation, Source, body_schema, read_declarations, sentence
from tools.api_examples.accounts import PEOPLE
from tools.api_examples.overview import CLEAN_UP, ERRORS, FILES, OVERVIEW
from tools.api_examples.records import RECORDS
from tools.api_examples.steps import JSON, OURS, Chapter, Step, StoryError, Variable
from tools.api_examples.tickets import LIFE, LOOK_AROUND
from tools.api_examples.triage import TRIAGE

# Triage last: what it is taught would show in tickets that come later.
CHAPTERS = (LOOK_AROUND, LIFE, OVERVIEW, FILES, ERRORS, PEOPLE, RECORDS, TRIAGE, CLEAN_UP)
GIVEN = (
    Variable("baseUrl", "Address of the desk, without a path.", "http://127.0.0.1:5000"),
    Variable(OURS, "An admin key of the desk, the one in API_KEY or in the file api_key of its data folder."),
    Variable("agent", "Who is assigned the ticket, and told.", "bob@example.com"),
)
RUN = Variable("runId", "Set by the run: tells what it makes from what is there.")

_NAMED = re.compile(r"{{#?(\w+)}}")
_UNQUOTED = re.compile(r'"{{#(\w+)}}"')


@dataclass(frozen=True)
class Input:
    """Something a route takes: where it stands, and what its declaration says of it."""

    name: str
    place: str  # path, query, header or body
    kind: str
    required: bool
    about: str


@dataclass(frozen=True)
class Request:
    """A step as it is sent; every text may hold `{{name}}`."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    credential: str

    @property
    def url(self) -> str:
        """Path and query as they stand in an address."""
        query = urlencode(self.query, quote_via=quote, safe="@{}:")
        return f"{self.path}?{query}" if query else self.path

    def mapped(self, change: Callable[[str], str]) -> "Request":
        """The same with every text changed."""
        query = {name: change(value) for name, value in self.query.items()}
        headers = {name: change(value) for name, value in self.headers.items()}
        return Request(self.method, change(self.path), query, headers, change(self.body), self.credential)


class Book:
    """The chapters beside the declared routes."""

    def __init__(self, chapters: tuple[Chapter, ...] = CHAPTERS) -> None:
        self.chapters = chapters

    @cached_property
    def source(self) -> Source:
        """Every declared route, as OpenAPI 3 describes it."""
        return read_declarations("3.0.3")

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Every declared route by its operationId."""
        return {operation.doc["operationId"]: operation for operation in self.source.operations}

    @property
    def steps(self) -> Iterator[Step]:
        """Every step, in order."""
        for chapter in self.chapters:
            yield from chapter.steps

    @property
    def variables(self) -> list[Variable]:
        """Every variable: those that are given, then those that are set on the way."""
        saved = [Variable(name, f"Set by the run, in {step.name}.") for step in self.steps for name in step.saves]
        return [*GIVEN, RUN, *{variable.name: variable for variable in reversed(saved)}.values()]

    def untold(self) -> list[str]:
        """The operationIds of the routes no step asks for."""
        told = {step.operation for step in self.steps if not step.method}
        return [name for name in self.operations if name not in told]

    def operation(self, step: Step) -> Operation:
        """The route a step asks. Raises StoryError when there is none of that name."""
        if step.operation not in self.operations:
            raise StoryError(f"{step.name}: there is no operation {step.operation}.")
        return self.operations[step.operation]

    def request(self, step: Step) -> Request:
        """The request of a step. Raises StoryError when it names a path parameter or a route that does not exist."""
        operation = self.operation(step)
        return Request(
            method=step.method or operation.method.upper(),
            path=re.sub(r"{(\w+)}", lambda found: self.path_values(step)[found[1]], operation.path),
            query=step.query,
            headers={**step.headers, **({"Content-Type": step.media} if step.body is not None else {})},
            body=body_text(step),
            credential=_default(operation) if step.credential is None else step.credential,
        )

    def path_values(self, step: Step) -> dict[str, str]:
        """Every path parameter of a step with its value. Raises StoryError when it names one that does not exist."""
        names = re.findall(r"{(\w+)}", self.operation(step).path)
        if unknown := sorted(set(step.path) - set(names)):
            raise StoryError(f"{step.name}: {step.operation} has no path parameter {', '.join(unknown)}.")
        return {name: step.path.get(name, f"{{{{{_camel(name)}}}}}") for name in names}

    def inputs(self, operation: Operation) -> list[Input]:
        """Everything a route takes."""
        given = [
            Input(
                parameter["name"],
                parameter["in"],
                _kind(parameter["schema"]),
                parameter["required"],
                sentence(parameter.get("description") or parameter["name"]),
            )
            for parameter in operation.doc["parameters"]
        ]
        headers = [Input(name, "header", "string", False, HEADERS[name]) for name in operation.headers]
        return [*given, *headers, *self._fields(operation)]

    def _fields(self, operation: Operation) -> Iterator[Input]:
        schema = body_schema(self.source.document, operation.doc)
        required = set(schema.get("required", []))
        fields = schema.get("properties", {})
        for name in sorted(fields, key=lambda name: name not in required):
            about = sentence(fields[name].get("description") or name)
            yield Input(name, "body", _kind(fields[name]), name in required, about)
        for media, content in operation.doc.get("requestBody", {}).get("content", {}).items() if not fields else ():
            about = content["schema"].get("description") or "The file as a part of a form."
            yield Input(media, "body", "file", required=False, about=sentence(about))


def body_text(step: Step) -> str:
    """The body of a step as it is sent, but for its variables; "" without one."""
    if isinstance(step.body, dict | list):
        return _UNQUOTED.sub(r"{{\1}}", json.dumps(step.body, indent=2 if step.media == JSON else None))
    return step.body or ""


def names_in(text: str) -> list[str]:
    """The variables a text holds."""
    return _NAMED.findall(text)


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced. Raises StoryError naming one that has no value."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise StoryError(f"{found[1]} is not known yet.")
        return values[found[1]]

    return _NAMED.sub(value, text)


def saved_values(step: Step, data: Any) -> dict[str, str]:
    """What a step saves out of the data of its answer. Raises StoryError when it is not there."""
    found = {}
    for name, place in step.saves.items():
        value = data
        for part in place.split("."):
            try:
                value = value[int(part) if isinstance(value, list) else part]
            except (LookupError, TypeError, ValueError):
                raise StoryError(f"{step.name}: the answer has no {place}.") from None
        found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def _default(operation: Operation) -> str:
    return "" if operation.public else OURS


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _kind(schema: Json) -> str:
    """What a value is, in a few words: a type, its form or its choices."""
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if choices := schema.get("enum"):
        return " | ".join(map(str, choices))
    name = str(schema.get("format") or schema.get("type", "object"))
    low, high, most = schema.get("minimum"), schema.get("maximum"), schema.get("maxLength")
    if low is not None and high is not None:
        return f"{name} {low}–{high}"
    return f"{name}, at most {most}" if most and name == "string" else name
