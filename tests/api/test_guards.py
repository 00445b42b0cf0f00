"""Protection against attacks and concurrent changes (cases 3, 5, 9, 10)."""

import hashlib

import orjson
import pytest

from database.tables import events, idempotency, sessions, sign_in_tries, users
from jobs import handlers
from tests.api.test_users import BOB, add
from tests.conftest import add_key
from tests.support.accounts import ACME, GOOD, acme, bearing, clock, log_in, nobody, rows, server  # noqa: F401
from tests.support.caller import Caller


def test_failed_sign_ins_of_strangers_are_purged(server, nobody, acme, clock):  # noqa: F811
    for number in range(5):
        log_in(nobody, email=f"nobody{number}@acme.example")
    clock.moved.append(60 * 24 * 3600)
    handlers.tidy(server.extensions["runtime"])
    assert rows(server, sign_in_tries) == rows(server, sessions) == []


def test_stored_calls_hold_no_plain_hash_of_a_password(admin, app):
    body = {**BOB, "password": GOOD}
    assert admin.post("/api/users", body, headers={"Idempotency-Key": "once"}).status_code == 201
    [call] = rows(app, idempotency)
    assert call["body_hash"] != hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    again = admin.post("/api/users", body, headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (201, "true")
    other = admin.post("/api/users", {**body, "password": GOOD + "!"}, headers={"Idempotency-Key": "once"})
    assert other.json["data"]["code"] == "idempotency_key_reused"


def test_an_admin_who_cannot_sign_in_does_not_count_as_admin(nobody, acme):  # noqa: F811
    zoe, path = bearing(nobody, acme["access_token"]), f"/api/users/{acme['user']['id']}"
    add(zoe, name="Ghost", role="admin", password="")
    zoe.data(zoe.post("/api/keys", {"name": "k", "role": "admin", "scopes": ["stats.read"]}), 201)
    zoe.data(zoe.post("/api/keys", {"name": "k", "role": "admin", "expires_at": "2999-01-01"}), 201)
    for method, body in (("DELETE", None), ("PATCH", {"role": "agent"})):
        assert zoe.call(method, path, body).json["data"]["code"] == "last_admin"
    zoe.data(zoe.post("/api/keys", {"name": "k", "role": "admin", "scopes": ["act_for_customers"]}), 201)
    assert zoe.delete(path).status_code == 200


def test_a_narrowed_key_cannot_revoke_a_broader_key(app, runtime, admin):
    narrow = Caller(app.test_client(), add_key(runtime, "admin", scopes=["keys.write", "keys.read"]))
    for key in admin.data(admin.get("/api/keys")):
        if key["scopes"] != ["keys.write", "keys.read"]:
            assert narrow.delete(f"/api/keys/{key['id']}").status_code == 403


def test_a_password_set_by_an_admin_survives_a_concurrent_change(open_app, monkeypatch):
    from auth import passwords

    app = open_app()
    caller = Caller(app.test_client())
    made = caller.data(caller.post("/api/companies", ACME), 201)
    zoe = bearing(caller, made["access_token"])
    hashed = passwords.hashed

    def meanwhile(password):
        if password == "the thief's new one":
            with app.extensions["runtime"].storage.unit_of_work(None, write=True) as every:
                every.update(users, made["user"]["id"], {"password_hash": hashed("set by an admin")})
        return hashed(password)

    monkeypatch.setattr(passwords, "hashed", meanwhile)
    assert zoe.post("/api/auth/password", {"old": GOOD, "new": "the thief's new one"}).status_code == 401
    assert log_in(caller, password="set by an admin").status_code == 200


@pytest.mark.parametrize("name", ["ÄRZTE", "Ärzte\u200b", "ärZTe", " Ärzte  ", "A\u0308rzte"])
def test_a_company_name_that_reads_alike_is_refused(open_app, name):
    caller = Caller(open_app().test_client())
    assert caller.post("/api/companies", {**ACME, "company": "Ärzte"}).status_code == 201
    again = caller.post("/api/companies", {**ACME, "company": name, "email": "b@b.example"})
    assert again.json["data"]["code"] == "company_taken"


def test_an_invisible_name_is_refused(open_app):
    caller = Caller(open_app().test_client())
    assert caller.post("/api/companies", {**ACME, "company": "\u202e\u200b"}).status_code == 400


@pytest.mark.parametrize("name", ["a/b@example.com", "c/1", "%2F", "..", "a b/c?d#e"])
def test_a_customer_whose_name_has_a_slash_is_found_and_erased(admin, name):
    from urllib.parse import quote

    admin.ticket(**({"customer_email": name} if "@" in name else {"customer_email": "", "customer_id": name}))
    path = f"/api/customers/{quote(name, safe='')}"
    assert admin.get(path).status_code == 200
    assert admin.data(admin.get(f"{path}/export"))["tickets"]
    assert admin.data(admin.delete(path)) == {"erased": True, "tickets": 1}
    assert admin.get(path).status_code == 404


def test_an_erased_ticket_cannot_be_changed(admin, customer, agent):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.delete("/api/customers/ada@example.com"))
    for method, where, body in (
        ("PUT", path, {"title": "Ada again"}),
        ("POST", f"{path}/replies", {"body": "Hello Ada."}),
        ("POST", f"{path}/resolve", {"resolution": "Ada is helped."}),
        ("POST", f"{path}/ai_response", {}),
    ):
        assert agent.call(method, where, body).json["data"]["code"] == "erased"
    assert admin.delete(path).status_code == 200


def test_a_person_with_an_account_and_no_ticket_can_be_erased(admin, app):
    add(admin, role="customer")
    assert admin.data(admin.get("/api/customers/bob@example.com/export"))["account"]["email"] == "bob@example.com"
    assert admin.data(admin.delete("/api/customers/bob@example.com"))["tickets"] == 0
    assert rows(app, users) == []


def test_erasure_deletes_nothing_of_others(admin, app):
    admin.ticket(customer_email="", customer_id="ai", title="Mine")
    theirs = admin.ticket(customer_email="nina123@example.com")
    admin.ticket(customer_email="a123@example.com")
    admin.data(
        admin.put(f"/api/tickets/{theirs['id']}", {"title": "About nina123@example.com", "user": "nina123@example.com"})
    )
    before = [row for row in rows(app, events) if row["subject_id"] == theirs["id"]]
    for name in ("ai", "a123@example.com"):
        admin.data(admin.delete(f"/api/customers/{name}"))
    assert [row for row in rows(app, events) if row["subject_id"] == theirs["id"]] == before


def test_the_audit_distinguishes_a_customer_from_the_key_that_acts_for_them(admin, customer):
    ticket = customer.data(customer.post("/api/tickets", {"title": "Help", "description": "It broke."}), 201)
    mine = admin.ticket()
    by = {
        event["subject_id"]: (event["actor"], event["through"])
        for event in admin.data(admin.get("/api/audit?action=created"))
    }
    assert by == {ticket["id"]: ("ada@example.com", "agent key"), mine["id"]: ("API_KEY", "API_KEY")}


def nested(depth):
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/api/auth/login", "email"),
        ("POST", "/api/tickets", "urgency"),
        ("POST", "/api/tickets/x/resolve", "version"),
        ("PUT", "/api/settings", "retention_days"),
        ("POST", "/api/companies", "company"),
    ],
)
def test_a_value_a_thousand_levels_deep_is_a_400(admin, method, path, field):
    body = b'{"%s": %s}' % (field.encode(), nested(1000))
    answer = admin.call(method, path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404)


def test_damaged_text_in_a_files_header_is_a_400(admin):
    answer = admin.post("/api/import", data=b"GIF87a\xff\x00\xf9\n1,2", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 400
