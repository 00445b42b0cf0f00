"""The gate every request under /api goes through: who are you, may you, and which unit of work is yours.

Views declare their permission; one without is refused. Nothing here knows a ticket.
"""

import hmac
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, cast

import orjson
from flask import Flask, Response, current_app, g, request
from marshmallow import ValidationError
from uuid_utils import uuid7

import credentials
import oidc
import sign_in
from api import headers, limits
from api.envelope import Answer, render, render_error, respond
from api.fields import Email, Text
from api.names import MAX_FIELDS
from api.parsing import body_hash
from errors import AppError, FieldError, forbidden, invalid, invalid_field, nameless_customer, unauthorized
from foyer import Foyer
from models import DEFAULT_COMPANY, LIMITS, Actor, Role
from normal_form import is_blank
from permissions import ACT_FOR_CUSTOMERS, Permission, allows, may_give
from services import idempotency
from storage import Desk

MAX_BODY = 1024 * 1024
_EMAIL, _CUSTOMER_ID = Email(), Text(LIMITS["customer_id"])


def the_foyer() -> Foyer:
    """The desk this app belongs to."""
    return cast(Foyer, current_app.extensions["foyer"])


def guard(app: Flask) -> None:
    """Puts the gate in front of every route of the app."""
    app.before_request(_enter)
    app.after_request(headers.put_on)
    app.wsgi_app = headers.Protected(app.wsgi_app)  # type: ignore[method-assign]


def _enter() -> None:
    g.request_id = str(uuid7())
    if request.url_rule is None or request.method == "OPTIONS":
        return
    view = current_app.view_functions[request.url_rule.endpoint]
    permission = getattr(view, "permission", None)
    request.max_content_length = getattr(view, "max_body", MAX_BODY)
    if permission is Permission.PUBLIC:
        limits.check_door(getattr(view, "limit", None))
        _check_query(view)
        return
    actor = _authenticated()
    limits.check_credential(actor)
    if permission is None or not allows(actor, permission):
        raise forbidden()
    g.actor = replace(_acting_for(actor), address=request.remote_addr or "")
    if g.actor.is_customer and not (g.actor.customer_email or g.actor.customer_id):
        raise nameless_customer()
    if not allows(g.actor, permission):
        raise forbidden("Customers may not do this.")
    _check_query(view)


def _check_query(view: object) -> None:
    """A route that takes no query parameters says so, under /api."""
    if request.args and not getattr(view, "takes_query", False) and request.path.startswith("/api"):
        known = "is not known here. This address takes no query parameters."
        raise invalid(*(FieldError(name[:100], f"{name[:60]} {known}") for name in islice(request.args, MAX_FIELDS)))


def _authenticated() -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key, bearer = request.headers.get("X-API-Key", "").strip(), token.strip() if scheme.lower() == "bearer" else ""
    actor = None
    if not key and _is_token(bearer):
        actor = _signed_in(bearer)
    elif key or bearer:
        actor = limits.present_key(key or bearer, partial(credentials.who_presents, the_foyer().storage))
    if actor is None:
        raise unauthorized()
    return actor


def _is_token(bearer: str) -> bool:
    """Whether it has the form of a JSON Web Token (its header begins with {", in base64)."""
    return bearer.startswith("eyJ") and bearer.count(".") == 2


def _signed_in(token: str) -> Actor | None:
    foyer = the_foyer()
    if foyer.issuer is None or not oidc.is_meant(token, foyer.issuer.url):
        return sign_in.who_bears(foyer.storage, foyer.tokens, token)
    claims = foyer.issuer.claims(token)
    return (
        sign_in.who_is_known(foyer.storage, oidc.person(claims, foyer.settings), address=request.remote_addr or "")
        if claims
        else None
    )


def _acting_for(actor: Actor) -> Actor:
    header = request.headers.get("X-On-Behalf-Of", "").strip(" \t")
    if not header:
        return actor
    if ACT_FOR_CUSTOMERS not in actor.scopes:
        raise forbidden("This key may not act for customers (scope act_for_customers).")
    try:
        # WSGI hands headers over as Latin-1; an id that is not ASCII was sent as UTF-8.
        person = header.encode("latin-1").decode()
        person = "" if is_blank(person) else (_EMAIL if "@" in person else _CUSTOMER_ID).deserialize(person)
    except (UnicodeError, ValidationError):
        raise invalid_field("X-On-Behalf-Of", "X-On-Behalf-Of takes a customer's e-mail address or id.") from None
    return credentials.as_customer(the_foyer().storage, actor, person)


def is_operator() -> bool:
    """Whether the caller of a public route is who runs the desk: an admin of its first company, not narrowed."""
    if "X-API-Key" not in request.headers and "Authorization" not in request.headers:
        return False
    return _runs_the_server(_authenticated())


def check_operator() -> None:
    """Raises AppError 403 unless the caller is the operator."""
    if not _runs_the_server(g.actor):
        raise forbidden("Only whoever runs this server may do this.")


def _runs_the_server(actor: Actor) -> bool:
    return actor.company_id == DEFAULT_COMPANY and may_give(actor, "admin")


def check_gift(role: Role, scopes: tuple[str, ...] = ()) -> None:
    """Raises AppError 403 when a new key or person could do more than who makes them."""
    if not may_give(g.actor, role, scopes):
        raise forbidden("You cannot give away more than you may do yourself.")


def read_only(view: Callable[[Desk], Answer]) -> Response:
    """Runs a view that changes nothing."""
    with the_foyer().storage.desk(g.actor) as desk:
        return render(view(desk))


def in_one_unit(view: Callable[[Desk], Answer], *, key: str, secret: bool = False) -> Response:
    """Runs a view that changes things: its changes and, with a key, its answer are committed together or not at all.

    Of a `secret` answer only that it was given is stored.
    """
    with the_foyer().storage.desk(g.actor, write=True) as desk:
        if not key:
            return render(view(desk))
        call = _call(key)
        stored = idempotency.claim(desk, call)
        if stored:
            return replay(stored)
        response = _attempted(desk, view)
        idempotency.keep(
            desk, call, response.status_code, "" if secret and response.status_code < 400 else _kept(response)
        )
        return response


def in_own_units(view: Callable[[], Answer | Response], *, key: str) -> Response:
    """Runs a view that opens its own units of work because it waits for others; with a key, others are kept out meanwhile."""
    if not key:
        return render(view())
    storage, call = the_foyer().storage, _call(key)
    with storage.desk(g.actor, write=True) as desk:
        stored = idempotency.claim(desk, call, lease=True)
    if stored:
        return replay(stored)
    try:
        response = render(view())
    except Exception as error:
        if not isinstance(error, AppError) or not _is_kept(error):
            with storage.desk(g.actor, write=True) as desk:
                idempotency.release(desk, call)
            raise
        response = render_error(error)
    keep_answer(response, key=key)
    return response


def keep_answer(response: Response, *, key: str) -> None:
    """Stores a response as what the key answers from now on."""
    with the_foyer().storage.desk(g.actor, write=True) as desk:
        idempotency.keep(desk, _call(key), response.status_code, _kept(response))


def _attempted(desk: Desk, view: Callable[[Desk], Answer]) -> Response:
    try:
        with desk.attempt():
            return render(view(desk))
    except AppError as error:
        if not _is_kept(error):
            raise
        return render_error(error)


def _is_kept(error: AppError) -> bool:
    return error.status < 500 and error.status not in idempotency.NEVER_KEPT


def _call(key: str) -> idempotency.Call:
    actor: Actor = g.actor
    caller = f"{actor.key_id or actor.user_id} {actor.customer_email or actor.customer_id}".strip()
    return idempotency.Call(caller, f"{request.method} {request.path.rstrip('/')}", key, _fingerprint())


def _fingerprint() -> str:
    """What makes two bodies the same; of one with a password nothing that a password could be guessed by."""
    plain = body_hash()
    if not {"password", "old", "new"} & set(g.get("body") or ()):
        return plain
    return hmac.new(the_foyer().secret.encode(), plain.encode(), "sha256").hexdigest()


def _kept(response: Response) -> str:
    etag = response.headers.get("ETag")
    return orjson.dumps([{"ETag": etag} if etag else {}, response.get_data(as_text=True)]).decode()


def replay(stored: idempotency.Stored) -> Response:
    """The stored answer, marked as such."""
    headers, body = orjson.loads(stored.answer)
    return respond(body.encode(), stored.status, {**headers, "Idempotent-Replay": "true"})


def _as_sent(header: str) -> str:
    """A header's text: WSGI hands on its bytes as Latin-1, callers send UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def idempotency_key(body: dict[str, Any] | None) -> str:
    """The key of this call: the header or the body's client_reference. Raises AppError 400 when they differ."""
    header = _as_sent(request.headers.get("Idempotency-Key", "").strip())
    reference = (body or {}).pop("client_reference", "")
    if header and reference and header != reference:
        raise invalid_field("client_reference", "client_reference and the header Idempotency-Key must not differ.")
    if len(header) > LIMITS["key"]:
        raise invalid_field("Idempotency-Key", f"Idempotency-Key may have at most {LIMITS['key']} characters.")
    return header or reference
