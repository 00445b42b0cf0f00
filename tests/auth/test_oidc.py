"""Tokens of an OpenID Connect issuer: verification, and caching of the issuer's keys (case 13), over real HTTP."""

import base64
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from auth import oidc
from auth.oidc import Issuer, names_issuer
from core.errors import AppError
from tests.fakes.fake_issuer import AUDIENCE, CURVE, DISCOVERY, FIRST, SECOND, issuer, listed, pem, public_pem, rsa_key

NOW = int(time.time())


@pytest.fixture
def engine():
    """Tokens know no storage."""
    return "json"


@pytest.fixture
def fake():
    with issuer() as running:
        yield running


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def known(fake, clock):
    """The issuer as the server knows it; hours pass by the test's clock."""
    return Issuer(fake.url, AUDIENCE, clock=clock)


def b64(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def handmade(fake, header, sign):
    """A token whose header says anything, signed by `sign(bytes)`."""
    claims = {"iss": fake.url, "aud": AUDIENCE, "sub": "ada-1", "exp": int(time.time()) + 600}
    signed = f"{b64(header)}.{b64(claims)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


@pytest.mark.parametrize(("key", "key_id"), [(FIRST, "one"), (CURVE, "curve")], ids=["RS256", "ES256"])
def test_a_token_of_the_issuer_for_this_audience_is_accepted(fake, known, key, key_id):
    claims = known.claims(fake.token(key, key_id, email="ada@example.com"))
    assert (claims["sub"], claims["email"]) == ("ada-1", "ada@example.com")
    assert known.claims(fake.token(key, key_id, aud=["other", AUDIENCE]))


WRONG_CLAIMS = {
    "expired": {"exp": NOW - 61},
    "without an end": {"exp": None},
    "an end that is no number": {"exp": "soon"},
    "not before tomorrow": {"nbf": NOW + 86400},
    "issued tomorrow": {"iat": NOW + 86400},
    "for somebody else": {"aud": "api://other"},
    "for several others": {"aud": ["api://other", "api://foyer/"]},
    "for nobody": {"aud": None},
    "of another issuer": {"iss": "https://evil.example"},
    "of nobody": {"iss": None},
    "about nobody": {"sub": None},
    "about an empty subject": {"sub": ""},
    "about a number": {"sub": 7},
    "about a subject of many lines": {"sub": "ada\nbob"},
    "about a subject without end": {"sub": "a" * 256},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_with_a_wrong_claim_is_refused(fake, known, claims):
    assert known.claims(fake.token(**claims)) is None
    assert known.claims(fake.token()), "and nothing else was wrong with it"


COGNITO = {"aud": None, "client_id": AUDIENCE, "token_use": "access", "scope": "openid"}
WRONG_COGNITO = {
    "of another client": {"client_id": "another client"},
    "without a client": {"client_id": None},
    "of several clients": {"client_id": [AUDIENCE]},
    "for somebody else by the same client": {"aud": "api://other"},
    "for an empty audience": {"aud": ""},
    "for no audience of a list": {"aud": []},
    "an ID token without an audience": {"token_use": "id"},
    "of an issuer that says nothing of the use": {"token_use": None},
    "uses as a list": {"token_use": ["access"]},
    "expired": {"exp": NOW - 61},
    "without an end": {"exp": None},
    "of another pool": {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_other"},
    "about nobody": {"sub": None},
}


def test_an_access_token_of_cognito_names_the_audience_as_its_client(fake, known):
    claims = known.claims(fake.token(**COGNITO, **{"cognito:groups": ["agent"]}))
    assert (claims["sub"], claims["cognito:groups"]) == ("ada-1", ["agent"])


@pytest.mark.parametrize("claims", WRONG_COGNITO.values(), ids=WRONG_COGNITO)
def test_case_13_a_token_without_an_audience_is_refused_unless_it_is_cognitos(fake, known, claims):
    assert known.claims(fake.token(**{**COGNITO, **claims})) is None
    assert known.claims(fake.token(**COGNITO)), "and nothing else was wrong with it"


def test_case_13_an_access_token_of_cognito_with_an_empty_audience_or_a_foreign_key_is_refused(fake, known):
    null = {"iss": fake.url, "sub": "ada-1", "exp": NOW + 600, **COGNITO}
    assert known.claims(jwt.encode(null, pem(FIRST), "RS256", {"kid": "one"})) is None, (
        "an audience of null is not none"
    )
    assert known.claims(fake.token(SECOND, "one", **COGNITO)) is None
    assert known.claims(fake.token(**COGNITO), audience=AUDIENCE) is None, "the button takes ID tokens alone"


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -5), ("nbf", 30), ("iat", 30)])
def test_clocks_may_differ_by_a_minute(fake, known, claim, seconds):
    assert known.claims(fake.token(**{claim: int(time.time()) + seconds}))


def test_an_issuer_with_an_extra_slash_is_another_issuer(fake, known):
    assert known.claims(fake.token(iss=fake.url + "/")) is None


def test_a_token_without_a_signature_is_refused(fake, known):
    for name in ("none", "None", "NONE", ""):
        assert known.claims(handmade(fake, {"alg": name, "kid": "one"}, lambda _: b"")) is None


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(fake, known):
    modulus = base64.urlsafe_b64decode(fake.keys[0]["n"] + "==")
    for secret in (public_pem(FIRST), public_pem(FIRST).strip(), modulus, fake.keys[0]["n"].encode(), b""):
        for name, kind in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            token = handmade(
                fake, {"alg": name, "kid": "one"}, lambda raw, s=secret, k=kind: hmac.new(s, raw, k).digest()
            )
            assert known.claims(token) is None


def test_the_key_determines_the_algorithm(fake, known):
    rest = fake.token().partition(".")[2]
    for header in (
        {"alg": "ES256", "kid": "one"},
        {"alg": "RS384", "kid": "one"},
        {"alg": "PS256", "kid": "one"},
        {"kid": "one"},
    ):
        assert known.claims(f"{b64(header)}.{rest}") is None
    assert known.claims(fake.token(CURVE, "one")) is None
    assert known.claims(fake.token(FIRST, "curve")) is None


@pytest.mark.parametrize("key_id", [None, "", "two", "ONE", 7, ["one"]])
def test_a_token_of_an_unknown_key_is_refused(fake, known, key_id):
    if isinstance(key_id, str) or key_id is None:
        assert known.claims(fake.token(key_id=key_id)) is None
    else:
        assert known.claims(handmade(fake, {"alg": "RS256", "kid": key_id}, lambda _: b"x" * 256)) is None


def test_a_key_inside_the_token_or_at_an_address_in_it_is_not_used(fake, known):
    own = listed(SECOND, "own")
    fake.says("/evil", {"keys": [own]})
    for header in ({"jwk": own}, {"jku": f"{fake.url}/evil"}, {"x5u": f"{fake.url}/evil"}, {"crit": ["x"], "x": 1}):
        assert known.claims(fake.token(SECOND, "own", header=header)) is None
        assert known.claims(fake.token(SECOND, "one", header=header)) is None
    assert "/evil" not in fake.asked


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "fk_abc", "é.é.é", "x" * 100_000, "." * 1000])
def test_malformed_tokens_are_refused_without_a_request_to_the_issuer(fake, known, token):
    assert known.claims(token) is None
    assert not names_issuer(token, fake.url)
    assert fake.asked == []


def test_a_changed_token_is_refused(fake, known):
    head, body, signature = fake.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert known.claims(f"{head}.{b64({**claims, 'sub': 'eve-1'})}.{signature}") is None
    assert known.claims(f"{head}.{body}.{signature[:-4]}AAAA") is None
    assert known.claims(f"{head}.{body}.") is None


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
def test_keys_for_other_purposes_are_not_used(fake, known):
    small, other = rsa_key(1024), ec.generate_private_key(ec.SECP384R1())
    fake.keys = [
        listed(SECOND, "encrypts", use="enc"),
        listed(SECOND, "another algorithm", alg="RS512"),
        listed(small, "too small"),
        {"kty": "oct", "kid": "secret", "k": b64(b"s" * 32), "alg": "HS256"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA"},
        "no key at all",
        listed(FIRST, "one"),
    ]
    for key, key_id in ((SECOND, "encrypts"), (SECOND, "another algorithm"), (small, "too small")):
        assert known.claims(fake.token(key, key_id)) is None, key_id
    by_secret = handmade(
        fake, {"alg": "HS256", "kid": "secret"}, lambda raw: hmac.new(b"s" * 32, raw, hashlib.sha256).digest()
    )
    assert known.claims(by_secret) is None
    assert known.claims(fake.token())
    assert listed(other, "x")["crv"] == "P-384"


def test_the_iss_claim_only_selects_the_verifier(fake):
    assert names_issuer(fake.token(), fake.url)
    assert names_issuer(handmade(fake, {"alg": "none"}, lambda _: b""), fake.url), (
        "checked by the issuer's keys, and refused"
    )
    assert not names_issuer(fake.token(iss="https://evil.example"), fake.url)
    assert not names_issuer(fake.token(iss=""), "")


def test_keys_are_fetched_once_an_hour(fake, known, clock):
    for _ in range(5):
        assert known.claims(fake.token())
    assert fake.asked == [DISCOVERY, "/keys"]
    clock.seconds += oidc.KEYS_SECONDS + 1
    assert known.claims(fake.token())
    assert fake.times_asked() == 2


def test_new_keys_are_fetched_and_removed_keys_are_dropped(fake, known, clock):
    assert known.claims(fake.token())
    fake.keys = [listed(SECOND, "two")]
    clock.seconds += oidc.AGAIN_SECONDS + 1
    assert known.claims(fake.token(SECOND, "two"))
    assert known.claims(fake.token()) is None, "the issuer has taken it back"


def test_many_unknown_keys_cause_few_requests(fake, known, clock):
    assert known.claims(fake.token())
    token = fake.token(SECOND, "random")
    rest = token.partition(".")[2]
    for round_ in range(3):
        clock.seconds += oidc.AGAIN_SECONDS + 1
        for number in range(50):
            assert known.claims(f"{b64({'alg': 'RS256', 'kid': f'{round_} {number}'})}.{rest}") is None
        assert fake.times_asked() == 2 + round_
    assert known.claims(fake.token())


def test_old_keys_are_used_while_the_issuer_is_unreachable(fake, known, clock, caplog):
    assert known.claims(fake.token())
    fake.says("/keys", b"no", 500)
    clock.seconds += oidc.KEYS_SECONDS + 1
    with caplog.at_level(logging.WARNING, "foyer.oidc"):
        for _ in range(5):
            assert known.claims(fake.token())
    assert fake.times_asked() == 2
    assert len(caplog.records) == 1
    fake.answers.clear()
    fake.keys = [listed(FIRST, "one"), listed(SECOND, "two")]
    clock.seconds += oidc.AGAIN_SECONDS + 1
    assert known.claims(fake.token(SECOND, "two"))


BROKEN = {
    "an error": (DISCOVERY, {"issuer": "{url}", "jwks_uri": "{url}/keys"}, 500, {}),
    "no JSON": (DISCOVERY, b"<html>", 200, {}),
    "no object": (DISCOVERY, [], 200, {}),
    "another issuer": (DISCOVERY, {"issuer": "https://evil.example", "jwks_uri": "{url}/keys"}, 200, {}),
    "keys in a file": (DISCOVERY, {"issuer": "{url}", "jwks_uri": "file:///etc/passwd"}, 200, {}),
    "keys nowhere": (DISCOVERY, {"issuer": "{url}"}, 200, {}),
    "a far too long answer": (DISCOVERY, {"issuer": "{url}", "jwks_uri": "{url}/keys", "x": "x" * 600_000}, 200, {}),
    "no keys": ("/keys", {"keys": []}, 200, {}),
    "keys that are none": ("/keys", {"keys": "one"}, 200, {}),
    "sent elsewhere": ("/keys", b"", 302, {"Location": "{url}/evil"}),
}


@pytest.mark.parametrize(("path", "body", "status", "headers"), BROKEN.values(), ids=BROKEN)
def test_without_keys_the_response_is_503_with_retry_after(fake, known, clock, path, body, status, headers):
    fake.says("/evil", {"keys": fake.keys})
    if isinstance(body, dict):
        body = {
            name: value.replace("{url}", fake.url) if isinstance(value, str) else value for name, value in body.items()
        }
    fake.says(path, body, status, **{name: value.replace("{url}", fake.url) for name, value in headers.items()})
    for _ in range(3):
        with pytest.raises(AppError) as raised:
            known.claims(fake.token())
        assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "10"})
    assert fake.times_asked() == 1
    assert "/evil" not in fake.asked
    fake.answers.clear()
    clock.seconds += oidc.FIRST_AGAIN_SECONDS
    assert known.claims(fake.token()), "and then it is there again"


def test_a_slow_or_unreachable_issuer_times_out(fake, clock, free_port, monkeypatch):
    with pytest.raises(AppError, match="cannot be checked"):
        Issuer(f"http://127.0.0.1:{free_port}", AUDIENCE).claims(fake.token())
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.2)
    silent = socket.create_server(("127.0.0.1", 0))  # takes the call and says nothing
    with silent, pytest.raises(AppError, match="cannot be checked"):
        Issuer(f"http://127.0.0.1:{silent.getsockname()[1]}", AUDIENCE).claims(fake.token())
    fake.drip = 0.1  # each byte in time, the whole never
    with pytest.raises(AppError, match="cannot be checked"):
        Issuer(fake.url, AUDIENCE).claims(fake.token())


def test_many_first_requests_fetch_the_keys_once(fake, known):
    fake.delay = 0.05
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(known.claims, [fake.token()] * 16))
    assert all(answers)
    assert fake.times_asked() == 1


def test_a_known_key_does_not_wait_for_a_running_fetch(fake, known, clock):
    assert known.claims(fake.token())
    clock.seconds += oidc.AGAIN_SECONDS + 1
    fake.hold = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(known.claims, fake.token(SECOND, "two"))
        while fake.times_asked() < 2:
            time.sleep(0.01)
        assert known.claims(fake.token()), "answered while the issuer still thinks"
        with pytest.raises(AppError) as raised:
            known.claims(fake.token(SECOND, "three"))
        assert raised.value.headers == {"Retry-After": "1"}
        assert not looking.done()
        fake.hold.set()
        assert looking.result(10) is None
