"""A company that strangers may register: confirming its first admin's address, and what only the operator allows."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from auth.tokens import CONFIRM_SECONDS
from database.tables import companies, jobs
from services.accounts.companies import CONFIRM_AGAIN_SECONDS
from tests.api.test_sign_in import ACME, GOOD, bearing, log_in, rows
from tests.conftest import add_key
from tests.support.caller import Caller


@pytest.fixture
def moved():
    """Seconds by which the clock of `app` is ahead."""
    return []


@pytest.fixture
def app(open_app, moved):
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return open_app(clock=lambda: start + timedelta(seconds=sum(moved)), public_url="https://desk.example/")


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
    sent = list(mailer.sent)
    mailer.sent.clear()
    return sent


def token_of(mail):
    return re.search(r"#(\S+)", mail.text).group(1)


def confirm(caller, token):
    return caller.post("/api/auth/confirm", {"token": token})


def test_the_first_admin_confirms_the_company_with_the_link_that_was_mailed_once(app, nobody, mailer):
    made = register(nobody)
    assert made["company"]["confirmed"] is False
    [mail] = mails(app, mailer)
    assert (mail.kind, mail.to) == ("confirm_address", ACME["email"])
    assert "https://desk.example/confirm#" in mail.text
    assert "Acme" not in mail.text + mail.subject, "whoever named the company may be a stranger to the address"
    token = token_of(mail)
    assert nobody.data(confirm(nobody, token)) == {**made["company"], "confirmed": True}
    zoe = bearing(nobody, made["access_token"])
    assert zoe.data(zoe.get("/api/me"))["company"]["confirmed"] is True
    again = confirm(nobody, token)
    assert (again.status_code, again.json["data"]["errors"][0]["field"]) == (400, "token")
    nobody.data(log_in(nobody))
    assert mails(app, mailer) == []


def test_a_token_that_is_not_the_one_confirms_nothing(app, nobody, moved, mailer):
    made = register(nobody)
    [mail] = mails(app, mailer)
    for token in ("nonsense", made["access_token"], made["refresh_token"], token_of(mail)[:-2]):
        assert confirm(nobody, token).status_code == 400
    moved.append(CONFIRM_SECONDS)
    assert confirm(nobody, token_of(mail)).status_code == 400
    assert [row["confirmed_at"] for row in rows(app, companies) if row["name"] == "Acme"] == [None]


def test_a_confirmation_is_no_way_to_sign_in(app, nobody, mailer):
    register(nobody)
    token = token_of(mails(app, mailer)[0])
    assert bearing(nobody, token).get("/api/me").status_code == 401
    assert nobody.post("/api/auth/refresh", {"refresh_token": token}).status_code == 401


def test_a_token_is_worth_nothing_for_another_address(app, nobody, mailer):
    made = register(nobody)
    [mail] = mails(app, mailer)
    zoe = bearing(nobody, made["access_token"])
    zoe.data(zoe.call("PATCH", f"/api/users/{made['user']['id']}", {"email": "new@acme.example"}))
    assert confirm(nobody, token_of(mail)).status_code == 400


def test_signing_in_unconfirmed_mails_a_new_link_at_most_once_an_hour(app, nobody, moved, mailer):
    made = register(nobody)
    zoe = bearing(nobody, made["access_token"])
    zoe.data(zoe.post("/api/users", {"name": "B", "email": "b@acme.example", "role": "admin", "password": GOOD}), 201)
    nobody.data(log_in(nobody))
    assert len(mails(app, mailer)) == 1
    moved.append(CONFIRM_AGAIN_SECONDS + 1)
    nobody.data(log_in(nobody, email="b@acme.example"))
    assert mails(app, mailer) == [], "the first admin is asked, nobody else"
    nobody.data(log_in(nobody))
    nobody.data(log_in(nobody))
    [mail] = mails(app, mailer)
    assert confirm(nobody, token_of(mail)).status_code == 200


def test_no_job_holds_an_address_or_a_token(app, nobody, mailer):
    register(nobody)
    token = token_of(mails(app, mailer)[0])
    kept = str(rows(app, jobs))
    assert "confirm_address" in kept
    assert token not in kept
    assert ACME["email"] not in kept


def test_a_mailbox_gets_few_links_however_many_companies_strangers_register_for_it(app, nobody, mailer):
    for number in range(8):
        register(nobody, company=f"Acme {number}", email=f"zoe+{number}@acme.example")
    assert len(mails(app, mailer)) == 5


def test_an_unconfirmed_company_sends_nothing_that_anybody_wrote(app, nobody, mailer):
    """The address of its admin may be a stranger's, who would be sent any text and link."""
    made = register(nobody)
    zoe = bearing(nobody, made["access_token"])
    zoe.data(zoe.put("/api/settings", {"mail_name": "You have won", "support_email": ACME["email"]}))
    ticket = zoe.ticket(customer_email=ACME["email"], title="My account was hacked, see evil.example")
    path = f"/api/tickets/{ticket['id']}"
    zoe.data(zoe.post(f"{path}/replies", {"body": "See http://evil.example/"}), 201)
    zoe.data(zoe.post(f"{path}/assign", {"agent_email": ACME["email"]}))
    zoe.data(zoe.post(f"{path}/resolve", {"resolution": "See http://evil.example/"}))
    sent = mails(app, mailer)
    assert {mail.kind for mail in sent} == {"confirm_address", "ticket_received", "assigned"}
    assert {mail.to for mail in sent} == {ACME["email"]}
    assert not [mail for mail in sent if "evil" in mail.text + mail.subject or mail.from_name or mail.reply_to]


def test_a_mailbox_gets_few_mails_of_all_unconfirmed_companies_together(app, nobody, mailer):
    for number in range(3):
        made = register(nobody, company=f"Acme {number}")
        zoe = bearing(nobody, made["access_token"])
        ticket = zoe.ticket()
        for _ in range(10):
            zoe.data(zoe.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": ACME["email"]}))
            zoe.data(zoe.post(f"/api/tickets/{ticket['id']}/unassign"))
    sent = mails(app, mailer)
    assert len([mail for mail in sent if mail.kind == "assigned"]) == 20


def test_the_operator_confirms_and_allows_a_company_and_nobody_else_does(app, nobody, operator):
    made = register(nobody)
    zoe = bearing(nobody, made["access_token"])
    narrow = Caller(app.test_client(), add_key(app.extensions["runtime"], "admin", scopes=["settings.write"]))
    agent = Caller(app.test_client(), add_key(app.extensions["runtime"], "agent"))
    for caller in (zoe, narrow, agent):
        refused = caller.call("PATCH", "/api/companies", {"company": "Acme", "confirmed": True, "oidc_allowed": True})
        assert refused.status_code == 403
    said = operator.data(operator.call("PATCH", "/api/companies", {"company": "ACME", "oidc_allowed": True}))
    assert said == {**made["company"], "confirmed": False, "oidc_allowed": True}
    said = operator.data(operator.call("PATCH", "/api/companies", {"company": "Acme", "confirmed": True}))
    assert (said["confirmed"], said["oidc_allowed"]) == (True, True)
    assert operator.call("PATCH", "/api/companies", {"company": "Nowhere"}).status_code == 404
    events = zoe.data(zoe.get("/api/audit?subject=company"))
    assert [event["field"] for event in events if event["action"] == "company_changed"] == [
        "confirmed_at",
        "oidc_allowed",
    ]


def test_a_company_that_the_operator_registers_is_confirmed(app, operator, nobody, mailer):
    made = register(operator)
    assert made["company"]["confirmed"] is True
    elsewhere = bearing(nobody, made["access_token"])
    assert register(elsewhere, company="Other")["company"]["confirmed"] is False
    assert [mail.kind for mail in mails(app, mailer)] == ["confirm_address"]
