"""The second factor: setting it up, signing in with it, replay, lock-out, recovery codes and the admin's reset (cases 10, 13)."""
# ruff: noqa: F811 - the fixtures of tests.support.accounts are imported

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from auth import tokens as auth_tokens
from database.tables import events, idempotency, metadata, second_factors, sessions, users
from tests.support.accounts import (  # noqa: F401 - fixtures
    ACME,
    GOOD,
    acme,
    at,
    bearing,
    clock,
    log_in,
    nobody,
    refresh,
    rows,
    server,
)
from tests.support.caller import Caller
from tests.support.second_factor import App, challenge, set_up, signed_in_by, verify


@pytest.fixture
def zoe(nobody, acme):
    """The admin of Acme, signed in."""
    return bearing(nobody, acme["access_token"])


@pytest.fixture
def with_app(zoe, clock):
    """Zoë's app and recovery codes; her second factor is on."""
    return set_up(zoe, clock)


def status(caller):
    return caller.data(caller.get("/api/auth/totp"))


def code_of(answer):
    return answer.status_code, answer.json["data"]["code"]


def actions(app):
    return [row["action"] for row in rows(app, events) if row["subject"] == "user"]


def test_an_app_is_set_up_with_a_code_of_it(server, zoe, clock):
    assert status(zoe) == {"enabled": False, "recovery_codes_left": 0, "required": False}
    started = zoe.data(zoe.post("/api/auth/totp"))
    query = parse_qs(urlsplit(started["uri"]).query)
    assert started["uri"].startswith("otpauth://totp/Acme:zoe%40acme.example?")
    assert (query["secret"], query["issuer"]) == ([started["secret"]], ["Acme"])
    assert re.fullmatch(r"(M\d+ \d+h\d+v1h-\d+z)+", started["qr_path"])
    assert started["qr_size"] > 25
    assert status(zoe)["enabled"] is False
    app = App(started["secret"], clock)
    assert code_of(zoe.post("/api/auth/totp/confirm", {"code": app.wrong_code()})) == (400, "invalid_fields")
    assert status(zoe)["enabled"] is False
    codes = zoe.data(zoe.post("/api/auth/totp/confirm", {"code": f"{app.code()[:3]} {app.code()[3:]}"}))[
        "recovery_codes"
    ]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)
    assert status(zoe) == {"enabled": True, "recovery_codes_left": 10, "required": False}
    assert zoe.data(zoe.get("/api/users"))[0]["second_factor"] is True
    assert "second_factor_on" in actions(server)


def test_a_second_start_makes_another_secret_and_the_first_is_void(zoe, clock):
    first = App(zoe.data(zoe.post("/api/auth/totp"))["secret"], clock)
    second = App(zoe.data(zoe.post("/api/auth/totp"))["secret"], clock)
    assert first.secret != second.secret
    assert zoe.post("/api/auth/totp/confirm", {"code": first.code()}).status_code == 400
    assert zoe.post("/api/auth/totp/confirm", {"code": second.code()}).status_code == 200
    assert code_of(zoe.post("/api/auth/totp")) == (409, "second_factor_on")
    assert code_of(zoe.post("/api/auth/totp/confirm", {"code": second.next_code()})) == (
        409,
        "second_factor_not_started",
    )


def test_other_sessions_end_when_it_is_switched_on(nobody, acme, zoe, clock):
    other = nobody.data(log_in(nobody))
    set_up(zoe, clock)
    assert bearing(nobody, other["access_token"]).get("/api/me").status_code == 401
    assert zoe.get("/api/me").status_code == 200


@pytest.mark.every_engine
def test_signing_in_takes_a_challenge_and_a_code(server, nobody, with_app):
    app, _ = with_app
    before = len(rows(server, sessions))
    asked = log_in(nobody)
    token = challenge(asked)
    assert asked.json["data"]["expires_in_seconds"] == auth_tokens.CHALLENGE_SECONDS
    assert "access_token" not in asked.get_data(as_text=True)
    assert len(rows(server, sessions)) == before
    data = nobody.data(verify(nobody, token, app.next_code()))
    assert signed_in_by(nobody, data).data(signed_in_by(nobody, data).get("/api/me"))["email"] == ACME["email"]
    refresh(nobody, data["refresh_token"])


def test_a_code_may_come_with_the_password(nobody, with_app):
    app, codes = with_app
    body = {"email": ACME["email"], "password": GOOD}
    assert (
        nobody.data(nobody.post("/api/auth/login", {**body, "totp": app.next_code()}))["user"]["second_factor"] is True
    )
    nobody.data(nobody.post("/api/auth/login", {**body, "totp": codes[0]}))
    assert code_of(nobody.post("/api/auth/login", {**body, "totp": app.wrong_code()})) == (401, "wrong_code")
    refused = nobody.post("/api/auth/login", {**body, "password": "wrong horse battery", "totp": app.next_code()})
    assert code_of(refused) == (401, "wrong_credentials")


def test_who_has_no_second_factor_may_send_a_code_all_the_same(nobody, acme):
    nobody.data(nobody.post("/api/auth/login", {"email": ACME["email"], "password": GOOD, "totp": "123456"}))


@pytest.mark.every_engine
def test_case_10_a_code_works_once_even_at_the_same_time(server, nobody, with_app):
    app, _ = with_app
    tokens, code = [challenge(log_in(nobody)) for _ in range(4)], app.next_code()
    callers = [Caller(server.test_client()) for _ in tokens]
    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(lambda caller, token: verify(caller, token, code), callers, tokens))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert code_of(verify(nobody, tokens[0], code)) == (401, "wrong_code")


@pytest.mark.every_engine
def test_a_recovery_code_works_once_even_at_the_same_time(server, nobody, zoe, with_app):
    _, codes = with_app
    tokens = [challenge(log_in(nobody)) for _ in range(4)]
    callers = [Caller(server.test_client()) for _ in tokens]
    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(lambda caller, token: verify(caller, token, codes[3]), callers, tokens))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert status(zoe)["recovery_codes_left"] == 9
    assert actions(server).count("recovery_code_used") == 1


@pytest.mark.parametrize("spelled", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_recovery_code_is_taken_however_it_is_spelled(nobody, with_app, spelled):
    _, codes = with_app
    assert verify(nobody, challenge(log_in(nobody)), spelled(codes[0])).status_code == 200


@pytest.mark.parametrize(("steps", "status_code"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_the_clock_of_the_phone_may_be_one_step_off(nobody, with_app, clock, steps, status_code):
    app, _ = with_app
    clock.moved.append(300)
    assert verify(nobody, challenge(log_in(nobody)), app.code(steps)).status_code == status_code


def test_an_earlier_code_is_refused_after_a_later_one(nobody, with_app, clock):
    app, _ = with_app
    clock.moved.append(300)
    assert verify(nobody, challenge(log_in(nobody)), app.code(1)).status_code == 200
    for steps in (-1, 0, 1):
        assert verify(nobody, challenge(log_in(nobody)), app.code(steps)).status_code == 401


def test_a_step_from_a_wrong_clock_locks_nobody_out(server, nobody, with_app):
    app, _ = with_app
    with server.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        uow.update_where(second_factors, last_step=2**31 - 1)
    assert verify(nobody, challenge(log_in(nobody)), app.code()).status_code == 200


WRONG = ["", "12345", "1234567", "½½½½½½", "١٢٣٤٥٦", "abcd-efgh-ijkl-mnop", "' OR 1=1", "0" * 60]


@pytest.mark.parametrize("code", WRONG)
def test_what_is_no_code_is_refused(nobody, with_app, code):
    assert verify(nobody, challenge(log_in(nobody)), code).status_code in (400, 401)


@pytest.mark.every_engine
def test_case_10_an_account_is_locked_after_five_wrong_codes_from_any_address(server, nobody, with_app, clock):
    app, codes = with_app
    clock.moved.append(300)
    for number in range(5):
        token = challenge(log_in(nobody, **at(f"10.0.0.{number}")))
        spoofed = {"headers": {"X-Forwarded-For": f"192.0.2.{number}"}}
        assert verify(nobody, token, app.wrong_code(), **at(f"10.0.0.{number}"), **spoofed).status_code == 401
    for code in (app.code(), codes[0], app.wrong_code()):
        locked = verify(nobody, challenge(log_in(nobody)), code, **at("10.9.9.9"))
        assert code_of(locked) == (429, "locked_out")
        assert int(locked.headers["Retry-After"]) > 0
        assert "address" not in locked.json["message"]
    assert actions(server).count("second_factor_refused") == 5
    clock.moved.append(901)
    assert verify(nobody, challenge(log_in(nobody)), app.code()).status_code == 200


def test_wrong_codes_at_the_same_time_all_count(server, nobody, with_app):
    app, _ = with_app
    token, wrong = challenge(log_in(nobody)), app.wrong_code()
    callers = [Caller(server.test_client()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda caller: verify(caller, token, wrong), callers))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 3


def test_right_codes_do_not_add_up_to_a_lock(nobody, with_app):
    app, _ = with_app
    for _ in range(8):
        assert verify(nobody, challenge(log_in(nobody)), app.wrong_code()).status_code == 401
        assert verify(nobody, challenge(log_in(nobody)), app.next_code()).status_code == 200


def test_a_challenge_ends_after_five_minutes(nobody, with_app, clock):
    app, _ = with_app
    token = challenge(log_in(nobody))
    clock.moved.append(301)
    assert code_of(verify(nobody, token, app.code())) == (401, "challenge_over")


def test_case_13_no_other_token_is_a_challenge_and_a_challenge_is_no_other_token(server, nobody, acme, with_app):
    app, _ = with_app
    token = challenge(log_in(nobody))
    for other in (acme["access_token"], acme["refresh_token"], "nonsense", token[:-2] + "xx"):
        assert code_of(verify(nobody, other, app.code())) == (401, "challenge_over")
    assert bearing(nobody, token).get("/api/me").status_code == 401
    refresh(nobody, token, 401)


CHANGES = {
    "a new password": lambda zoe, bob: zoe.call("PATCH", f"/api/users/{bob}", {"password": "another good one"}),
    "disabled": lambda zoe, bob: zoe.call("PATCH", f"/api/users/{bob}", {"disabled": True}),
    "deleted": lambda zoe, bob: zoe.delete(f"/api/users/{bob}"),
    "reset": lambda zoe, bob: zoe.delete(f"/api/users/{bob}/totp"),
}


@pytest.fixture
def bob(nobody, zoe, clock):
    """An agent of Acme with a second factor: id, app and a challenge."""
    body = {"name": "Bob", "email": "bob@acme.example", "role": "agent", "password": GOOD}
    user = zoe.data(zoe.post("/api/users", body), 201)
    app, _ = set_up(bearing(nobody, nobody.data(log_in(nobody, "bob@acme.example"))["access_token"]), clock)
    return user["id"], app, challenge(log_in(nobody, "bob@acme.example"))


@pytest.mark.parametrize("change", CHANGES)
def test_case_11_a_challenge_is_over_when_the_account_changed(nobody, zoe, bob, change):
    user_id, app, token = bob
    assert CHANGES[change](zoe, user_id).status_code == 200
    assert code_of(verify(nobody, token, app.next_code())) == (401, "challenge_over")


def test_an_admin_resets_what_a_person_lost(server, nobody, zoe, bob):
    user_id, *_ = bob
    assert zoe.data(zoe.delete(f"/api/users/{user_id}/totp")) == {"reset": True}
    assert zoe.data(zoe.delete(f"/api/users/{user_id}/totp")) == {"reset": False}
    nobody.data(log_in(nobody, "bob@acme.example"))
    assert rows(server, second_factors) == []
    [event] = [row for row in rows(server, events) if row["action"] == "second_factor_reset"]
    assert (event["actor"], event["subject_id"]) == (ACME["email"], user_id)


def test_an_agent_resets_nobody_and_an_admin_nobody_of_another_company(nobody, server, bob):
    user_id, app, token = bob
    agent = signed_in_by(nobody, nobody.data(verify(nobody, token, app.next_code())))
    assert agent.delete(f"/api/users/{user_id}/totp").status_code == 403
    stranger = Caller(server.test_client(), "admin-key")
    assert stranger.delete(f"/api/users/{user_id}/totp").status_code == 404
    assert len(rows(server, second_factors)) == 1


PROOFS = {"code": lambda app, codes: {"code": app.next_code()}, "recovery code": lambda app, codes: {"code": codes[1]}}
PROOFS["password"] = lambda app, codes: {"password": GOOD}


@pytest.mark.parametrize("proof", PROOFS)
def test_it_is_switched_off_with_a_code_or_the_password(server, nobody, zoe, with_app, proof):
    body = PROOFS[proof](*with_app)
    assert zoe.data(zoe.call("DELETE", "/api/auth/totp", body)) == {"enabled": False}
    assert rows(server, second_factors) == []
    assert "second_factor_off" in actions(server)
    nobody.data(log_in(nobody))
    assert code_of(zoe.call("DELETE", "/api/auth/totp", {"password": GOOD})) == (409, "second_factor_off")


@pytest.mark.parametrize("body", [{}, {"code": "123456", "password": GOOD}, {"password": "wrong one"}, {"code": "000"}])
def test_without_a_right_proof_it_stays_on(zoe, with_app, body):
    assert zoe.call("DELETE", "/api/auth/totp", body).status_code == 400
    assert status(zoe)["enabled"] is True


def test_case_10_guesses_of_a_signed_in_person_are_counted_too(zoe, with_app):
    app, _ = with_app
    for path, method in (("/api/auth/totp", "DELETE"), ("/api/auth/totp/recovery", "POST")):
        answers = [zoe.call(method, path, {"code": app.wrong_code()}).status_code for _ in range(3)]
    assert answers == [400, 400, 429]
    guesses = [zoe.call("DELETE", "/api/auth/totp", {"password": f"wrong {number}"}) for number in range(11)]
    assert [guess.status_code for guess in guesses] == [400] * 10 + [429]


def test_new_recovery_codes_replace_the_earlier_ones(nobody, zoe, with_app):
    app, codes = with_app
    new = zoe.data(zoe.post("/api/auth/totp/recovery", {"code": codes[0]}))["recovery_codes"]
    assert set(new).isdisjoint(codes)
    assert verify(nobody, challenge(log_in(nobody)), codes[1]).status_code == 401
    assert verify(nobody, challenge(log_in(nobody)), new[1]).status_code == 200
    assert status(zoe)["recovery_codes_left"] == 9
    assert zoe.post("/api/auth/totp/recovery", {"code": app.wrong_code()}).status_code == 400


def test_no_secret_and_no_code_is_stored_or_logged(server, nobody, zoe, clock, caplog):
    caplog.set_level("DEBUG")
    key = {"headers": {"Idempotency-Key": "once"}}
    started = zoe.data(zoe.post("/api/auth/totp", **key))
    app = App(started["secret"], clock)
    codes = zoe.data(zoe.post("/api/auth/totp/confirm", {"code": app.code()}, **key))["recovery_codes"]
    assert code_of(zoe.post("/api/auth/totp", **key)) == (409, "already_done")
    nobody.data(verify(nobody, challenge(log_in(nobody)), app.next_code()))
    with server.extensions["runtime"].storage.unit_of_work(None) as uow:
        kept = str({table.name: uow.find(select(table)) for table in metadata.sorted_tables})
    assert len(rows(server, idempotency)) == 2
    for secret in (app.secret, *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in kept
        assert secret not in caplog.text


@pytest.mark.every_engine
def test_it_is_there_after_a_restart_and_gone_with_the_user(open_app, nobody, server, zoe, with_app, clock):
    app, _ = with_app
    zoe.data(zoe.post("/api/users", {**ACME, "email": "eve@acme.example", "role": "admin", "company": ""}), 201)
    server.extensions["runtime"].stop()
    again = open_app(clock=clock)
    caller = Caller(again.test_client())
    token = challenge(log_in(caller))
    signed_in = signed_in_by(caller, caller.data(verify(caller, token, app.next_code())))
    assert status(signed_in)["recovery_codes_left"] == 10
    eve = bearing(caller, caller.data(log_in(caller, "eve@acme.example"))["access_token"])
    [user] = [row for row in rows(again, users) if row["email"] == ACME["email"]]
    assert eve.delete(f"/api/users/{user['id']}").status_code == 200
    assert rows(again, second_factors) == []
    again.extensions["runtime"].stop()
    assert rows(open_app(clock=clock), second_factors) == []
