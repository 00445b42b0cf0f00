"""HTTP: methods, addresses, HEAD, OPTIONS and CORS."""

import pytest

from tests.support.caller import Caller

NEW = {"title": "Help", "description": "It broke.", "customer_email": "ada@example.com"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/tickets", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PATCH", "/api/tickets", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("DELETE", "/api/tickets", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/api/tickets/{id}", {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"}),
        ("GET", "/api/tickets/{id}/resolve", {"OPTIONS", "POST"}),
        ("POST", "/api/health", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/api/settings", {"GET", "HEAD", "OPTIONS", "PUT"}),
    ],
)
def test_a_wrong_method_is_405_and_keeps_allow(admin, method, path, allowed):
    response = admin.call(method, path.format(id=admin.ticket()["id"]))
    assert (response.status_code, response.json["data"]["code"]) == (405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nope", "/api/tickets/x/y/z", "/api//tickets", "/api/Tickets", "/api/ticket%00s"]
)
def test_an_unknown_address_under_api_is_404_with_or_without_a_key(app, admin, path):
    for method in ("GET", "POST", "DELETE"):
        assert admin.call(method, path).status_code == 404
        assert Caller(app.test_client()).call(method, path).status_code == 404


def test_a_trailing_slash_is_the_same_address(admin):
    assert admin.get("/api/tickets/").status_code == 200
    assert admin.post("/api/tickets/", NEW).status_code == 201


@pytest.mark.parametrize("path", ["/api/tickets", "/api/settings", "/api/health", "/api/lookups/tiers"])
def test_head_sends_the_headers_of_get_without_a_body(admin, path):
    headers = {"X-API-Key": admin.key}
    head = admin.client.head(path, headers=headers)
    assert (head.status_code, head.get_data()) == (200, b"")
    assert head.headers["Content-Type"] == "application/json"
    assert head.headers["X-Request-ID"]
    assert head.headers["Content-Length"] == admin.get(path).headers["Content-Length"]


def test_head_needs_a_key_where_get_does(app):
    assert app.test_client().head("/api/tickets").status_code == 401


def test_options_lists_the_methods_without_a_key(app):
    response = app.test_client().options("/api/tickets")
    assert (response.status_code, response.get_data()) == (200, b"")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_needs_no_key_and_never_allows_credentials(app, method):
    wanted = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "x-api-key, idempotency-key, if-match",
    }
    response = app.test_client().options("/api/tickets", headers={"Origin": "https://maker.example", **wanted})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://maker.example")
    assert method in response.headers["Access-Control-Allow-Methods"]
    assert {"x-api-key", "idempotency-key", "if-match"} <= set(
        response.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(("path", "status"), [("/api/tickets", 401), ("/api/health", 200), ("/api/nope", 404)])
def test_a_browser_may_read_every_response_including_errors(app, path, status):
    response = app.test_client().get(path, headers={"Origin": "https://maker.example"})
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://maker.example")
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert {"ETag", "X-Request-ID", "Retry-After"} <= set(response.headers["Access-Control-Expose-Headers"].split(", "))


def test_only_the_origins_that_are_set_are_allowed(open_app):
    client = open_app(cors_origins="https://mine.example").test_client()
    assert client.get("/api/health", headers={"Origin": "https://mine.example"}).headers["Access-Control-Allow-Origin"]
    assert (
        "Access-Control-Allow-Origin"
        not in client.get("/api/health", headers={"Origin": "https://eve.example"}).headers
    )
