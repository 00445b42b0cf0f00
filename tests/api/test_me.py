"""Who you are: a person by name, a key by its own name."""

from tests.support.accounts import ACME, GOOD, acme, bearing, clock, log_in, nobody, server  # noqa: F401 - fixtures

# ruff: noqa: F811


def test_a_person_has_a_full_name_and_a_key_has_none(nobody, acme):
    zoe = bearing(nobody, acme["access_token"])
    assert zoe.data(zoe.get("/api/me"))["full_name"] == ACME["name"]
    for name, role in (("Bo Lind", "agent"), ("Cy Ek", "customer")):
        email = f"{role}@acme.example"
        zoe.data(zoe.post("/api/users", {"name": name, "email": email, "role": role, "password": GOOD}), 201)
        person = bearing(nobody, nobody.data(log_in(nobody, email))["access_token"])
        me = person.data(person.get("/api/me"))
        assert (me["full_name"], me["name"], me["company"]["name"]) == (name, email, ACME["company"])
    key = zoe.data(zoe.post("/api/keys", {"name": "app", "role": "agent"}), 201)["key"]
    app = type(nobody)(nobody.client, key)
    assert app.data(app.get("/api/me"))["full_name"] == ""


def test_a_ticket_of_a_customer_whom_an_admin_added_has_their_name(nobody, acme):
    zoe = bearing(nobody, acme["access_token"])
    zoe.data(
        zoe.post("/api/users", {"name": "Cy Ek", "email": "cy@acme.example", "role": "customer", "password": GOOD}), 201
    )
    cy = bearing(nobody, nobody.data(log_in(nobody, "cy@acme.example"))["access_token"])
    ticket = cy.data(cy.post("/api/tickets", {"title": "Late", "description": "Where is it?"}), 201)
    assert zoe.data(zoe.get(f"/api/tickets/{ticket['id']}"))["customer_name"] == "Cy Ek"


def test_staff_change_their_own_name_and_a_key_has_none_to_change(nobody, acme):
    zoe = bearing(nobody, acme["access_token"])
    assert zoe.data(zoe.call("PATCH", "/api/me", {"full_name": "Zoë Ek"}))["full_name"] == "Zoë Ek"
    assert {user["name"] for user in zoe.data(zoe.get("/api/users"))} == {"Zoë Ek"}
    key = zoe.data(zoe.post("/api/keys", {"name": "app", "role": "agent"}), 201)["key"]
    assert type(nobody)(nobody.client, key).call("PATCH", "/api/me", {"full_name": "Zoë"}).status_code == 403
