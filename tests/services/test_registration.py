"""Registration of companies: confirmation of the first admin's address, and permissions of the operator."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from auth.tokens import CONFIRM_SECONDS
from database.tables import companies, jobs
from services.accounts.companies import CONFIRM_AGAIN_SECONDS
from tests.conftest import add_key
from tests.support.accounts import ACME, GOOD, bearing, log_in, rows
from tests.support.caller import Caller


@pytest.fixture
def clock_offsets():
    """Seconds by which the clock of `app` is ahead."""
    return []


@pytest.fixture
def app(open_app, clock_offsets):
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return open_app(clock=lambda: start + timedelta(seconds=sum(clock_offsets)), public_url="https://desk.example/")


@pytest.fixture
def nobody(app):
    return Caller(app.test_client())


@pytest.fixture
def operator(app):
    return Caller(app.test_client(), "admin-key")


def register(caller, **fields):
    return caller.data(caller.post("/api/companies", {**ACME, **fields}), 201)


def mails(app, mailer):
    """The mails that were sent since the last call."""
    app.extensions["runtime"].runner.run_due()
    notices = list(mailer.sent)
    mailer.sent.clear()
    return notices


def token_of(mail):
    return re.search(r"#(\S+)", mail.text).group(1)


def confirm(caller, token):
    return caller.post("/api/auth/confirm", {"token": token})


def test_the_first_admin_confirms_the_company_once_with_the_mailed_link(app, nobody, mailer):
    registration = register(nobody)
    assert registration["company"]["confirmed"] is False
    [mail] = mails(app, mailer)
    assert (mail.kind, mail.to) == ("confirm_address", ACME["email"])
    assert "https://desk.example/confirm#" in mail.text
    assert "Acme" not in mail.text + mail.subject, "the person who named the company may not own the address"
    token = token_of(mail)
    assert nobody.data(confirm(nobody, token)) == {**registration["company"], "confirmed": True}
    zoe = bearing(nobody, registration["access_token"])
    assert zoe.data(zoe.get("/api/me"))["company"]["confirmed"] is True
    response = confirm(nobody, token)
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "token")
    nobody.data(log_in(nobody))
    assert mails(app, mailer) == []


def test_a_wrong_or_expired_token_confirms_nothing(app, nobody, clock_offsets, mailer):
    registration = register(nobody)
    [mail] = mails(app, mailer)
    for token in ("nonsense", registration["access_token"], registration["refresh_token"], token_of(mail)[:-2]):
        assert confirm(nobody, token).status_code == 400
    clock_offsets.append(CONFIRM_SECONDS)
    assert confirm(nobody, token_of(mail)).status_code == 400
    assert [row["confirmed_at"] for row in rows(app, companies) if row["name"] == "Acme"] == [None]


def test_a_confirmation_token_cannot_sign_in(app, nobody, mailer):
    register(nobody)
    token = token_of(mails(app, mailer)[0])
    assert bearing(nobody, token).get("/api/me").status_code == 401
    assert nobody.post("/api/auth/refresh", {"refresh_token": token}).status_code == 401


def test_a_token_is_invalid_after_a_change_of_address(app, nobody, mailer):
    registration = register(nobody)
    [mail] = mails(app, mailer)
    zoe = bearing(nobody, registration["access_token"])
    zoe.data(zoe.call("PATCH", f"/api/users/{registration['user']['id']}", {"email": "new@acme.example"}))
    assert confirm(nobody, token_of(mail)).status_code == 400


def test_sign_in_mails_a_new_link_at_most_once_an_hour(app, nobody, clock_offsets, mailer):
    registration = register(nobody)
    zoe = bearing(nobody, registration["access_token"])
    zoe.data(zoe.post("/api/users", {"name": "B", "email": "b@acme.example", "role": "admin", "password": GOOD}), 201)
    nobody.data(log_in(nobody))
    assert len(mails(app, mailer)) == 1
    clock_offsets.append(CONFIRM_AGAIN_SECONDS + 1)
    nobody.data(log_in(nobody, email="b@acme.example"))
    assert mails(app, mailer) == [], "only the first admin gets a link"
    nobody.data(log_in(nobody))
    nobody.data(log_in(nobody))
    [mail] = mails(app, mailer)
    assert confirm(nobody, token_of(mail)).status_code == 200


def test_no_job_holds_an_address_or_a_token(app, nobody, mailer):
    register(nobody)
    token = token_of(mails(app, mailer)[0])
    stored_jobs = str(rows(app, jobs))
    assert "confirm_address" in stored_jobs
    assert token not in stored_jobs
    assert ACME["email"] not in stored_jobs


def test_the_number_of_links_to_one_mailbox_is_limited(app, nobody, mailer):
    for number in range(8):
        register(nobody, company=f"Acme {number}", email=f"zoe+{number}@acme.example")
    assert len(mails(app, mailer)) == 5


def test_an_unconfirmed_company_mails_no_texts_of_users(app, nobody, mailer):
    """The address of its admin may belong to a stranger, who must not get arbitrary texts and links."""
    registration = register(nobody)
    zoe = bearing(nobody, registration["access_token"])
    zoe.data(zoe.put("/api/settings", {"mail_name": "You have won", "support_email": ACME["email"]}))
    ticket = zoe.ticket(customer_email=ACME["email"], title="My account was hacked, see evil.example")
    path = f"/api/tickets/{ticket['id']}"
    zoe.data(zoe.post(f"{path}/replies", {"body": "See http://evil.example/"}), 201)
    zoe.data(zoe.post(f"{path}/assign", {"agent_email": ACME["email"]}))
    zoe.data(zoe.post(f"{path}/resolve", {"resolution": "See http://evil.example/"}))
    notices = mails(app, mailer)
    assert {mail.kind for mail in notices} == {"confirm_address", "ticket_received", "assigned"}
    assert {mail.to for mail in notices} == {ACME["email"]}
    assert not [mail for mail in notices if "evil" in mail.text + mail.subject or mail.from_name or mail.reply_to]


def test_all_unconfirmed_companies_share_the_limit_of_one_mailbox(app, nobody, mailer):
    for number in range(3):
        registration = register(nobody, company=f"Acme {number}")
        zoe = bearing(nobody, registration["access_token"])
        ticket = zoe.ticket()
        for _ in range(10):
            zoe.data(zoe.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": ACME["email"]}))
            zoe.data(zoe.post(f"/api/tickets/{ticket['id']}/unassign"))
    notices = mails(app, mailer)
    assert len([mail for mail in notices if mail.kind == "assigned"]) == 20


def test_only_the_operator_confirms_a_company_and_allows_oidc(app, nobody, operator):
    registration = register(nobody)
    zoe = bearing(nobody, registration["access_token"])
    narrow = Caller(app.test_client(), add_key(app.extensions["runtime"], "admin", scopes=["settings.write"]))
    agent = Caller(app.test_client(), add_key(app.extensions["runtime"], "agent"))
    for caller in (zoe, narrow, agent):
        response = caller.call("PATCH", "/api/companies", {"company": "Acme", "confirmed": True, "oidc_allowed": True})
        assert response.status_code == 403
    company = operator.data(operator.call("PATCH", "/api/companies", {"company": "ACME", "oidc_allowed": True}))
    assert company == {**registration["company"], "confirmed": False, "oidc_allowed": True, "inbound_allowed": False}
    company = operator.data(operator.call("PATCH", "/api/companies", {"company": "Acme", "confirmed": True}))
    assert (company["confirmed"], company["oidc_allowed"]) == (True, True)
    assert operator.call("PATCH", "/api/companies", {"company": "Nowhere"}).status_code == 404
    events = zoe.data(zoe.get("/api/audit?subject=company"))
    assert [event["field"] for event in events if event["action"] == "company_changed"] == [
        "confirmed_at",
        "oidc_allowed",
    ]


def test_a_company_that_the_operator_registers_is_confirmed(app, operator, nobody, mailer):
    registration = register(operator)
    assert registration["company"]["confirmed"] is True
    other_admin = bearing(nobody, registration["access_token"])
    assert register(other_admin, company="Other")["company"]["confirmed"] is False
    assert [mail.kind for mail in mails(app, mailer)] == ["confirm_address"]
