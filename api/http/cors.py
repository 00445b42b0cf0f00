"""CORS, by flask-cors. It puts the same headers on each plain answer to one origin, so they are made once."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_cors import CORS

API, ALLOWED = "/api/", "Access-Control-Allow-Origin"
MOST_ORIGINS = 100  # whose headers are kept
_ASKED = ("HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK")  # all that decides, at one path


def install(app: Flask, **options: Any) -> None:
    """Answers cross-origin requests as the options of flask-cors say. Error handlers make responses like any other."""
    CORS(app, intercept_exceptions=False, **options)
    evaluate = app.after_request_funcs[None].pop()
    headers: dict[tuple[str | None, ...], list[tuple[str, str]]] = {}

    def put_on(response: Response) -> Any:
        environ = request.environ
        is_set = ALLOWED in [name for name, _ in response.headers]
        if is_set or environ["REQUEST_METHOD"] == "OPTIONS" or not environ["PATH_INFO"].startswith(API):
            return evaluate(response)
        asked = tuple([environ.get(name) for name in _ASKED])
        if (added := headers.get(asked)) is None:
            added = _added_by(evaluate)
            if len(headers) >= MOST_ORIGINS:
                headers.clear()
            headers[asked] = added
        for name, value in added:
            response.headers.add(name, value)
        return response

    app.after_request(put_on)


def _added_by(evaluate: Callable[[Response], Any]) -> list[tuple[str, str]]:
    blank = Response()
    blank.headers.clear()
    return list(evaluate(blank).headers)
