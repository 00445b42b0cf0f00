"""The pages people see first: what this is at /, the routes to try out at /docs, and the files both are made of.

They hold no data and need no key: whatever they show of the server, the browser asks /api for.
"""

from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, request

from core.permissions import Permission
from web.assets import build
from web.shells import SHELLS, manifest, shell

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
SWAGGER_UI = Path(
    str(resources.files("flask_swagger_ui") / "dist")
)  # the files alone: its blueprint would bring a page of its own
SWAGGER_UI_VERSION = (SWAGGER_UI / "VERSION").read_text("utf-8").strip()
SWAGGER_FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
OWN_FILES = {
    "style.css": "text/css",
    "docs.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
STRICT = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
# Swagger UI draws its arrows from data: images; its styles are set by script, which is not inline.
FOR_SWAGGER_UI = f"{STRICT}; img-src 'self' data:"
# The console builds its pages from text alone; Trusted Types make every other way an error.
FOR_CONSOLE = f"{STRICT}; require-trusted-types-for 'script'; trusted-types 'none'"
# api/chat_page.py serves the chat, because who may frame it is data of a company.
ADDRESSES = ", ".join(name for name in SHELLS if name not in ("home", "chat"))
A_YEAR, AN_HOUR = 365 * 24 * 3600, 3600

blp = Blueprint("pages", __name__)


def _public(view: Any) -> Any:
    view.permission = Permission.PUBLIC
    return view


@blp.get("/docs")
@_public
def docs() -> Response:
    """Every route, to read and to try."""
    # The folder's name holds the version, so that its files can be kept for long and are still new after an update.
    text = (HERE / "docs.html").read_text("utf-8").replace("{{swagger_ui}}", f"/docs/assets/{SWAGGER_UI_VERSION}")
    return _page(text, FOR_SWAGGER_UI)


@blp.get("/", defaults={"name": "home"})
@blp.get(f"/<any({ADDRESSES}):name>")
@blp.get(f"/<any({ADDRESSES}):name>/<path:place>")
@_public
def console(name: str, place: str = "") -> Response:
    """A page of the console. What the address says after its name is read by the page itself."""
    return console_page(name, FOR_CONSOLE)


def console_page(name: str, policy: str) -> Response:
    """A page of the console with its policy. A page whose policy has changed is sent again."""
    response = _page(shell(name), policy)
    response.set_etag(blake2b(f"{policy}\0{shell(name)}".encode(), digest_size=16).hexdigest())
    response.make_conditional(request)
    return response


@blp.get("/manifest.webmanifest")
@_public
def web_manifest() -> Response:
    """What a browser needs to install the desk."""
    response = Response(manifest(), mimetype="application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blp.get("/embed.js")
@_public
def embed() -> Response:
    """The script that puts the chat on another site. It holds no data, so any site may load it."""
    response = _file(HERE / "embed.js", "text/javascript", f"public, max-age={AN_HOUR}")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blp.get("/assets/<build_name>/<path:name>")
@_public
def console_file(build_name: str, name: str) -> Response:
    """A file of the console, kept for a year: its address changes with its content."""
    files = build()
    if build_name != files.name or name not in files.files:
        abort(404)
    asset, packed = files.files[name], request.accept_encodings["gzip"] > 0
    response = Response(asset.compressed if packed else asset.body, mimetype=asset.mimetype)
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


@blp.get("/README.md")
@_public
def readme() -> Response:
    """The README, as text."""
    if not README.is_file():
        abort(404)
    return _file(README, "text/plain", "no-cache")


@blp.get("/assets/<name>")
@_public
def asset(name: str) -> Response:
    """A file of ours."""
    if name not in OWN_FILES:
        abort(404)
    return _file(HERE / name, OWN_FILES[name], "no-cache")


@blp.get("/docs/assets/<version>/<name>")
@_public
def swagger_ui_asset(version: str, name: str) -> Response:
    """A file of Swagger UI, from its package."""
    if version != SWAGGER_UI_VERSION or name not in SWAGGER_FILES:
        abort(404)
    return _file(SWAGGER_UI / name, SWAGGER_FILES[name], f"public, max-age={A_YEAR}, immutable")


def _page(text: str, policy: str) -> Response:
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-cache"
    return response


def _file(path: Path, mimetype: str, keep: str) -> Response:
    response = Response(path.read_bytes(), mimetype=mimetype)
    response.headers["Cache-Control"] = keep
    response.add_etag()
    response.make_conditional(request)
    return response
