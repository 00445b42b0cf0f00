"""The headers of every response: routes, errors, pages and files; and trusted proxies."""

import re

import pytest
from flask import request

from api.http.headers import ALWAYS, DEFAULTS, OVER_HTTPS
from core.permissions import Permission
from tests.support.caller import Caller
from web.pages import FOR_CONSOLE, FOR_SWAGGER_UI, STRICT, SWAGGER_FILES, SWAGGER_UI_VERSION

DATA, NO_STORE = dict(DEFAULTS)["Content-Security-Policy"], "no-store"


@pytest.fixture
def engine() -> str:
    """Headers know no storage."""
    return "json"


def check(response):
    """Everything that every answer carries, once."""
    names = [name for name, _ in response.headers]
    for name, value in ALWAYS:
        assert response.headers[name] == value
    for name in [*dict(ALWAYS), *dict(DEFAULTS), "X-Request-ID"]:
        assert names.count(name) == 1, name
    assert response.headers["Content-Security-Policy"] in (DATA, STRICT, FOR_CONSOLE, FOR_SWAGGER_UI)
    assert "Strict-Transport-Security" not in names


def test_the_headers_have_the_expected_values():
    assert dict(ALWAYS) == {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    assert (DATA, dict(OVER_HTTPS)) == (
        "default-src 'none'; frame-ancestors 'none'",
        {"Strict-Transport-Security": "max-age=31536000"},
    )


def test_every_route_with_and_without_a_key(app):
    """Every rule of the map, by every method it takes and one it does not."""
    seen = 0
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in sorted((rule.methods or set()) | {"PATCH", "TRACE"}):
            for key in ("", "admin-key"):
                response = app.test_client().open(path, method=method, headers={"X-API-Key": key} if key else {})
                check(response)
                if path.startswith("/api"):
                    assert response.headers["Cache-Control"] == NO_STORE, path
                seen += 1
    assert seen > 200


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/api/nothing", {}, 404),
        ("GET", "/assets/nothing.css", {}, 404),
        ("GET", "/api/tickets", {}, 401),
        ("GET", "/api/tickets?colour=red", {"headers": {"X-API-Key": "admin-key"}}, 400),
        ("PUT", "/api/tickets", {}, 405),
        ("POST", "/api/tickets", {"headers": {"X-API-Key": "admin-key"}, "data": "{"}, 415),
        ("POST", "/api/tickets", {"headers": {"X-API-Key": "admin-key"}, "data": b"x" * 1_100_000}, 413),
    ],
)
def test_every_kind_of_error(app, method, path, more, status):
    response = app.test_client().open(path, method=method, **more)
    assert response.status_code == status
    check(response)
    assert response.headers["Cache-Control"] == NO_STORE


def test_an_internal_error(app):
    def broken() -> None:
        raise RuntimeError("by a test")

    broken.permission = Permission.PUBLIC
    app.view_functions["health.GetHealth"] = broken
    response = app.test_client().get("/api/health")
    assert response.status_code == 500
    check(response)


def test_pages_have_their_own_policy_and_cache_time(app):
    client = app.test_client()
    for path, policy, keep in (
        ("/", FOR_CONSOLE, "no-cache"),
        ("/docs", FOR_SWAGGER_UI, "no-cache"),
        ("/assets/style.css", DATA, "no-cache"),
        ("/swagger.json", DATA, "no-cache"),
        ("/openapi.json", DATA, "no-cache"),
        (f"/docs/assets/{SWAGGER_UI_VERSION}/{next(iter(SWAGGER_FILES))}", DATA, "public, max-age=31536000, immutable"),
    ):
        response = client.get(path)
        check(response)
        assert (response.headers["Content-Security-Policy"], response.headers["Cache-Control"]) == (policy, keep), path
    again = client.get("/assets/style.css", headers={"If-None-Match": client.get("/assets/style.css").headers["ETag"]})
    assert again.status_code == 304
    check(again)


def test_a_ticket_has_its_etag_and_cors_headers(admin):
    ticket = admin.ticket()
    response = admin.get(f"/api/tickets/{ticket['id']}", headers={"Origin": "https://maker.example"})
    check(response)
    assert response.headers["ETag"] == f'"{ticket["version"]}"'
    assert response.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/tickets", "/nothing"])
def test_over_https_hsts_is_sent(app, path):
    secure = app.test_client().get(path, base_url="https://desk.example")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in app.test_client().get(path).headers


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "http, https",
    "X-Forwarded-Host": "evil.example, desk.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "1",
}


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        (0, ("127.0.0.1", "http://localhost/api/health")),
        (1, ("198.51.100.7", "https://desk.example/api/health")),
        (2, ("203.0.113.9", "http://evil.example/api/health")),
        (3, ("127.0.0.1", "http://localhost/api/health")),
    ],
)
def test_the_number_of_trusted_proxies_is_respected(open_app, proxies, seen):
    """(case 10)"""
    app, found = open_app(trusted_proxies=proxies), []
    app.before_request(lambda: found.append((request.remote_addr, request.url)))
    response = app.test_client().get("/api/health", headers=FORWARDED)
    assert found == [seen]
    assert ("Strict-Transport-Security" in response.headers) == seen[1].startswith("https")


def test_https_behind_a_proxy_is_https_in_headers_and_spec(open_app):
    client = open_app(trusted_proxies=1).test_client()
    response = client.get("/openapi.json", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "desk.example"})
    assert response.json["servers"] == [{"url": "https://desk.example"}]
    assert response.headers["Strict-Transport-Security"]


def test_responses_to_a_key_have_rate_limit_headers(app):
    response = Caller(app.test_client(), "admin-key").get("/api/tickets")
    assert (response.headers["X-RateLimit-Limit"], response.headers["X-RateLimit-Remaining"]) == ("1200", "1199")
    assert "X-RateLimit-Limit" not in app.test_client().get("/api/tickets").headers
