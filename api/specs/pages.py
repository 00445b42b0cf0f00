"""The descriptions of the API over HTTP, open to all: /openapi.json for developers, /swagger.json for low-code tools.

Each is made once per process, when first asked for; only the host in it is the caller's.
"""

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from api.specs.connector import connector_document
from api.specs.declarations import Json
from api.specs.openapi import openapi_document
from core.permissions import Permission

blp = Blueprint("specs", __name__)

_openapi = cache(openapi_document)
_connector = cache(connector_document)


def openapi(url: str, *, dialects: tuple[str, ...] = ()) -> Json:
    """The OpenAPI 3 document of the server at this address, which speaks these dialects."""
    return {**_openapi(dialects), "servers": [{"url": url}]}


def connector(host: str) -> Json:
    """The Swagger 2.0 document of the server at this host."""
    return {**_connector(), "host": host}


def serialized(document: Json) -> bytes:
    """A document as the bytes of its file: readable, and the same on every run."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _public(view: Any) -> Any:
    view.permission = Permission.PUBLIC
    return view


def _json_response(document: Json) -> Response:
    response = Response(serialized(document), mimetype="application/json")
    # Tools in browsers import a description by its address; there is nothing secret in it.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blp.get("/openapi.json")
@_public
def openapi_json() -> Response:
    """OpenAPI 3.0."""
    dialects = current_app.extensions["runtime"].settings.dialect_list
    return _json_response(openapi(request.host_url.rstrip("/"), dialects=dialects))


@blp.get("/swagger.json")
@_public
def swagger_json() -> Response:
    """Swagger 2.0, as Power Platform imports it."""
    return _json_response(connector(request.host))
