"""The input schema of a tool, made from the fields of the REST route that it calls.

Schemas are flat, without references, alternatives and null. Choices also stand in the description, because Copilot Studio
reads them only there.
"""

from functools import cache
from typing import Any

from marshmallow import Schema

from api.http.fields import Choice, Choices, Decimal, Number, Words, Yes
from api.http.resource import Route
from core.models import LIMITS

Json = dict[str, Any]
TICKET_ID = "Id of the ticket, as other tools give it. It is not its number: search_tickets finds that."
PATH_ARGUMENTS = {"ticket_id": TICKET_ID}
CLIENT_REFERENCE: Json = {
    "type": "string",
    "maxLength": LIMITS["key"],
    "description": "Your own id of this call. Sent again within 24 hours, it is done once and answered the same.",
}
DRY_RUN: Json = {"type": "boolean", "description": "true: check it and say what would happen, and change nothing."}
CURSOR: Json = {
    "type": "string",
    "description": "To read on where the last result ended: the cursor it gave, with the same other arguments.",
}


@cache
def input_fields(schema: type[Schema] | None) -> dict[str, Any]:
    """The fields of a schema by their names in a request."""
    return {field.data_key or name: field for name, field in schema().load_fields.items()} if schema else {}


def input_schema(route: Route, arguments: dict[str, str], required: tuple[str, ...]) -> Json:
    """The schema of a tool. `arguments` are its arguments, each with its field of the route; "" for one of the path."""
    fields = {**input_fields(route.query), **input_fields(route.body)}
    properties = {
        name: _property(fields[field]) if field else {"type": "string", "description": PATH_ARGUMENTS[name]}
        for name, field in arguments.items()
    }
    needed = [name for name, field in arguments.items() if not field or fields[field].required or name in required]
    if route.reads:
        properties["cursor"] = CURSOR
    else:
        properties |= {"client_reference": CLIENT_REFERENCE, "dry_run": DRY_RUN}
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": needed} if needed else {})


def _property(field: Any) -> Json:
    about = str(field.metadata.get("description", ""))
    if isinstance(field, Choices):
        return {"type": "string", "description": f"{about} Choices: {', '.join(field.accepted)}."}
    if isinstance(field, Choice):
        choices = list(field.choices)
        return {"type": "string", "enum": choices, "description": f"{about} One of: {', '.join(choices)}."}
    if isinstance(field, Number | Decimal):
        kind = "integer" if isinstance(field, Number) else "number"
        return {"type": kind, "minimum": field.least, "maximum": field.most, "description": about}
    if isinstance(field, Yes):
        return {"type": "boolean", "description": about}
    if isinstance(field, Words):
        return {"type": "array", "items": {"type": "string"}, "description": about}
    return {"type": "string", "maxLength": field.metadata["maxLength"], "description": about}
