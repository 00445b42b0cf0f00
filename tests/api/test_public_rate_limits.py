"""The limits of public routes: sign-in and registration. They apply also with RATE_LIMIT=off."""

import pytest
from sqlalchemy import select

from api.http.rate_counters import InMemory
from api.http.rate_limits import PublicRateLimit
from core.permissions import Permission
from database.tables import companies, sign_in_tries
from tests.support.caller import Caller


@pytest.fixture
def engine():
    """Limits know no storage."""
    return "json"


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def door(open_app, clock):
    """Opens a server whose windows pass by the test's clock, for callers without credentials."""

    def make(**settings):
        app = open_app(**settings)
        app.extensions["limits"].counter = InMemory(clock)
        return Caller(app.test_client())

    return make


def attempts(caller, path, many, *, body=None, **more):
    """The statuses of that many calls; what is sent is wrong, so that no password is hashed for it."""
    return [caller.post(path, body or {}, **more).status_code for _ in range(many)]


def at(address):
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_every_public_writing_route_has_a_limit(app):
    found = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if getattr(view, "permission", None) is Permission.PUBLIC and (rule.methods or set()) - {
            "GET",
            "HEAD",
            "OPTIONS",
        }:
            found[rule.rule] = getattr(view, "limit", None)
    assert {"/api/companies", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout"} <= set(found)
    assert all(isinstance(limit, PublicRateLimit) for limit in found.values()), found


@pytest.mark.parametrize("rate_limit", ["off", "1 per minute"])
def test_registrations_are_limited_per_address(door, clock, rate_limit):
    caller = door(rate_limit=rate_limit)
    assert attempts(caller, "/api/companies", 61) == [400] * 60 + [429]
    refused = caller.post("/api/companies", {})
    assert refused.json["data"] == {"code": "rate_limited", "errors": []}
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Remaining"]) == ("3600", "0")
    assert attempts(caller, "/api/companies", 1, **at("198.51.100.7")) == [400]
    clock.seconds += 3600
    assert attempts(caller, "/api/companies", 1) == [400]


def test_registrations_are_limited_in_all(door, clock):
    caller = door()
    for number in range(12):
        assert attempts(caller, "/api/companies", 50, **at(f"198.51.100.{number}")) == [400] * 50
    assert attempts(caller, "/api/companies", 2, **at("203.0.113.1")) == [429, 429]
    clock.seconds += 3600
    assert attempts(caller, "/api/companies", 1, **at("203.0.113.1")) == [400]


def test_one_address_cannot_use_up_the_limit_of_all(door):
    caller = door()
    attempts(caller, "/api/companies", 700)
    assert attempts(caller, "/api/companies", 1, **at("203.0.113.1")) == [400]


def test_sign_ins_are_limited_per_address_and_account(door):
    caller = door()
    body = {"email": "Ada@Example.com "}
    assert attempts(caller, "/api/auth/login", 61, body=body) == [400] * 60 + [429]
    assert attempts(caller, "/api/auth/login", 1, body={"email": "ada@example.com"}) == [429], "the same account"
    assert attempts(caller, "/api/auth/login", 1, body={"email": "bob@example.com"}) == [400]
    assert attempts(caller, "/api/auth/login", 1, body=body, **at("198.51.100.7")) == [400]
    statuses = [caller.post("/api/auth/login", {"email": f"p{n}@example.com"}).status_code for n in range(240)]
    assert statuses == [400] * 237 + [429] * 3
    assert attempts(caller, "/api/auth/refresh", 1) == [400], "staying signed in has a limit of its own"


@pytest.mark.parametrize(
    ("path", "other"), [("/api/auth/refresh", "/api/auth/logout"), ("/api/auth/logout", "/api/auth/refresh")]
)
def test_refresh_and_sign_out_have_high_limits(door, path, other):
    caller = door()
    assert attempts(caller, path, 602) == [400] * 600 + [429] * 2
    assert attempts(caller, other, 1) == [400]


@pytest.mark.parametrize("sent", ["{", "[]", '{"email": 7}', '{"email": null}', '{"email": ["a"]}', ""])
def test_invalid_bodies_count_too_and_are_400(door, sent):
    caller = door()
    more = {"data": sent, "content_type": "application/json"}
    assert {caller.post("/api/auth/login", **more).status_code for _ in range(60)} == {400}
    assert attempts(caller, "/api/companies", 1) == [400]


def test_forwarded_addresses_count_only_from_trusted_proxies(door):
    """(case 10)"""
    caller = door()
    attempts(caller, "/api/companies", 60)
    for header in ("X-Forwarded-For", "CF-Connecting-IP", "X-Real-IP", "Forwarded"):
        assert attempts(caller, "/api/companies", 1, headers={header: "198.51.100.7"}) == [429]
    behind = door(trusted_proxies=1)
    for number in range(3):
        sent = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.7"}
        assert attempts(behind, "/api/companies", 20, headers=sent) == [400] * 20
    assert attempts(behind, "/api/companies", 1, headers={"X-Forwarded-For": "198.51.100.7"}) == [429]
    assert attempts(behind, "/api/companies", 1, headers={"X-Forwarded-For": "198.51.100.8"}) == [400]


@pytest.mark.parametrize(
    ("addresses", "one"),
    [
        (["2001:db8::1", "2001:db8::ffff", "2001:db8:0:0:1:2:3:4"], True),
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"], False),
        (["::ffff:198.51.100.7", "198.51.100.7", "::FFFF:198.51.100.7"], True),
        (["::ffff:198.51.100.7", "::ffff:198.51.100.8", "::ffff:198.51.100.9"], False),
        (["198.51.100.7:1024", "198.51.100.7:1025", "198.51.100.7"], True),
        (["[2001:db8::1]:1024", "[2001:db8::1]:1025", "2001:db8::1"], True),
        (["unknown", "", "unknown"], False),
    ],
)
def test_the_holder_of_an_address(door, addresses, one):
    caller = door()
    for address in addresses:
        attempts(caller, "/api/companies", 20, **at(address))
    assert attempts(caller, "/api/companies", 1, **at(addresses[0])) == ([429] if one else [400])


def test_above_the_limit_nothing_is_written(door):
    caller = door()
    runtime = caller.client.application.extensions["runtime"]
    attempts(caller, "/api/companies", 60)
    attempts(caller, "/api/auth/login", 60, body={"email": "ada@example.com"})
    company = {"company": "Acme", "name": "Ada", "email": "ada@acme.example", "password": "correct horse battery"}
    assert caller.post("/api/companies", company).status_code == 429
    assert caller.post("/api/auth/login", {"email": "ada@example.com", "password": "wrong horse"}).status_code == 429
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.count(select(sign_in_tries)) == 0
        assert [row["id"] for row in uow.find(select(companies))] == ["default"]
