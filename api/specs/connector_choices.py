"""How the connector offers choices: lists the desk is asked for when a form is opened, and words that never change.

Which values are accepted is the declarations' matter; here is only how they are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.specs.declarations import Json, Operation
from core import models

# Input fields whose values a lookup lists. A field of the same name that takes other words is left alone.
LIST_OF = {
    "status": "statuses",
    "priority": "priorities",
    "category": "categories",
    "assigned_team": "teams",
    "customer_tier": "tiers",
    "assigned_to": "agents",
    "agent_email": "agents",
}
# What a list holds, where the code knows it.
WORDS: dict[str, Sequence[str]] = {
    "statuses": models.STATUSES,
    "priorities": models.PRIORITIES,
    "categories": models.CATEGORIES,
    "teams": models.TEAMS,
    "tiers": models.TIERS,
}


@dataclass(frozen=True)
class DropDowns:
    """The operation that lists choices, and the parameter that says which list."""

    operation: str = ""
    parameter: str = ""

    def call(self, name: str) -> Json:
        """A call of it for one list, for tools that only need some cheap answer."""
        return {"operationId": self.operation, "parameters": {self.parameter: name}}

    def on(self, name: str, schema: Json, filtered: Json | None = None) -> Json:
        """The schema of an input as a drop-down, when its values are listed; otherwise as it is.

        `filtered` is the field that a filter of this name looks at: a comma list does not say its words itself.
        """
        listed = LIST_OF.get(name)
        said = [set(known["enum"]) for known in (schema, filtered or {}) if "enum" in known]
        means_it = all(words == set(WORDS.get(listed or "", ())) for words in said)
        if not self.operation or not listed or not means_it or schema.get("type") != "string":
            return schema
        free = {key: value for key, value in schema.items() if key not in ("enum", "x-ms-enum-values")}
        old_form = {**self.call(listed), "value-collection": "data", "value-path": "key", "value-title": "label"}
        new_form = {
            "operationId": self.operation,
            "parameters": {self.parameter: {"value": listed}},
            "itemsPath": "data",
            "itemValuePath": "key",
            "itemTitlePath": "label",
        }
        return {**free, "x-ms-dynamic-values": old_form, "x-ms-dynamic-list": new_form}


def drop_downs(operations: Sequence[Operation]) -> DropDowns:
    """The lookups as they are declared; without any, nothing becomes a drop-down."""
    for operation in operations:
        places = [parameter for parameter in operation.doc["parameters"] if parameter["in"] == "path"]
        if "lookups" in operation.doc["tags"] and operation.method == "get" and len(places) == 1:
            return DropDowns(operation.doc["operationId"], places[0]["name"])
    return DropDowns()


def shown(word: str) -> str:
    """A word of an enumeration as people read it; a leading minus is the other direction of an order."""
    return f"{models.label(word[1:])}, descending" if word.startswith("-") else models.label(word) or "None"
