"""Installs the API in a Flask app: routes, gate, error handlers and CORS."""

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from importlib import import_module
from typing import Any

from flask import Flask, Response, g, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api import (
    ai_quality,
    ai_response,
    ai_usage,
    attachments,
    audit,
    auth,
    auth_mail,
    auth_options,
    bulk,
    chat,
    companies,
    copilot,
    csat,
    customers,
    demo,
    events,
    exports,
    health,
    import_records,
    imports,
    inbound,
    incidents,
    invitations,
    jobs,
    keys,
    knowledge,
    knowledge_answers,
    knowledge_gaps,
    knowledge_imports,
    links,
    lookups,
    macros,
    me,
    merging,
    notices,
    oidc_sign_in,
    presence,
    replies,
    routing,
    second_factor,
    sessions,
    settings,
    snooze,
    solving,
    stats,
    teams,
    tickets,
    tombstones,
    topics,
    transfers,
    triage,
    triggers,
    users,
    views,
    watchers,
    webhooks,
)
from api.http import cors, gate, parsing, paths
from api.http.envelope import render_error
from core.errors import AppError, bad_request, not_found
from core.version import VERSION
from storage import StorageError

log = logging.getLogger("foyer.api")

RESOURCES = [
    tickets,
    replies,
    attachments,
    ai_response,
    customers,
    lookups,
    triggers,
    triage,
    topics,
    ai_quality,
    ai_usage,
    settings,
    health,
    imports,
    import_records,
    incidents,
    demo,
    stats,
    auth,
    auth_options,
    second_factor,
    oidc_sign_in,
    auth_mail,
    invitations,
    sessions,
    companies,
    me,
    notices,
    users,
    audit,
    jobs,
    exports,
    tombstones,
    transfers,
    keys,
    knowledge,
    knowledge_answers,
    knowledge_imports,
    chat,
    bulk,
    macros,
    views,
    copilot,
    csat,
    solving,
    knowledge_gaps,
    merging,
    links,
    snooze,
    watchers,
    presence,
    teams,
    routing,
    inbound,
    webhooks,
    events,
]
MAX_FORM_PARTS = 1000
EXPOSED = "ETag Location X-Request-ID Retry-After Idempotent-Replay X-RateLimit-Limit X-RateLimit-Remaining".split()


def load_dialects(names: Sequence[str]) -> list[Any]:
    """The modules of the dialects with these names. Nothing of a dialect is loaded that is not named."""
    return [import_module(f"api.dialects.{name}") for name in names]


def install(app: Flask, *, cors_origins: list[str], dialects: Sequence[str] = ()) -> None:
    """Installs the whole API in `app`, without its description, which would double the start time."""
    dialect_blueprints = [module.blp for module in load_dialects(dialects)]
    error_forms = {path: blp.error_form for blp in dialect_blueprints for path in blp.paths}
    app.config.update(MAX_FORM_MEMORY_SIZE=gate.MAX_BODY, MAX_FORM_PARTS=MAX_FORM_PARTS)
    app.url_map.merge_slashes = False  # a redirect would be an HTML page
    app.url_map.converters["name"] = paths.Name
    for blp in [resource.blp for resource in RESOURCES] + dialect_blueprints:
        app.register_blueprint(blp)
    app.extensions["error_forms"] = error_forms
    app.register_blueprint(oidc_sign_in.navigation)
    gate.guard(app)
    app.wsgi_app = paths.EncodedNames(app.wsgi_app)  # type: ignore[method-assign]
    app.register_error_handler(AppError, render_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    addresses = [r"/api/.*", *(f"{path}(?:/.*)?$" for path in error_forms)]
    resources: dict[str | re.Pattern[str], dict[str, Any]] = {
        address: {"origins": cors_origins} for address in addresses
    }
    if named_origins := [origin for origin in cors_origins if origin != "*"]:
        resources["/mcp"] = {"origins": named_origins}
    exposed = EXPOSED + (["X-Total-Count"] if dialects else [])
    cors.install(app, resources=resources, expose_headers=exposed, supports_credentials=False)


def describe(app: Flask, *, openapi: str, dialects: Sequence[str] = ()) -> Api:
    """Adds the routes to an app that only describes them; the result holds the spec."""
    app.config.update(API_TITLE="Foyer", API_VERSION=VERSION, OPENAPI_VERSION=openapi)
    app.url_map.converters["name"] = paths.Name
    api = Api(app)
    for module in [*RESOURCES, *load_dialects(dialects)]:
        api.register_blueprint(module.blp)
    return api


def _http_error(error: HTTPException) -> Response:
    """Errors of Flask and Werkzeug, in the form of the API."""
    status = error.code or 500
    if status == 404:
        answer = not_found()
    elif isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted(error.valid_methods or ()))
        answer = AppError(f"Use one of: {methods}.", "method_not_allowed", 405, headers={"Allow": methods})
    elif status == 413:
        answer = parsing.which_limit(request)
    elif status == 400:
        answer = bad_request("bad_request", "The request cannot be read.")
    else:
        phrase = HTTPStatus(status).phrase
        answer = AppError(f"{phrase}.", phrase.lower().replace(" ", "_"), status)
    return render_error(answer)


def _unexpected(error: Exception) -> Response:
    """Unexpected errors: details go to the log, a sentence to the caller."""
    if isinstance(error, StorageError):
        log.error("%s", error)
        return render_error(
            AppError("The data store cannot be opened.", "unavailable", 503, headers={"Retry-After": "10"})
        )
    log.error("request %s failed", g.get("request_id", ""), exc_info=error)
    return render_error(
        AppError(
            "Internal error. Please try again; if it happens again, report data.request_id.", "internal_error", 500
        )
    )
