"""What the server itself answers when a request never reaches the app: the envelope of the API, never HTML."""

import logging
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.util import http_date
from uuid_utils import uuid7

log = logging.getLogger("gunicorn.error")

MESSAGES = {
    400: "The request is not valid HTTP.",
    403: "The request was refused.",
    408: "The request took too long to arrive. Send it again.",
    414: "The address of the request is too long (at most about 64,000 bytes).",
    417: "The header Expect takes 100-continue and nothing else.",
    431: "The headers of the request are too large (at most 100 of them, 32 KiB each and 64 KiB together).",
    500: "Internal error. Please try again; if it happens again, report data.request_id.",
    501: "The header Transfer-Encoding takes chunked and nothing else.",
    503: "The server is busy with large uploads. Try again in a moment.",
}
# Elsewhere the name of the status; that of 414 is not the same in every Python.
CODES = {400: "bad_request", 414: "uri_too_long", 500: "internal_error", 503: "unavailable"}


def response(status: int) -> bytes:
    """A complete HTTP response, after which the connection is closed."""
    phrase, request_id = HTTPStatus(status).phrase, str(uuid7())
    data: dict[str, Any] = {"code": CODES.get(status, phrase.lower().replace(" ", "_").replace("-", "_")), "errors": []}
    if status == 500:
        data["request_id"] = request_id
        log.error("request %s failed", request_id)
    message = MESSAGES.get(status, f"{phrase}.")
    body = orjson.dumps({"success": False, "message": message, "data": data}, option=orjson.OPT_APPEND_NEWLINE)
    head = [
        f"HTTP/1.1 {status} {phrase}",
        f"Date: {http_date()}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        *(["Retry-After: 10"] if status == 503 else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """In place of gunicorn's function of this name, which writes HTML. `reason` and `mesg` may hold what the caller sent."""
    sock.sendall(response(status_int))
