"""Drop-downs of the connector: fields whose values a lookup lists get `x-ms-dynamic-values` instead of a fixed enum.

Power Platform calls the lookup when a form is opened. Which values are accepted is declared by the routes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.specs.declarations import Json, Operation
from core import models

# Input field -> the lookup that lists its values. Fields with another enum under the same name keep their enum.
LOOKUP_OF_FIELD = {
    "status": "statuses",
    "priority": "priorities",
    "category": "categories",
    "assigned_team": "teams",
    "team": "teams",
    "customer_tier": "tiers",
    "assigned_to": "agents",
    "agent_email": "agents",
}
# Lookup -> its values. Lookups that depend on the company's data are not here.
LOOKUP_VALUES: dict[str, Sequence[str]] = {
    "statuses": models.STATUSES,
    "priorities": models.PRIORITIES,
    "categories": models.CATEGORIES,
    "tiers": models.TIERS,
}


@dataclass(frozen=True)
class DropDowns:
    """The lookup operation: its operationId and the path parameter that names the lookup. Both "" when there is none."""

    operation: str = ""
    parameter: str = ""

    def call(self, lookup: str) -> Json:
        """A call of the operation for one lookup."""
        return {"operationId": self.operation, "parameters": {self.parameter: lookup}}

    def apply(self, name: str, schema: Json, column: Json | None = None) -> Json:
        """The schema of the input field `name` as a drop-down, or unchanged when no lookup lists its values.

        `column` is the schema of the field a filter compares with: a filter that takes a comma list has no enum itself.
        """
        lookup = LOOKUP_OF_FIELD.get(name)
        enums = [set(field["enum"]) for field in (schema, column or {}) if "enum" in field]
        same_values = all(enum == set(LOOKUP_VALUES.get(lookup or "", ())) for enum in enums)
        if not self.operation or not lookup or not same_values or schema.get("type") != "string":
            return schema
        without_enum = {key: value for key, value in schema.items() if key not in ("enum", "x-ms-enum-values")}
        dynamic_values = {**self.call(lookup), "value-collection": "data", "value-path": "key", "value-title": "label"}
        dynamic_list = {  # the newer form of the same; older designers read only the first
            "operationId": self.operation,
            "parameters": {self.parameter: {"value": lookup}},
            "itemsPath": "data",
            "itemValuePath": "key",
            "itemTitlePath": "label",
        }
        return {**without_enum, "x-ms-dynamic-values": dynamic_values, "x-ms-dynamic-list": dynamic_list}


def find_drop_downs(operations: Sequence[Operation]) -> DropDowns:
    """The lookup operation among the declared ones: a GET with the tag `lookups` and one path parameter."""
    for operation in operations:
        in_path = [parameter for parameter in operation.doc["parameters"] if parameter["in"] == "path"]
        if "lookups" in operation.doc["tags"] and operation.method == "get" and len(in_path) == 1:
            return DropDowns(operation.doc["operationId"], in_path[0]["name"])
    return DropDowns()


def display_name(value: str) -> str:
    """The label of an enum value; `-created_at` (a sort order) is `Created at, descending`."""
    return f"{models.label(value[1:])}, descending" if value.startswith("-") else models.label(value) or "None"
