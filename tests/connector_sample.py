"""A small connector without a fault, to be broken in one way at a time; and what that takes, in few words."""

import copy
from dataclasses import dataclass, replace
from typing import Any

from tools.connector_files import properties, settings
from tools.connector_icon import icon
from tools.connector_rules import Connector

Json = dict[str, Any]


def shown(kind: str, label: str, **more: Any) -> Json:
    """A property with all that people see of it."""
    return {"type": kind, "x-ms-summary": label, "description": f"{label} of it.", **more}


def query(name: str, kind: str, label: str, **more: Any) -> Json:
    return {"in": "query", "name": name, "required": False, **shown(kind, label, **more)}


def success(name: str, status: str = "200") -> Json:
    words = {"404": {"description": "Not there."}, "default": {"description": "Any other error."}}
    return {status: {"description": "Done.", "schema": {"$ref": f"#/definitions/{name}"}}, **words}


def operation(name: str, summary: str, parameters: list[Json], responses: Json, **more: Any) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "description": f"{summary}, as the desk has it.",
        "parameters": parameters,
        "responses": responses,
        "security": [{"api_key": []}],
        **more,
    }


ID = {
    "in": "path",
    "name": "ticket_id",
    "required": True,
    "x-ms-url-encoding": "single",
    **shown("string", "Ticket ID"),
}
ORDER = {
    "enum": ["new", "old"],
    "x-ms-enum-values": [{"value": "new", "displayName": "New"}, {"value": "old", "displayName": "Old"}],
}
DROP_DOWN = {
    "x-ms-dynamic-values": {
        "operationId": "ListChoices",
        "parameters": {"name": "statuses"},
        "value-collection": "data",
        "value-path": "key",
        "value-title": "label",
    },
    "x-ms-dynamic-list": {
        "operationId": "ListChoices",
        "parameters": {"name": {"value": "statuses"}},
        "itemsPath": "data",
        "itemValuePath": "key",
        "itemTitlePath": "label",
    },
}
PATHS = {
    "/api/tickets": {
        "get": operation(
            "ListTickets",
            "List tickets",
            [
                query("status", "string", "Status", **DROP_DOWN),
                query("sort", "string", "Sort", default="new", **ORDER),
                query("limit", "integer", "Limit", default=50, minimum=1, maximum=200, format="int32"),
            ],
            success("TicketList"),
        ),
        "post": operation(
            "CreateTicket",
            "Create a ticket",
            [{"in": "body", "name": "body", "required": True, "schema": {"$ref": "#/definitions/NewTicket"}}],
            success("Ticket", "201"),
        ),
    },
    "/api/tickets/{ticket_id}": {"get": operation("GetTicket", "Get a ticket", [ID], success("Ticket"))},
    "/api/lookups/{name}": {
        "get": operation(
            "ListChoices",
            "List choices",
            [{**ID, "name": "name", "x-ms-summary": "Name"}],
            success("ChoiceList"),
            **{"x-ms-visibility": "internal"},
        )
    },
    "/api/triggers/new-tickets": {
        "get": operation(
            "OnNewTicket",
            "When a ticket is opened",
            [query("after", "string", "After", format="date-time", **{"x-ms-visibility": "internal"})],
            success("TicketList"),
            **{"x-ms-trigger": "batch", "x-ms-trigger-hint": "To see it work now, open a ticket."},
        )
    },
    "/api/hooks": {
        "x-ms-notification-content": {"description": "A ticket.", "schema": {"$ref": "#/definitions/Ticket"}},
        "post": operation(
            "OnSolvedTicket",
            "When a ticket is solved",
            [{"in": "body", "name": "body", "required": True, "schema": {"$ref": "#/definitions/Hook"}}],
            success("Ticket", "201"),
            **{"x-ms-trigger": "single", "x-ms-trigger-hint": "To see it work now, solve a ticket."},
        ),
    },
}


def listing(name: str) -> Json:
    rows = shown("array", "Data", items={"$ref": f"#/definitions/{name}"})
    return {"type": "object", "required": ["data"], "properties": {"data": rows}}


URL = {"x-ms-notification-url": True, "x-ms-visibility": "internal"}
DEFINITIONS = {
    "Ticket": {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": shown("string", "ID"),
            "title": shown("string", "Title"),
            "tags": shown("array", "Tags", items={"type": "string"}),
        },
    },
    "TicketList": listing("Ticket"),
    "NewTicket": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": shown("string", "Title", minLength=1, maxLength=200),
            "urgency": shown("number", "Urgency", minimum=1, maximum=5, format="double"),
            "customer": {"$ref": "#/definitions/Customer"},
        },
    },
    "Customer": {"type": "object", "properties": {"email": shown("string", "Email", format="email")}},
    "Choice": {"type": "object", "properties": {"key": shown("string", "Key"), "label": shown("string", "Label")}},
    "ChoiceList": listing("Choice"),
    "Hook": {"type": "object", "required": ["url"], "properties": {"url": shown("string", "URL", **URL)}},
}


def document() -> Json:
    """The definition."""
    return copy.deepcopy(
        {
            "swagger": "2.0",
            "info": {
                "title": "Desk",
                "description": "A small desk, in which nothing is wrong.",
                "version": "1",
                "contact": {"name": "Desk", "url": "https://desk.example.com", "email": "people@desk.example.com"},
            },
            "host": "desk.example.com",
            "basePath": "/",
            "schemes": ["https"],
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": PATHS,
            "definitions": DEFINITIONS,
            "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
            "x-ms-connector-metadata": [
                {"propertyName": "Website", "propertyValue": "https://desk.example.com"},
                {"propertyName": "Privacy policy", "propertyValue": "https://desk.example.com/privacy"},
                {"propertyName": "Categories", "propertyValue": "IT Operations;AI"},
            ],
            "x-ms-capabilities": {
                "testConnection": {"operationId": "ListChoices", "parameters": {"name": "statuses"}},
            },
        }
    )


def sample() -> Connector:
    """The whole connector."""
    made = document()
    return Connector(made, properties(made), dict(settings()), icon(), 10_000)


@dataclass
class Broken:
    """A connector in the hands of who breaks it."""

    connector: Connector

    @property
    def d(self) -> Json:
        return self.connector.definition

    @property
    def p(self) -> Json:
        return self.connector.properties["properties"]

    @property
    def key(self) -> Json:
        return self.p["connectionParameters"]["api_key"]

    @property
    def contact(self) -> Json:
        return self.d["info"]["contact"]

    @property
    def metadata(self) -> list[Json]:
        return self.d["x-ms-connector-metadata"]

    def op(self, name: str) -> Json:
        return next(o for i in self.d["paths"].values() for o in i.values() if o.get("operationId") == name)

    def argument(self, name: str, argument: str) -> Json:
        return next(parameter for parameter in self.op(name)["parameters"] if parameter.get("name") == argument)

    def answer(self, name: str, status: str = "200") -> Json:
        return self.op(name)["responses"][status]

    def schema(self, name: str) -> Json:
        return self.d["definitions"][name]

    def field(self, name: str, field: str) -> Json:
        return self.schema(name)["properties"][field]

    def add(self, name: str, parameter: Json) -> None:
        self.op(name)["parameters"].append(parameter)

    def move(self, name: str, path: str) -> None:
        """Puts the operation of this name under another path."""
        old = next(p for p, i in self.d["paths"].items() if any(o.get("operationId") == name for o in i.values()))
        self.d["paths"][path] = self.d["paths"].pop(old)

    def copy(self, name: str, path: str, **more: Any) -> None:
        """Puts a copy of a GET under another path, with another id."""
        self.d["paths"][path] = {"get": {**copy.deepcopy(self.op(name)), **more}}

    def change(self, **more: Any) -> None:
        self.connector = replace(self.connector, **more)
