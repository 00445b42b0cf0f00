"""Every way to sign in asks for the second factor, and what was said at the first step holds at the second (cases 10, 11)."""

import pytest

from database.tables import events, sessions
from tests.support.accounts import bearing, clock, rows  # noqa: F401 - a fixture
from tests.support.mailed import OTHER_PASSWORD, PASSWORD, app, code_in, deliver, nobody, token_in  # noqa: F401 - fixtures
from tests.support.second_factor import challenge, set_up, verify

# ruff: noqa: F811

BOB = "bob@example.com"


@pytest.fixture
def factor(nobody, admin, clock):
    """The app of Bob, an agent who is signed in nowhere."""
    person = {"name": "Bob", "email": BOB, "role": "agent", "password": PASSWORD}
    admin.data(admin.post("/api/users", person), 201)
    signed = nobody.data(log_in(nobody))
    app, _ = set_up(bearing(nobody, signed["access_token"]), clock)
    nobody.post("/api/auth/logout", {"refresh_token": signed["refresh_token"]})
    return app


def log_in(nobody, **more):
    return nobody.post("/api/auth/login", {"email": BOB, "password": PASSWORD, **more})


def by_code(app, nobody, mailer):
    nobody.data(nobody.post("/api/auth/code", {"email": BOB}))
    [mail] = deliver(app, mailer)
    return nobody.post("/api/auth/code/confirm", {"email": BOB, "code": code_in(mail)})


def by_reset(app, nobody, mailer):
    nobody.data(nobody.post("/api/auth/reset", {"email": BOB}))
    [mail] = deliver(app, mailer)
    return nobody.post("/api/auth/reset/confirm", {"token": token_in(mail), "password": OTHER_PASSWORD})


WAYS = {"": lambda app, nobody, mailer: log_in(nobody), "code": by_code, "reset": by_reset}


@pytest.mark.parametrize("way", WAYS)
def test_a_first_factor_alone_opens_nothing(app, nobody, mailer, factor, way):
    deliver(app, mailer)
    asked = WAYS[way](app, nobody, mailer)
    token = challenge(asked)
    assert rows(app, sessions) == []
    assert "access_token" not in asked.get_data(as_text=True)
    data = nobody.data(verify(nobody, token, factor.next_code()))
    assert bearing(nobody, data["access_token"]).get("/api/me").status_code == 200
    assert [row["to_value"] for row in rows(app, events) if row["action"] == "signed_in"][-1] == way


def test_case_11_a_new_password_by_mail_ends_an_open_challenge(app, nobody, mailer, factor):
    deliver(app, mailer)
    token = challenge(log_in(nobody))
    by_reset(app, nobody, mailer)
    refused = verify(nobody, token, factor.next_code())
    assert (refused.status_code, refused.json["data"]["code"]) == (401, "challenge_over")


def test_a_page_stays_signed_in_by_a_cookie_after_the_second_step(nobody, factor):
    page = {"headers": {"X-Requested-With": "fetch"}}
    token = challenge(log_in(nobody, remember=True))
    body = {"challenge": token, "code": factor.next_code(), "remember": True, "company": "default"}
    answer = nobody.post("/api/auth/totp/verify", body, **page)
    assert nobody.data(answer)["refresh_token"] == ""
    assert "foyer_refresh=" in answer.headers["Set-Cookie"]
    nobody.data(nobody.post("/api/auth/refresh", {}, **page))
