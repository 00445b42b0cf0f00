"""The company setting `require_second_factor`: who has none sets one up before anything else."""
# ruff: noqa: F811 - the fixtures of tests.support.accounts are imported

import pytest

from tests.api.test_every_route_every_role import ROUTES
from tests.support.accounts import (  # noqa: F401 - fixtures
    GOOD,
    acme,
    bearing,
    clock,
    log_in,
    nobody,
    server,
)
from tests.support.caller import Caller
from tests.support.second_factor import set_up

SETS_IT_UP = {"GetTotp", "StartTotp", "ConfirmTotp"}


@pytest.fixture
def zoe(nobody, acme):
    """The admin of Acme, signed in."""
    return bearing(nobody, acme["access_token"])


@pytest.fixture
def agent(nobody, zoe):
    """An agent of Acme, signed in."""
    return signed_in(nobody, zoe, "bob@acme.example", "agent")


def signed_in(nobody, zoe, email, role):
    zoe.data(zoe.post("/api/users", {"name": "Bob", "email": email, "role": role, "password": GOOD}), 201)
    return bearing(nobody, nobody.data(log_in(nobody, email))["access_token"])


def require(caller, word="staff"):
    caller.data(caller.put("/api/settings", {"require_second_factor": word}))


def code_of(answer):
    return answer.status_code, answer.json["data"].get("code")


MISSING = (403, "second_factor_setup_required")


def test_staff_without_one_may_only_set_it_up_and_sign_out(nobody, acme, zoe, agent, clock):
    require(zoe)
    for caller in (zoe, agent):
        assert code_of(caller.get("/api/me")) == MISSING
        assert caller.data(caller.get("/api/auth/totp")) == {
            "enabled": False,
            "recovery_codes_left": 0,
            "required": True,
        }
    set_up(agent, clock)
    assert agent.get("/api/tickets").status_code == 200
    assert code_of(zoe.put("/api/settings", {"require_second_factor": "off"})) == MISSING
    assert nobody.post("/api/auth/logout", {"refresh_token": acme["refresh_token"]}).status_code == 200


def test_who_switches_it_off_is_asked_to_set_it_up_again(zoe, clock):
    set_up(zoe, clock)
    require(zoe)
    assert zoe.get("/api/me").status_code == 200
    zoe.data(zoe.call("DELETE", "/api/auth/totp", {"password": GOOD}))
    assert code_of(zoe.get("/api/me")) == MISSING
    set_up(zoe, clock)
    require(zoe, "off")


def test_customers_and_keys_are_not_touched(nobody, zoe):
    key = zoe.data(zoe.post("/api/keys", {"name": "app", "role": "admin"}), 201)["key"]
    customer = signed_in(nobody, zoe, "eve@acme.example", "customer")
    require(zoe)
    for caller in (customer, Caller(nobody.client, key)):
        assert caller.get("/api/tickets").status_code == 200
    assert customer.data(customer.get("/api/auth/totp"))["required"] is False


def test_another_company_is_not_touched(server, nobody, zoe):
    require(zoe)
    body = {"company": "Other", "name": "Eve", "email": "eve@other.example", "password": GOOD}
    eve = bearing(nobody, nobody.data(nobody.post("/api/companies", body), 201)["access_token"])
    assert eve.get("/api/me").status_code == 200


def test_it_holds_for_every_route_that_needs_credentials(server, zoe, agent):
    require(zoe)
    open_to = set()
    for operation, (method, rule, permission) in ROUTES.items():
        if permission == "public":
            continue
        path = rule.replace("<name:name>", "x")
        answer = zoe.call(method, path.replace("<", "").replace(">", ""), {} if method != "GET" else None)
        if code_of(answer) != MISSING:
            open_to.add(operation)
    assert open_to == SETS_IT_UP | {"RateTicket", "SayTicketIsSolved"}  # which customers alone may do


def test_the_operator_without_one_is_no_operator(open_app, clock):
    app = open_app(clock=clock, open_registration=False)
    key = Caller(app.test_client(), "admin-key")
    admin = signed_in(Caller(app.test_client()), key, "root@example.com", "admin")
    body = {"company": "New", "name": "Eve", "email": "eve@new.example", "password": GOOD}
    require(key)
    assert admin.post("/api/companies", body).status_code == 403
    set_up(admin, clock)
    assert admin.post("/api/companies", body).status_code == 201


def test_another_word_is_refused(zoe):
    assert zoe.put("/api/settings", {"require_second_factor": "everybody"}).status_code == 400
    assert zoe.data(zoe.get("/api/settings"))["require_second_factor"] == "off"
