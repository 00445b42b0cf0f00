"""The headers every answer carries, whatever it is: what a browser may do with it, and how often its caller may call.

CORS is not here: api/routes.py says which sites may call.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response, g

from api.http import rate_limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
]
# For data, which is nearly everything; a page says its own (web/pages.py).
UNLESS_SAID = [
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
]
OVER_HTTPS = [("Strict-Transport-Security", "max-age=31536000")]


class Protected:
    """A WSGI application whose answers all carry the headers, those of its own faults too.

    Around the app and not in it, because there headers are a plain list: a tenth of the time.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            said = {name for name, _ in headers}
            unsaid = [header for header in UNLESS_SAID if header[0] not in said]
            secure = OVER_HTTPS if environ["wsgi.url_scheme"] == "https" else []
            return start_response(status, headers + ALWAYS + unsaid + secure, *exc_info)

        return self._app(environ, start)


def put_on(response: Response) -> Response:
    """Adds what is known of this request: its id, and what is left of its caller's limit."""
    response.headers["X-Request-ID"] = g.get("request_id", "")
    for name, value in rate_limits.headers():
        response.headers[name] = value
    return response
