"""The cookie that keeps a browser signed in. No script reads it, no other site sends it, and only /api/auth gets it.

It counts only with the header X-Requested-With: a form cannot send it, and another origin needs leave for it (CORS). A header
Origin, if there is one, must name this server. So a page of another site can neither set nor use the cookie.
"""

from urllib.parse import urlsplit

from flask import request
from werkzeug.http import dump_cookie

from services.accounts.sessions import REMEMBER_SECONDS

NAME = "foyer_refresh"


def value() -> str:
    """The refresh token in the request's cookie, "" without one."""
    return request.cookies.get(NAME, "")[:4000]


def is_own_page(public_url: str) -> bool:
    """Whether a page of this server sent the request, by headers that a page of another site cannot send."""
    if not request.headers.get("X-Requested-With"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    if public_url.startswith("https:") and parts.scheme != "https":
        return False  # whoever is on the way may have written that page
    return parts.netloc in {request.host, urlsplit(public_url).netloc} - {""}


def holding(token: str, public_url: str) -> str:
    """The header that puts a refresh token into the cookie."""
    return _header(token, public_url, max_age=REMEMBER_SECONDS)


def removal(public_url: str) -> str:
    """The header that removes the cookie."""
    return _header("", public_url, max_age=0)


def _header(token: str, public_url: str, *, max_age: int) -> str:
    folder = urlsplit(public_url).path.rstrip("/") if public_url else request.script_root
    secure = request.is_secure or public_url.startswith("https:")
    return dump_cookie(
        NAME, token, max_age=max_age, path=f"{folder}/api/auth", secure=secure, httponly=True, samesite="Strict"
    )
