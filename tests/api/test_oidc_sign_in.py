"""Users of an OpenID Connect issuer: identity, permissions, and separation from other users."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import select

from database.tables import companies, events, users
from tests.conftest import add_key
from tests.fakes.fake_issuer import AUDIENCE, SECOND, issuer
from tests.support.caller import Caller

REGISTER = {"company": "Acme", "name": "Ada", "email": "ada@acme.example", "password": "correct horse battery"}


@pytest.fixture
def fake():
    with issuer() as running:
        yield running


@pytest.fixture
def server(open_app, fake):
    """A server that takes the issuer's tokens; its people belong to `default` unless the claim `org` is asked for."""

    def make(**settings):
        return open_app(oidc_issuer=fake.url, oidc_audience=AUDIENCE, **settings)

    return make


@pytest.fixture
def signed_in(fake):
    """A caller with a token of these claims."""

    def make(app, subject="ada-1", *, key=None, **claims):
        token = fake.token(sub=subject, **claims) if key is None else fake.token(key, sub=subject, **claims)
        return Caller(app.test_client(), headers={"Authorization": f"Bearer {token}"})

    return make


def allow(app, company):
    """As the operator does."""
    operator = Caller(app.test_client(), "admin-key")
    operator.data(operator.call("PATCH", "/api/companies", {"company": company, "oidc_allowed": True}))


def me(caller):
    return caller.data(caller.get("/api/me"))


def people(app):
    """Everybody who signs in at the server, whatever their company."""
    with app.extensions["runtime"].storage.unit_of_work(None) as every:
        return every.find(select(users).order_by(users.c.created_at))


def test_the_first_sign_in_creates_the_user_and_later_ones_use_it(server, signed_in, fake):
    app = server()
    claims = {"email": "ada@example.com", "email_verified": True, "name": "Ada Byron", "roles": ["agent"]}
    found = me(signed_in(app, **claims))
    assert (found["role"], found["email"], found["company"]["name"]) == ("agent", "ada@example.com", "default")
    assert me(signed_in(app, **claims)) == found
    [row] = people(app)
    assert (row["identity"], row["name"], row["role"]) == (f"{fake.url}|ada-1", "Ada Byron", "agent")
    assert row["password_hash"] == ""


def test_concurrent_first_requests_create_one_user(server, signed_in):
    app = server()
    callers = [signed_in(app, email="ada@example.com", roles=["agent"]) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert {response.status_code for response in pool.map(lambda caller: caller.get("/api/me"), callers)} == {200}
    assert len(people(app)) == 1


def test_a_changed_role_applies_at_once(server, signed_in):
    app = server()
    assert signed_in(app, roles=["admin"]).get("/api/users").status_code == 200
    assert signed_in(app, roles=["agent"]).get("/api/users").status_code == 403
    assert me(signed_in(app, email="ada@example.com", email_verified=True))["role"] == "customer"
    assert len(people(app)) == 1


def test_a_disabled_person_is_refused_from_the_next_request_on(server, signed_in):
    app = server()
    caller, admin = signed_in(app, roles=["agent"]), Caller(app.test_client(), "admin-key")
    assert me(caller)["role"] == "agent"
    [row] = people(app)
    admin.data(admin.call("PATCH", f"/api/users/{row['id']}", {"disabled": True}))
    assert caller.get("/api/me").status_code == 401
    assert signed_in(app, roles=["admin"]).get("/api/me").status_code == 401
    admin.data(admin.call("PATCH", f"/api/users/{row['id']}", {"disabled": False}))
    assert caller.get("/api/me").status_code == 200


def test_two_companies_by_a_claim_see_nothing_of_each_other(server, signed_in):
    app = server(oidc_company_claim="org.name")
    add_key(app.extensions["runtime"], "admin", company="acme")
    allow(app, "acme")
    ada = signed_in(app, "ada-1", org={"name": "default"}, roles=["admin"])
    bob = signed_in(app, "bob-1", org={"name": "acme"}, roles=["admin"])
    assert (me(ada)["company"]["name"], me(bob)["company"]["name"]) == ("default", "acme")
    ticket = ada.ticket()
    assert [bob.get("/api/tickets").json["total"], ada.get("/api/tickets").json["total"]] == [0, 1]
    random = "019a0000-0000-7000-8000-000000000000"
    [user] = [row for row in people(app) if row["company_id"] == "default"]
    for method, path, body in (
        ("GET", "/api/tickets/{}", None),
        ("PUT", "/api/tickets/{}", {"title": "Mine"}),
        ("DELETE", "/api/tickets/{}", None),
    ):
        foreign, unknown = (bob.call(method, path.format(id_), body) for id_ in (ticket["id"], random))
        assert (foreign.status_code, foreign.data) == (404, unknown.data)
    assert bob.call("PATCH", f"/api/users/{user['id']}", {"role": "customer"}).status_code == 404
    assert ada.data(ada.get(f"/api/tickets/{ticket['id']}"))["title"] == ticket["title"]


@pytest.mark.parametrize(
    "claims", [{}, {"org": ""}, {"org": "nobody"}, {"org": ["default", "acme"]}, {"org": {"x": 1}}]
)
def test_an_unknown_company_is_refused_and_no_user_is_created(server, signed_in, claims):
    app = server(oidc_company_claim="org")
    response = signed_in(app, roles=["admin"], **claims).get("/api/me")
    assert (response.status_code, response.json["data"]["code"]) == (403, "forbidden")
    assert people(app) == []
    with app.extensions["runtime"].storage.unit_of_work(None) as every:
        assert every.count(select(companies)) == 1


def test_a_company_registered_by_a_stranger_gets_no_users_of_the_issuer(server, signed_in):
    app = server(oidc_company_claim="org")
    stranger = Caller(app.test_client())
    made = stranger.data(stranger.post("/api/companies", REGISTER), 201)
    refused = [signed_in(app, org=org, roles=["agent"]).get("/api/me") for org in ("Acme", "Nowhere")]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert refused[0].data == refused[1].data
    assert [row["email"] for row in people(app)] == [REGISTER["email"]]
    allow(app, "Acme")
    assert me(signed_in(app, org="Acme", roles=["agent"]))["company"] == made["company"]


def test_the_same_address_in_another_company_is_no_conflict(server, signed_in):
    app = server()
    stranger = Caller(app.test_client())
    stranger.data(stranger.post("/api/companies", REGISTER), 201)
    found = me(signed_in(app, email=REGISTER["email"], email_verified=True, roles=["agent"]))
    assert (found["email"], found["company"]["name"]) == (REGISTER["email"], "default")


def test_a_person_with_a_new_company_claim_leaves_the_first_company(server, signed_in):
    app = server(oidc_company_claim="org")
    add_key(app.extensions["runtime"], "admin", company="acme")
    allow(app, "acme")
    assert me(signed_in(app, org="default", roles=["agent"]))["company"]["name"] == "default"
    moved = signed_in(app, org="acme", roles=["agent"]).get("/api/me")
    assert moved.status_code == 403 or moved.json["data"]["company"]["name"] == "acme"


def test_a_customer_sees_only_tickets_of_the_verified_address(server, signed_in):
    app = server()
    admin = Caller(app.test_client(), "admin-key")
    for person in ("ada@example.com", "bob@example.com"):
        admin.ticket(customer_email=person)
    vouched = signed_in(app, "ada-1", email="ada@example.com", email_verified=True)
    assert [row["customer_email"] for row in vouched.data(vouched.get("/api/tickets"))] == ["ada@example.com"]
    for subject, claims in (
        ("eve-1", {"email": "bob@example.com", "email_verified": False}),
        ("eve-2", {"preferred_username": "bob@example.com", "email_verified": False}),
        ("eve-3", {"name": "bob@example.com"}),
        ("bob@example.com", {}),
    ):
        caller = signed_in(app, subject, **claims)
        for path in ("/api/tickets", "/api/me"):
            answer = caller.get(path)
            assert (answer.status_code, answer.json["data"]["code"]) == (403, "customer_not_named"), subject


def test_the_same_address_does_not_match_another_user(server, signed_in):
    """Whoever can set the address of an account at the issuer is not thereby whoever has it here."""
    app = server(oidc_company="Acme")
    registered = Caller(app.test_client())
    session = registered.data(registered.post("/api/companies", REGISTER), 201)
    allow(app, "Acme")
    same = {"email": REGISTER["email"], "email_verified": True}
    assert signed_in(app, "eve-1", **same).get("/api/me").status_code == 403
    assert (
        signed_in(app, "bob-1", email="bob@acme.example", email_verified=True, roles=["agent"])
        .get("/api/me")
        .status_code
        == 200
    )
    assert signed_in(app, "eve-1", email="bob@acme.example", email_verified=True).get("/api/me").status_code == 403
    assert [(row["identity"] == "", row["role"]) for row in people(app)] == [(True, "admin"), (False, "agent")]
    own = Caller(app.test_client(), headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me(own)["role"] == "admin", "tokens of the server itself are taken as ever"


def test_tokens_with_wrong_claims_key_or_header_are_401(server, signed_in, fake):
    app = server(secret_key="s" * 40)
    now = int(time.time())
    for claims in ({"exp": now - 120}, {"aud": "api://other"}, {"nbf": now + 600}, {"iss": "https://evil.example"}):
        assert signed_in(app, roles=["admin"], **claims).get("/api/me").status_code == 401
    assert signed_in(app, key=SECOND, roles=["admin"]).get("/api/me").status_code == 401
    by_our_secret = jwt.encode(
        {"iss": fake.url, "aud": AUDIENCE, "sub": "ada-1", "exp": now + 600, "roles": ["admin"]}, "s" * 40, "HS256"
    )
    for header in ({"Authorization": f"Bearer {by_our_secret}"}, {"X-API-Key": fake.token(roles=["admin"])}):
        assert Caller(app.test_client(), headers=header).get("/api/me").status_code == 401
    assert people(app) == []


def test_tokens_without_a_configured_issuer_are_401(app, signed_in, fake):
    assert signed_in(app, roles=["admin"]).get("/api/me").status_code == 401
    assert fake.asked == []


def test_an_unreachable_issuer_affects_only_its_users(server, signed_in, fake):
    app = server()
    fake.says("/keys", b"no", 500)
    response = signed_in(app, roles=["agent"]).get("/api/me")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert response.json["data"]["code"] == "unavailable"
    assert Caller(app.test_client(), "admin-key").get("/api/me").status_code == 200
    assert people(app) == []


def test_each_person_has_their_own_rate_limit(server, signed_in):
    app = server(rate_limit="2 per hour")
    assert [signed_in(app, "ada-1", roles=["agent"]).get("/api/me").status_code for _ in range(3)] == [200, 200, 429]
    assert signed_in(app, "bob-1", roles=["agent"]).get("/api/me").status_code == 200


def test_the_company_claim_ignores_case_and_disabled_users_stay_disabled(server, signed_in):
    app = server(oidc_company_claim="org")
    first = me(signed_in(app, org="default", roles=["agent"]))
    assert me(signed_in(app, org="DEFAULT", roles=["agent"])) == first
    [user] = people(app)
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as every:
        every.update(users, user["id"], {"disabled": True})
    for spelled in ("default", "DEFAULT"):
        assert signed_in(app, org=spelled, roles=["agent"]).get("/api/me").status_code == 401


def test_a_changed_address_replaces_the_old_one(server, signed_in):
    app = server()
    for address in ("old@example.com", "new@example.com"):
        assert me(signed_in(app, email=address, email_verified=True))["email"] == address
    assert signed_in(app, email="new@example.com", email_verified=False).get("/api/me").status_code == 403
    assert [row["email"] for row in people(app)] == [""]


def test_claims_that_alternate_are_recorded_once_a_minute(open_app, signed_in, fake):
    moved = [0]
    start = datetime.now(UTC)
    app = open_app(oidc_issuer=fake.url, oidc_audience=AUDIENCE, clock=lambda: start + timedelta(seconds=sum(moved)))
    for _ in range(5):
        for role, address in (("agent", "a@example.com"), ("admin", "b@example.com")):
            found = me(signed_in(app, email=address, email_verified=True, roles=[role]))
            assert (found["role"], found["email"]) == (role, address), "what the token says holds at once"
    once = [("email", "b@example.com"), ("role", "admin"), ("email", "a@example.com"), ("role", "agent")]
    assert sorted(changes_of_people(app)) == sorted(once)
    moved.append(61)
    me(signed_in(app, email="a@example.com", email_verified=True, roles=["agent"]))
    assert sorted(changes_of_people(app)) == sorted([*once, ("email", "a@example.com"), ("role", "agent")])


def changes_of_people(app):
    with app.extensions["runtime"].storage.unit_of_work(None) as every:
        rows = every.find(select(events).where(events.c.action == "user_changed"))
    return [(row["field"], row["to_value"]) for row in rows]


def test_a_start_says_that_the_company_of_the_issuer_is_not_allowed(server, caplog):
    app = server(oidc_company="Acme")
    app.extensions["runtime"].start()
    assert [record.getMessage() for record in caplog.records if "allow-company" in record.getMessage()]
    caplog.clear()
    registered = Caller(app.test_client())
    registered.data(registered.post("/api/companies", REGISTER), 201)
    allow(app, "Acme")
    app.extensions["runtime"].stop()
    app.extensions["runtime"].start()
    assert not [record.getMessage() for record in caplog.records if "allow-company" in record.getMessage()]


def test_open_tickets_of_who_is_no_agent_any_more_at_the_issuer_go_back_to_the_queue(server, signed_in):
    app = server()
    claims = {"email": "ada@example.com", "email_verified": True}
    admin = Caller(app.test_client(), "admin-key")
    assert me(signed_in(app, **claims, roles=["agent"]))["available"] is True
    ticket = admin.ticket(customer_email="eve@example.com", assigned_to="ada@example.com")
    assert me(signed_in(app, **claims))["role"] == "customer"
    row = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert (row["assigned_to"], row["status"]) == ("", "new")
