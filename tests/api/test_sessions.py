"""Sessions: access and refresh tokens, signing out, forged tokens."""
# ruff: noqa: F811 - the fixtures of tests.support.accounts are imported

import base64
import json

import jwt

from auth import tokens
from database.tables import sessions
from tests.support.accounts import ACME, acme, bearing, clock, log_in, nobody, refresh, rows, server  # noqa: F401 - fixtures
from tests.support.caller import Caller


def test_an_access_token_expires_after_15_minutes(nobody, acme, clock):
    zoe = bearing(nobody, acme["access_token"])
    clock.moved.append(tokens.ACCESS_SECONDS - 1)
    assert zoe.get("/api/me").status_code == 200
    clock.moved.append(2)
    assert zoe.get("/api/me").status_code == 401


def test_a_refresh_token_works_once_and_a_repeated_call_gets_the_same_tokens(nobody, acme, clock):
    second = refresh(nobody, acme["refresh_token"])
    clock.moved.append(29)
    again = refresh(nobody, acme["refresh_token"])
    assert again["refresh_token"] == second["refresh_token"] != acme["refresh_token"]
    third = refresh(nobody, second["refresh_token"])
    zoe = bearing(nobody, third["access_token"])
    assert zoe.get("/api/me").status_code == 200
    assert zoe.data(zoe.get("/api/me"))["email"] == ACME["email"]


def test_a_reused_refresh_token_ends_the_session(server, nobody, acme, clock):
    other = nobody.data(log_in(nobody))
    second = refresh(nobody, acme["refresh_token"])
    clock.moved.append(31)
    refresh(nobody, acme["refresh_token"], 401)
    refresh(nobody, second["refresh_token"], 401)
    for token in (acme["access_token"], second["access_token"]):
        assert bearing(nobody, token).get("/api/me").status_code == 401
    assert bearing(nobody, other["access_token"]).get("/api/me").status_code == 200
    refresh(nobody, other["refresh_token"])
    assert len(rows(server, sessions)) == 1


def test_signing_out_ends_the_session_at_once_and_again(nobody, acme):
    for _ in range(2):
        assert nobody.data(nobody.post("/api/auth/logout", {"refresh_token": acme["refresh_token"]})) == {
            "signed_out": True
        }
    assert bearing(nobody, acme["access_token"]).get("/api/me").status_code == 401
    refresh(nobody, acme["refresh_token"], 401)
    assert nobody.post("/api/auth/logout", {"refresh_token": "nonsense"}).status_code == 200


def test_a_session_without_refresh_ends_after_two_weeks(server, nobody, acme, clock):
    clock.moved.append(14 * 24 * 3600 + 1)
    refresh(nobody, acme["refresh_token"], 401)


def unsigned(claims, algorithm="none"):
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def test_forged_tokens_are_401(server, nobody, acme, clock):
    secret = server.extensions["runtime"].tokens._secret
    claims = jwt.decode(acme["access_token"], options={"verify_signature": False})
    assert bearing(nobody, jwt.encode(claims, secret, "HS256")).get("/api/me").status_code == 200
    forged = [
        unsigned(claims),
        unsigned(claims, "HS256") + "AAAA",
        jwt.encode(claims, "x" * 48, "HS256"),
        jwt.encode(claims, secret, "HS512"),
        jwt.encode({**claims, "aud": tokens.REFRESH}, secret, "HS256"),
        jwt.encode({**claims, "typ": tokens.REFRESH}, secret, "HS256"),
        jwt.encode({**claims, "iss": "elsewhere"}, secret, "HS256"),
        jwt.encode({**claims, "exp": "never"}, secret, "HS256"),
        jwt.encode({**claims, "exp": claims["exp"] - 901}, secret, "HS256"),
        jwt.encode({**claims, "sid": "another"}, secret, "HS256"),
        jwt.encode({**claims, "sub": "another"}, secret, "HS256"),
        *(jwt.encode({k: v for k, v in claims.items() if k != name}, secret, "HS256") for name in claims),
        acme["refresh_token"],
    ]
    for token in forged:
        assert bearing(nobody, token).get("/api/me").status_code == 401, token
        assert Caller(nobody.client, token).get("/api/me").status_code == 401
    refresh(nobody, acme["access_token"], 401)
