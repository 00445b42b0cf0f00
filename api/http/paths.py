"""Customer names in a path: an id may hold `/` or `%`, which WSGI servers decode before routing.

`EncodedNames` keeps these two encoded in PATH_INFO; the converter `name` decodes them after routing.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from werkzeug.routing import PathConverter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/customers/"
_KEPT = re.compile("%(2f|25)", re.IGNORECASE)


class EncodedNames:
    """WSGI middleware: below PREFIX, `%2F` and `%25` of the request line stay as they are in PATH_INFO."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(PREFIX):
            raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
            _, prefix, name = raw.partition(PREFIX)
            if prefix and _KEPT.search(name):
                encoded_name = _KEPT.sub(lambda match: f"%25{match[1].upper()}", name)
                environ["PATH_INFO"] = PREFIX + unquote_to_bytes(encoded_name).decode("latin-1")
        return self._app(environ, start_response)


class Name(PathConverter):
    """An e-mail address or an id, of any characters; one that ends in /export must encode the slash."""

    regex = r"[^/].*?(?<!/export)"

    def to_python(self, value: str) -> str:
        return _KEPT.sub(lambda match: "/" if match[1].upper() == "2F" else "%", value)
