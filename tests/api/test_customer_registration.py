"""Customers register themselves; a code confirms their address first (cases 6, 10)."""

import json

import pytest

from database.tables import events, jobs, sign_in_tokens, users
from tests.support.accounts import at, bearing, clock, rows  # noqa: F401 - a fixture
from tests.support.caller import Caller
from tests.support.mailed import OTHER_PASSWORD, PASSWORD, app, code_in, deliver, in_parallel, same_answers  # noqa: F401 - fixtures

# ruff: noqa: F811

ADA = {"email": "ada@example.com", "name": "Ada"}


@pytest.fixture
def nobody(app, admin):
    """A caller without credentials, at a company that takes registrations."""
    admin.data(admin.put("/api/settings", {"registration": True}))
    return Caller(app.test_client())


def register(nobody, *, place=None, **more):
    return nobody.post("/api/auth/register", {**ADA, **more}, **(place or {}))


def confirm(nobody, code, email=ADA["email"]):
    return nobody.post("/api/auth/code/confirm", {"email": email, "code": code})


def code_of(app, mailer):
    [mail] = deliver(app, mailer)
    return code_in(mail)


def log_in(nobody, password):
    return nobody.post("/api/auth/login", {"email": ADA["email"], "password": password})


@pytest.mark.every_engine
def test_case_6_a_customer_sees_their_tickets_only_with_the_code(app, admin, nobody, mailer):
    admin.ticket(customer_email=ADA["email"])
    admin.ticket(customer_email="eve@example.com")
    deliver(app, mailer)
    assert register(nobody, password=PASSWORD).status_code == 200
    assert log_in(nobody, PASSWORD).status_code == 401
    assert rows(app, users) == []
    signed = nobody.data(confirm(nobody, code_of(app, mailer)))
    assert (signed["user"]["role"], signed["user"]["name"]) == ("customer", "Ada")
    ada = bearing(nobody, signed["access_token"])
    assert [ticket["customer_email"] for ticket in ada.data(ada.get("/api/tickets"))] == [ADA["email"]]
    assert log_in(nobody, PASSWORD).status_code == 200
    assert "registered" in {row["action"] for row in rows(app, events)}


@pytest.mark.every_engine
def test_case_10_the_answer_and_the_work_are_the_same_for_an_address_that_has_an_account(app, admin, nobody, mailer):
    admin.data(admin.post("/api/users", {**ADA, "role": "agent", "password": PASSWORD}), 201)
    before = len(rows(app, jobs))
    answers = [register(nobody, password=OTHER_PASSWORD), register(nobody, email="new@example.com", password=PASSWORD)]
    assert same_answers(*answers)
    assert len(rows(app, jobs)) == before + 2
    known = next(mail for mail in deliver(app, mailer) if mail.to == ADA["email"])
    assert nobody.data(confirm(nobody, code_in(known)))["user"]["role"] == "agent"
    assert (log_in(nobody, OTHER_PASSWORD).status_code, log_in(nobody, PASSWORD).status_code) == (401, 200)


@pytest.mark.every_engine
def test_the_code_of_a_registration_makes_one_account_even_in_parallel(app, nobody, mailer):
    register(nobody)
    code = code_of(app, mailer)
    assert in_parallel(lambda: confirm(Caller(app.test_client()), code), 4) == [200, 401, 401, 401]
    assert len(rows(app, users)) == 1


def test_a_stranger_plants_no_password(app, nobody, mailer):
    register(nobody, password="the password of a stranger")
    deliver(app, mailer)
    nobody.post("/api/auth/code", {"email": ADA["email"]})  # Ada herself, who wants to come in with a code
    nobody.data(confirm(nobody, code_of(app, mailer)))
    assert log_in(nobody, "the password of a stranger").status_code == 401


def test_the_later_registration_counts(app, nobody, mailer):
    register(nobody, password="the password of a stranger")
    [first] = deliver(app, mailer)
    register(nobody, name="Ada Lovelace", password=PASSWORD)
    second = code_of(app, mailer)
    if code_in(first) != second:
        assert confirm(nobody, code_in(first)).status_code == 401
    assert nobody.data(confirm(nobody, second))["user"]["name"] == "Ada Lovelace"
    assert log_in(nobody, "the password of a stranger").status_code == 401


@pytest.mark.parametrize(
    ("registered", "confirmed", "counts"),
    [
        ("203.0.113.5", "203.0.113.5", True),
        ("2001:db8:1::5", "2001:db8:1:2::7", True),  # of one holder
        ("203.0.113.5", "198.51.100.7", False),
        ("2001:db8:1::5", "2001:db8:2::5", False),
    ],
)
@pytest.mark.parametrize("own_before", [False, True])
def test_case_10_a_password_counts_only_where_it_was_chosen(
    app, nobody, mailer, own_before, registered, confirmed, counts
):
    """A stranger registers Ada's address with a password of theirs; Ada takes the newest code for her own."""
    if own_before:
        register(nobody, password=PASSWORD, place=at(confirmed))
    register(nobody, password=OTHER_PASSWORD, place=at(registered))
    code = code_in(deliver(app, mailer)[-1])
    signed = nobody.post("/api/auth/code/confirm", {"email": ADA["email"], "code": code}, **at(confirmed))
    assert nobody.data(signed)["user"]["role"] == "customer"
    assert log_in(nobody, OTHER_PASSWORD).status_code == (200 if counts else 401)
    assert log_in(nobody, PASSWORD).status_code == 401


def test_an_account_that_an_admin_made_meanwhile_is_kept(app, admin, nobody, mailer):
    register(nobody, password=OTHER_PASSWORD)
    code = code_of(app, mailer)
    admin.data(admin.post("/api/users", {**ADA, "name": "A.", "role": "agent"}), 201)
    assert nobody.data(confirm(nobody, code))["user"]["name"] == "A."
    assert log_in(nobody, OTHER_PASSWORD).status_code == 401


@pytest.mark.parametrize("state", ["disabled", "invited"])
def test_who_is_kept_out_does_not_come_in_by_registering(app, admin, nobody, mailer, state):
    if state == "invited":
        admin.data(admin.post("/api/auth/invite", {"email": ADA["email"], "role": "agent"}), 201)
    else:
        user = admin.data(admin.post("/api/users", {**ADA, "role": "customer", "password": PASSWORD}), 201)
        admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"disabled": True}))
    deliver(app, mailer)
    assert same_answers(register(nobody), register(nobody, email="new@example.com"))
    assert [mail.to for mail in deliver(app, mailer)] == ["new@example.com"]


def test_a_company_that_takes_none_says_so_to_everybody(app, admin, nobody, mailer):
    admin.data(admin.post("/api/users", {**ADA, "role": "customer", "password": PASSWORD}), 201)
    register(nobody, email="new@example.com")
    code = code_of(app, mailer)
    admin.data(admin.put("/api/settings", {"registration": False}))
    answers = [register(nobody), register(nobody, email="other@example.com")]
    assert same_answers(*answers)
    assert answers[0].status_code == 403
    assert confirm(nobody, code, "new@example.com").status_code == 401
    assert register(nobody, company="nowhere").status_code == 404


def test_case_1_a_customer_registers_at_the_named_company(app, nobody, other_admin, mailer):
    assert register(nobody, company="other").status_code == 403
    other_admin.data(other_admin.put("/api/settings", {"registration": True}))
    register(nobody, company="other")
    signed = nobody.data(confirm(nobody, code_of(app, mailer)))
    me = bearing(nobody, signed["access_token"])
    assert me.data(me.get("/api/me"))["company"]["name"] == "other"


def test_no_password_stays_in_a_job_or_a_row(app, nobody, mailer):
    register(nobody, password=PASSWORD)
    assert PASSWORD not in json.dumps([rows(app, table) for table in (jobs, sign_in_tokens)])
    code = code_of(app, mailer)
    assert all(row["payload"] == {} for row in rows(app, jobs))
    nobody.data(confirm(nobody, code))
    assert rows(app, sign_in_tokens) == []


def test_a_weak_password_is_refused_alike_for_known_and_unknown(app, admin, nobody):
    admin.data(admin.post("/api/users", {**ADA, "role": "customer", "password": PASSWORD}), 201)
    answers = [register(nobody, password="short"), register(nobody, email="new@example.com", password="short")]
    assert same_answers(*answers)
    assert answers[0].status_code == 400


def test_an_erased_customer_leaves_no_registration(app, admin, nobody, mailer):
    admin.ticket(customer_email=ADA["email"])
    deliver(app, mailer)
    register(nobody)
    deliver(app, mailer)
    admin.data(admin.delete(f"/api/customers/{ADA['email']}"))
    assert rows(app, sign_in_tokens) == []
    assert ADA["email"] not in json.dumps(rows(app, jobs))
