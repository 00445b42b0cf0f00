"""Signing in at an OpenID Connect issuer by a button: the way there and back, and every way in which it is refused (case 13)."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from database.tables import exchange_codes, users
from jobs.handlers import tidy
from tests.fakes.fake_issuer import AUDIENCE, SECOND
from tests.support.accounts import rows
from tests.support.caller import Caller
from tests.support.oidc_browser import CLIENT, PUBLIC_URL, Browser, browser, code_in, fake, nobody_came_in, server  # noqa: F401 - fixtures

# ruff: noqa: F811


@pytest.mark.parametrize("page", ["/desk", "/admin/me", "/portal?company=acme", "/chat?company=acme", "/chat/1"])
def test_every_page_that_signs_people_in_is_come_back_to(browser, page):
    assert browser.sign_in(page).startswith(f"{PUBLIC_URL}{page}#session=")


def test_the_way_to_the_issuer_carries_state_nonce_and_challenge_and_no_secret(browser, fake):
    one, other = (urlsplit(browser.begin()) for _ in range(2))
    query = {name: value for name, [value] in parse_qs(one.query).items()}
    assert f"{one.scheme}://{one.netloc}{one.path}" == f"{fake.url}/authorize"
    assert query.keys() == set(
        "response_type client_id redirect_uri scope state nonce code_challenge code_challenge_method".split()
    )
    assert (query["client_id"], query["code_challenge_method"]) == (CLIENT, "S256")
    assert query["redirect_uri"] == f"{PUBLIC_URL}/api/auth/oidc/callback"
    others = {name: value for name, [value] in parse_qs(other.query).items()}
    assert all(query[name] != others[name] for name in ("state", "nonce", "code_challenge"))
    cookie = browser.client.get_cookie("foyer-oidc")
    assert (cookie.http_only, cookie.same_site, cookie.secure) == (True, "Lax", False)
    assert query["nonce"] not in cookie.value


def test_over_https_the_cookie_is_secure_and_of_this_host_alone(server):
    client = server(public_url="https://help.example.com").test_client()
    answer = client.get("/api/auth/oidc/start", base_url="https://help.example.com")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-foyer-oidc=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


PAGES_OF_OTHERS = [
    "//evil.example",
    "https://evil.example/desk",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/desk\r\nSet-Cookie: a=b",
    "/desk/../../evil",
    "/desk/%2e%2e/evil",
    "/desk#session=mine",
    "/api/me",
    "/api/auth/oidc/start",
    "/nothing",
    "javascript:alert(1)",
    "desk",
    "/desk?" + "x" * 600,
    "",
]


@pytest.mark.parametrize("page", PAGES_OF_OTHERS)
def test_only_a_page_of_ours_can_be_come_back_to(browser, fake, page):
    assert browser.begin(page) == f"{PUBLIC_URL}/desk#problem=page"
    assert browser.client.get_cookie("foyer-oidc") is None
    assert fake.asked == []


def test_without_next_the_desk_is_come_back_to(browser):
    assert browser.sign_in(None).startswith(f"{PUBLIC_URL}/desk#session=")


def changed(address, **query):
    parts = urlsplit(address)
    values = {name: value for name, [value] in parse_qs(parts.query).items()} | query
    return parts._replace(query=urlencode({name: value for name, value in values.items() if value})).geturl()


@pytest.mark.parametrize("state", ["", "x", "x" * 5000, "é"])
def test_a_wrong_state_is_refused_and_the_issuer_is_not_asked(browser, fake, state):
    back = browser.at_issuer(browser.begin())
    assert browser.come_back(changed(back, state=state)) == f"{PUBLIC_URL}/desk#problem=expired"
    assert fake.flow.used == []
    nobody_came_in(browser.app)


def test_case_13_another_browser_cannot_use_the_way_back(browser, fake):
    victim, attacker = Browser(browser.app), browser
    back = attacker.at_issuer(attacker.begin())
    assert victim.come_back(back) == f"{PUBLIC_URL}/desk#problem=expired"
    victim.begin()  # a sign-in of the victim's own is under way
    assert victim.come_back(back) == f"{PUBLIC_URL}/desk#problem=expired"
    assert fake.flow.used == []
    nobody_came_in(browser.app)


def test_another_browser_cannot_exchange_the_code_of_a_page(browser):
    page = browser.sign_in()
    victim = Browser(browser.app)
    assert victim.exchange(page).status_code == 401
    victim.begin()
    assert victim.exchange(page).status_code == 401
    assert browser.exchange(page).status_code == 200


def test_a_forged_cookie_is_refused(browser, fake):
    browser.begin()
    value = browser.client.get_cookie("foyer-oidc").value
    claims = jwt.decode(value, options={"verify_signature": False})
    forged = [
        jwt.encode(claims, "x" * 40, "HS256"),
        jwt.encode(claims, "", "none"),
        browser.app.extensions["runtime"].tokens.access("a", "b", now=datetime.now(UTC).isoformat()[:23] + "Z"),
        "nonsense",
    ]
    for cookie in forged:
        browser.client.set_cookie("foyer-oidc", cookie)
        back = f"{PUBLIC_URL}/api/auth/oidc/callback?code=x&state={claims['sub']}"
        assert browser.come_back(back) == f"{PUBLIC_URL}/desk#problem=expired"
    assert fake.flow.used == []


def test_a_code_of_the_issuer_works_once(browser):
    back = browser.at_issuer(browser.begin())
    assert "#session=" in browser.come_back(back)
    assert browser.come_back(back) == f"{PUBLIC_URL}/desk#problem=refused"


def test_a_code_that_was_stolen_from_another_sign_in_is_refused(browser, fake):
    stolen = parse_qs(urlsplit(Browser(browser.app).at_issuer(browser.begin())).query)["code"][0]
    own = browser.at_issuer(browser.begin())
    assert browser.come_back(changed(own, code=stolen)) == f"{PUBLIC_URL}/desk#problem=refused"
    nobody_came_in(browser.app)


WRONG_TOKENS = {
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "a nonce that is no text": {"nonce": ["x"]},
    "another client": {"aud": "another"},
    "the audience of the API": {"aud": AUDIENCE},
    "several clients without a party": {"aud": [CLIENT, "another"]},
    "a token of another party": {"azp": "another"},
    "several clients and another party": {"aud": [CLIENT, "another"], "azp": "another"},
    "another tenant": {"iss": "https://login.example/other-tenant"},
    "expired": {"exp": int(time.time()) - 3600},
    "not valid yet": {"nbf": int(time.time()) + 3600},
    "no subject": {"sub": None},
    "no end": {"exp": None},
}


@pytest.mark.parametrize("wrong", WRONG_TOKENS)
def test_case_13_a_wrong_token_is_refused(browser, fake, wrong):
    fake.flow.claims = WRONG_TOKENS[wrong]
    assert browser.sign_in() == f"{PUBLIC_URL}/desk#problem=refused"
    nobody_came_in(browser.app)
    assert rows(browser.app, users) == []


def test_case_13_a_token_with_another_key_or_kind_is_refused(browser, fake):
    for options in ({"key": SECOND}, {"key_id": "unknown"}, {"header": {"typ": "logout+jwt"}}):
        fake.flow.token_options = options
        assert browser.sign_in() == f"{PUBLIC_URL}/desk#problem=refused"
    nobody_came_in(browser.app)


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"{}", {}),
        (200, b'{"id_token": 7}', {}),
        (200, b'{"id_token": "a.b.c"}', {}),
        (401, b"<script>alert(1)</script>", {}),
    ],
)
def test_an_issuer_that_gives_no_token_is_not_echoed(browser, fake, answer, caplog):
    fake.answers["/token"] = answer
    assert browser.sign_in() == f"{PUBLIC_URL}/desk#problem=refused"
    assert "script" not in caplog.text


@pytest.mark.parametrize("answer", [(500, b"", {}), (200, b"no", {}), (302, b"", {"Location": "http://127.0.0.1:1/"})])
def test_an_issuer_that_is_down_at_the_end(browser, fake, answer):
    fake.answers["/token"] = answer
    assert browser.sign_in() == f"{PUBLIC_URL}/desk#problem=unavailable"


def test_an_issuer_that_is_down_at_the_beginning(browser, fake):
    fake.says("/.well-known/openid-configuration", b"no", 500)
    assert browser.begin("/portal") == f"{PUBLIC_URL}/portal#problem=unavailable"


def test_endpoints_that_are_missing_or_less_secure_are_not_used(server, fake):
    fake.flow.metadata = {"authorization_endpoint": "ftp://evil.example/"}
    assert Browser(server()).begin() == f"{PUBLIC_URL}/desk#problem=unavailable"


def test_what_the_issuer_says_about_an_error_is_not_shown(browser, fake):
    state = parse_qs(urlsplit(browser.begin("/portal")).query)["state"][0]
    error = urlencode({"error": "<b>", "error_description": "Call 555", "state": state})
    back = f"{PUBLIC_URL}/api/auth/oidc/callback?{error}"
    assert browser.come_back(back) == f"{PUBLIC_URL}/portal#problem=cancelled"


def test_an_answer_in_the_name_of_another_issuer_is_refused(browser, fake):
    fake.flow.back = {"iss": "https://evil.example"}
    assert browser.sign_in() == f"{PUBLIC_URL}/desk#problem=refused"
    assert fake.flow.used == []
    fake.flow.back = {"iss": fake.url}
    assert "#session=" in browser.sign_in()


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"]])
def test_a_confidential_client_shows_its_secret(server, fake, methods):
    fake.flow.secret = "a secret of the issuer's"
    fake.flow.metadata = {"token_endpoint_auth_methods_supported": methods} if methods else {}
    browser = Browser(server(oidc_client_secret="a secret of the issuer's"))
    assert "#session=" in browser.sign_in()
    assert ("client_secret" in fake.flow.used[0]) is (methods == ["client_secret_post"])
    fake.flow.secret = "another secret"
    assert "#problem=refused" in browser.sign_in()


def test_a_code_of_a_page_ends_after_a_minute_and_the_way_back_after_ten(server, fake):
    moved, start = [0], datetime.now(UTC)
    app = server(clock=lambda: start + timedelta(seconds=sum(moved)))
    browser = Browser(app)
    page, back = browser.sign_in(), Browser(app)
    address = back.at_issuer(back.begin())
    moved.append(61)
    assert browser.exchange(page).status_code == 401
    moved.append(600)
    assert back.come_back(address) == f"{PUBLIC_URL}/desk#problem=expired"
    assert len(rows(app, exchange_codes)) == 1
    tidy(app.extensions["runtime"])
    assert rows(app, exchange_codes) == []


def test_no_code_and_no_secret_is_stored_or_logged(server, fake, caplog):
    caplog.set_level("DEBUG", "foyer")
    app = server(oidc_client_secret="a secret of the issuer's")
    page = Browser(app).sign_in()
    [row] = rows(app, exchange_codes)
    assert code_in(page) not in str(row)
    for secret in (code_in(page), "a secret of the issuer's", fake.flow.used[0]["code_verifier"]):
        assert secret not in caplog.text


@pytest.mark.parametrize("code", ["", "x", "é" * 200])
def test_another_code_is_refused(browser, code):
    browser.sign_in()
    answer = Caller(browser.client).post("/api/auth/oidc/exchange", {"code": code})
    assert answer.status_code in (400, 401)


def test_a_server_without_the_button_has_no_way_there(open_app, fake):
    app = open_app(oidc_issuer=fake.url, oidc_audience=AUDIENCE)
    for path in ("start", "callback"):
        assert app.test_client().get(f"/api/auth/oidc/{path}").status_code == 404
    assert "oidc" not in Caller(app.test_client()).get("/api/auth/options").json["data"]
