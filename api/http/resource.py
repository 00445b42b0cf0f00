"""How a route is declared: one call names its path, operation, permission, input and output, for the gate and both specs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, g, request
from flask_smorest import Blueprint
from marshmallow import Schema

from api.http import gate
from api.http.parsing import Parser
from api.http.rate_limits import PublicRateLimit
from api.http.schemas import envelope, listing
from core.permissions import Permission

View = Callable[..., Any]  # gives an Answer, or a Response of its own where `downloads` declares one
Way = Callable[[dict[str, Any]], Response]
ERRORS = {
    400: "The request cannot be used; data.errors says why.",
    401: "No valid credentials.",
    403: "This role may not.",
    404: "No such thing for this caller.",
    409: "Not allowed in this state.",
    412: "The named version is stale.",
    429: "Too many requests or wrong tries; try again after Retry-After seconds.",
    503: "Something this needs is down; try again after Retry-After seconds.",
}


class Resource(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint whose routes are declared in one call each."""

    ARGUMENTS_PARSER = Parser()

    def operation(
        self,
        method: str,
        rule: str,
        name: str,
        *,
        permission: Permission,
        response: type[Schema],
        many: bool = False,
        status: int = 200,
        body: type[Schema] | None = None,
        query: type[Schema] | None = None,
        manages_transactions: bool = False,
        secret: bool = False,
        before: Callable[[Any], None] | None = None,
        after: Callable[..., Response] | None = None,
        max_body: int = gate.MAX_BODY,
        limit: PublicRateLimit | None = None,
        media: dict[str, Any] | None = None,
        downloads: dict[str, Any] | None = None,
    ) -> Callable[[View], View]:
        """Declares a view.

        The view is called with an open Desk first (unless `own_units`: it opens its own), its path parameters, then `body`
        and `query` as loaded. Its docstring's first line is the summary, the rest the description. `before` gets the body
        before the unit of work begins, in which others would wait; `after` gets the response when everything is committed,
        and may wait. `secret`: the answer holds one and is never stored. A route that
        is PUBLIC and takes a body opens its own units of work, and has a `limit`. `media` describes a body that is not a JSON
        object of `body`: for each media type its OpenAPI schema; the view reads it itself. `downloads` describes files in the
        same words that the view may give back as a Response of its own.
        """

        def declare(view: View) -> View:
            body_schema = body() if body else None
            query_schema = query() if query else None
            way = _way(
                method,
                view,
                public=permission is Permission.PUBLIC,
                manages_transactions=manages_transactions,
                secret=secret,
                before=before,
                after=after,
            )
            handler: Any = _handler(way, body=body_schema, query=query_schema)
            handler.permission = permission
            handler.takes_query = query is not None
            handler.max_body = max_body
            handler.limit = limit
            answer = (listing if many else envelope)(response)
            handler._apidoc = self._documented(view, name, answer, status=status, json=body_schema, query=query_schema)
            if media:
                content = {kind: {"schema": schema} for kind, schema in media.items()}
                handler._apidoc["manual_doc"]["requestBody"] = {"required": True, "content": content}
            if downloads:
                content = {kind: {"schema": schema} for kind, schema in downloads.items()}
                handler._apidoc["manual_doc"]["responses"] = {status: {"content": content}}
            self.route(rule, methods=[method], endpoint=name)(handler)
            return view

        return declare

    def public(self, rule: str, name: str, *, response: type[Schema]) -> Callable[[Callable[[], Response]], Any]:
        """A route that needs no credentials, no desk and no input."""

        def declare(view: Callable[[], Response]) -> Any:
            handler: Any = wraps(view, assigned=("__name__", "__module__"))(lambda: view())
            handler.permission = Permission.PUBLIC
            handler._apidoc = self._documented(view, name, envelope(response), status=200)
            self.route(rule, methods=["GET"], endpoint=name)(handler)
            return view

        return declare

    def get(self, rule: str, name: str, **kwargs: Any) -> Callable[[View], View]:
        """A route that only reads."""
        return self.operation("GET", rule, name, **kwargs)

    def post(self, rule: str, name: str, **kwargs: Any) -> Callable[[View], View]:
        """A route that does something; safe to repeat with an Idempotency-Key."""
        return self.operation("POST", rule, name, **kwargs)

    def put(self, rule: str, name: str, **kwargs: Any) -> Callable[[View], View]:
        """A route that changes a thing, whole or in part."""
        return self.operation("PUT", rule, name, **kwargs)

    def patch(self, rule: str, name: str, **kwargs: Any) -> Callable[[View], View]:
        """A route that changes a thing in part."""
        return self.operation("PATCH", rule, name, **kwargs)

    def delete(self, rule: str, name: str, **kwargs: Any) -> Callable[[View], View]:
        """A route that removes a thing."""
        return self.operation("DELETE", rule, name, **kwargs)

    def _documented(
        self, view: Any, name: str, answer: type[Schema], *, status: int, **inputs: Schema | None
    ) -> dict[str, Any]:
        """What flask-smorest's decorators note for the specs, without their layers around every call."""

        def noted(**_: Any) -> None:
            """Stands for the view while its documentation is collected."""

        summary, _, description = (view.__doc__ or name).strip().partition("\n")
        documented: Any = noted
        for location, schema in inputs.items():
            if schema is not None:
                documented = self.arguments(schema, location=location, arg_name=location)(documented)
        documented = self.response(status, answer)(documented)
        for code, text in ERRORS.items():
            documented = self.alt_response(code, description=text, success=False)(documented)
        words = " ".join(description.split()) or summary
        documented = self.doc(operationId=name, summary=summary.rstrip("."), description=words)(documented)
        noted_down: dict[str, Any] = documented._apidoc
        return noted_down


def _handler(way: Way, *, body: Schema | None, query: Schema | None) -> Callable[..., Response]:
    """Reads what was sent, then goes the route's way."""
    parser = Resource.ARGUMENTS_PARSER

    def handler(**path: Any) -> Response:
        values = dict(path)
        if query:
            values["query"] = parser.parse(query, request, location="query")
        if body:
            values["body"] = parser.parse(body, request, location="json")
        return way(values)

    return handler


def _way(
    method: str,
    view: View,
    *,
    public: bool,
    manages_transactions: bool,
    secret: bool,
    before: Callable[[Any], None] | None,
    after: Callable[..., Response] | None,
) -> Way:
    """How a view is run: reading, in the request's unit of work, or in units of its own."""
    if method == "GET":
        if manages_transactions or public:
            return lambda values: gate.in_own_units(lambda: view(**values), key="")
        return lambda values: gate.read_only(lambda uow: view(uow, **values))

    def write(values: dict[str, Any]) -> Response:
        key = gate.idempotency_key(values.get("body")) if method == "POST" else ""
        if public:
            return gate.in_own_units(lambda: view(**values), key="")  # nobody's key could be told from another's
        if manages_transactions:
            return gate.in_own_units(lambda: view(**values), key=key)
        if before:
            before(values["body"])
        response = gate.in_one_unit(lambda uow: view(uow, **values), key=key, secret=secret)
        return after(response, key=key, **values) if after else response

    return write


def current_echo() -> dict[str, Any]:
    """Read-only fields the caller sent back with a thing."""
    return dict(g.get("echo", {}))
