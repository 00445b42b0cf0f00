"""Declares routes: one call names a route's path, permission, input and output, for the gate and both API descriptions."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, g, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from api.http import gate, inner_calls
from api.http.parsing import load_body, load_query
from api.http.rate_limits import PublicRateLimit
from api.http.schemas import envelope, listing
from core.errors import read_only
from core.permissions import Permission

ANY_MEDIA = "*/*"  # of a download whose type is that of the file
View = Callable[..., Any]  # returns an Answer, or a Response where the route declares `downloads`
RunView = Callable[[dict[str, Any]], Response]
REPEATABLE = ("POST", "PATCH")  # methods that take an idempotency key
ERRORS = {
    400: "The request is invalid; see data.errors.",
    401: "No valid credentials.",
    403: "Your role does not allow this.",
    404: "Not found, or not visible to you.",
    409: "Not possible in the current state.",
    412: "The version you sent is out of date.",
    429: "Too many requests or failed attempts; try again after Retry-After seconds.",
    503: "A required service is unavailable; try again after Retry-After seconds.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One route. `media` and `downloads` map media types to OpenAPI schemas."""

    method: str
    path: str
    operation_id: str
    permission: Permission
    response: type[Schema] | None = None  # None where the answer is always a file
    many: bool = False  # the response is a page of a list
    status: int = 200
    body: type[Schema] | None = None  # schema of a JSON body
    query: type[Schema] | None = None
    manages_transactions: bool = False  # the view opens its own units of work
    only_reads: bool = False  # a POST that changes nothing, which keys with the scope read_only may call
    by_link: bool = False  # without credentials the body holds the token of a mailed link; g.actor is None then
    guests: str = ""  # how often guests of the chat may call it from one address; "" closes it to them
    secret: bool = False  # the response holds a secret and is never stored
    without_second_factor: bool = False  # open to people who must set up a second factor first
    before: Callable[[Any], None] | None = None  # gets the body before the unit of work begins, may be slow
    after: Callable[..., Response] | None = None  # gets the response after the commit, may wait
    max_body: int = gate.MAX_BODY  # bytes
    limit: PublicRateLimit | None = None  # required for routes that take a body without credentials
    media: dict[str, Any] | None = None  # a body other than JSON by `body`; the view reads it itself
    downloads: dict[str, Any] | None = None  # files the view may return instead of JSON

    @property
    def is_public(self) -> bool:
        return self.permission is Permission.PUBLIC

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET" or self.only_reads


class _DescribedParser(FlaskParser):
    """What flask-smorest describes of invalid inputs. It parses none: api/http/parsing.py does."""

    DEFAULT_VALIDATION_STATUS = 400


class Resource(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint whose routes are declared in one call each; `options` are the fields of Route.

    A view gets an open UnitOfWork, its path parameters, then `body` and `query` as loaded. It gets no UnitOfWork when the
    route is public or `manages_transactions`. The first line of its docstring is the summary, the rest the description.
    """

    ARGUMENTS_PARSER = _DescribedParser()
    errors = ERRORS
    error_schema: dict[str, Any] | None = None  # OpenAPI schema of an error that is not in the envelope

    def get(self, path: str, operation_id: str, **options: Any) -> Callable[[View], View]:
        """A route that only reads."""
        return self._declare(Route(method="GET", path=path, operation_id=operation_id, **options))

    def post(self, path: str, operation_id: str, **options: Any) -> Callable[[View], View]:
        """A route that acts; safe to repeat with an Idempotency-Key."""
        return self._declare(Route(method="POST", path=path, operation_id=operation_id, **options))

    def put(self, path: str, operation_id: str, **options: Any) -> Callable[[View], View]:
        """A route that updates a record."""
        return self._declare(Route(method="PUT", path=path, operation_id=operation_id, **options))

    def patch(self, path: str, operation_id: str, **options: Any) -> Callable[[View], View]:
        """A route that updates a record in part; safe to repeat with an Idempotency-Key."""
        return self._declare(Route(method="PATCH", path=path, operation_id=operation_id, **options))

    def delete(self, path: str, operation_id: str, **options: Any) -> Callable[[View], View]:
        """A route that deletes a record."""
        return self._declare(Route(method="DELETE", path=path, operation_id=operation_id, **options))

    def public(
        self, path: str, operation_id: str, *, response: type[Schema]
    ) -> Callable[[Callable[[], Response]], Callable[[], Response]]:
        """A route that needs no credentials, no unit of work and no input."""
        route = Route(
            method="GET", path=path, operation_id=operation_id, permission=Permission.PUBLIC, response=response
        )

        def declare(view: Callable[[], Response]) -> Callable[[], Response]:
            handler: Any = wraps(view, assigned=("__name__", "__module__"))(lambda: view())
            self._add(route, view, handler)
            return view

        return declare

    def _declare(self, route: Route) -> Callable[[View], View]:
        def declare(view: View) -> View:
            body = route.body() if route.body else None
            query = route.query() if route.query else None
            handler: Any = _handler(_run_view(route, view), body=body, query=query)
            handler.takes_query = query is not None or bool(getattr(body, "FILE_TYPES", ()))
            handler.max_body = route.max_body
            handler.limit = route.limit
            handler.by_link = route.by_link
            handler.guests = route.guests
            handler.without_second_factor = route.without_second_factor
            self._add(route, view, handler, json=body, query=query)
            return view

        return declare

    def _add(self, route: Route, view: View, handler: Any, **inputs: Schema | None) -> None:
        handler.permission = route.permission
        handler.reads = route.reads
        handler.route = route
        handler.error_schema = self.error_schema
        handler._apidoc = self._documentation(route, view, **inputs)
        self.route(route.path, methods=[route.method], endpoint=route.operation_id)(handler)

    def _answer_schema(self, schema: type[Schema], *, many: bool) -> Any:
        """What the API descriptions say of an answer that is no error."""
        return (listing if many else envelope)(schema)

    def _documentation(self, route: Route, view: View, **inputs: Schema | None) -> dict[str, Any]:
        """What flask-smorest's decorators record for the API descriptions, without their cost on every call."""

        def stub(**_: Any) -> None:
            """Stands for the view while its documentation is collected."""

        summary, _, description = (view.__doc__ or route.operation_id).strip().partition("\n")
        details = " ".join(description.split()) or summary
        # Each decorator copies what the ones before it recorded, so the schemas, which are large, come last.
        note = self.doc(operationId=route.operation_id, summary=summary.rstrip("."), description=details)
        documented: Any = note(stub)
        if route.response:
            documented = self.response(route.status, self._answer_schema(route.response, many=route.many))(documented)
        for location, schema in inputs.items():
            if schema is not None:
                documented = self.arguments(schema, location=location, arg_name=location)(documented)
        documentation: dict[str, Any] = documented._apidoc
        responses = documentation.setdefault("response", {}).setdefault("responses", {})
        responses |= {code: [{"description": text, "content_type": None}] for code, text in self.errors.items()}
        if route.media:
            documentation["manual_doc"]["requestBody"] = {"required": True, "content": _content(route.media)}
        if route.downloads:
            answer = {"content": _content(route.downloads), **({} if route.response else {"description": "The file."})}
            documentation["manual_doc"]["responses"] = {route.status: answer}
        return documentation


def _content(media: dict[str, Any]) -> dict[str, Any]:
    return {media_type: {"schema": schema} for media_type, schema in media.items()}


def _handler(run: RunView, *, body: Schema | None, query: Schema | None) -> Callable[..., Response]:
    """A Flask view: loads query and body, then runs the view."""
    no_query = _loaded_without_values(query)

    def handler(**path: Any) -> Response:
        values = dict(path)
        if no_query is not None and not request.query_string:
            values["query"] = deepcopy(no_query)
        elif query:
            values["query"] = load_query(query, request)
        if body:
            values["body"] = load_body(body, request)
        return run(values)

    return handler


def _loaded_without_values(query: Schema | None) -> dict[str, Any] | None:
    """What an empty query string loads as, the same for every request; None when it must be checked each time."""
    try:
        return dict(query.load({})) if query else None
    except (ValidationError, RuntimeError):  # a required field, or a check that looks at the request
        return None


def _run_view(route: Route, view: View) -> RunView:
    """How the view is run: read only, in one unit of work, or in its own units."""
    own_units = route.manages_transactions or route.is_public
    if route.method == "GET":
        if own_units:
            return lambda values: gate.in_own_units(lambda: view(**values), key="")
        return lambda values: gate.read_only(lambda uow: view(uow, **values))

    def write(values: dict[str, Any]) -> Response:
        key = gate.idempotency_key(values.get("body")) if route.method in REPEATABLE else ""
        if own_units:  # without credentials, keys of different callers could not be told apart
            return gate.in_own_units(lambda: view(**values), key="" if g.actor is None else key, secret=route.secret)
        if route.before:
            route.before(values["body"])
        response = gate.in_one_unit(lambda uow: view(uow, **values), key=key, secret=route.secret)
        return route.after(response, key=key, **values) if route.after and not inner_calls.is_dry_run() else response

    return write


def check_echo(current: Mapping[str, Any]) -> None:
    """Callers may send read-only fields back as they are in `current`. Raises AppError 400 for others."""
    if wrong := [name for name, value in g.get("echo", {}).items() if current.get(name) != value]:
        raise read_only(wrong)
