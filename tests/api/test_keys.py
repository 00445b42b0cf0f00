"""Permissions of keys, how they are sent, and that no response holds one (cases 9, 12, 14)."""

import pytest

from database.tables import api_keys, tickets
from tests.api.test_access import NEW
from tests.conftest import add_key
from tests.support.caller import Caller


@pytest.mark.parametrize("name", ["api_key", "key", "X-API-Key", "access_token", "token", "apikey"])
def test_a_key_in_the_query_is_not_accepted(app, name):
    assert Caller(app.test_client()).get(f"/api/tickets?{name}=admin-key").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer admin-key"},
        {"Authorization": "bearer  admin-key"},
        {"X-API-Key": " admin-key "},
        {"x-apikey": " admin-key "},
        {"x-apikey": "admin-key", "X-API-Key": "admin-key"},
    ],
)
def test_a_key_is_accepted_in_each_header(app, headers):
    assert Caller(app.test_client()).get("/api/tickets", headers=headers).status_code == 200


def test_two_different_keys_are_refused(app, agent):
    headers = {"x-apikey": agent.key, "X-API-Key": "admin-key"}
    response = Caller(app.test_client()).get("/api/tickets", headers=headers)
    assert response.status_code == 401
    assert response.json["message"] == "X-API-Key and X-ApiKey hold different keys. Send one of them."


@pytest.mark.parametrize("header", ["X-API-Key", "X-ApiKey"])
def test_every_rule_for_keys_holds_in_each_header_of_cases_5_12_14_and_42(open_app, header):
    app = open_app(rate_limit="3 per minute")
    key = add_key(app.extensions["runtime"], "agent", scopes=["tickets.read"])
    reader = Caller(app.test_client())
    assert reader.get("/api/tickets", headers={header: key}).status_code == 200
    assert reader.post("/api/tickets", NEW, headers={header: key}).status_code == 403
    on_behalf = {header: key, "X-On-Behalf-Of": "ada@example.com"}
    assert reader.get("/api/tickets", headers=on_behalf).status_code == 403
    other_header = {"X-API-Key": "X-ApiKey", "X-ApiKey": "X-API-Key"}[header]
    assert reader.get("/api/tickets", headers={other_header: key}).status_code == 429  # one key, one limit
    assert reader.get("/api/tickets", headers={header: "fk_wrong"}).status_code == 401


@pytest.mark.parametrize(
    "header", ["X-Remote-User", "From", "X-Forwarded-User", "X-User", "Remote-User", "X-Company-Id"]
)
def test_identity_headers_are_ignored(app, stranger, admin, header):
    admin.ticket()
    for value in ("admin", "default", "ada@example.com"):
        assert Caller(app.test_client()).get("/api/tickets", headers={header: value}).status_code == 401
        assert stranger.get("/api/tickets", headers={header: value}).json["total"] == 0


def test_scopes_that_name_permissions_narrow_a_key(app, runtime, admin):
    reader = Caller(app.test_client(), add_key(runtime, "agent", scopes=["tickets.read"]))
    path = f"/api/tickets/{admin.ticket()['id']}"
    assert reader.get(path).status_code == 200
    for method, where, body in [
        ("PUT", path, {"title": "x"}),
        ("POST", f"{path}/replies", {"body": "x"}),
        ("POST", "/api/tickets", NEW),
    ]:
        assert reader.call(method, where, body).status_code == 403


def test_changes_of_a_key_apply_from_the_next_request_on(app, runtime):
    caller = Caller(app.test_client(), add_key(runtime, "admin", scopes=["settings.read", "settings.write"]))
    assert caller.put("/api/settings", {"ai_enabled": True}).status_code == 200

    def change(**values):
        with runtime.storage.unit_of_work(None, write=True) as uow:
            uow.update_where(api_keys, api_keys.c.name == "admin key", **values)

    change(role="agent")
    assert caller.put("/api/settings", {"ai_enabled": True}).status_code == 403
    change(expires_at="2020-01-01T00:00:00.000Z")
    assert caller.get("/api/settings").status_code == 401
    change(expires_at=None)
    assert caller.get("/api/settings").status_code == 200
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.delete(api_keys, api_keys.c.name == "admin key")
    assert caller.get("/api/settings").status_code == 401


def test_no_response_holds_a_secret_of_the_server(admin, agent):
    admin.ticket()
    for path in ("/api/tickets", "/api/customers", "/api/settings", "/api/health", "/api/lookups/agents", "/api/stats"):
        text = admin.get(path).get_data(as_text=True)
        assert not [
            word
            for word in ("admin-key", agent.key, "key_hash", "company_id", "customer_row", "human_replied")
            if word in text
        ]


def test_a_read_changes_nothing(app, admin, customer, runtime):
    ticket = admin.ticket()

    def rows():
        with runtime.storage.unit_of_work(None) as uow:
            return [uow.find(uow.query(table)) for table in tickets.metadata.sorted_tables if table is not api_keys]

    before = rows()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api") and "GET" in rule.methods:
            path = (
                rule.rule.replace("<ticket_id>", ticket["id"])
                .replace("<name>", "statuses")
                .replace("<name:name>", "ada@example.com")
            )
            for caller in (admin, customer):
                assert caller.get(path).status_code < 500
    assert rows() == before


def test_a_customer_read_through_a_read_only_key_does_not_count_as_present(admin, runtime, app):
    keys = [["act_for_customers"], ["act_for_customers", "read_only"]]
    keys = [admin.data(admin.post("/api/keys", {"name": "k", "role": "agent", "scopes": one}), 201) for one in keys]
    ada, reader = (Caller(app.test_client(), key["key"], {"X-On-Behalf-Of": "ada@example.com"}) for key in keys)
    chat = ada.data(ada.post("/api/chat", {"message": "Hello"}))["conversation_id"]
    waiting = runtime.chat_presence._waiting
    reader.data(reader.get(f"/api/chat/{chat}"))
    assert not waiting
    ada.data(ada.get(f"/api/chat/{chat}"))
    assert waiting == {"default": {chat}}


def test_a_read_only_admin_key_is_no_operator(open_app):
    app = open_app(open_registration=False)
    admin = Caller(app.test_client(), "admin-key")
    reader = admin.data(admin.post("/api/keys", {"name": "r", "role": "admin", "scopes": ["read_only"]}), 201)["key"]
    body = {"company": "Acme", "name": "Zoë", "email": "zoe@acme.example", "password": "correct horse battery"}
    assert Caller(app.test_client(), reader).post("/api/companies", body).status_code == 403
    assert admin.post("/api/companies", body).status_code == 201
