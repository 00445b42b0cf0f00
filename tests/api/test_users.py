"""Users of a company: create, change, disable, delete (cases 1-5, 9)."""

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from core.models import Actor
from database.tables import events
from database.tables import users as users_table
from services.accounts import users
from tests.conftest import add_key
from tests.support.accounts import GOOD, bearing, log_in, refresh, rows
from tests.support.caller import Caller

BOB = {"name": "Bob", "email": "bob@example.com", "role": "agent", "password": GOOD}


def add(caller, **more):
    return caller.data(caller.post("/api/users", {**BOB, **more}), 201)


def sign_in(caller, email=BOB["email"], password=GOOD):
    nobody = Caller(caller.client)
    made = nobody.data(log_in(nobody, email, password))
    return bearing(nobody, made["access_token"]), made


def test_an_admin_adds_people_of_each_role_who_can_then_sign_in(admin):
    for role in ("admin", "agent", "customer"):
        user = add(admin, email=f"{role}@example.com", role=role)
        assert user["role"] == role
        person, _ = sign_in(admin, f"{role}@example.com")
        me = person.data(person.get("/api/me"))
        assert (me["role"], me["email"], me["company"]["id"]) == (role, f"{role}@example.com", "default")
    assert admin.get("/api/users").json["total"] == 3


def test_a_person_without_a_password_cannot_sign_in(admin):
    add(admin, password="")
    for password in ("", "x" * 8, GOOD):
        response = Caller(admin.client).post("/api/auth/login", {"email": BOB["email"], "password": password})
        assert response.status_code in (400, 401)


def test_a_signed_in_customer_is_that_customer(admin):
    admin.ticket(customer_email="bob@example.com")
    admin.ticket(customer_email="eve@example.com")
    add(admin, role="customer")
    bob, _ = sign_in(admin)
    assert bob.get("/api/tickets").json["total"] == 1
    assert (
        bob.data(bob.post("/api/tickets", {"title": "Mine", "description": "Mine."}), 201)["customer_email"]
        == "bob@example.com"
    )
    assert bob.get("/api/tickets").json["total"] == 2
    for path in ("/api/users", "/api/keys", "/api/customers", "/api/stats", "/api/settings", "/api/audit"):
        assert bob.get(path).status_code == 403, path
    assert bob.get("/api/lookups/agents").json["data"] == []


def test_a_new_role_applies_from_the_next_request_on(admin):
    user = add(admin, role="admin")
    bob, _ = sign_in(admin)
    assert bob.get("/api/users").status_code == 200
    admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"role": "agent"}))
    assert bob.get("/api/users").status_code == 403
    assert bob.get("/api/stats").status_code == 200
    admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"role": "customer"}))
    assert bob.get("/api/stats").status_code == 403


def test_a_disabled_or_deleted_user_is_401_from_the_next_request_on(admin):
    for end in (
        lambda user: admin.call("PATCH", f"/api/users/{user['id']}", {"disabled": True}),
        lambda user: admin.delete(f"/api/users/{user['id']}"),
    ):
        user = add(admin, email=f"{uuid.uuid4().hex}@example.com")
        bob, signed = sign_in(admin, user["email"])
        assert bob.get("/api/tickets").status_code == 200
        admin.data(end(user))
        assert bob.get("/api/tickets").status_code == 401
        refresh(Caller(admin.client), signed["refresh_token"], 401)
        assert log_in(Caller(admin.client), user["email"]).status_code == 401


def test_a_disabled_user_can_be_enabled(admin):
    user = add(admin)
    for disabled, status in ((True, 401), (False, 200)):
        admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"disabled": disabled}))
        assert log_in(Caller(admin.client), BOB["email"]).status_code == status


def test_a_password_set_by_an_admin_ends_the_sessions(admin):
    user = add(admin)
    bob, _ = sign_in(admin)
    admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"password": "another good one"}))
    assert bob.get("/api/tickets").status_code == 401
    assert log_in(Caller(admin.client), BOB["email"]).status_code == 401
    assert log_in(Caller(admin.client), BOB["email"], "another good one").status_code == 200


def test_tickets_are_assigned_to_enabled_agents(admin):
    ticket = admin.ticket()
    add(admin, team="finance")
    gone = add(admin, email="gone@example.com")
    admin.call("PATCH", f"/api/users/{gone['id']}", {"disabled": True})
    assert [agent["key"] for agent in admin.data(admin.get("/api/lookups/agents"))] == ["bob@example.com"]
    path = f"/api/tickets/{ticket['id']}/assign"
    assert admin.post(path, {"agent_email": "gone@example.com"}).status_code == 400
    assert admin.data(admin.post(path, {"auto": True}))["assigned_to"] == "bob@example.com"


def test_a_fault_of_another_field_is_not_said_to_be_a_taken_address(runtime):
    with (
        runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow,
        pytest.raises(IntegrityError),
    ):
        users.create(uow, {"name": "Ada", "email": None, "role": "agent"})


def test_addresses_are_unique_only_within_a_company(admin, other_admin):
    add(other_admin)
    add(admin)
    response = admin.post("/api/users", BOB)
    assert (response.status_code, response.json["data"]["code"]) == (409, "email_taken")
    mine = add(admin, email="mine@example.com")
    taken = admin.call("PATCH", f"/api/users/{mine['id']}", {"email": BOB["email"], "name": "New"})
    assert (taken.status_code, taken.json["data"]["code"]) == (409, "email_taken")
    assert [user["email"] for user in admin.data(admin.get("/api/users"))] == ["bob@example.com", "mine@example.com"]
    assert [user["email"] for user in other_admin.data(other_admin.get("/api/users"))] == ["bob@example.com"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_user_of_another_company_is_404(admin, other_admin, app, method):
    theirs = add(other_admin)
    before = rows(app, users_table)
    answers = [
        admin.call(method, f"/api/users/{i}", {"name": "x"} if method == "PATCH" else None)
        for i in (theirs["id"], str(uuid.uuid4()), "x")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    assert rows(app, users_table) == before


def test_the_last_admin_cannot_be_removed(open_app):
    nobody = Caller(open_app().test_client())
    made = nobody.data(
        nobody.post("/api/companies", {"company": "A", "name": "Z", "email": "z@a.example", "password": GOOD}), 201
    )
    zoe, path = bearing(nobody, made["access_token"]), f"/api/users/{made['user']['id']}"
    for method, body in (("DELETE", None), ("PATCH", {"disabled": True}), ("PATCH", {"role": "agent"})):
        response = zoe.call(method, path, body)
        assert (response.status_code, response.json["data"]["code"]) == (409, "last_admin")
    assert zoe.get("/api/users").json["total"] == 1
    add(zoe, role="admin")
    assert zoe.call("PATCH", path, {"role": "agent"}).status_code == 200


def test_a_narrowed_key_cannot_extend_itself(app, runtime, admin):
    narrow = Caller(app.test_client(), add_key(runtime, "admin", scopes=["users.write", "keys.write", "users.read"]))
    target = add(admin, role="admin")
    for role in ("admin", "agent", "customer"):
        assert narrow.post("/api/users", {**BOB, "email": "new@example.com", "role": role}).status_code == 403
        assert narrow.post("/api/keys", {"name": "k", "role": role}).status_code == 403
    for body in ({"password": "another good one"}, {"role": "customer"}):
        assert narrow.call("PATCH", f"/api/users/{target['id']}", body).status_code == 403
    assert narrow.delete(f"/api/users/{target['id']}").status_code == 403
    assert (
        narrow.post(
            "/api/keys", {"name": "k", "role": "admin", "scopes": ["users.read", "act_for_customers"]}
        ).status_code
        == 403
    )
    made = narrow.data(narrow.post("/api/keys", {"name": "k", "role": "admin", "scopes": ["users.read"]}), 201)
    reader = Caller(app.test_client(), made["key"])
    assert (reader.get("/api/users").status_code, reader.get("/api/keys").status_code) == (200, 403)


@pytest.mark.parametrize(
    "body",
    [
        {"role": "owner"},
        {"email": "not an address"},
        {"team": "no team"},
        {"company_id": "other"},
        {"password_hash": "x"},
        {"identity": "x"},
        {"id": "x"},
        {"name": "x" * 121},
        {"disabled": True},
    ],
)
def test_invalid_user_fields_change_nothing(admin, app, body):
    assert admin.post("/api/users", {**BOB, **body}).status_code == 400
    assert rows(app, users_table) == []


def test_changes_of_users_are_recorded_without_secrets(admin, app):
    user = add(admin)
    admin.call("PATCH", f"/api/users/{user['id']}", {"role": "admin", "password": "another good one"})
    sign_in(admin, password="another good one")
    admin.delete(f"/api/users/{user['id']}")
    told = [(row["action"], row["field"], row["from_value"], row["to_value"]) for row in rows(app, events)]
    assert told == [
        ("user_created", "role", "", "agent"),
        ("user_changed", "role", "agent", "admin"),
        ("password_set", "", "", ""),
        ("signed_in", "", "", ""),
        ("user_deleted", "role", "admin", ""),
    ]
    assert {row["subject_id"] for row in rows(app, events)} == {user["id"]}
    assert {row["address"] for row in rows(app, events)} == {"127.0.0.1"}
    assert "argon2" not in str(rows(app, events))
