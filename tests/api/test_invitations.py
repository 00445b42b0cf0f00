"""Invitations: an admin invites, the person accepts with the mailed link (case 11)."""

import json

import pytest

from database.tables import events, jobs, sign_in_tokens, users
from notifier import ConsoleMailer
from services.accounts import one_time
from tests.conftest import add_key
from tests.support.accounts import bearing, clock, rows  # noqa: F401 - a fixture
from tests.support.caller import Caller
from tests.support.mailed import OTHER_PASSWORD, PASSWORD, URL, app, deliver, in_parallel, nobody, token_in  # noqa: F401 - fixtures

# ruff: noqa: F811

BOB = {"email": "bob@example.com", "role": "agent"}


@pytest.fixture
def token(app, admin, mailer):
    """The token of Bob's invitation."""
    return invited(app, admin, mailer)


def invited(app, admin, mailer, **more):
    admin.data(admin.post("/api/auth/invite", {**BOB, **more}), 201)
    [mail] = deliver(app, mailer)
    return token_in(mail)


def accept(nobody, token, password=PASSWORD, **more):
    return nobody.post("/api/auth/accept", {"token": token, "password": password, **more})


@pytest.mark.every_engine
def test_an_invited_person_accepts_and_is_in(app, admin, nobody, mailer):
    data = admin.data(admin.post("/api/auth/invite", {**BOB, "name": "B.", "team": "sales"}), 201)
    assert (data["mailed"], data["link"], data["user"]["available"]) == (True, "", False)
    assert data["user"]["invited_at"]
    [mail] = deliver(app, mailer)
    assert (mail.to, mail.kind, mail.subject) == ("bob@example.com", "invitation", "You are invited to default")
    signed = nobody.data(accept(nobody, token_in(mail), name="Bob"))
    assert {name: signed["user"][name] for name in ("name", "role", "team", "available")} == {
        "name": "Bob",
        "role": "agent",
        "team": "sales",
        "available": True,
    }
    assert "invited_at" not in signed["user"]
    assert bearing(nobody, signed["access_token"]).get("/api/tickets").status_code == 200
    assert nobody.post("/api/auth/login", {"email": BOB["email"], "password": PASSWORD}).status_code == 200
    actions = [row["action"] for row in rows(app, events)]
    assert {"invited", "invitation_accepted", "signed_in"} <= set(actions)


@pytest.mark.every_engine
def test_case_11_a_link_works_once_even_in_parallel(app, nobody, token):
    statuses = in_parallel(lambda: accept(Caller(app.test_client()), token), 4)
    assert statuses == [200, 400, 400, 400]
    assert accept(nobody, token).status_code == 400


def test_case_11_a_link_is_over_after_a_week_and_purged(app, nobody, token, clock):
    clock.moved.append(7 * 24 * 3600 + 1)
    assert accept(nobody, token).status_code == 400
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        assert one_time.purge(uow) == 1


def test_case_11_a_new_link_ends_the_one_before(app, admin, nobody, mailer, token):
    newer = invited(app, admin, mailer, name="Robert")
    assert newer != token
    assert accept(nobody, token).status_code == 400
    assert nobody.data(accept(nobody, newer))["user"]["name"] == "Robert"
    assert len(rows(app, users)) == 1


def test_case_11_the_token_is_neither_in_rows_nor_in_jobs(app, token, caplog):
    everything = json.dumps([rows(app, table) for table in (sign_in_tokens, jobs, events, users)])
    assert token not in everything
    assert token not in caplog.text


def test_an_invited_person_cannot_sign_in_before_accepting(app, admin, nobody, mailer, token):
    assert nobody.post("/api/auth/login", {"email": BOB["email"], "password": PASSWORD}).status_code == 401
    for path in ("code", "reset"):
        assert nobody.post(f"/api/auth/{path}", {"email": BOB["email"]}).status_code == 200
    assert deliver(app, mailer) == []
    ticket = admin.ticket()
    refused = admin.post(f"/api/tickets/{ticket['id']}/assign", {"auto": True})
    assert refused.json["data"]["code"] == "no_agents"


@pytest.mark.parametrize("end", ["disabled", "deleted", "other address", "password"])
def test_an_invitation_ends_with_its_person(app, admin, nobody, token, end):
    [user] = rows(app, users)
    path = f"/api/users/{user['id']}"
    changes = {
        "disabled": {"disabled": True},
        "other address": {"email": "robert@example.com"},
        "password": {"password": OTHER_PASSWORD},
    }
    answer = admin.delete(path) if end == "deleted" else admin.call("PATCH", path, changes[end])
    assert answer.status_code == 200
    assert accept(nobody, token).status_code == 400


def test_an_invitation_follows_a_changed_role(app, admin, nobody, token):
    [user] = rows(app, users)
    admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"role": "customer"}))
    assert nobody.data(accept(nobody, token))["user"]["role"] == "customer"


def test_nobody_grants_more_than_they_have(app, runtime, admin, mailer, nobody):
    narrow = Caller(app.test_client(), add_key(runtime, "admin", scopes=["users.write", "users.read"]))
    assert narrow.post("/api/auth/invite", {**BOB, "role": "admin"}).status_code == 403
    admin.data(admin.post("/api/auth/invite", {**BOB, "role": "admin"}), 201)
    assert narrow.post("/api/auth/invite", {**BOB, "role": "customer"}).status_code == 403


def test_an_address_that_signs_in_already_is_not_invited(app, admin, nobody, token):
    nobody.data(accept(nobody, token))
    answer = admin.post("/api/auth/invite", BOB)
    assert (answer.status_code, answer.json["data"]["code"]) == (409, "email_taken")


def test_case_1_two_companies_invite_the_same_address(app, admin, other_admin, nobody, mailer, token):
    other_admin.data(other_admin.post("/api/auth/invite", {**BOB, "role": "customer"}), 201)
    [mail] = deliver(app, mailer)
    assert nobody.data(accept(nobody, token_in(mail)))["user"]["role"] == "customer"
    assert nobody.data(accept(nobody, token))["user"]["role"] == "agent"


@pytest.mark.parametrize("given", [{"mailer": ConsoleMailer(), "public_url": URL}, {}])
def test_what_cannot_be_mailed_is_handed_over(open_app, given):
    app = open_app(**given)
    admin, nobody = Caller(app.test_client(), "admin-key"), Caller(app.test_client())
    answer = admin.post("/api/auth/invite", BOB, headers={"Idempotency-Key": "once"})
    data = admin.data(answer, 201)
    assert data["mailed"] is False
    assert "Hand over the link" in answer.json["message"]
    link, _, token = data["link"].partition("#")
    assert link == (f"{URL}/accept" if given else "http://localhost/accept")
    again = admin.post("/api/auth/invite", BOB, headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json["data"]["code"]) == (409, "already_done")
    assert nobody.data(accept(nobody, token))["user"]["email"] == BOB["email"]


def test_a_company_that_is_not_confirmed_mails_no_stranger(app, nobody, mailer):
    company = {"company": "Acme", "name": "Zoe", "email": "zoe@acme.example", "password": PASSWORD}
    zoe = bearing(nobody, nobody.data(nobody.post("/api/companies", company), 201)["access_token"])
    data = zoe.data(zoe.post("/api/auth/invite", {**BOB, "role": "admin"}), 201)
    assert data["link"].startswith(f"{URL}/accept#")
    assert [mail.kind for mail in deliver(app, mailer)] == ["confirm_address"]


def test_a_weak_password_uses_no_invitation_up(nobody, token):
    for password in ("short", "bob@example.com"):
        answer = accept(nobody, token, password)
        assert (answer.status_code, answer.json["data"]["errors"][0]["field"]) == (400, "password")
    assert accept(nobody, token).status_code == 200


def test_a_mail_that_was_not_taken_is_sent_again_with_a_new_token(app, admin, nobody, mailer, monkeypatch):
    from notifier import MailFailed

    failed = []

    def refuse_once(notice):
        if not failed:
            failed.append(notice)
            raise MailFailed("the mail server cannot be reached", permanent=False)
        mailer.sent.append(notice)

    monkeypatch.setattr(mailer, "send", refuse_once, raising=False)
    admin.data(admin.post("/api/auth/invite", BOB), 201)
    assert deliver(app, mailer) == []
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        uow.update_where(jobs, jobs.c.state == "waiting", run_at=uow.real_now)
    [mail] = deliver(app, mailer)
    assert accept(nobody, token_in(failed[0])).status_code == 400
    assert accept(nobody, token_in(mail)).status_code == 200


@pytest.mark.parametrize(("language", "words"), [("de-AT,de;q=0.9", "Einladung zu default"), ("sv", "You are invited")])
def test_an_invitation_is_in_german_or_english(app, admin, mailer, language, words):
    admin.data(admin.post("/api/auth/invite", BOB, headers={"Accept-Language": language}), 201)
    [mail] = deliver(app, mailer)
    assert words in mail.subject


def test_a_company_words_its_invitations(app, admin, mailer):
    words = {"kind": "invitation", "subject": "Come to {{company_name}}", "text": "Hello <b>you</b>."}
    admin.data(admin.put("/api/settings/notices", words))
    admin.data(admin.post("/api/auth/invite", BOB), 201)
    [mail] = deliver(app, mailer)
    assert (mail.subject, mail.text.splitlines()[0]) == ("Come to default", "Hello <b>you</b>.")
    assert "&lt;b&gt;" in mail.html
    assert token_in(mail)
