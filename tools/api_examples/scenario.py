"""Development only: reads scenario.yaml and makes each of its steps the request that the declaration of its route says."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from api.specs.declarations import HEADERS, Json, Operation, Source, body_schema, read_declarations, sentence

FILE = Path(__file__).resolve().parent / "scenario.yaml"
JSON = "application/json"
ADMIN_KEY = "apiKey"  # the variable that holds the key of whoever runs the scenario
VARIABLES = {
    "baseUrl": ("Address of the server, without a path.", "http://127.0.0.1:5000"),
    ADMIN_KEY: ("An admin key: the one in API_KEY or in the file api_key of the data folder.", ""),
    "agent": ("The agent the ticket is assigned to.", "bob@example.com"),
    "runId": ("Set by the run; part of every name it creates.", ""),
}
_VARIABLE = re.compile(r"{{#?(\w+)}}")


class ScenarioError(Exception):
    """The scenario does not fit the API; the text names the step."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request and its expected answer."""

    name: str
    operation: str  # operationId of the route
    about: str = ""  # what is special here; the declaration says what the route does
    status: int = 200
    code: str = ""  # the expected error code
    also: list[int] = field(default_factory=list)  # other statuses that some servers rightly answer
    method: str = ""  # another method than the route's, to be refused
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None  # an object or a list for JSON, else text
    media: str = JSON
    credential: str | None = None  # a variable, "" for none; the admin key when the route needs one
    plain: bool = False  # the answer is not JSON
    saves: Mapping[str, str] = field(default_factory=dict)  # variable: place in `data`, such as user.id
    checks: Mapping[str, str] = field(default_factory=dict)  # name: JavaScript after `pm.`
    script: list[str] = field(default_factory=list)  # further JavaScript

    @property
    def variables(self) -> set[str]:
        """The names of the variables that its request takes."""
        return set(_VARIABLE.findall(json.dumps([dict(self.path), dict(self.query), dict(self.headers), self.body])))


@dataclass(frozen=True)
class Chapter:
    """Steps that belong together."""

    name: str
    about: str
    steps: list[Step]


@dataclass(frozen=True)
class Input:
    """A parameter, header or body field of a route."""

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
        """Path and query."""
        query = urlencode(self.query, quote_via=quote, safe="@{}:")
        return f"{self.path}?{query}" if query else self.path

    def map_texts(self, change: Callable[[str], str]) -> "Request":
        """The same request with every text changed."""
        query = {name: change(value) for name, value in self.query.items()}
        headers = {name: change(value) for name, value in self.headers.items()}
        return replace(self, path=change(self.path), query=query, headers=headers, body=change(self.body))


def read_chapters(path: Path = FILE) -> list[Chapter]:
    """The chapters of the file. Raises ScenarioError for a key that a step does not have."""
    chapters = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return [Chapter(each["chapter"], each["about"], [Step(**step) for step in each["steps"]]) for each in chapters]
    except TypeError as error:
        raise ScenarioError(f"{path.name}: {error}") from None


class Scenario:
    """The chapters together with the declared routes."""

    def __init__(self, chapters: list[Chapter] | None = None) -> None:
        self.chapters = read_chapters() if chapters is None else chapters
        self.steps = [step for chapter in self.chapters for step in chapter.steps]

    @cached_property
    def source(self) -> Source:
        """Every declared route, as OpenAPI 3 describes it."""
        return read_declarations("3.0.3")

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Every declared route by its operationId."""
        return {operation.doc["operationId"]: operation for operation in self.source.operations}

    def operation(self, step: Step) -> Operation:
        """The route of a step. Raises ScenarioError when there is none."""
        if step.operation not in self.operations:
            raise ScenarioError(f"{step.name}: there is no operation {step.operation}.")
        return self.operations[step.operation]

    def path_values(self, step: Step) -> dict[str, str]:
        """Every path parameter of a step with its value. Raises ScenarioError for one that does not exist."""
        names = re.findall(r"{(\w+)}", self.operation(step).path)
        if unknown := sorted(set(step.path) - set(names)):
            raise ScenarioError(f"{step.name}: {step.operation} has no path parameter {', '.join(unknown)}.")
        return {name: step.path.get(name, f"{{{{{_camel_case(name)}}}}}") for name in names}

    def request(self, step: Step) -> Request:
        """The request of a step. Raises ScenarioError."""
        operation, values = self.operation(step), self.path_values(step)
        body = step.body or ""
        if isinstance(step.body, dict | list):
            text = json.dumps(step.body, indent=2 if step.media == JSON else None)
            body = re.sub(r'"{{#(\w+)}}"', r"{{\1}}", text)
        return Request(
            method=step.method or operation.method.upper(),
            path=re.sub(r"{(\w+)}", lambda match: values[match[1]], operation.path),
            query=step.query,
            headers={**step.headers, **({"Content-Type": step.media} if step.body is not None else {})},
            body=body,
            credential=("" if operation.public else ADMIN_KEY) if step.credential is None else step.credential,
        )

    def inputs(self, operation: Operation) -> list[Input]:
        """Everything a route takes: parameters, headers, body fields."""
        inputs = [
            Input(each["name"], each["in"], _kind(each["schema"]), each["required"], _about(each["name"], each))
            for each in operation.doc["parameters"]
        ]
        inputs += [Input(name, "header", "string", False, HEADERS[name]) for name in operation.headers]
        schema = body_schema(self.source.document, operation.doc)
        required, fields = schema.get("required", []), schema.get("properties", {})
        for name in sorted(fields, key=lambda name: name not in required):
            about = _about(name, fields[name])
            inputs.append(Input(name, "body", _kind(fields[name]), name in required, about))
        if not fields:
            for media, content in operation.doc.get("requestBody", {}).get("content", {}).items():
                about = content["schema"].get("description") or "The file as a part of a form."
                inputs.append(Input(media, "body", "file", False, sentence(about)))
        return inputs


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced. Raises ScenarioError for one without a value."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ScenarioError(f"{match[1]} is not known yet.")
        return values[match[1]]

    return _VARIABLE.sub(value, text)


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _about(name: str, schema: Json) -> str:
    return sentence(schema.get("description") or name)


def _kind(schema: Json) -> str:
    """A type, its format or its choices, in a few words."""
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if choices := schema.get("enum"):
        return " | ".join(map(str, choices))
    name = str(schema.get("format") or schema.get("type", "object"))
    low, high, longest = schema.get("minimum"), schema.get("maximum"), schema.get("maxLength")
    if low is not None and high is not None:
        return f"{name} {low}–{high}"
    return f"{name}, at most {longest}" if longest and name == "string" else name
