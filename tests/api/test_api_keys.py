"""Keys of a company: shown once, rotated, revoked, limited when wrong (cases 4, 5, 10, 12, 14)."""

import uuid

import pytest

from api.http.rate_counters import InMemory
from api.http.rate_limits import WRONG_KEYS, WRONG_KEYS_SECONDS
from database.tables import api_keys, events
from services.accounts import api_keys as keys
from tests.conftest import FILES
from tests.support.accounts import at, clock, rows  # noqa: F401
from tests.support.caller import Caller

NEW = {"name": "Power Apps", "role": "agent"}


def make(caller, **more):
    return caller.data(caller.post("/api/keys", {**NEW, **more}), 201)


def test_a_key_is_shown_once_and_works(admin, app):
    made = make(admin)
    assert made["key"].startswith(made["prefix"])
    assert made["key"].startswith("fk_")
    assert len(made["key"]) > 40
    caller = Caller(app.test_client(), made["key"])
    assert caller.data(caller.get("/api/me"))["name"] == "Power Apps"
    listed = admin.get("/api/keys")
    assert made["key"] not in listed.get_data(as_text=True)
    assert keys.hash_key(made["key"]) not in listed.get_data(as_text=True)
    shown = next(key for key in listed.json["data"] if key["id"] == made["id"])
    assert shown.pop("last_used_at")
    assert shown == {name: value for name, value in made.items() if name != "key"}


def test_a_key_acts_for_customers_with_the_scope(admin, app):
    admin.ticket()
    key = make(admin, scopes=["act_for_customers"])["key"]
    ada = Caller(app.test_client(), key, {"X-On-Behalf-Of": "ada@example.com"})
    assert ada.get("/api/tickets").json["total"] == 1
    assert ada.data(ada.get("/api/me"))["role"] == "customer"
    assert ada.get("/api/stats").status_code == 403


def test_a_revoked_key_is_invalid_from_the_next_request_on(admin, app):
    made = make(admin)
    caller = Caller(app.test_client(), made["key"])
    assert caller.get("/api/tickets").status_code == 200
    assert admin.data(admin.delete(f"/api/keys/{made['id']}")) == {"deleted": True}
    assert caller.get("/api/tickets").status_code == 401
    assert admin.delete(f"/api/keys/{made['id']}").status_code == 404


def test_a_rotated_key_works_for_one_more_day(open_app, clock):  # noqa: F811
    app = open_app(clock=clock)
    admin = Caller(app.test_client(), "admin-key")
    old = make(admin, scopes=["tickets.read"])
    new = admin.data(admin.post(f"/api/keys/{old['id']}/rotate"), 201)
    assert new["key"] != old["key"]
    assert (new["name"], new["role"], new["scopes"]) == (old["name"], old["role"], old["scopes"])
    callers = [Caller(app.test_client(), made["key"]) for made in (old, new)]
    assert [caller.get("/api/tickets").status_code for caller in callers] == [200, 200]
    clock.moved.append(24 * 3600 + 1)
    assert [caller.get("/api/tickets").status_code for caller in callers] == [401, 200]
    assert admin.post(f"/api/keys/{old['id']}/rotate").json["data"]["code"] == "key_expired"


def test_a_key_expires_at_its_expiry(open_app, clock):  # noqa: F811
    app = open_app(clock=clock)
    admin = Caller(app.test_client(), "admin-key")
    made = make(admin, expires_at="2026-03-01T13:00:00Z")
    caller = Caller(app.test_client(), made["key"])
    assert caller.get("/api/tickets").status_code == 200
    clock.moved.append(3600)
    assert caller.get("/api/tickets").status_code == 401
    assert admin.post("/api/keys", {**NEW, "expires_at": "2026-03-01T13:00:00Z"}).status_code == 400


@pytest.mark.parametrize(
    ("minutes", "is_noted"), [(1, False), (9, False), (10, False), (11, True), (600, True), (-1, True)]
)
def test_a_use_is_noted_again_after_ten_minutes_or_when_the_clock_went_back(open_app, clock, minutes, is_noted):  # noqa: F811
    app = open_app(clock=clock)
    admin = Caller(app.test_client(), "admin-key")

    def used_at():
        return rows(app, api_keys)[0]["last_used_at"]

    admin.get("/api/me")
    first = used_at()
    clock.moved.append(60 * minutes)
    admin.get("/api/me")
    assert first
    assert (used_at() != first) is is_noted


def test_a_key_expires_no_later_than_the_key_that_created_it(open_app, clock):  # noqa: F811
    app = open_app(clock=clock)
    admin = Caller(app.test_client(), "admin-key")
    end = "2026-03-01T13:00:00.000Z"
    ending = Caller(app.test_client(), make(admin, role="admin", expires_at=end)["key"])
    later = ending.post("/api/keys", {**NEW, "expires_at": "2026-03-01T13:00:01Z"})
    assert (later.status_code, later.json["data"]["errors"][0]["field"]) == (400, "expires_at")
    made = [make(ending), make(ending, expires_at=end), make(ending, role="admin")]
    made.append(make(Caller(app.test_client(), made[2]["key"])))
    for_ever = make(admin)
    made.append(ending.data(ending.post(f"/api/keys/{for_ever['id']}/rotate"), 201))
    assert [key["expires_at"] for key in made] == [end] * 5
    assert make(ending, expires_at="2026-03-01T12:30:00Z")["expires_at"] == "2026-03-01T12:30:00.000Z"
    assert "expires_at" not in make(admin)
    clock.moved.append(3600)
    callers = [Caller(app.test_client(), key["key"]) for key in (*made, for_ever)]
    assert [caller.get("/api/tickets").status_code for caller in callers] == [401] * 5 + [200]


def test_a_rotated_key_creates_no_key_that_outlives_it(admin, app):
    old = make(admin, role="admin")
    admin.data(admin.post(f"/api/keys/{old['id']}/rotate"), 201)
    last_day = make(Caller(app.test_client(), old["key"]))
    shown = {key["id"]: key for key in admin.data(admin.get("/api/keys"))}
    assert last_day["expires_at"] == shown[old["id"]]["expires_at"]


def test_an_expiring_key_cannot_remove_the_last_permanent_admin(other_admin, app, runtime):
    ending = Caller(app.test_client(), make(other_admin, role="admin", expires_at="2999-01-01")["key"])
    last = next(key for key in ending.data(ending.get("/api/keys")) if "expires_at" not in key)
    before = rows(app, api_keys)
    answer = ending.post(f"/api/keys/{last['id']}/rotate")
    assert (answer.status_code, answer.json["data"]["code"]) == (409, "last_admin")
    assert rows(app, api_keys) == before


def test_repeating_the_creation_of_a_key_is_409(admin, app):
    headers = {"Idempotency-Key": "once"}
    made = admin.data(admin.post("/api/keys", NEW, headers=headers), 201)
    again = admin.post("/api/keys", NEW, headers=headers)
    assert (again.status_code, again.json["data"]["code"]) == (409, "already_done")
    assert (
        admin.post("/api/keys", {**NEW, "role": "admin"}, headers=headers).json["data"]["code"]
        == "idempotency_key_reused"
    )
    assert len([key for key in rows(app, api_keys) if key["name"] == NEW["name"]]) == 1
    with app.extensions["runtime"].storage.unit_of_work(None) as uow:
        from database.tables import idempotency

        assert made["key"] not in str(uow.find(uow.query(idempotency)))


@pytest.mark.parametrize("engine", FILES)
@pytest.mark.parametrize(
    "wrong", ["fk_{}{}wrong-as-wrong-can-be", "{}{}", "x{}{}", "{}{} any other text of some length"]
)
def test_wrong_keys_are_limited_and_lock_out_no_valid_key(open_app, wrong):
    app = open_app(api_key="acme42")
    short, seconds = Caller(app.test_client(), "acme42"), WRONG_KEYS_SECONDS
    long = Caller(app.test_client(), make(short)["key"])

    def guesses(place, many):
        callers = [Caller(app.test_client(), wrong.format(place, number)) for number in range(many)]
        return [caller.get("/api/tickets", **at(f"198.51.100.{place}")) for caller in callers]

    assert {answer.status_code for answer in guesses(1, WRONG_KEYS)} == {401}
    for refused in guesses(1, 3):
        assert (refused.status_code, refused.json["data"]["code"]) == (429, "locked_out")
        assert 0 < int(refused.headers["Retry-After"]) <= seconds
    assert long.get("/api/tickets", **at("198.51.100.1")).status_code == 200, (
        "never tried from there, too long to guess"
    )
    assert {answer.status_code for answer in guesses(2, 1)} == {401}, "another address"
    assert short.get("/api/tickets", **at("198.51.100.2")).status_code == 200
    guesses(2, WRONG_KEYS + 1)
    assert short.get("/api/tickets", **at("198.51.100.2")).status_code == 200, "it was right there before"


@pytest.mark.parametrize("engine", FILES)
def test_guesses_of_a_short_key_are_limited(open_app, clock):  # noqa: F811
    app = open_app(api_key="acme42")
    app.extensions["limits"].counter = InMemory(lambda: clock().timestamp())
    keys = [f"acme{number}" for number in range(10, 43)]
    tried = [Caller(app.test_client(), key).get("/api/tickets").status_code for key in keys]
    assert tried == [401] * WRONG_KEYS + [429] * 3
    clock.moved.append(WRONG_KEYS_SECONDS)
    assert Caller(app.test_client(), "acme42").get("/api/tickets").status_code == 200


def test_wrong_keys_create_no_rows(app, admin):
    admin.get("/api/me")
    before = rows(app, api_keys)
    for number in range(30):
        assert Caller(app.test_client(), f"fk_{number:05}nobody").get("/api/tickets").status_code == 401
    assert rows(app, api_keys) == before


@pytest.mark.parametrize(("method", "end"), [("POST", "/rotate"), ("DELETE", "")])
def test_a_key_of_another_company_is_404(app, admin, other_admin, method, end):
    theirs = make(other_admin)
    admin.get("/api/me")  # notes that this key was used
    before = rows(app, api_keys)
    answers = [admin.call(method, f"/api/keys/{i}{end}") for i in (theirs["id"], str(uuid.uuid4()), "x")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    assert rows(app, api_keys) == before


def test_the_key_of_the_environment_cannot_be_changed_by_the_api(admin):
    mine = next(key for key in admin.data(admin.get("/api/keys")) if key["name"] == "API_KEY")
    assert mine["prefix"] == ""
    for response in (admin.post(f"/api/keys/{mine['id']}/rotate"), admin.delete(f"/api/keys/{mine['id']}")):
        assert (response.status_code, response.json["data"]["code"]) == (409, "key_in_environment")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "API_KEY"},
        {"name": ""},
        {"role": "owner"},
        {"scopes": ["everything"]},
        {"scopes": "tickets.read"},
        {"scopes": ["public"]},
        {"expires_at": "2020-01-01"},
        {"expires_at": "tomorrow"},
        {"company_id": "other"},
        {"key_hash": "x"},
        {"key": "fk_chosen"},
        {"prefix": "x"},
    ],
)
def test_invalid_fields_create_no_key(admin, app, body):
    before = len(rows(app, api_keys))
    assert admin.post("/api/keys", {**NEW, **body}).status_code == 400
    assert len(rows(app, api_keys)) == before


def test_a_key_named_api_key_in_another_company_is_kept_at_a_start(open_app, other_admin, runtime):
    made = make(other_admin)
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update(api_keys, made["id"], {"name": "API_KEY"})
    runtime.stop()
    app = open_app(api_key="another-admin-key")
    assert Caller(app.test_client(), made["key"]).get("/api/tickets").status_code == 200
    assert Caller(app.test_client(), "admin-key").get("/api/tickets").status_code == 401
    assert Caller(app.test_client(), "another-admin-key").get("/api/tickets").status_code == 200


def test_a_start_without_api_key_leaves_the_key_of_another_process_valid(open_app):
    app = open_app()
    assert Caller(app.test_client(), "admin-key").get("/api/me").status_code == 200
    app.extensions["runtime"].stop()
    app = open_app(api_key="")
    assert Caller(app.test_client(), "admin-key").get("/api/me").status_code == 200


def test_changes_of_keys_are_recorded_without_secrets(admin, app):
    made = make(admin)
    new = admin.data(admin.post(f"/api/keys/{made['id']}/rotate"), 201)
    admin.delete(f"/api/keys/{made['id']}")
    told = [(row["action"], row["subject_id"]) for row in rows(app, events)]
    assert told == [
        ("key_created", made["id"]),
        ("key_rotated", made["id"]),
        ("key_created", new["id"]),
        ("key_revoked", made["id"]),
    ]
    text = str(rows(app, events))
    assert not [secret for secret in (made["key"], new["key"], keys.hash_key(made["key"])) if secret in text]
