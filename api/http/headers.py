"""Security and rate-limit headers of every response.

api/routes.py configures CORS.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Request, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
]
# A mark, which is not sent: api/chat_page.py sets it where other sites may show the chat. Then no DENY is added, and the
# frame-ancestors of its policy name those sites.
BY_POLICY = ("X-Frame-Options", "by policy")
FOR_FRAMES = [header for header in ALWAYS if header[0] != BY_POLICY[0]]
# For JSON; HTML pages set their own (web/pages.py).
DEFAULTS = [
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
]
OVER_HTTPS = [("Strict-Transport-Security", "max-age=31536000")]
_OF_REQUEST = "foyer.headers"  # of the WSGI environment; a client sets only HTTP_ keys there


class Protected:
    """WSGI middleware that adds the headers to every response, errors included.

    As middleware it takes a tenth of the time: headers are a plain list there.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            names = {name for name, _ in headers}
            of_request = environ.get(_OF_REQUEST, {})
            defaults = [header for header in DEFAULTS if header[0] not in names]
            secure = OVER_HTTPS if environ["wsgi.url_scheme"] == "https" else []
            always = FOR_FRAMES if BY_POLICY in headers else ALWAYS
            headers = [header for header in headers if header != BY_POLICY and header[0] not in of_request]
            return start_response(status, [*headers, *of_request.items(), *always, *defaults, *secure], *exc_info)

        return self._app(environ, start)


def put_on(headers: Mapping[str, str], sent: Request = request) -> None:
    """Adds headers to the response of this request, whatever it will be: the request id, the remaining rate limit."""
    sent.environ.setdefault(_OF_REQUEST, {}).update(headers)
