"""A new password by mail (cases 10, 11)."""

import json

import pytest

from database.tables import events, jobs, sign_in_tokens, users
from notifier import ConsoleMailer
from tests.support.accounts import at, bearing, clock, rows  # noqa: F401 - a fixture
from tests.support.caller import Caller
from tests.support.mailed import (  # noqa: F401 - fixtures
    OTHER_PASSWORD,
    PASSWORD,
    app,
    code_in,
    deliver,
    in_parallel,
    nobody,
    same_answers,
    token_in,
)

# ruff: noqa: F811

BOB = "bob@example.com"


@pytest.fixture
def bob(admin):
    """The person Bob, an agent with a password."""
    return admin.data(admin.post("/api/users", person(role="agent")), 201)


def person(**more):
    return {"name": "Bob", "email": BOB, "role": "customer", "password": PASSWORD, **more}


def ask(nobody, email=BOB, *, environ_base=None, **more):
    place = {"environ_base": environ_base} if environ_base else {}
    return nobody.post("/api/auth/reset", {"email": email, **more}, **place)


def asked_token(app, nobody, mailer, **more):
    assert ask(nobody, **more).status_code == 200
    [mail] = deliver(app, mailer)
    return token_in(mail)


def confirm(nobody, token, password=OTHER_PASSWORD):
    return nobody.post("/api/auth/reset/confirm", {"token": token, "password": password})


def log_in(nobody, password):
    return nobody.post("/api/auth/login", {"email": BOB, "password": password})


@pytest.mark.every_engine
def test_a_new_password_ends_every_session_and_signs_in(app, admin, nobody, mailer, bob):
    before = nobody.data(log_in(nobody, PASSWORD))
    signed = nobody.data(confirm(nobody, asked_token(app, nobody, mailer)))
    assert bearing(nobody, signed["access_token"]).get("/api/me").status_code == 200
    assert bearing(nobody, before["access_token"]).get("/api/me").status_code == 401
    assert nobody.post("/api/auth/refresh", {"refresh_token": before["refresh_token"]}).status_code == 401
    assert (log_in(nobody, PASSWORD).status_code, log_in(nobody, OTHER_PASSWORD).status_code) == (401, 200)
    assert {"reset_requested", "password_reset"} <= {row["action"] for row in rows(app, events)}


@pytest.mark.every_engine
def test_case_11_a_link_works_once_even_in_parallel(app, nobody, mailer, bob):
    token = asked_token(app, nobody, mailer)
    assert in_parallel(lambda: confirm(Caller(app.test_client()), token), 4) == [200, 400, 400, 400]
    assert confirm(nobody, token).status_code == 400


@pytest.mark.every_engine
def test_case_10_known_and_unknown_get_the_same_answer_for_the_same_work(app, nobody, mailer, bob):
    stored = []

    def answer(email, **more):
        before = len(rows(app, jobs))
        response = ask(nobody, email, **more)
        stored.append(len(rows(app, jobs)) - before)
        return response

    answers = [
        answer(BOB),
        answer("unknown@example.com"),
        answer(BOB, company="default"),
        answer(BOB, company="nowhere"),
        answer("unknown@example.com", company="default"),
    ]
    assert same_answers(*answers)
    assert (answers[0].status_code, stored) == (200, [1] * 5)
    assert {mail.to for mail in deliver(app, mailer)} == {BOB}


def test_case_11_a_link_lasts_an_hour_and_a_later_one_ends_it(app, nobody, mailer, bob, clock):
    first = asked_token(app, nobody, mailer)
    second = asked_token(app, nobody, mailer)
    assert confirm(nobody, first).status_code == 400
    clock.moved.append(3601)
    assert confirm(nobody, second).status_code == 400


@pytest.mark.parametrize("change", ["own password", "password by an admin", "address", "disabled", "back", "deleted"])
def test_case_11_a_link_is_invalid_after_a_change(app, admin, nobody, mailer, bob, change):
    token = asked_token(app, nobody, mailer)
    path = f"/api/users/{bob['id']}"
    if change == "own password":
        signed = bearing(nobody, nobody.data(log_in(nobody, PASSWORD))["access_token"])
        answer = signed.post("/api/auth/password", {"old": PASSWORD, "new": "a third good one"})
    elif change == "deleted":
        answer = admin.delete(path)
    else:
        changes = {"address": {"email": "robert@example.com"}, "disabled": {"disabled": True}}
        changes["back"] = changes["disabled"]
        answer = admin.call("PATCH", path, changes.get(change, {"password": "a third good one"}))
        if change == "back":  # whoever is let in again has to ask again
            answer = admin.call("PATCH", path, {"disabled": False})
    assert answer.status_code == 200
    assert confirm(nobody, token).status_code == 400


def test_a_new_password_ends_codes_too(app, nobody, mailer, bob):
    nobody.post("/api/auth/code", {"email": BOB})
    deliver(app, mailer)
    nobody.data(confirm(nobody, asked_token(app, nobody, mailer)))
    assert rows(app, sign_in_tokens) == []


def test_case_11_the_token_is_neither_in_rows_nor_in_logs(app, nobody, mailer, bob, caplog):
    token = asked_token(app, nobody, mailer)
    everything = json.dumps([rows(app, table) for table in (sign_in_tokens, jobs, events)])
    assert len(token) == 43
    assert token not in everything
    assert token not in caplog.text
    assert all(row["payload"] == {} for row in rows(app, jobs))


def test_disabled_people_and_those_of_an_issuer_get_no_mail(app, admin, nobody, mailer, bob):
    admin.data(admin.call("PATCH", f"/api/users/{bob['id']}", {"disabled": True}))
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        other = {"company_id": "default", "email": "eve@example.com", "role": "agent", "identity": "issuer|eve"}
        uow.insert(users, {**other, "created_at": uow.now})
    assert same_answers(ask(nobody), ask(nobody, "eve@example.com"), ask(nobody, "unknown@example.com"))
    assert deliver(app, mailer) == []


def test_case_1_each_company_of_an_address_gets_its_own_link(app, admin, other_admin, nobody, mailer, bob):
    other_admin.data(other_admin.post("/api/users", person()), 201)
    ask(nobody)
    here, there = sorted(deliver(app, mailer), key=lambda mail: "other" in mail.text)
    assert nobody.data(confirm(nobody, token_in(there)))["user"]["role"] == "customer"
    assert log_in(nobody, PASSWORD).status_code == 200, "the password elsewhere stays"
    assert nobody.data(confirm(nobody, token_in(here), "a third good one"))["user"]["role"] == "agent"


def test_a_named_company_gets_the_only_mail(app, admin, other_admin, nobody, mailer, bob):
    other_admin.data(other_admin.post("/api/users", person()), 201)
    token = asked_token(app, nobody, mailer, company="other")
    assert nobody.data(confirm(nobody, token))["user"]["role"] == "customer"


def test_a_reset_token_is_no_invitation_and_the_other_way_round(app, admin, nobody, mailer, bob):
    reset = asked_token(app, nobody, mailer)
    admin.data(admin.post("/api/auth/invite", {"email": "new@example.com", "role": "agent"}), 201)
    invitation = token_in(deliver(app, mailer)[0])
    assert nobody.post("/api/auth/accept", {"token": reset, "password": OTHER_PASSWORD}).status_code == 400
    assert confirm(nobody, invitation).status_code == 400
    assert (confirm(nobody, reset).status_code, confirm(nobody, "x" * 43).status_code) == (200, 400)


def test_a_weak_password_uses_no_link_up(app, nobody, mailer, bob):
    token = asked_token(app, nobody, mailer)
    for password in ("short", BOB):
        assert confirm(nobody, token, password).json["data"]["errors"][0]["field"] == "password"
    assert confirm(nobody, token).status_code == 200


def test_case_10_asking_is_limited_by_the_real_address_and_the_account(nobody):
    spoofed = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(11)]
    statuses = [nobody.post("/api/auth/reset", {"email": BOB}, headers=headers).status_code for headers in spoofed]
    assert statuses == [200] * 10 + [429]
    assert nobody.post("/api/auth/reset", {"email": "unknown@example.com"}).status_code == 200


def test_case_10_one_mailbox_gets_ten_mails_in_an_hour_whoever_asks(app, admin, nobody, mailer, bob):
    for number in range(12):
        nobody.post("/api/auth/reset", {"email": BOB}, **at(f"198.51.100.{number}"))
        nobody.post("/api/auth/code", {"email": BOB}, **at(f"198.51.100.{number}"))
        mails = deliver(app, mailer)
        assert len(mails) == (number < 3) + (number < 7)


@pytest.mark.every_engine
def test_case_10_a_stranger_who_asks_and_asks_ends_no_link_that_was_mailed(app, nobody, mailer, bob):
    tokens = []
    for number in range(8):
        ask(nobody, **at(f"198.51.100.{number}"))
        tokens += [token_in(mail) for mail in deliver(app, mailer)]
    assert len(tokens) == 3
    assert [confirm(nobody, token).status_code for token in tokens] == [400, 400, 200]


def test_case_10_an_ask_without_a_mail_yet_ends_no_code(app, nobody, mailer, bob):
    nobody.post("/api/auth/code", {"email": BOB})
    [mail] = deliver(app, mailer)
    nobody.post("/api/auth/code", {"email": BOB}, **at("198.51.100.1"))
    app.extensions["runtime"].runner.run_due()  # finds the account, and mails nothing yet
    assert nobody.post("/api/auth/code/confirm", {"email": BOB, "code": code_in(mail)}).status_code == 200


def test_without_a_mail_server_it_is_said(open_app):
    nobody = Caller(open_app(mailer=ConsoleMailer()).test_client())
    answers = [ask(nobody), ask(nobody, "unknown@example.com"), nobody.post("/api/auth/code", {"email": BOB})]
    assert same_answers(*answers)
    assert (answers[0].status_code, answers[0].json["data"]["code"]) == (409, "no_mail")


def test_without_a_public_url_the_mail_holds_the_token_and_says_where_it_goes(open_app, mailer):
    app = open_app()
    admin, nobody = Caller(app.test_client(), "admin-key"), Caller(app.test_client())
    admin.data(admin.post("/api/users", person()), 201)
    ask(nobody)
    [mail] = deliver(app, mailer)
    token = mail.text.split("POST /api/auth/reset/confirm: ")[1].split()[0]
    assert confirm(nobody, token).status_code == 200
