"""Every room of the API by name, put into an app: routes, gate, errors, CORS and specs."""

import logging
from http import HTTPStatus

from flask import Flask, Response, g, request
from flask_cors import CORS
from flask_smorest import Api
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api import (
    ai,
    answers,
    audit,
    auth,
    companies,
    customers,
    demo,
    exports,
    gate,
    health,
    imports,
    jobs,
    keys,
    lookups,
    me,
    parsing,
    replies,
    settings,
    stats,
    tickets,
    topics,
    triage,
    triggers,
    users,
)
from api.envelope import render_error
from errors import AppError, bad_request, not_found
from storage import StorageError
from version import VERSION

log = logging.getLogger("foyer.api")

NOUNS = [
    tickets,
    replies,
    answers,
    customers,
    lookups,
    triggers,
    triage,
    topics,
    ai,
    settings,
    health,
    imports,
    demo,
    stats,
    auth,
    companies,
    me,
    users,
    audit,
    jobs,
    exports,
    keys,
]
MAX_FORM_PARTS = 1000
EXPOSED = "ETag X-Request-ID Retry-After Idempotent-Replay X-RateLimit-Limit X-RateLimit-Remaining".split()


def install(app: Flask, *, cors_origins: list[str]) -> None:
    """Puts the whole API into `app`. Nothing is described there: that takes as long as all the rest of a start."""
    app.config.update(MAX_FORM_MEMORY_SIZE=gate.MAX_BODY, MAX_FORM_PARTS=MAX_FORM_PARTS)
    app.url_map.merge_slashes = False  # a redirect would be an HTML page
    for noun in NOUNS:
        app.register_blueprint(noun.blp)
    gate.guard(app)
    app.register_error_handler(AppError, render_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    CORS(app, resources={r"/api/.*": {"origins": cors_origins}}, expose_headers=EXPOSED, supports_credentials=False)


def describe(app: Flask, *, openapi: str) -> Api:
    """Puts the routes into an app that answers nobody; gives back the object that knows their spec."""
    app.config.update(API_TITLE="Foyer", API_VERSION=VERSION, OPENAPI_VERSION=openapi)
    api = Api(app)
    for noun in NOUNS:
        api.register_blueprint(noun.blp)
    return api


def _http_error(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse by themselves, in our form."""
    status = error.code or 500
    if status == 404:
        answer = not_found()
    elif isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        answer = AppError(f"Use one of: {allowed}.", "method_not_allowed", 405, headers={"Allow": allowed})
    elif status == 413:
        answer = parsing.which_limit(request)
    elif status == 400:
        answer = bad_request("bad_request", "The request cannot be read.")
    else:
        phrase = HTTPStatus(status).phrase
        answer = AppError(f"{phrase}.", phrase.lower().replace(" ", "_"), status)
    return render_error(answer)


def _unexpected(error: Exception) -> Response:
    """Anything nobody foresaw: the detail goes to the log, a sentence to the caller."""
    if isinstance(error, StorageError):
        log.error("%s", error)
        return render_error(
            AppError("The data store cannot be opened.", "unavailable", 503, headers={"Retry-After": "10"})
        )
    log.error("request %s failed", g.get("request_id", ""), exc_info=error)
    return render_error(AppError("Something went wrong here. Please try again.", "internal_error", 500))
