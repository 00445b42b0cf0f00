"""Companies, sign-in, sessions and passwords over HTTP (cases 9, 10, 13)."""
# ruff: noqa: F811 - the fixtures of tests.support.accounts are imported

from concurrent.futures import ThreadPoolExecutor

import pytest

from auth import passwords
from database.tables import events, sign_in_tries, users
from services.accounts import lockout, sign_in
from tests.conftest import FILES
from tests.support.accounts import ACME, GOOD, acme, at, bearing, clock, log_in, nobody, refresh, rows, server  # noqa: F401 - fixtures
from tests.support.caller import Caller

LONG_KEY = "a key of twenty letters"


def test_a_company_registers_and_its_admin_is_signed_in(nobody, acme):
    assert acme["company"]["name"] == "Acme"
    assert {name: acme["user"][name] for name in ("name", "email", "role")} == {
        "name": "Zoë",
        "email": "zoe@acme.example",
        "role": "admin",
    }
    assert acme["expires_in_seconds"] == 900
    zoe = bearing(nobody, acme["access_token"])
    me = zoe.data(zoe.get("/api/me"))
    assert (me["role"], me["company"], me["email"]) == ("admin", acme["company"], "zoe@acme.example")
    assert zoe.ticket()["number"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"email": "other@acme.example"},
        {"email": "other@acme.example", "company": "ACME"},
    ],
)
def test_a_company_name_is_unique(server, nobody, acme, change):
    before = len(rows(server, users))
    response = nobody.post("/api/companies", {**ACME, **change})
    assert (response.status_code, response.json["data"]["code"]) == (409, "company_taken")
    assert len(rows(server, users)) == before
    assert nobody.post("/api/companies", {**ACME, "company": "Third", "email": "x@third.example"}).status_code == 201


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "password",
        "Password1!",
        "12345678",
        "87654321",
        "aaaaaaaa",
        "abababab",
        "zoe@acme.example",
        7,
        "x" * 201,
    ],
)
def test_the_worst_passwords_are_refused(nobody, password):
    response = nobody.post("/api/companies", {**ACME, "password": password})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "password")
    assert log_in(nobody).status_code == 401


@pytest.mark.parametrize(
    "password", ["pässwörter zählen auch", " leading and trailing ", "x" * 60 + "yzab", "🔑🔒🔓🗝🔐🔏🧷🧵"]
)
def test_a_password_is_not_normalized(nobody, password):
    assert nobody.post("/api/companies", {**ACME, "password": password}).status_code == 201
    assert log_in(nobody, password=password).status_code == 200
    if password != password.strip():
        assert log_in(nobody, password=password.strip()).status_code == 401


def test_registering_answers_the_same_whether_or_not_the_address_is_known(nobody, acme):
    known = nobody.post("/api/companies", {**ACME, "company": "Other", "email": "ZOE@acme.example"})
    fresh = nobody.post("/api/companies", {**ACME, "company": "Third", "email": "new@acme.example"})
    assert (known.status_code, fresh.status_code) == (201, 201)
    assert known.json["data"].keys() == fresh.json["data"].keys()
    zoe = bearing(nobody, known.json["data"]["access_token"])
    assert zoe.data(zoe.get("/api/me"))["company"]["name"] == "Other"


def test_sign_in_selects_the_company_by_password_or_lists_several(nobody, acme):
    for company, password in (("Other", "another good one"), ("Third", GOOD)):
        nobody.data(nobody.post("/api/companies", {**ACME, "company": company, "password": password}), 201)

    def company_of(**body):
        token = nobody.data(nobody.post("/api/auth/login", body))["access_token"]
        return bearing(nobody, token).get("/api/me").json["data"]["company"]["name"]

    email = ACME["email"]
    assert company_of(email=email, password="another good one") == "Other"
    asked = log_in(nobody)
    assert (asked.status_code, asked.json["data"]["errors"][0]["field"]) == (400, "company")
    assert "Acme, Third." in asked.json["data"]["errors"][0]["message"], "where it does not fit is not told"
    assert company_of(email=email, password=GOOD, company="third") == "Third"
    for wrong in ("Other", "Nowhere"):
        refused = nobody.post("/api/auth/login", {"email": email, "password": GOOD, "company": wrong})
        assert (refused.status_code, refused.data) == (401, log_in(nobody, password="wrong one").data)


def test_the_number_of_password_checks_is_constant(nobody, acme, monkeypatch):
    tested = []
    monkeypatch.setattr(passwords, "matches", lambda kept, password: tested.append(password) and False)
    nobody.data(nobody.post("/api/companies", {**ACME, "company": "Other"}), 201)
    for email in (ACME["email"], "unknown@acme.example"):
        for more, times in (({}, sign_in.MOST_ACCOUNTS), ({"company": "Acme"}, 1), ({"company": "Nowhere"}, 1)):
            tested.clear()
            assert nobody.post("/api/auth/login", {"email": email, "password": GOOD, **more}).status_code == 401
            assert len(tested) == times


def test_companies_of_strangers_with_the_same_address_lock_nobody_out(open_app):
    app = open_app()
    operator, nobody = Caller(app.test_client(), "admin-key"), Caller(app.test_client())
    for number in range(sign_in.MOST_ACCOUNTS):
        squatted = {**ACME, "company": f"Squatted {number}", "password": f"only the stranger's {number}"}
        nobody.data(nobody.post("/api/companies", squatted), 201)
    operator.data(operator.post("/api/companies", ACME), 201)
    assert log_in(nobody).status_code == 200


@pytest.mark.parametrize(("given", "status"), [({}, 403), ({"open_registration": True}, 201)])
def test_registration_is_closed_in_production_by_default(open_app, given, status):
    production = {"app_env": "production", "secret_key": "s" * 32, "api_key": LONG_KEY, "open_registration": None}
    app = open_app(**{**production, **given})
    assert Caller(app.test_client()).post("/api/companies", ACME).status_code == status
    assert (
        Caller(app.test_client(), LONG_KEY)
        .post("/api/companies", {**ACME, "company": "B", "email": "b@b.example"})
        .status_code
        == 201
    )
    with_a_wrong_key = Caller(app.test_client(), "wrong").post("/api/companies", {**ACME, "company": "C"})
    assert with_a_wrong_key.status_code == (401 if status == 403 else 201)


def test_with_closed_registration_only_the_operator_creates_companies(open_app):
    app = open_app(open_registration=False)
    operator = Caller(app.test_client(), "admin-key")
    made = operator.data(operator.post("/api/companies", ACME), 201)
    other_admin = bearing(operator, made["access_token"])
    key = other_admin.data(other_admin.post("/api/keys", {"name": "k", "role": "admin"}), 201)["key"]
    for caller in (other_admin, Caller(app.test_client(), key)):
        assert caller.post("/api/companies", {**ACME, "company": "B", "email": "b@b.example"}).status_code == 403


def test_signing_in_answers_the_same_whether_or_not_the_address_is_known(nobody, acme):
    wrong, unknown = log_in(nobody, password="not the one"), log_in(nobody, email="eve@acme.example")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.get_data() == unknown.get_data()
    assert log_in(nobody, email="ZOE@acme.example ").status_code == 200


def test_too_many_wrong_passwords_lock_the_account_for_that_address(server, nobody, acme, clock):
    for email in (ACME["email"], "unknown@acme.example"):
        for attempt in range(lockout.MAX_ATTEMPTS):
            claimed = {"X-Forwarded-For": f"10.0.0.{attempt}", "CF-Connecting-IP": f"10.0.1.{attempt}"}
            assert log_in(nobody, email=email, password="wrong one", headers=claimed).status_code == 401
        for password in ("wrong one", GOOD):
            locked = log_in(nobody, email=email, password=password)
            assert (locked.status_code, locked.json["data"]["code"]) == (429, "locked_out")
            assert 0 < int(locked.headers["Retry-After"]) <= lockout.WINDOW_SECONDS
    assert log_in(nobody, **at("198.51.100.7")).status_code == 200, "a stranger elsewhere locks nobody out"
    clock.moved.append(lockout.WINDOW_SECONDS + 1)
    assert log_in(nobody).status_code == 200


def test_guesses_from_many_addresses_are_limited_and_the_owner_signs_in(nobody, acme, monkeypatch):
    monkeypatch.setattr(lockout, "MOST_OF_ACCOUNT", 2 * lockout.MAX_ATTEMPTS)
    for place in range(2 * lockout.MAX_ATTEMPTS):
        guess = log_in(nobody, password="wrong one", **at(f"198.51.100.{place}"))
        assert guess.status_code == 401
    guesses = [log_in(nobody, password="wrong one", **at("203.0.113.1")).status_code for _ in range(5)]
    assert guesses == [401] * lockout.MOST_UNDER_ATTACK + [429] * 2
    assert log_in(nobody, **at("192.0.2.1")).status_code == 200
    others = [log_in(nobody, email="bob@acme.example", password="wrong one", **at("203.0.113.1")) for _ in range(5)]
    assert {answer.status_code for answer in others} == {401}


def test_addresses_of_one_ipv6_site_count_as_one(nobody, acme):
    for attempt in range(lockout.MAX_ATTEMPTS):
        assert log_in(nobody, password="wrong one", **at(f"2001:db8:1:{attempt}::1")).status_code == 401
    assert log_in(nobody, **at("2001:db8:1:ffff::1")).status_code == 429
    assert log_in(nobody, **at("2001:db8:2::1")).status_code == 200


def test_wrong_passwords_of_others_do_not_affect_sessions(nobody, acme):
    for _ in range(lockout.MAX_ATTEMPTS + 1):
        log_in(nobody, password="wrong one")
    zoe = bearing(nobody, refresh(nobody, acme["refresh_token"])["access_token"])
    assert zoe.post("/api/auth/password", {"old": GOOD, "new": "a new good one"}).status_code == 200


def test_wrong_old_passwords_are_limited(nobody, acme, clock):
    zoe = bearing(nobody, acme["access_token"])
    guess = {"old": "wrong one", "new": "a new good one"}
    statuses = [zoe.post("/api/auth/password", guess).status_code for _ in range(lockout.MAX_ATTEMPTS + 1)]
    assert statuses == [401] * lockout.MAX_ATTEMPTS + [429]
    assert log_in(nobody).status_code == 200


def test_concurrent_guesses_are_counted(server, nobody, acme):
    def guess(_):
        return log_in(Caller(server.test_client()), password="wrong one").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(lockout.MAX_ATTEMPTS + 10)))
    assert answers.count(401) == lockout.MAX_ATTEMPTS
    assert answers.count(429) == 10


def test_a_right_password_resets_the_count(server, nobody, acme):
    for _ in range(3):
        for _ in range(lockout.MAX_ATTEMPTS - 1):
            assert log_in(nobody, password="wrong one").status_code == 401
        assert log_in(nobody).status_code == 200
    [of_account] = rows(server, sign_in_tries)
    assert of_account["tries"] == 3 * (lockout.MAX_ATTEMPTS - 1), "what was wrong still counts against the account"


def test_wrong_passwords_are_not_in_the_audit(server, nobody, acme):
    before = rows(server, events)
    for _ in range(lockout.MAX_ATTEMPTS + 3):
        log_in(nobody, password="wrong one")
        nobody.get("/api/tickets", headers={"X-API-Key": "fk_wrong"})
    assert rows(server, events) == before


def test_a_password_is_changed_with_the_old_one_and_ends_other_sessions(server, nobody, acme):
    other = nobody.data(log_in(nobody))
    zoe = bearing(nobody, acme["access_token"])
    for body, status in (
        ({"old": "wrong one", "new": "a new good one"}, 401),
        ({"old": GOOD, "new": "short"}, 400),
        ({"old": GOOD, "new": "password"}, 400),
        ({"new": "a new good one"}, 400),
        ({"old": GOOD, "new": "a new good one"}, 200),
    ):
        assert zoe.post("/api/auth/password", body).status_code == status, body
    assert zoe.get("/api/me").status_code == 200
    assert bearing(nobody, other["access_token"]).get("/api/me").status_code == 401
    assert log_in(nobody).status_code == 401
    assert log_in(nobody, password="a new good one").status_code == 200


def test_a_key_has_no_password_to_change(nobody):
    key = Caller(nobody.client, "admin-key")
    assert key.post("/api/auth/password", {"old": GOOD, "new": "a new good one"}).status_code == 403


@pytest.mark.parametrize("engine", FILES)
def test_the_generated_secret_is_kept_and_a_short_one_is_refused_in_production(settings, tmp_path, open_app):
    with pytest.raises(ValueError, match="SECRET_KEY"):
        settings(app_env="production")
    with pytest.raises(ValueError, match="SECRET_KEY"):
        settings(secret_key="short")
    with pytest.raises(ValueError, match="API_KEY"):
        settings(app_env="production", secret_key="s" * 32, api_key="nineteen characters")
    assert settings(app_env="production", secret_key="s" * 32, api_key="").production
    assert settings(render="true", secret_key="s" * 32, api_key="twenty characters ok").production
    app = open_app()
    caller = Caller(app.test_client())
    made = caller.data(caller.post("/api/companies", ACME), 201)
    app.extensions["runtime"].stop()
    again = open_app()
    assert bearing(Caller(again.test_client()), made["access_token"]).get("/api/me").status_code == 200
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_no_stored_row_holds_a_password_or_a_token(server, nobody, acme, tmp_path):
    log_in(nobody)
    refreshed = refresh(nobody, acme["refresh_token"])
    secrets = [GOOD, acme["access_token"], acme["refresh_token"], refreshed["refresh_token"]]
    server.extensions["runtime"].stop()
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "secret_key":
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in content], path
