"""Holds a response to what /openapi.json says about its route: a documented status, the schema, and no key besides."""

import re
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.exceptions import HTTPException

from api.specs.pages import openapi

URL = "http://localhost"


def rule_of(app: Any, method: str, path: str) -> str | None:
    """The rule of the route that serves this path, None when no route does."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path.partition("?")[0], method=method, return_rule=True)
    except HTTPException:
        return None
    return str(rule.rule)


def openapi_path(rule: str) -> str:
    """Flask's /api/tickets/<ticket_id> as the specs write it: /api/tickets/{ticket_id}."""
    return re.sub(r"<(?:[^:>]*:)?([^>]+)>", r"{\1}", rule)


def check_response(app: Any, response: Any, method: str, rule: str) -> None:
    """Fails when the response of this route is not as documented; `rule` is Flask's, like /api/tickets/<ticket_id>."""
    document = openapi(URL, dialects=app.extensions["runtime"].settings.dialect_list)
    path = openapi_path(rule)
    responses = document["paths"][path][method.lower()]["responses"]
    described = responses.get(str(response.status_code))
    # A status that is not listed is at least an error in the common form.
    assert described or response.status_code >= 400, f"{method} {path} answers {response.status_code}, not documented"
    content = (described or responses["default"]).get("content", {})
    assert response.mimetype in content, f"{method} {path} answers {response.mimetype}, not {list(content)}"
    if response.mimetype == "application/json":
        problems = [f"{error.json_path}: {error.message}" for error in _problems(document, content, response.json)]
        assert not problems, f"{method} {path} {response.status_code}: {problems}"


def _problems(document: Any, content: Any, body: Any) -> Any:
    schema = closed(document, content["application/json"]["schema"])
    return Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(body)


def closed(document: Any, schema: Any) -> Any:
    """The schema with every reference resolved and every object with properties closed to others."""
    if "$ref" in schema:
        place = document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            place = place[name]
        return closed(document, place)
    if "allOf" in schema:
        assert len(schema["allOf"]) == 1, "only a described reference is expected here"
        return closed(document, schema["allOf"][0])
    made = dict(schema)
    if made.pop("nullable", False):
        made["type"] = [made["type"], "null"]
    if "properties" in made:
        made["properties"] = {name: closed(document, inner) for name, inner in made["properties"].items()}
        made["additionalProperties"] = False
    if "items" in made:
        made["items"] = closed(document, made["items"])
    return made


def is_navigation(app: Any, rule: Any) -> bool:
    """Whether browsers go to the route and are redirected, so that no description of the API has it."""
    return bool(getattr(app.view_functions[rule.endpoint], "is_navigation", False))
