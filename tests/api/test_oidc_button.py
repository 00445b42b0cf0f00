"""Signing in at an OpenID Connect issuer by a button: the way there and back, and every way in which it is refused (case 13)."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from database.tables import events, exchange_codes, sessions, users
from jobs.handlers import tidy
from tests.fakes.fake_issuer import AUDIENCE, SECOND, issuer
from tests.support.caller import Caller
from tests.support.oidc_browser import CLIENT, PUBLIC_URL, Browser, code_in
from tests.support.people import bearing, rows
from tests.support.second_factor import App, verify


@pytest.fixture
def fake():
    with issuer() as running:
        running.flow.person = {
            "sub": "ada-1",
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada",
            "roles": ["agent"],
        }
        yield running


@pytest.fixture
def server(open_app, fake):
    """A server with the button; its people belong to `default`."""

    def make(**more):
        given = {"oidc_issuer": fake.url, "oidc_client_id": CLIENT, "public_url": PUBLIC_URL, **more}
        return open_app(**given)

    return make


@pytest.fixture
def browser(server):
    return Browser(server())


@pytest.mark.parametrize("page", ["/desk", "/admin/me", "/portal?company=acme", "/chat?company=acme", "/chat/1"])
def test_every_page_that_signs_people_in_is_come_back_to(browser, page):
    assert browser.sign_in(page).startswith(f"{PUBLIC_URL}{page}#session=")


def test_a_guest_who_signed_out_stays_out_when_somebody_without_an_address_changes(browser, fake):
    caller = Caller(browser.client)
    guest = caller.data(caller.post("/api/auth/guest"))
    caller.post("/api/auth/logout", {"refresh_token": guest["refresh_token"]})
    fake.flow.person = {"sub": "ada-1", "name": "Ada", "roles": ["agent"]}
    person = caller.data(browser.exchange(browser.sign_in()))["user"]
    assert person["email"] == ""
    admin = Caller(browser.client, "admin-key")
    admin.data(admin.call("PATCH", f"/api/users/{person['id']}", {"password": "lamp river cloud"}))
    assert caller.post("/api/auth/refresh", {"refresh_token": guest["refresh_token"]}).status_code == 401


def nobody_came_in(app):
    assert rows(app, sessions) == []
    assert rows(app, exchange_codes) == []


@pytest.mark.every_engine
def test_a_person_signs_in_and_stays_signed_in(browser, fake):
    page = browser.sign_in("/desk/tickets?view=mine")
    assert page.startswith(f"{PUBLIC_URL}/desk/tickets?view=mine#session=")
    answer = browser.exchange(page)
    data = Caller(browser.client).data(answer)
    assert (data["user"]["email"], data["user"]["role"]) == ("ada@example.com", "agent")
    caller = bearing(Caller(browser.client), data["access_token"])
    assert caller.data(caller.get("/api/me"))["company"]["name"] == "default"
    assert caller.post("/api/auth/refresh", {"refresh_token": data["refresh_token"]}).status_code == 200
    assert "foyer-oidc=; " in answer.headers["Set-Cookie"], "the cookie is not needed any more"
    [event] = [row for row in rows(browser.app, events) if row["action"] == "signed_in"]
    assert (event["actor"], event["to_value"]) == ("ada@example.com", "oidc")
    Caller(browser.client).data(browser.exchange(browser.sign_in()))
    assert len(rows(browser.app, users)) == 1
    assert rows(browser.app, exchange_codes) == []


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


def test_a_disabled_person_is_refused_at_every_step(browser):
    page = browser.sign_in()
    [user] = rows(browser.app, users)
    admin = Caller(browser.client, "admin-key")
    admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"disabled": True}))
    assert browser.exchange(page).status_code == 401
    assert browser.sign_in("/portal") == f"{PUBLIC_URL}/portal#problem=not_allowed"
    assert rows(browser.app, sessions) == []


@pytest.mark.parametrize(
    ("more", "claims"),
    [
        ({"oidc_company": "Acme"}, {}),
        ({"oidc_company_claim": "org"}, {"org": "nobody"}),
        ({}, {"email": "taken@example.com"}),
        ({}, {"roles": [], "email_verified": False}),
    ],
)
def test_who_may_not_come_in_here_is_told_so(server, fake, more, claims):
    app = server(**more)
    admin = Caller(app.test_client(), "admin-key")
    body = {"name": "T", "email": "taken@example.com", "role": "agent", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", body), 201)
    fake.flow.claims = claims
    assert Browser(app).sign_in() == f"{PUBLIC_URL}/desk#problem=not_allowed"
    nobody_came_in(app)


@pytest.mark.every_engine
def test_a_code_of_a_page_works_once_even_at_the_same_time(browser):
    page = browser.sign_in()
    cookie = browser.client.get_cookie("foyer-oidc").value

    def exchange(_):
        client = browser.app.test_client()
        client.set_cookie("foyer-oidc", cookie)
        return Caller(client).post("/api/auth/oidc/exchange", {"code": code_in(page)})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(exchange, range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    assert len(rows(browser.app, sessions)) == 1


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


def test_a_person_with_a_second_factor_is_asked_for_it(browser):
    caller = Caller(browser.client)
    data = caller.data(browser.exchange(browser.sign_in()))
    own = bearing(caller, data["access_token"])
    app = App(own.data(own.post("/api/auth/totp"))["secret"], lambda: datetime.now(UTC))
    own.data(own.post("/api/auth/totp/confirm", {"code": app.code(-1)}))
    asked = browser.exchange(browser.sign_in())
    assert (asked.status_code, asked.json["data"]["code"]) == (401, "second_factor_required")
    caller.data(verify(caller, asked.json["data"]["challenge"], app.code(1)))
    assert [row["to_value"] for row in rows(browser.app, events) if row["action"] == "signed_in"] == ["oidc", "oidc"]


def test_a_server_without_the_button_has_no_way_there(open_app, fake):
    app = open_app(oidc_issuer=fake.url, oidc_audience=AUDIENCE)
    for path in ("start", "callback"):
        assert app.test_client().get(f"/api/auth/oidc/{path}").status_code == 404
    assert "oidc" not in Caller(app.test_client()).get("/api/auth/options").json["data"]


def test_an_id_token_is_no_bearer_token_where_no_audience_is_named(browser, fake):
    token = fake.token(aud=CLIENT, roles=["admin"])
    for audience in (CLIENT, ""):
        token = fake.token(aud=audience, roles=["admin"])
        assert bearing(Caller(browser.client), token).get("/api/me").status_code == 401


def test_the_options_name_the_button_where_the_company_takes_the_issuer(server):
    caller = Caller(server(oidc_label="Sign in with Acme").test_client())
    button = {"label": "Sign in with Acme", "url": f"{PUBLIC_URL}/api/auth/oidc/start"}
    assert caller.get("/api/auth/options").json["data"]["oidc"] == button
    body = {"company": "Other", "name": "Eve", "email": "eve@other.example", "password": "correct horse battery"}
    caller.data(caller.post("/api/companies", body), 201)
    assert "oidc" not in caller.get("/api/auth/options?company=Other").json["data"]
