"""Authenticates and authorizes each request, then runs its view in a unit of work, with idempotency keys.

A view without a declared permission is refused.
"""

import hmac
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from typing import Any, cast

import orjson
from flask import Flask, Request, Response, current_app, g, request
from marshmallow import ValidationError
from uuid_utils import uuid7

from api.http import headers, inner_calls, rate_limits
from api.http.envelope import Answer, render, render_error, respond
from api.http.field_names import MAX_FIELDS
from api.http.fields import Email, Text
from api.http.parsing import body_hash, header
from auth import oidc
from core.errors import (
    AppError,
    FieldError,
    forbidden,
    invalid,
    invalid_field,
    nameless_customer,
    second_factor_missing,
    unauthorized,
)
from core.models import DEFAULT_COMPANY, LIMITS, ROLES, Actor, Role
from core.normal_form import is_blank
from core.permissions import ACT_FOR_CUSTOMERS, GRANTED, Permission, allows, can_grant, may_act
from runtime.bootstrap import Runtime
from services import idempotency
from services.accounts import guests, key_login, sign_in
from storage import UnitOfWork

MAX_BODY = 1024 * 1024
KEY_HEADERS = ("X-API-Key", "X-ApiKey")  # the second is what AppSheet and others call it
_EMAIL, _CUSTOMER_ID = Email(), Text(LIMITS["customer_id"])


def current_runtime() -> Runtime:
    """The runtime of this app."""
    return cast(Runtime, current_app.extensions["runtime"])


def guard(app: Flask) -> None:
    """Installs the checks before every route and the headers after it."""
    app.before_request(_enter)
    app.wsgi_app = headers.Protected(app.wsgi_app)  # type: ignore[method-assign]


def _enter() -> None:
    sent: Request = request._get_current_object()  # type: ignore[attr-defined]  # a proxy takes its time at each look
    inner = inner_calls.current(sent)
    g.request_id = request_id = inner.request_id if inner else str(uuid7())
    headers.put_on({"X-Request-ID": request_id}, sent)
    if sent.url_rule is None or sent.method == "OPTIONS":
        return
    view = current_app.view_functions[sent.url_rule.endpoint]
    permission = getattr(view, "permission", None)
    sent.max_content_length = getattr(view, "max_body", MAX_BODY)
    if permission is Permission.PUBLIC or (getattr(view, "by_link", False) and not _has_credentials()):
        g.actor = None
        rate_limits.check_public(getattr(view, "limit", None))
        _check_query(view)
        return
    actor = inner.credential if inner else _authenticate(sent)
    if not inner:  # else the outer request was counted
        rate_limits.check_credential(actor)
    g.credential = actor
    if actor.guest:
        _check_guest(getattr(view, "guests", ""))
    if permission is None or not _may_credential(actor, permission, sent):
        raise _refusal(actor, permission)
    if actor.reads_only and not _reads(view):
        raise forbidden("This key may only read (scope read_only). Use another key to change something.")
    if actor.lacks_second_factor and not getattr(view, "without_second_factor", False):
        raise second_factor_missing()
    g.actor = acting = _at(_acting_for(actor, sent), sent.remote_addr or "")
    if acting.is_customer and not (acting.customer_email or acting.customer_id):
        raise nameless_customer()
    if not allows(acting, permission):
        raise forbidden("Customers may not do this.")
    _check_query(view, sent)


@lru_cache(maxsize=1_000)
def _at(actor: Actor, address: str) -> Actor:
    return replace(actor, address=address)


def _refusal(actor: Actor, permission: Permission | None) -> AppError:
    """403, with the scope that a key lacks although its role has the permission."""
    if permission in GRANTED[actor.role]:
        return forbidden(f"This key may not do this: it lacks the scope {permission}.")
    return forbidden()


def _may_credential(actor: Actor, permission: Permission, sent: Request = request) -> bool:
    """Whether the owner of the credentials may do this, themselves or for the customer that the request names."""
    acts = bool(header(sent, "X-On-Behalf-Of")) and may_act(actor, permission)
    return acts or allows(actor, permission)


def may_call(view: object) -> bool:
    """Whether the gate would let the caller of this request call another route."""
    permission, actor = getattr(view, "permission", None), g.credential
    if permission is None or (actor.reads_only and not _reads(view)):
        return False
    return _may_credential(actor, permission) and allows(g.actor, permission)


def _reads(view: object) -> bool:
    """Whether a route changes nothing, as its declaration says."""
    return bool(getattr(view, "reads", False))


def _check_guest(limit: str) -> None:
    """Refuses guests of the chat on every route that is not declared for them. Raises AppError 403, 429."""
    if not limit:
        raise forbidden("Guests may only chat and search. Sign in to do more.")
    rate_limits.check_guest(limit)


def _check_query(view: object, sent: Request = request) -> None:
    """Refuses query parameters on routes of the API that take none."""
    if not sent.query_string or getattr(view, "takes_query", False):
        return
    is_api = sent.path.startswith("/api") or hasattr(view, "takes_query")
    if is_api and sent.args:
        reason = "is unknown. This address takes no query parameters."
        raise invalid(*(FieldError(name[:100], f"{name[:60]} {reason}") for name in islice(sent.args, MAX_FIELDS)))


def _authenticate(sent: Request) -> Actor:
    scheme, _, token = header(sent, "Authorization").partition(" ")
    key, bearer = _key_header(sent), _as_utf8(token).strip() if scheme.lower() == "bearer" else ""
    actor = None
    if not key and _is_token(bearer):
        actor = _authenticate_token(bearer)
    elif key or bearer:
        actor = rate_limits.present_key(
            key or bearer, partial(key_login.authenticate_api_key, current_runtime().storage)
        )
    if actor is None:
        raise unauthorized()
    return actor


def _key_header(sent: Request) -> str:
    """The API key of the request, trimmed; "" without one. Raises AppError 401 for two different keys."""
    keys = {_as_utf8(header(sent, name)).strip() for name in KEY_HEADERS} - {""}
    if len(keys) > 1:
        raise unauthorized(f"{' and '.join(KEY_HEADERS)} hold different keys. Send one of them.")
    return keys.pop() if keys else ""


def _as_utf8(text: str) -> str:
    """WSGI decodes headers as Latin-1; clients send UTF-8. What is no UTF-8 stays as it is."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _is_token(bearer: str) -> bool:
    """Whether it looks like a JSON Web Token: its header is base64 of text that starts with {"."""
    return bearer.startswith("eyJ") and bearer.count(".") == 2


def _authenticate_token(token: str) -> Actor | None:
    runtime = current_runtime()
    if runtime.issuer is None or not oidc.names_issuer(token, runtime.issuer.url):
        person = sign_in.authenticate_access_token(runtime.storage, runtime.tokens, token)
        return person or guests.authenticate(runtime.storage, runtime.tokens, token)
    claims = runtime.issuer.claims(token)
    return (
        sign_in.authenticate_oidc(
            runtime.storage, oidc.person(claims, runtime.settings), address=request.remote_addr or ""
        )
        if claims
        else None
    )


def _acting_for(actor: Actor, sent: Request) -> Actor:
    named = header(sent, "X-On-Behalf-Of").strip(" \t")
    if not named:
        return actor
    if ACT_FOR_CUSTOMERS not in actor.scopes:
        raise forbidden("This key may not act for customers (scope act_for_customers).")
    try:
        # WSGI decodes headers as Latin-1; callers send UTF-8.
        person = named.encode("latin-1").decode()
        person = "" if is_blank(person) else (_EMAIL if "@" in person else _CUSTOMER_ID).deserialize(person)
    except (UnicodeError, ValidationError):
        raise invalid_field("X-On-Behalf-Of", "X-On-Behalf-Of takes a customer's e-mail address or id.") from None
    return key_login.as_customer(current_runtime().storage, actor, person)


def is_operator() -> bool:
    """Whether the caller of a public route is the operator: an unrestricted admin of the default company."""
    if not _has_credentials():
        return False
    actor = _authenticate(request)
    return _runs_the_server(actor) and not (actor.lacks_second_factor or actor.reads_only)


def _has_credentials() -> bool:
    return any(name in request.headers for name in (*KEY_HEADERS, "Authorization"))


def check_operator() -> None:
    """Raises AppError 403 unless the caller is the operator."""
    if not _runs_the_server(g.actor):
        raise forbidden("Only whoever runs this server may do this.")


def _runs_the_server(actor: Actor) -> bool:
    return actor.company_id == DEFAULT_COMPANY and can_grant(actor, "admin")


def check_may(permission: Permission) -> None:
    """Raises AppError 403 unless the caller has this permission beside that of the route."""
    if not allows(g.actor, permission):
        raise _refusal(g.actor, permission)


def grantable_roles() -> list[str]:
    """The roles that the caller may grant."""
    return [role for role in ROLES if can_grant(g.actor, cast(Role, role))]


def check_can_grant(role: Role, scopes: tuple[str, ...] = ()) -> None:
    """Raises AppError 403 when a new key or user would have more permissions than the caller."""
    if not can_grant(g.actor, role, scopes):
        raise forbidden("You cannot grant more permissions than you have.")


def read_only(view: Callable[[UnitOfWork], Answer]) -> Response:
    """Runs a view that only reads."""
    with current_runtime().storage.unit_of_work(g.actor) as uow:
        return render(view(uow))


def in_one_unit(view: Callable[[UnitOfWork], Answer], *, key: str, secret: bool = False) -> Response:
    """Runs a writing view; its changes and, with a key, its response are committed together or not at all.

    Of a `secret` response only the status is stored.
    """
    if inner_calls.is_dry_run():
        return _rehearse(view)
    with current_runtime().storage.unit_of_work(g.actor, write=True) as uow:
        if not key:
            return render(view(uow))
        call = _call(key)
        earlier = idempotency.claim(uow, call)
        if earlier:
            return replay(earlier)
        response = _run_in_savepoint(uow, view)
        idempotency.store(uow, call, response.status_code, _stored(response, secret=secret))
        return response


def in_own_units(view: Callable[[], Answer | Response], *, key: str, secret: bool = False) -> Response:
    """Runs a view that opens its own units of work. A key is leased meanwhile, so that a repeated call waits or fails.

    Of a `secret` response only the status is stored. A dry run ends before the view.
    """
    if inner_calls.is_dry_run():
        return render(Answer({}, "The arguments are valid."))
    if not key:
        return render(view())
    storage, call = current_runtime().storage, _call(key)
    with storage.unit_of_work(g.actor, write=True) as uow:
        earlier = idempotency.claim(uow, call, lease=True)
    if earlier:
        return replay(earlier)
    try:
        response = render(view())
    except Exception as error:
        if not isinstance(error, AppError) or not _is_storable(error):
            with storage.unit_of_work(g.actor, write=True) as uow:
                idempotency.release(uow, call)
            raise
        response = render_error(error)
    store_response(response, key=key, secret=secret)
    return response


class _RolledBack(Exception):
    """Ends a dry run, so that its unit of work is rolled back."""

    def __init__(self, response: Response) -> None:
        self.response = response


def _rehearse(view: Callable[[UnitOfWork], Answer]) -> Response:
    """The response of a writing view whose changes are rolled back."""
    try:
        with current_runtime().storage.unit_of_work(g.actor, write=True) as uow:
            raise _RolledBack(render(view(uow)))
    except _RolledBack as rehearsal:
        return rehearsal.response


def store_response(response: Response, *, key: str, secret: bool = False) -> None:
    """Stores the response that later calls with this key get."""
    with current_runtime().storage.unit_of_work(g.actor, write=True) as uow:
        idempotency.store(uow, _call(key), response.status_code, _stored(response, secret=secret))


def _stored(response: Response, *, secret: bool) -> str:
    """What is stored of a response: nothing but the status of one that holds a secret."""
    return "" if secret and response.status_code < 400 else _serialize(response)


def _run_in_savepoint(uow: UnitOfWork, view: Callable[[UnitOfWork], Answer]) -> Response:
    try:
        with uow.attempt():
            return render(view(uow))
    except AppError as error:
        if not _is_storable(error):
            raise
        return render_error(error)


def _is_storable(error: AppError) -> bool:
    return error.status < 500 and error.status not in idempotency.NOT_STORED


def _call(key: str) -> idempotency.Call:
    actor: Actor = g.actor
    caller = f"{actor.key_id or actor.user_id} {actor.customer_email or actor.customer_id}".strip()
    return idempotency.Call(caller, f"{request.method} {request.path.rstrip('/')}", key, _fingerprint())


def _fingerprint() -> str:
    """A hash of the body, to recognize a repeated call; keyed when the body holds what could be guessed."""
    digest = body_hash()
    if not {"password", "old", "new", "code", "totp"} & set(g.get("body") or ()):
        return digest
    return hmac.new(current_runtime().secret.encode(), digest.encode(), "sha256").hexdigest()


def _serialize(response: Response) -> str:
    etag = response.headers.get("ETag")
    return orjson.dumps([{"ETag": etag} if etag else {}, response.get_data(as_text=True)]).decode()


def replay(earlier: idempotency.Stored) -> Response:
    """The stored response, marked with Idempotent-Replay."""
    headers, body = orjson.loads(earlier.answer)
    return respond(body.encode(), earlier.status, {**headers, "Idempotent-Replay": "true"})


def idempotency_key(body: dict[str, Any] | None) -> str:
    """The idempotency key: header or client_reference of the body. Raises AppError 400 when they differ.

    A key that only reads has none: nothing is stored for it, so its repeated question is answered anew.
    """
    key = _as_utf8(header(request, "Idempotency-Key").strip())
    reference = (body or {}).pop("client_reference", "")
    if key and reference and key != reference:
        raise invalid_field("client_reference", "client_reference and the header Idempotency-Key must not differ.")
    if len(key) > LIMITS["key"]:
        raise invalid_field("Idempotency-Key", f"Idempotency-Key may have at most {LIMITS['key']} characters.")
    return "" if g.actor and g.actor.reads_only else key or reference
