"""Lists the tools that a caller may use, and runs a tool by calling its REST operation as that caller."""

from functools import cache
from typing import Any

import orjson
from flask import Response, current_app, g
from marshmallow import Schema
from marshmallow.fields import Raw

from api.http import gate, inner_calls
from api.http.envelope import enveloped
from api.http.field_names import check_field_names
from api.http.fields import Id, Text, Yes
from api.http.parsing import flatten_errors
from api.http.resource import Route
from api.mcp import results
from api.mcp.schemas import input_fields, input_schema
from api.mcp.tools import BY_NAME, TOOLS, Tool
from core.errors import AppError, FieldError, invalid
from core.models import LIMITS

Json = dict[str, Any]


class OwnArguments(Schema):
    """The arguments of a tool that its route does not take."""

    cursor = Text(LIMITS["key"])
    client_reference = Id(LIMITS["key"])
    dry_run = Yes()


_OWN = OwnArguments()


def listed_tools() -> list[Json]:
    """The tools that the caller may use, as the protocol describes a tool."""
    return [_description(tool) for tool in TOOLS if _may_use(tool)]


def call_tool(tool: Tool, arguments: Json) -> Json:
    """The result of a tool, which is that of its operation. An error is a result too, so that an AI can correct it."""
    arguments_by_field = {field: name for name, field in tool.fields.items() if field and field != name}
    try:
        values = _checked(tool, arguments)
        cursor, dry_run = values.pop("cursor", ""), values.pop("dry_run", False)
        key = "" if _route(tool.operation).reads else gate.idempotency_key(values)
        response = _operate(tool, values, key=key, dry_run=dry_run)
        if response.status_code >= 400:
            return _failure(response, arguments_by_field)
        return _success(tool, values, response, cursor=cursor, dry_run=dry_run)
    except AppError as error:
        return _failure(enveloped(error), arguments_by_field)


def _may_use(tool: Tool) -> bool:
    operations = [tool.operation, *tool.also.values()]
    return all(gate.may_call(_view(name)) for name in operations) and not (tool.staff and g.actor.is_customer)


def _endpoint(operation: str) -> str:
    """The endpoint of an operation; the names of all are collected once for each app."""
    endpoints: dict[str, str] = current_app.extensions.setdefault("mcp_endpoints", {})
    if not endpoints:
        endpoints.update({name.rpartition(".")[2]: name for name in current_app.view_functions})
    return endpoints[operation]


def _view(operation: str) -> Any:
    return current_app.view_functions[_endpoint(operation)]


def _route(operation: str) -> Route:
    route: Route = _view(operation).route
    return route


def _arguments(tool: Tool) -> dict[str, str]:
    """Each argument with its field of the route, "" for a parameter of the path."""
    path = _route(tool.operation).path
    return {name: "" if f"<{name}>" in path else field for name, field in tool.fields.items()}


def _description(tool: Tool) -> Json:
    route = _route(tool.operation)
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.about,
        "inputSchema": _input_schema(tool),
        "annotations": {
            "title": tool.title,
            "readOnlyHint": route.reads,
            "destructiveHint": route.method == "PATCH",  # it overwrites what was there
            "idempotentHint": route.reads or route.method == "PATCH",
            "openWorldHint": not route.reads,  # it may mail somebody
        },
    }


def _input_schema(tool: Tool) -> Json:
    return input_schema(_route(tool.operation), _arguments(tool), tool.required)


@cache
def _accepted(names: tuple[str, ...]) -> Schema:
    """A schema of these names; the route has the one that checks their values."""
    return Schema.from_dict({name: Raw() for name in names})()


def _checked(tool: Tool, arguments: Json) -> Json:
    """The arguments without empty ones. Raises AppError 400 for unknown and missing ones; the route checks their values."""
    values, errors = check_field_names(arguments, _accepted(tuple(_input_schema(tool)["properties"])))
    path = [name for name, field in _arguments(tool).items() if not field]
    for name in [*path, *tool.required]:
        if name not in values:
            errors.append(FieldError(name, f"{name} is required."))
        elif name in path and not isinstance(values[name], str):
            errors.append(FieldError(name, f"{name} must be text."))
    in_query = input_fields(_route(tool.operation).query)
    for name, field in _arguments(tool).items():
        if field in in_query and _is_nested(values.get(name)):  # a query string would hold it as a text
            errors.append(FieldError(name, f"{name} must be text, a number, true or false, or a list of them."))
    own = {name: values.pop(name) for name in OwnArguments._declared_fields if name in values}
    errors += flatten_errors(_OWN.validate(own))
    if errors:
        raise invalid(*errors)
    return {**values, **_OWN.load(own)}


def _operate(tool: Tool, values: Json, *, key: str, dry_run: bool) -> Response:
    """Calls the operation of the tool with the arguments where its route takes them."""
    route, fields = _route(tool.operation), _arguments(tool)
    in_query = input_fields(route.query)
    by_field = {fields[name]: value for name, value in values.items() if fields[name]} | dict(tool.fixed)
    query = {name: _query_text(value) for name, value in by_field.items() if name in in_query}
    body = {name: value for name, value in by_field.items() if name not in in_query}
    if dry_run and tool.dry_check:
        check = _read(tool.dry_check, tool, values)
        if check.status_code >= 400:
            return check
    return inner_calls.call(
        _endpoint(tool.operation),
        _path(tool, values),
        query=query,
        body=None if route.method == "GET" else body,
        idempotency_key=key,
        dry_run=dry_run,
    )


def _read(operation: str, tool: Tool, values: Json) -> Response:
    """The response of a further reading operation on the same path. A list has up to 200 rows."""
    query = {"limit": "200"} if "limit" in input_fields(_route(operation).query) else {}
    return inner_calls.call(_endpoint(operation), _path(tool, values), query=query)


def _path(tool: Tool, values: Json) -> dict[str, str]:
    return {**{name: values[name] for name, field in _arguments(tool).items() if not field}, **tool.path}


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, list | dict) for one in value))


def _query_text(value: Any) -> str:
    """A value as a query string has it."""
    if isinstance(value, list):
        return ",".join(_query_text(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _success(tool: Tool, values: Json, response: Response, *, cursor: str, dry_run: bool) -> Json:
    body = orjson.loads(response.get_data())
    data = results.only_fields(body["data"], tool.shows)
    for part, operation in tool.also.items():
        further = _read(operation, tool, values)
        if further.status_code >= 400:
            return _failure(further, {})
        data = {**data, part: orjson.loads(further.get_data())["data"]}
    message = body["message"]
    if "total" in body and body["offset"] + len(data) < body["total"]:
        message += f" These are {body['offset'] + 1} to {body['offset'] + len(data)}."
    if dry_run:
        message = f"Dry run: nothing was changed. {'The answer would be: ' if data else ''}{message}"
    if "Idempotent-Replay" in response.headers:
        message += " This was done before with this client_reference; nothing was done again."
    return results.success(message, data, cursor=cursor, can_go_on=_route(tool.operation).reads)


def _failure(response: Response, arguments_by_field: dict[str, str]) -> Json:
    return results.failure(orjson.loads(response.get_data()), dict(response.headers), arguments_by_field)


def tool_named(name: str) -> Tool | None:
    """The tool of that name."""
    return BY_NAME.get(name)
