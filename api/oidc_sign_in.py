"""Signing in at an OpenID Connect issuer over HTTP: two navigations of the browser, and the exchange of their result.

Nothing that the issuer or an address says is shown. A failure is one of PROBLEMS in the fragment of our own page.
"""

import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from flask import Blueprint, Response, current_app, make_response, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import dump_cookie

from api.auth import TO_SIGN_IN_AGAIN, Remembering, SignedIn, entry_of, signed_in_answer
from api.http import gate
from api.http.envelope import Answer
from api.http.fields import Text
from api.http.resource import Resource
from auth import oidc
from auth.oidc_client import OidcClient
from auth.tokens import OIDC_SECONDS
from core.errors import AppError, not_found
from core.permissions import Permission
from services.accounts import oidc_sign_in
from storage import Row

blp = Resource("oidc", __name__, description="Signing in at an OpenID Connect issuer.")
navigation = Blueprint("oidc_navigation", __name__)

FIRST_PAGE = "/desk"
MOST_OF_PATH = 500
# Why a sign-in failed: begun in another browser or too long ago; ended by the person; the issuer is down, or gave what is not
# valid; the person may not come in here; the page to go back to is none of ours.
PROBLEMS = ("expired", "cancelled", "unavailable", "refused", "not_allowed", "page")


class ExchangeCode(Remembering):
    """What the page got after a sign-in at the issuer."""

    code = Text(200, required=True, about="The value of `session` in the fragment of the page's address.")


def _navigation(view: Any) -> Any:
    """A public route that a browser goes to; it answers with a redirect, so no API description has it."""
    view.permission, view.limit = Permission.PUBLIC, TO_SIGN_IN_AGAIN
    view.takes_query = view.is_navigation = True
    return view


@navigation.get("/api/auth/oidc/start", endpoint="StartOidcSignIn")
@_navigation
def start() -> Response:
    """Sends the browser to the issuer. `next` is the page of ours to come back to."""
    client, runtime = _client(), gate.current_runtime()
    page = request.args.get("next", FIRST_PAGE)
    if not _is_our_page(page):
        return _back(FIRST_PAGE, problem="page")
    state = client.new_state()
    try:
        response = make_response(redirect(client.address(state)))
    except AppError:
        return _back(page, problem="unavailable")
    token = runtime.tokens.oidc_state(state, page, now=runtime.storage.real_now())
    response.headers.add("Set-Cookie", _cookie(token, seconds=OIDC_SECONDS))
    return response


@navigation.get("/api/auth/oidc/callback", endpoint="FinishOidcSignIn")
@_navigation
def finish() -> Response:
    """Where the issuer sends the browser back to, with `code` and `state`."""
    client, begun = _client(), _begun()
    if begun is None or not hmac.compare_digest(begun["sub"].encode(), _argument("state").encode()):
        return _back(FIRST_PAGE, problem="expired")  # the cookie stays: its own sign-in may still come back
    if request.args.get("iss", client.issuer_url) != client.issuer_url:  # RFC 9207
        return _back(begun["page"], problem="refused")
    if "error" in request.args or not _argument("code"):
        return _back(begun["page"], problem="cancelled")
    runtime, address = gate.current_runtime(), request.remote_addr or ""
    try:
        claims = client.claims(begun["sub"], _argument("code"))
        if claims is None:
            return _back(begun["page"], problem="refused")
        person = oidc.person(claims, runtime.settings)
        code = oidc_sign_in.code_for(runtime.storage, person, binding=begun["sub"], address=address)
    except AppError as error:
        return _back(begun["page"], problem="unavailable" if error.status >= 500 else "not_allowed")
    return _back(begun["page"], session=code)


@blp.post(
    "/api/auth/oidc/exchange",
    "ExchangeOidcSignIn",
    permission=Permission.PUBLIC,
    limit=TO_SIGN_IN_AGAIN,
    body=ExchangeCode,
    response=SignedIn,
)
def exchange(body: Row) -> Answer:
    """Finish a sign-in at the issuer.

    Takes the code that the page got in the fragment of its address, once, within a minute and from the same browser. A person
    with a second factor is asked for it as by /api/auth/login.
    """
    runtime, begun = gate.current_runtime(), _begun()
    admitted = oidc_sign_in.exchange(
        runtime.storage,
        runtime.tokens,
        body["code"],
        entry_of(body),
        binding=begun["sub"] if begun else "",
    )
    answer = signed_in_answer(admitted, "You are signed in.", body)
    refresh_cookie = answer.headers.get("Set-Cookie")
    cookies = [*([refresh_cookie] if refresh_cookie else []), _cookie("", seconds=0)]
    return replace(answer, headers={**answer.headers, "Set-Cookie": cookies})


def _client() -> OidcClient:
    """Raises AppError 404 on a server without the button."""
    client = gate.current_runtime().oidc_client
    if client is None:
        raise not_found()
    return client


def _argument(name: str) -> str:
    """A value of the query, "" for one that is too long for any issuer."""
    value = request.args.get(name, "")
    return value if len(value) <= 4000 else ""


def _begun() -> dict[str, Any] | None:
    """The sign-in that this browser began, None without one."""
    runtime = gate.current_runtime()
    return runtime.tokens.read_oidc_state(request.cookies.get(_cookie_name(), ""), now=runtime.storage.real_now())


def _is_our_page(page: str) -> bool:
    """Whether it is the path of a page of this server, perhaps with a query: no other host, no route of the API."""
    if not page.startswith("/") or len(page) > MOST_OF_PATH or not page.isprintable() or {"\\", "#"} & set(page):
        return False
    parts = urlsplit(page)
    if parts.scheme or parts.netloc or {".", ".."} & set(unquote(parts.path).split("/")):
        return False
    try:
        endpoint, _ = current_app.url_map.bind("", url_scheme="https").match(parts.path, method="GET")
    except HTTPException:
        return False
    return str(endpoint).startswith(("pages.", "chat_page."))


def _back(page: str, **fragment: str) -> Response:
    """A redirect to a page of ours with one value in the fragment, which no server sees."""
    [(name, value)] = fragment.items()
    path = quote(page, safe="/?&=%:@,;~!$'()*+-._")
    return make_response(redirect(f"{gate.current_runtime().settings.public_url}{path}#{name}={value}"))


def _cookie_name() -> str:
    return "__Host-foyer-oidc" if _is_https() else "foyer-oidc"


def _cookie(token: str, *, seconds: int) -> str:
    """The cookie that binds a sign-in to the browser: no script reads it, and no other site sends it but by a navigation."""
    return dump_cookie(
        _cookie_name(), token, max_age=seconds, path="/", secure=_is_https(), httponly=True, samesite="Lax"
    )


def _is_https() -> bool:
    return gate.current_runtime().settings.public_url.startswith("https:")
