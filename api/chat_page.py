"""The page of the chat, the only one that another site may show in a frame. The setting `chat_origins` names the sites."""

from flask import Blueprint, Response, request

from api.http.gate import current_runtime
from api.http.headers import BY_POLICY
from core.permissions import Permission
from services.accounts import chat_sites
from web.pages import FOR_CONSOLE, console_page

NO_FRAMES = "frame-ancestors 'none'"

blp = Blueprint("chat_page", __name__)


@blp.get("/chat")
@blp.get("/chat/<path:place>")
def chat_page(place: str = "") -> Response:
    """The page for the company in `?company=`, by default `default`; `place` is for the page's own scripts."""
    sites = chat_sites.allowed(current_runtime().storage, request.args.get("company", ""))
    if not sites:
        return console_page("chat", FOR_CONSOLE)
    response = console_page("chat", FOR_CONSOLE.replace(NO_FRAMES, f"frame-ancestors {' '.join(sites)}"))
    response.headers.set(*BY_POLICY)
    return response


chat_page.permission = Permission.PUBLIC  # type: ignore[attr-defined]
