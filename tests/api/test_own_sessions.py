"""A person's own sessions, and staying signed in on a device by a cookie."""

from http.cookies import SimpleCookie

import pytest

from database.tables import events, sessions
from services.accounts.sessions import LASTS_SECONDS, REMEMBER_SECONDS
from tests.support.accounts import ACME, GOOD, acme, bearing, clock, log_in, nobody, rows, server  # noqa: F401 - fixtures
from tests.support.caller import Caller

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
OUR_PAGE = {"X-Requested-With": "foyer"}
REMEMBER = {"email": ACME["email"], "password": GOOD, "remember": True}


def signed_in(nobody, **headers):  # noqa: F811
    return nobody.data(log_in(nobody, headers=headers))


@pytest.mark.every_engine
def test_sessions_are_listed_and_ended_at_once(server, nobody, acme):  # noqa: F811
    zoe = bearing(nobody, acme["access_token"])
    other = bearing(nobody, signed_in(nobody, **{"User-Agent": FIREFOX})["access_token"])
    listed = zoe.data(zoe.get("/api/auth/sessions"))
    assert [(row["device"], row["current"]) for row in listed] == [
        ("Firefox on Windows", False),
        ("Unknown device", True),
    ]
    assert zoe.data(zoe.delete(f"/api/auth/sessions/{listed[0]['id']}")) == {"deleted": True}
    assert other.get("/api/me").status_code == 401
    assert zoe.delete(f"/api/auth/sessions/{listed[0]['id']}").status_code == 404
    third = bearing(nobody, signed_in(nobody)["access_token"])
    assert zoe.data(zoe.delete("/api/auth/sessions")) == {"ended": 1}
    assert (third.get("/api/me").status_code, zoe.get("/api/me").status_code) == (401, 200)
    assert [row["action"] for row in rows(server, events)].count("session_ended") == 2
    assert zoe.delete(f"/api/auth/sessions/{listed[1]['id']}").status_code == 200
    assert zoe.get("/api/me").status_code == 401


def test_the_export_of_a_customer_holds_their_sessions(server, nobody, acme):  # noqa: F811
    zoe = bearing(nobody, acme["access_token"])
    person = {"name": "Ada", "email": "ada@acme.example", "role": "customer", "password": GOOD}
    zoe.data(zoe.post("/api/users", person), 201)
    nobody.data(log_in(nobody, email="ada@acme.example", headers={"User-Agent": FIREFOX}))
    [session] = zoe.data(zoe.get("/api/customers/ada@acme.example/export"))["sessions"]
    assert session["device"] == "Firefox on Windows"


def test_case_1_nobody_ends_the_session_of_another(server, nobody, acme):  # noqa: F811
    zoe = bearing(nobody, acme["access_token"])
    [own] = zoe.data(zoe.get("/api/auth/sessions"))
    zoe.data(
        zoe.post("/api/users", {"name": "Ada", "email": "ada@acme.example", "role": "customer", "password": GOOD}), 201
    )
    ada = bearing(nobody, nobody.data(log_in(nobody, email="ada@acme.example"))["access_token"])
    operator = Caller(nobody.client, "admin-key")
    for caller in (ada, operator):
        assert caller.delete(f"/api/auth/sessions/{own['id']}").status_code == 404
        caller.data(caller.delete("/api/auth/sessions"))
        assert own["id"] not in caller.get("/api/auth/sessions").get_data(as_text=True)
    assert ada.get("/api/auth/sessions").json["total"] == 1
    assert operator.get("/api/auth/sessions").json["total"] == 0
    assert zoe.get("/api/me").status_code == 200


def test_a_remembered_device_stays_signed_in_for_thirty_days(server, nobody, acme, clock):  # noqa: F811
    short = signed_in(nobody)
    long = nobody.data(nobody.post("/api/auth/login", REMEMBER))
    assert nobody.client.get_cookie("foyer_refresh", path="/api/auth") is None, "no page asked for a cookie"
    clock.moved.append(LASTS_SECONDS + 1)
    assert nobody.post("/api/auth/refresh", {"refresh_token": short["refresh_token"]}).status_code == 401
    renewed = nobody.data(nobody.post("/api/auth/refresh", {"refresh_token": long["refresh_token"]}))
    clock.moved.append(REMEMBER_SECONDS - 1)
    again = nobody.data(nobody.post("/api/auth/refresh", {"refresh_token": renewed["refresh_token"]}))
    clock.moved.append(REMEMBER_SECONDS + 1)
    assert nobody.post("/api/auth/refresh", {"refresh_token": again["refresh_token"]}).status_code == 401


def cookie_of(response):
    return SimpleCookie(response.headers["Set-Cookie"])["foyer_refresh"]


def test_a_page_gets_a_cookie_that_no_script_and_no_other_site_reads(server, nobody, acme):  # noqa: F811
    response = nobody.post("/api/auth/login", REMEMBER, headers=OUR_PAGE)
    cookie = cookie_of(response)
    assert nobody.data(response)["refresh_token"] == ""
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/api/auth")
    assert (cookie["max-age"], cookie["secure"]) == (str(REMEMBER_SECONDS), "")
    renewed = nobody.post("/api/auth/refresh", {}, headers=OUR_PAGE)
    assert nobody.data(renewed)["refresh_token"] == ""
    assert cookie_of(renewed).value != cookie.value
    assert bearing(nobody, renewed.json["data"]["access_token"]).get("/api/me").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Origin": "http://localhost"}, 400),
        ({**OUR_PAGE, "Origin": "http://localhost"}, 200),
        ({**OUR_PAGE, "Origin": "https://evil.example"}, 400),
        ({**OUR_PAGE, "Origin": "null"}, 400),
        ({**OUR_PAGE, "Origin": "https://localhost.evil.example"}, 400),
    ],
)
def test_the_cookie_counts_only_from_a_page_of_this_server(server, nobody, acme, headers, status):  # noqa: F811
    nobody.data(nobody.post("/api/auth/login", REMEMBER, headers=OUR_PAGE))
    before = rows(server, sessions)
    assert nobody.post("/api/auth/refresh", {}, headers=headers).status_code == status
    if status == 400:
        assert nobody.post("/api/auth/logout", {}, headers=headers).status_code == 400
        assert rows(server, sessions) == before


def test_another_site_sets_no_cookie(server, nobody, acme):  # noqa: F811
    for headers in ({}, {**OUR_PAGE, "Origin": "https://evil.example"}):
        response = nobody.post("/api/auth/login", REMEMBER, headers=headers)
        assert nobody.data(response)["refresh_token"]
        assert "Set-Cookie" not in response.headers


def test_signing_out_by_the_cookie_ends_the_session_and_removes_it(server, nobody, acme):  # noqa: F811
    signed = nobody.data(nobody.post("/api/auth/login", REMEMBER, headers=OUR_PAGE))
    response = nobody.post("/api/auth/logout", {}, headers=OUR_PAGE)
    assert (cookie_of(response).value, cookie_of(response)["max-age"]) == ("", "0")
    assert bearing(nobody, signed["access_token"]).get("/api/me").status_code == 401
    assert nobody.post("/api/auth/refresh", {}, headers=OUR_PAGE).status_code == 400


@pytest.mark.parametrize(
    ("public_url", "path"),
    [("https://help.example.com", "/api/auth"), ("https://example.com/foyer", "/foyer/api/auth")],
)
def test_over_https_the_cookie_is_secure_and_of_the_folder_of_this_server(open_app, public_url, path):
    caller = Caller(open_app(public_url=public_url).test_client())
    caller.data(caller.post("/api/companies", ACME), 201)
    cookie = cookie_of(caller.post("/api/auth/login", REMEMBER, headers={**OUR_PAGE, "Origin": public_url[:24]}))
    assert (cookie["secure"], cookie["path"]) == (True, path)


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        ("https://help.example.com", True),
        ("http://help.example.com", False),  # whoever is on the way writes such a page
        ("http://localhost", False),
        ("https://localhost", True),
        ("https://help.example.com:8443", False),
    ],
)
def test_over_https_a_page_without_it_is_not_ours(open_app, origin, is_ours):
    caller = Caller(open_app(public_url="https://help.example.com").test_client())
    caller.data(caller.post("/api/companies", ACME), 201)
    response = caller.post("/api/auth/login", REMEMBER, headers={**OUR_PAGE, "Origin": origin})
    assert ("Set-Cookie" in response.headers) is is_ours


def test_a_stolen_cookie_that_comes_back_ends_the_session(server, nobody, acme, clock):  # noqa: F811
    response = nobody.post("/api/auth/login", REMEMBER, headers=OUR_PAGE)
    stolen = cookie_of(response).value
    renewed = nobody.data(nobody.post("/api/auth/refresh", {}, headers=OUR_PAGE))
    clock.moved.append(31)
    assert nobody.post("/api/auth/refresh", {"refresh_token": stolen}).status_code == 401
    assert bearing(nobody, renewed["access_token"]).get("/api/me").status_code == 401
