"""Requests of API Gateway as the app expects them: corrects what apig-wsgi takes from the headers of an event.

Callers can write any header. Only `requestContext` is written by API Gateway alone.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

UNTRUSTED = ("HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX")
Environ = dict[str, Any]


class Gateway:
    """A WSGI app around the app; apig-wsgi calls it."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        """Answers one event, whose `requestContext` must be of API Gateway or a function URL."""
        event = environ["apig_wsgi.full_event"]
        for name, value in environ.items():
            if name.startswith("HTTP_"):
                environ[name] = _as_wsgi(value)
        _correct_cookies(environ, event)
        _correct_path(environ, event)
        _correct_source(environ, event["requestContext"])

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, _merged(headers), *more)

        return self._app(environ, start)


def _as_wsgi(text: str) -> str:
    """A header as WSGI has it: bytes decoded as Latin-1. Events may hold any character."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode("latin-1")
    return text


def _correct_cookies(environ: Environ, event: dict[str, Any]) -> None:
    """Several cookie headers become one. In format 1.0 apig-wsgi puts commas between them, which no cookie parser knows."""
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if name.lower() == "cookie":
            environ["HTTP_COOKIE"] = _as_wsgi("; ".join(values))


def _correct_path(environ: Environ, event: dict[str, Any]) -> None:
    """The stage of the address becomes the mount point (SCRIPT_NAME), and the path is decoded as UTF-8."""
    context = event["requestContext"]
    if "http" in context:
        path, stage = event["rawPath"], f"/{context.get('stage')}"
        mount = stage if path == stage or path.startswith(f"{stage}/") else ""
        path = path.removeprefix(mount)
    else:
        path, whole = event["path"], context.get("path") or ""
        mount = whole.removesuffix(path) if whole.endswith(path) else ""
    environ["SCRIPT_NAME"] = unquote_to_bytes(mount).decode("latin-1")
    environ["PATH_INFO"] = unquote_to_bytes(path or "/").decode("latin-1")


def _correct_source(environ: Environ, context: dict[str, Any]) -> None:
    """Address and scheme of the caller, as API Gateway saw them.

    X-Forwarded-For keeps what proxies in front of API Gateway added: TRUSTED_PROXIES counts those.
    """
    source = str((context.get("http") or context.get("identity") or {}).get("sourceIp") or "")
    proxies = [address.strip() for address in environ.pop("HTTP_X_FORWARDED_FOR", "").split(",")]
    if proxies[-1] == source:
        proxies.pop()
    if any(proxies):
        environ["HTTP_X_FORWARDED_FOR"] = ", ".join(proxies)
    environ |= {
        "REMOTE_ADDR": source,
        "wsgi.url_scheme": "https",
        "SERVER_PORT": "443",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    for name in UNTRUSTED:
        environ.pop(name, None)


def _merged(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each name once, with its values in one line: an answer of format 2.0 has no place for more. Cookies stay apart."""
    merged: dict[str, tuple[str, str]] = {}
    cookies = []
    for name, value in headers:
        key = name.lower()
        if key == "set-cookie":
            cookies.append((name, value))
        else:
            merged[key] = (name, f"{merged[key][1]}, {value}" if key in merged else value)
    return [*merged.values(), *cookies]
