"""What both descriptions of the API start from: the declared routes, with their operations, roles and headers worked out.

Nothing here is written by hand for one route; what a route is, its declaration says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask

from api import routes
from core.permissions import GRANTED, Permission

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
WRITES = frozenset(METHODS) - {"get"}
ACRONYMS = {"ai", "id", "csat", "sla", "url"}
HEADERS = {
    "X-On-Behalf-Of": "E-mail address or id of the customer to act for; the key needs the scope act_for_customers.",
    "Idempotency-Key": "Your own id of this call; sent again within 24 hours, it is done once and answered the same.",
    "If-Match": 'The version you saw, like "7"; the call is refused when it is stale.',
}
# What a path parameter is, where its name does not say it.
PATH_WORDS = {
    "/api/tickets/{from_id}": "Id of the ticket that the link is of.",
    "/api/customers/{name}": "E-mail address of the customer, or their id in your own systems.",
    "/api/lookups/{name}": "Which drop-down: statuses, priorities, categories, teams, tiers or agents.",
    "/api/events/samples/{event}": "Name of the event, such as ticket.created.",
}


@dataclass(frozen=True)
class Operation:
    """One method of one path, as flask-smorest describes it, and what the gate demands for it."""

    path: str
    method: str
    doc: Json
    public: bool
    roles: tuple[str, ...]
    headers: tuple[str, ...]
    error_schema: Json | None = None  # of a dialect, whose errors are not in the envelope

    @property
    def versioned(self) -> bool:
        """Whether it can be refused because the version named is stale."""
        return "If-Match" in self.headers

    def can_answer(self, status: str) -> bool:
        """Whether it can answer this error at all; every declaration lists all of them."""
        if self.public:
            return status == "503" or (self.method == "post" and status not in ("404", "412"))
        impossible = {"404": "{" not in self.path, "409": self.method == "get", "412": not self.versioned}
        return not impossible.get(status, False)


@dataclass(frozen=True)
class Source:
    """Everything that is declared, in one version of the specification."""

    document: Json
    operations: list[Operation]


def read_declarations(openapi: str, *, dialects: Sequence[str] = ()) -> Source:
    """The declared routes in this version, from an app that is made for it and thrown away."""
    app = Flask("specs")
    document = routes.describe(app, openapi=openapi, dialects=dialects).spec.to_dict()
    _move_path_parameters(document)
    views: dict[str, Any] = {endpoint.rpartition(".")[2]: view for endpoint, view in app.view_functions.items()}
    operations = []
    for path, method, doc in _each(document):
        view = views[doc["operationId"]]
        permission = view.permission
        roles = tuple(role for role, granted in GRANTED.items() if permission in granted)
        public = permission is Permission.PUBLIC
        headers = () if public else _headers(document, path, method, for_customers="customer" in roles)
        operations.append(Operation(path, method, doc, public, roles, headers, view.error_schema))
    return Source(document, operations)


def resolved(document: Json, schema: Json) -> Json:
    """The schema itself, where it is a reference."""
    node: Any = document
    if "$ref" not in schema:
        return schema
    for name in schema["$ref"].removeprefix("#/").split("/"):
        node = node[name]
    target: Json = node
    return target


def body_schema(document: Json, doc: Json) -> Json:
    """The schema of the JSON body of an operation in either version; {} without one."""
    content = doc.get("requestBody", {}).get("content", {})
    schemas = [content.get("application/json", {}).get("schema")]
    schemas += [parameter.get("schema") for parameter in doc.get("parameters", []) if parameter.get("in") == "body"]
    return next((resolved(document, schema) for schema in schemas if schema), {})


def label(name: str) -> str:
    """The name of a field or parameter as people read it: ai_response is AI Response."""
    if name == "q":
        return "Search Words"
    words = name.removeprefix("X-").replace("-", "_").split("_")
    return " ".join(word.upper() if word in ACRONYMS else word[:1].upper() + word[1:] for word in words)


def sentence(text: str) -> str:
    """The text with a period at its end."""
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _each(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _move_path_parameters(document: Json) -> None:
    """Path parameters stand at each operation, first and described: low-code tools read them only there."""
    for path, item in document["paths"].items():
        shared = [
            {**parameter, "description": _path_words(path, parameter)} for parameter in item.pop("parameters", [])
        ]
        for doc in item.values():
            doc["parameters"] = [dict(parameter) for parameter in shared] + doc.get("parameters", [])


def _path_words(path: str, parameter: Json) -> str:
    name = parameter["name"]
    thing, _, field_name = name.rpartition("_")
    purpose = f"of the {thing.replace('_', ' ')}" if thing else "to look for"
    default_text = f"{field_name.capitalize()} {purpose}."
    path_prefix = path.partition(f"{{{name}}}")[0] + f"{{{name}}}"
    return str(parameter.get("description") or PATH_WORDS.get(path_prefix, default_text))


def _headers(document: Json, path: str, method: str, *, for_customers: bool) -> tuple[str, ...]:
    """The headers of ours that mean something there. A thing whose body has a version can be guarded by If-Match."""
    versions = any(
        "version" in body_schema(document, doc).get("properties", {}) for doc in document["paths"][path].values()
    )
    means = {
        "X-On-Behalf-Of": for_customers,
        "Idempotency-Key": method in ("post", "patch"),
        "If-Match": versions and method in WRITES,
    }
    return tuple(name for name in HEADERS if means[name])
