"""Renders every response as JSON with success, message and data; errors of a dialect and of /mcp in their own form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Response, current_app, g, request

from core.errors import AppError
from core.models import LIMITS

ErrorForm = Callable[[AppError], tuple[Any, int]]  # the body and the status of an error


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a view. `page` is total, limit and offset of a list."""

    data: Any
    message: str
    status: int = 200
    page: tuple[int, int, int] | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)  # a text, or a list of them for several headers of a name


def how_many(count: int, thing: str, things: str = "") -> str:
    """`1 ticket.`, `7 tickets.`"""
    return f"{count} {thing if count == 1 else things or thing + 's'}."


def render(answer: Answer | Response) -> Response:
    """The answer as a response; a download is returned as it is."""
    if isinstance(answer, Response):
        return answer
    body: dict[str, Any] = {
        "success": answer.status < 400,
        "message": _truncate(answer.message),
        "data": answer.data,
    }
    if answer.page is not None:
        body["total"], body["limit"], body["offset"] = answer.page
    return as_json(body, answer.status, answer.headers)


def if_changed(answer: Answer) -> Response:
    """The answer, or an empty 304 when its ETag is the one that the caller has (RFC 9110 §13.1.2)."""
    response = render(answer)
    response.make_conditional(request)
    return response


def _truncate(message: str) -> str:
    most = LIMITS["message"]
    return message if len(message) <= most else message[: most - 1] + "…"


def render_error(error: AppError) -> Response:
    """The response of an error: in the form of the path when it has one (a dialect, /mcp), else in the envelope."""
    form = _form_of_path()
    return enveloped(error) if form is None else as_json(*form(error), error.headers)


def enveloped(error: AppError) -> Response:
    """The response of an error in the envelope, at whatever path."""
    data: dict[str, Any] = {
        "code": error.code,
        "errors": [{"field": e.field, "message": e.message} for e in error.errors],
    }
    data.update(error.details)
    if error.current is not None:
        data["current"] = error.current
    if error.status == 500:
        data["request_id"] = g.get("request_id", "")
    return render(Answer(data, error.message, error.status, headers=error.headers))


def _form_of_path() -> ErrorForm | None:
    """The form of errors at the path of this request, None for ours. api/routes.py fills `error_forms`."""
    forms: dict[str, ErrorForm] = current_app.extensions.get("error_forms", {})
    return next((form for path, form in forms.items() if f"{request.path}/".startswith(f"{path}/")), None)


def as_json(body: Any, status: int, headers: Mapping[str, Any]) -> Response:
    """A response of one JSON value."""
    return respond(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE), status, headers)


def respond(body: bytes, status: int, headers: Mapping[str, Any]) -> Response:
    """A response of JSON bytes."""
    response = Response(body, status, content_type="application/json")
    if headers:
        response.headers.extend(headers)
    return response
