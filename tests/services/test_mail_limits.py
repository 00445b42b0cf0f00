"""The hourly limits of a company's mail: outside recipients are protected, and staff always get their mail."""

import threading

import pytest

from database.tables import companies, jobs, mail_counts
from jobs.handlers import tidy
from notifier import SmtpMailer
from tests.conftest import add_key
from tests.fakes.fake_smtp import FakeSmtp
from tests.support.caller import Caller
from tests.support.clock import Clock

pytestmark = pytest.mark.every_engine

FIRE = {"title": "Stolen account", "description": "My account was hacked and I am blocked!"}
VICTIM = "victim@elsewhere.example"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def smtp():
    with FakeSmtp() as server:
        yield server


@pytest.fixture
def open_here(open_app, clock, smtp):
    """Opens an app on the test's store that mails through the test's SMTP server."""

    def make():
        sender = SmtpMailer(smtp.host, smtp.port, username="", password="", security="none", mail_from="d@example.com")
        return open_app(clock=clock, mailer=sender, support_email="team@operator.example", rate_limit="off")

    return make


@pytest.fixture
def app(open_here):
    return open_here()


@pytest.fixture
def run_jobs(runtime):
    """Runs due jobs until none is left."""

    def run():
        while runtime.runner.run_due():
            pass

    return run


def receivers(smtp):
    return [message.rcpt[0] for message in smtp.messages]


def held_back(caller):
    return caller.data(caller.get("/api/health"))["mail"]["held_back"]


def set_limits(caller, per_recipient, per_company):
    settings = {"recipient_mails_per_hour": per_recipient, "company_mails_per_hour": per_company}
    assert caller.data(caller.put("/api/settings", settings)).items() >= settings.items()


def counts(runtime):
    with runtime.storage.unit_of_work(None) as uow:
        return uow.find(uow.query(mail_counts))


def revoke_confirmation(runtime, company):
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update(companies, company, {"confirmed_at": None})


# --- limits of a confirmed company


def test_case_29_whoever_registers_made_up_addresses_uses_up_no_mail_of_others(admin, smtp, run_jobs):
    """Neither mails about tickets, nor codes of people who have an account, nor links to a new password."""
    set_limits(admin, per_recipient=20, per_company=2)
    admin.data(admin.put("/api/settings", {"registration": True}))
    admin.data(admin.post("/api/users", {"email": "bob@example.com", "name": "Bob", "role": "customer"}), 201)
    for number in range(4):
        admin.data(admin.post("/api/auth/register", {"email": f"nobody{number}@example.com", "name": "N"}))
    run_jobs()
    assert receivers(smtp) == ["nobody0@example.com", "nobody1@example.com"]
    admin.data(admin.post("/api/auth/code", {"email": "bob@example.com"}))
    admin.data(admin.post("/api/auth/reset", {"email": "bob@example.com"}))
    admin.ticket(customer_email=VICTIM)
    run_jobs()
    assert sorted(receivers(smtp)[2:]) == ["bob@example.com", "bob@example.com", VICTIM, VICTIM]


def test_one_recipient_gets_at_most_twenty_mails_an_hour(app, admin, other_admin, clock, smtp, run_jobs, caplog):
    for _ in range(30):
        other_admin.ticket(customer_email=VICTIM)
    run_jobs()
    assert receivers(smtp) == [VICTIM] * 20
    health = admin.data(admin.get("/api/health"))
    assert health["mail"]["held_back"] == 40
    assert health["mail"]["note"].startswith("40 mails of the last 24 hours were not sent")
    assert health["jobs"] == {"waiting": 0, "dead": 0}
    warnings = [record.getMessage() for record in caplog.records if "not sent in this hour" in record.getMessage()]
    assert len(warnings) == 1
    assert VICTIM not in warnings[0]
    clock.forward(hours=1)
    other_admin.ticket(customer_email=VICTIM)
    run_jobs()
    assert len(smtp.messages) == 22


def test_addresses_that_differ_after_a_plus_are_one_recipient(admin, smtp, run_jobs):
    set_limits(admin, 3, 500)
    for number in range(5):
        admin.ticket(customer_email=f"victim+{number}@elsewhere.example")
    run_jobs()
    assert len(smtp.messages) == 3


def test_mail_limits_are_counted_per_company(admin, other_admin, smtp, run_jobs):
    set_limits(other_admin, 20, 7)
    for number in range(10):
        other_admin.ticket(customer_email=f"person{number}@elsewhere.example")
    run_jobs()
    assert len(smtp.messages) == 7
    admin.ticket(customer_email="person0@elsewhere.example")
    run_jobs()
    assert len(smtp.messages) == 9


def test_the_customer_limit_does_not_stop_alerts_and_staff_mail(admin, smtp, run_jobs):
    admin.data(admin.post("/api/users", {"name": "Bob", "email": "bob@example.com", "role": "agent"}), 201)
    set_limits(admin, 2, 3)
    for number in range(5):
        admin.ticket(customer_email=f"person{number}@elsewhere.example")
    run_jobs()
    assert len(smtp.messages) == 3
    smtp.messages.clear()
    for number in range(3):
        ticket = admin.ticket(customer_email=f"person{number}@elsewhere.example", **FIRE)
        admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": "bob@example.com"}))
    run_jobs()
    assert sorted(receivers(smtp)) == ["bob@example.com"] * 3 + ["team@operator.example"] * 3


def test_staff_of_other_companies_get_at_most_500_mails_an_hour(other_admin, smtp, run_jobs, monkeypatch):
    monkeypatch.setattr("services.outgoing_mail.MAX_TO_STAFF", 2)
    other_admin.data(other_admin.put("/api/settings", {"support_email": VICTIM}))
    for _ in range(4):
        other_admin.ticket(customer_id="c-1", customer_email="", **FIRE)
    run_jobs()
    assert receivers(smtp) == [VICTIM] * 2


def test_staff_mail_does_not_count_against_the_customer_limit(admin, smtp, run_jobs):
    set_limits(admin, 2, 2)
    for number in range(4):
        admin.ticket(customer_id=f"c-{number}", customer_email="", **FIRE)
    run_jobs()
    assert receivers(smtp) == ["team@operator.example"] * 4
    admin.ticket()
    run_jobs()
    assert receivers(smtp)[4:] == ["ada@example.com"] * 2


def test_an_assignee_without_account_is_an_outside_recipient(admin, smtp, run_jobs):
    set_limits(admin, 2, 500)
    for number in range(4):
        ticket = admin.ticket(customer_id=f"c-{number}", customer_email="")
        admin.data(admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": VICTIM}))
    run_jobs()
    assert receivers(smtp) == [VICTIM] * 2


def test_a_disabled_user_and_a_customer_who_signs_in_are_outside_recipients(admin, smtp, run_jobs):
    person = {"name": "Eve", "email": "eve@example.com", "role": "customer", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", person), 201)
    set_limits(admin, 2, 500)
    for _ in range(3):
        admin.ticket(customer_email="eve@example.com")
    run_jobs()
    assert receivers(smtp) == ["eve@example.com"] * 2


def test_a_mail_that_is_tried_again_counts_once(admin, clock, smtp, run_jobs):
    set_limits(admin, 2, 500)
    smtp.refuse = "temporary"
    admin.ticket(customer_email=VICTIM)
    for _ in range(3):
        run_jobs()
        clock.forward(minutes=2)
    smtp.refuse = ""
    run_jobs()
    assert receivers(smtp) == [VICTIM] * 2
    assert held_back(admin) == 0


def test_the_limit_holds_across_a_restart(app, open_here, admin, smtp, run_jobs):
    set_limits(admin, 3, 500)
    admin.ticket(customer_email=VICTIM)
    run_jobs()
    app.extensions["runtime"].stop()
    second_app = open_here()
    second_admin = Caller(second_app.test_client(), "admin-key")
    second_admin.ticket(customer_email=VICTIM)
    while second_app.extensions["runtime"].runner.run_due():
        pass
    assert receivers(smtp) == [VICTIM] * 3
    assert held_back(second_admin) == 1


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_limit_is_one_for_all_processes(admin, runtime, open_here, smtp):
    set_limits(admin, 5, 500)
    for _ in range(8):
        admin.ticket(customer_email=VICTIM)
    runners = [runtime.runner, open_here().extensions["runtime"].runner]
    ready = threading.Barrier(len(runners))

    def work(runner):
        ready.wait(30)
        while runner.run_due():
            pass

    threads = [threading.Thread(target=work, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while runtime.runner.run_due():
        pass
    assert receivers(smtp) == [VICTIM] * 5
    assert held_back(admin) == 11


def test_mail_counts_are_purged_and_hold_no_addresses(admin, runtime, clock, smtp, run_jobs):
    for number in range(3):
        admin.ticket(customer_email=f"person{number}@elsewhere.example")
    run_jobs()
    assert sorted(row["kind"] for row in counts(runtime)) == ["one", "one", "one", "others"]
    assert "person" not in str(counts(runtime))
    tidy(runtime)
    assert len(counts(runtime)) == 4, "the hour has not ended"
    clock.forward(hours=1)
    tidy(runtime)
    assert [row["kind"] for row in counts(runtime)] == ["others"]
    clock.forward(hours=24)
    tidy(runtime)
    assert counts(runtime) == []


# --- companies that are not confirmed


def test_an_unconfirmed_company_mails_only_its_admins(admin, other_admin, runtime, smtp, run_jobs):
    revoke_confirmation(runtime, "other")
    for name, role in (("kay", "admin"), ("bob", "agent")):
        person = {"name": name, "email": f"{name}@other.example", "role": role}
        other_admin.data(other_admin.post("/api/users", person), 201)
    other_admin.data(other_admin.put("/api/settings", {"support_email": VICTIM}))
    for name in ("kay", "bob"):
        ticket = other_admin.ticket(customer_email=VICTIM, **FIRE)
        path = f"/api/tickets/{ticket['id']}"
        other_admin.data(other_admin.post(f"{path}/assign", {"agent_email": f"{name}@other.example"}))
        other_admin.data(other_admin.post(f"{path}/replies", {"body": "See http://evil.example/"}), 201)
        other_admin.data(other_admin.post(f"{path}/resolve", {"resolution": "See http://evil.example/"}))
    run_jobs()
    assert receivers(smtp) == ["kay@other.example"]
    assert held_back(admin) > 0
    assert "not confirmed" in admin.data(admin.get("/api/health"))["mail"]["note"]


def test_an_unconfirmed_company_has_the_limit_of_one_recipient_for_all_mail(other_admin, runtime, smtp, run_jobs):
    revoke_confirmation(runtime, "other")
    names = [f"admin{number}@other.example" for number in range(3)]
    for name in names:
        other_admin.data(other_admin.post("/api/users", {"name": name, "email": name, "role": "admin"}), 201)
    ticket = other_admin.ticket()
    for number in range(30):
        path = f"/api/tickets/{ticket['id']}/assign"
        other_admin.data(other_admin.post(path, {"agent_email": names[number % 3]}))
    run_jobs()
    assert len(smtp.messages) == 20


# --- who counts as the writer


def test_receipts_go_to_the_customer_of_a_ticket_no_matter_who_opened_it(app, admin, agent, customer, smtp, run_jobs):
    for caller, address in ((admin, "a@c.example"), (agent, "b@c.example")):
        caller.ticket(customer_email=address)
    customer.data(customer.post("/api/tickets", {"title": "Help", "description": "It broke."}), 201)
    run_jobs()
    assert set(receivers(smtp)) == {"a@c.example", "b@c.example", "ada@example.com"}


def test_a_customer_cannot_trigger_mail_to_others(app, customer, runtime, smtp, run_jobs):
    body = {"title": "Help", "description": "It broke.", "customer_email": VICTIM}
    assert customer.post("/api/tickets", body).status_code == 403
    nobody = Caller(app.test_client(), add_key(runtime, "customer"))
    assert nobody.post("/api/tickets", body).status_code == 403
    run_jobs()
    assert smtp.messages == []


# --- the settings


def test_only_the_operators_company_may_have_higher_limits(admin, other_admin):
    set_limits(admin, 100_000, 100_000)
    set_limits(other_admin, 20, 500)
    set_limits(other_admin, 1, 1)
    for name, value in (("recipient_mails_per_hour", 21), ("company_mails_per_hour", 501)):
        answer = other_admin.put("/api/settings", {name: value})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json["data"]["errors"]] == [name]
    for value in (0, -1, 100_001, "many"):
        assert admin.put("/api/settings", {"recipient_mails_per_hour": value}).status_code == 400


def test_jobs_of_mail_that_was_held_back_are_done(admin, runtime, smtp, run_jobs):
    set_limits(admin, 1, 500)
    admin.ticket(customer_email=VICTIM)
    run_jobs()
    with runtime.storage.unit_of_work(None) as uow:
        mail_jobs = uow.find(uow.query(jobs).where(jobs.c.lane == "mail"))
    assert {job["state"] for job in mail_jobs} == {"done"}
    assert VICTIM not in str(mail_jobs)
