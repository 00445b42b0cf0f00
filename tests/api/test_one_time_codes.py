"""Codes to sign in, mailed (cases 9, 10, 11)."""

import base64
import json
import re

import pytest

from auth.one_time import TOKEN_LENGTH
from database.tables import events, jobs, sign_in_tokens, sign_in_tries, users
from services.accounts import codes, lockout
from tests.support.accounts import at, bearing, clock, rows  # noqa: F401 - a fixture
from tests.support.caller import Caller
from tests.support.mailed import PASSWORD, URL, app, code_in, deliver, in_parallel, nobody, same_answers, token_in  # noqa: F401 - fixtures

# ruff: noqa: F811

BOB = "bob@example.com"


@pytest.fixture
def bob(admin):
    """The person Bob, a customer without a password."""
    return admin.data(admin.post("/api/users", {"name": "Bob", "email": BOB, "role": "customer"}), 201)


@pytest.fixture
def code(app, nobody, mailer, bob):
    """A code of Bob."""
    return asked_code(app, nobody, mailer)


def ask(nobody, email=BOB, **more):
    return nobody.post("/api/auth/code", {"email": email, **more})


def asked_mail(app, nobody, mailer, **more):
    assert ask(nobody, **more).status_code == 200
    [mail] = deliver(app, mailer)
    return mail


def asked_code(app, nobody, mailer, **more):
    return code_in(asked_mail(app, nobody, mailer, **more))


def confirm(nobody, code, email=BOB, **more):
    place = more.pop("place", {})
    return nobody.post("/api/auth/code/confirm", {"email": email, "code": code, **more}, **place)


def wrong(code, number=1):
    """Another code."""
    return f"{(int(code) + number) % 1_000_000:06}"


@pytest.mark.every_engine
def test_a_code_signs_in_once_even_in_parallel(app, nobody, code):
    assert in_parallel(lambda: confirm(Caller(app.test_client()), code), 4) == [200, 401, 401, 401]
    assert confirm(nobody, code).status_code == 401
    assert [row["to_value"] for row in rows(app, events) if row["action"] == "signed_in"] == ["code"]


@pytest.mark.every_engine
def test_case_10_known_and_unknown_get_the_same_answers_for_the_same_work(app, nobody, mailer, code):
    unknown = "unknown@example.com"
    assert same_answers(ask(nobody), ask(nobody, unknown), ask(nobody, company="nowhere"))
    [mail] = deliver(app, mailer)
    refused = [
        confirm(nobody, wrong(code_in(mail))),
        confirm(nobody, "000000", unknown),
        confirm(nobody, code_in(mail), company="nowhere"),
    ]
    assert same_answers(*refused)
    assert (refused[0].status_code, refused[0].json["data"]["code"]) == (401, "wrong_code")
    counts = {row["tries"] for row in rows(app, sign_in_tries)}
    assert counts == {1, 2}, "each account and place is counted, known or not"


def test_the_link_of_the_mail_holds_a_long_token_and_whose_it_is(app, nobody, mailer, bob):
    ask(nobody)
    [mail] = deliver(app, mailer)
    assert f"{URL}/portal#code={token_in(mail)}&email=bob%40example.com&company=default" in mail.text
    assert len(base64.urlsafe_b64decode(token_in(mail) + "=")) * 8 >= 128
    assert mail.text.count(code_in(mail)) == 1
    assert code_in(mail) not in mail.subject


@pytest.mark.every_engine
def test_case_11_the_link_signs_in_once_and_ends_with_its_code(app, nobody, mailer, bob):
    token = token_in(asked_mail(app, nobody, mailer))
    assert in_parallel(lambda: confirm(Caller(app.test_client()), token), 4) == [200, 401, 401, 401]
    mail = asked_mail(app, nobody, mailer)
    assert confirm(nobody, code_in(mail)).status_code == 200
    assert confirm(nobody, token_in(mail)).status_code == 401, "code and link are used up together"
    earlier, later = asked_mail(app, nobody, mailer), asked_mail(app, nobody, mailer)
    assert confirm(nobody, token_in(earlier)).status_code == 401
    assert confirm(nobody, token_in(later)).status_code == 200


def test_case_11_a_link_expires_with_its_code(app, nobody, mailer, bob, clock):
    token = token_in(asked_mail(app, nobody, mailer))
    clock.moved.append(601)
    assert confirm(nobody, token).status_code == 401


@pytest.mark.every_engine
def test_case_10_wrong_guesses_of_strangers_use_up_the_code_and_not_the_link(app, nobody, mailer, bob):
    mail = asked_mail(app, nobody, mailer)
    code = code_in(mail)
    statuses = [confirm(nobody, wrong(code, number)).status_code for number in range(1, lockout.MAX_ATTEMPTS + 2)]
    assert statuses == [401] * lockout.MAX_ATTEMPTS + [429]
    assert confirm(nobody, code, place=at("198.51.100.7")).status_code == 401
    assert confirm(nobody, token_in(mail)).status_code == 200, "also from the place that is locked out"


@pytest.mark.every_engine
def test_case_10_a_wrong_link_is_answered_alike_for_known_and_unknown(app, nobody, mailer, code):
    token = "x" * TOKEN_LENGTH
    answers = [
        confirm(nobody, token),
        confirm(nobody, token, "unknown@example.com"),
        confirm(nobody, token, company="nowhere"),
    ]
    assert same_answers(*answers, confirm(nobody, wrong(code)))
    with app.extensions["runtime"].storage.unit_of_work(None) as uow:
        [row] = uow.find(uow.query(sign_in_tokens))
    assert row["tries"] == 1, "a token that fits nothing uses up no code"


def test_case_1_the_link_of_one_company_opens_that_one_alone(app, other_admin, nobody, mailer, bob):
    other_admin.data(other_admin.post("/api/users", {"name": "Bob", "email": BOB, "role": "agent"}), 201)
    ask(nobody)
    mails = {re.search(r"company=(\w+)", mail.text)[1]: mail for mail in deliver(app, mailer)}
    assert confirm(nobody, token_in(mails["other"]), company="default").status_code == 401
    assert confirm(nobody, token_in(mails["other"]), "eva@example.com").status_code == 401
    assert nobody.data(confirm(nobody, token_in(mails["other"])))["user"]["role"] == "agent"


def test_case_11_a_code_lasts_ten_minutes_from_its_mail_on(app, nobody, mailer, bob, clock):
    ask(nobody)
    clock.moved.append(500)  # the mail server was slow
    [mail] = deliver(app, mailer)
    clock.moved.append(590)
    assert confirm(nobody, code_in(mail)).status_code == 200
    later = asked_code(app, nobody, mailer)
    clock.moved.append(601)
    assert confirm(nobody, later).status_code == 401


def test_case_11_a_new_code_ends_the_one_before(app, nobody, mailer, code):
    newer = asked_code(app, nobody, mailer)
    assert confirm(nobody, newer if newer == code else code).status_code in (200, 401)
    if newer != code:
        assert confirm(nobody, newer).status_code == 200


@pytest.mark.every_engine
def test_case_10_after_five_wrong_tries_a_code_is_over(app, nobody, mailer, code):
    for number in range(1, 6):
        assert confirm(nobody, wrong(code, number), place=at(f"198.51.100.{number}")).status_code == 401
    assert confirm(nobody, code).status_code == 401
    assert confirm(nobody, asked_code(app, nobody, mailer)).status_code == 200


@pytest.mark.every_engine
def test_case_10_parallel_guesses_compare_no_more_than_five(app, nobody, code, monkeypatch):
    compared, of_secret = [], type(app.extensions["runtime"].one_time)
    is_code = of_secret.is_code

    def noted(self, stored_hash, row_id, guess):
        compared.append(row_id)
        return is_code(self, stored_hash, row_id, guess)

    monkeypatch.setattr(of_secret, "is_code", noted)
    in_parallel(lambda: confirm(Caller(app.test_client()), wrong(code)), 9)
    assert len([row_id for row_id in compared if row_id]) <= 5
    assert confirm(nobody, code).status_code == 401


def test_case_10_tries_lock_out_by_account_and_place_whatever_address_a_caller_claims(app, nobody, mailer, code):
    for number in range(lockout.MAX_ATTEMPTS):
        headers = {"X-Forwarded-For": f"203.0.113.{number}", "CF-Connecting-IP": f"203.0.113.{number}"}
        assert confirm(nobody, wrong(code), place={"headers": headers}).status_code == 401
    newer = asked_code(app, nobody, mailer)
    locked = confirm(nobody, newer)
    assert (locked.status_code, locked.json["data"]["code"]) == (429, "locked_out")
    unknown = [confirm(nobody, "000000", "unknown@example.com") for _ in range(lockout.MAX_ATTEMPTS + 1)][-1]
    assert (unknown.status_code, unknown.json) == (locked.status_code, locked.json)
    assert confirm(nobody, newer, place=at("198.51.100.7")).status_code == 200


def test_a_right_code_forgets_the_wrong_tries(app, nobody, code):
    confirm(nobody, wrong(code))
    confirm(nobody, code)
    assert [row["tries"] for row in rows(app, sign_in_tries)] == [1]


@pytest.mark.parametrize("change", [{"disabled": True}, {"email": "robert@example.com"}, {"password": PASSWORD}, None])
def test_case_9_a_code_and_its_link_end_with_their_person(app, admin, nobody, mailer, bob, change):
    mail = asked_mail(app, nobody, mailer)
    path = f"/api/users/{bob['id']}"
    answer = admin.call("PATCH", path, change) if change else admin.delete(path)
    assert answer.status_code == 200
    assert [confirm(nobody, words).status_code for words in (token_in(mail), code_in(mail))] == [401, 401]


def test_case_9_who_was_disabled_after_signing_in_with_a_code_is_out(app, admin, nobody, bob, code):
    caller = bearing(nobody, nobody.data(confirm(nobody, code))["access_token"])
    assert caller.get("/api/me").status_code == 200
    admin.data(admin.call("PATCH", f"/api/users/{bob['id']}", {"disabled": True}))
    assert caller.get("/api/me").status_code == 401


def test_case_1_the_code_of_one_company_opens_that_one_alone(app, admin, other_admin, nobody, mailer, bob):
    other_admin.data(other_admin.post("/api/users", {"name": "Bob", "email": BOB, "role": "agent"}), 201)
    ask(nobody)
    mails = deliver(app, mailer)
    here, there = (
        code_in(next(mail for mail in mails if f"company={name}" in mail.text)) for name in ("default", "other")
    )
    if here != there:
        assert confirm(nobody, there, company="default").status_code == 401
    assert nobody.data(confirm(nobody, there, company="other"))["user"]["role"] == "agent"
    assert nobody.data(confirm(nobody, here))["user"]["role"] == "customer"


def test_case_11_a_code_is_neither_in_rows_nor_in_logs_nor_bound_to_another_row(app, nobody, code, caplog):
    everything = json.dumps([rows(app, table) for table in (sign_in_tokens, jobs, events)])
    [row] = rows(app, sign_in_tokens)
    secrets = app.extensions["runtime"].one_time
    assert f'"{code}"' not in everything
    assert code not in caplog.text
    assert row["code_hash"] == secrets.code_hash(row["id"], code) != secrets.code_hash("another row", code)


def test_case_11_the_token_of_a_link_is_neither_in_rows_nor_in_logs(app, nobody, mailer, bob, caplog):
    token = token_in(asked_mail(app, nobody, mailer))
    everything = json.dumps([rows(app, table) for table in (sign_in_tokens, jobs, events)])
    assert token not in everything + caplog.text
    assert confirm(nobody, token).status_code == 200
    assert token not in caplog.text


def test_a_row_without_a_mail_yet_has_no_code(app, nobody, mailer, bob):
    ask(nobody)
    app.extensions["runtime"].runner.run_due()  # finds the account
    [row] = rows(app, sign_in_tokens)
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        uow.update(sign_in_tokens, row["id"], {"token_hash": "", "code_hash": ""})
    for guess in ("", "000000", row["id"], "x" * TOKEN_LENGTH):
        assert confirm(nobody, guess or "-").status_code in (400, 401)


@pytest.mark.parametrize("form", ["{} ", "{:.3} {:.0}", "number"])
def test_a_code_is_taken_as_people_type_it(app, nobody, code, form):
    typed = {"{} ": f" {code} ", "{:.3} {:.0}": f"{code[:3]}-{code[3:]}", "number": code}[form]
    assert confirm(nobody, typed).status_code == 200


def test_an_erased_customer_leaves_no_code(app, admin, nobody, code):
    admin.data(admin.delete(f"/api/customers/{BOB}"))
    assert rows(app, sign_in_tokens) == rows(app, users) == rows(app, sign_in_tries) == []
    assert confirm(nobody, code).status_code == 401


def test_the_answer_for_nobody_costs_a_comparison_too():
    assert codes._NOBODY["token_hash"] == codes._NOBODY["code_hash"] == ""


def test_a_code_stays_valid_over_a_restart(open_app, mailer, settings):
    app = open_app(public_url=URL)
    admin, nobody = Caller(app.test_client(), "admin-key"), Caller(app.test_client())
    admin.data(admin.post("/api/users", {"name": "Bob", "email": BOB, "role": "customer"}), 201)
    code = asked_code(app, nobody, mailer)
    app.extensions["runtime"].stop()
    again = Caller(open_app(public_url=URL).test_client())
    assert confirm(again, code).status_code == 200


def test_a_code_does_not_stand_for_a_second_factor(app, nobody, bob, code):
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        uow.update(users, bob["id"], {"second_factor": True})
    answer = confirm(nobody, code)
    assert (answer.status_code, answer.json["data"]["code"]) == (401, "second_factor_required")
    assert answer.json["data"]["challenge"]
    assert confirm(nobody, code).json["data"]["code"] == "wrong_code", "the code is used up"
