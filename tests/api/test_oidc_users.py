"""Who comes in by the button of an OpenID Connect issuer, and who does not (case 13)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from database.tables import events, exchange_codes, sessions, users
from tests.support.accounts import bearing, rows
from tests.support.caller import Caller
from tests.support.oidc_browser import CLIENT, PUBLIC_URL, Browser, browser, code_in, fake, nobody_came_in, server  # noqa: F401 - fixtures
from tests.support.second_factor import App, verify

# ruff: noqa: F811


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
