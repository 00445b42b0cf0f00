"""Calls another route within a request: the same gate, view and error handlers, without HTTP.

The outer request has authenticated and counted its caller. The gate decides about the inner call as about any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from flask import Flask, Request, Response, current_app, g, request
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder

from core.errors import not_found
from core.models import Actor

_KEY = "foyer.inner_call"  # of the WSGI environment; a client sets only HTTP_ keys there
# Of the outer request, which the inner one has too: who calls for whom, and from where.
_SHARED = ("HTTP_X_ON_BEHALF_OF", "HTTP_HOST", "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme")


@dataclass(frozen=True, slots=True)
class InnerCall:
    """What the gate knows of an inner call: whose credentials it has, and whether its changes are rolled back."""

    credential: Actor
    request_id: str
    dry_run: bool


def current(sent: Request = request) -> InnerCall | None:
    """The inner call that is being served, None in a request of a client."""
    return cast(InnerCall | None, sent.environ.get(_KEY))


def is_dry_run() -> bool:
    """Whether the changes of this request are rolled back."""
    call = current()
    return call is not None and call.dry_run


def call(
    endpoint: str,
    values: Mapping[str, str],
    *,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    idempotency_key: str = "",
    dry_run: bool = False,
) -> Response:
    """The response of a route to the caller of this request. Raises AppError 404 for values that make another path."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    inner = InnerCall(g.credential, g.request_id, dry_run)
    environ = _environ(app, endpoint, values, query, body, idempotency_key) | {_KEY: inner}
    with app.app_context(), app.request_context(environ) as context:  # a context of its own, with its own `g`
        inner_request = context.request
        if inner_request.endpoint != endpoint or inner_request.view_args != dict(values):
            raise not_found()
        return app.full_dispatch_request()


def _environ(
    app: Flask,
    endpoint: str,
    values: Mapping[str, str],
    query: Mapping[str, str] | None,
    body: Mapping[str, Any] | None,
    idempotency_key: str,
) -> dict[str, Any]:
    rule: Rule = next(app.url_map.iter_rules(endpoint))
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    overrides = {name: request.environ[name] for name in _SHARED if name in request.environ}
    if idempotency_key:
        overrides["HTTP_IDEMPOTENCY_KEY"] = idempotency_key.encode().decode("latin-1")  # as WSGI has UTF-8
    builder = EnvironBuilder(
        app.url_map.bind("localhost").build(endpoint, dict(values), method),
        query_string=dict(query or {}),
        method=method,
        data=None if body is None else orjson.dumps(body),
        content_type=None if body is None else "application/json",
        environ_overrides=overrides,
    )
    try:
        return builder.get_environ()
    finally:
        builder.close()
