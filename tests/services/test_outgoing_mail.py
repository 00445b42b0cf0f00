"""The sender and the alert recipients of a company's mail."""

import pytest

from notifier import SmtpMailer
from tests.fakes.fake_smtp import FakeSmtp
from tests.support.caller import Caller

FIRE = {"title": "Stolen account", "description": "My account was hacked and I am blocked!"}


@pytest.fixture
def smtp():
    with FakeSmtp() as server:
        yield server


@pytest.fixture
def app(open_app, smtp):
    sender = "Operator <desk@example.com>"
    mailer = SmtpMailer(smtp.host, smtp.port, username="", password="", security="none", mail_from=sender)
    return open_app(mailer=mailer, mail_from=sender, support_email="team@operator.example")


def set_up(caller, **settings):
    return caller.data(caller.put("/api/settings", settings))


def receivers(smtp):
    return sorted(message.rcpt[0] for message in smtp.messages)


# --- recipients of alerts


def test_another_companys_alerts_and_replies_never_reach_the_operator(admin, other_admin, run_jobs, smtp):
    ticket = other_admin.ticket(**FIRE)
    reply = {"body": "Please hurry.", "author_role": "customer"}
    other_admin.data(other_admin.post(f"/api/tickets/{ticket['id']}/replies", reply), 201)
    run_jobs()
    assert set(receivers(smtp)) == {"ada@example.com"}
    admin.ticket(**FIRE)
    run_jobs()
    assert "team@operator.example" in receivers(smtp)


def test_a_companys_alerts_and_replies_go_to_its_own_address(admin, other_admin, run_jobs, smtp):
    set_up(other_admin, support_email="Help@Other.example")
    ticket = other_admin.ticket(**FIRE)
    reply = {"body": "Please hurry.", "author_role": "customer"}
    other_admin.data(other_admin.post(f"/api/tickets/{ticket['id']}/replies", reply), 201)
    run_jobs()
    company_mails = [message for message in smtp.messages if message.rcpt == ["help@other.example"]]
    assert len(company_mails) == 2
    assert "Please hurry." in str(company_mails[1].get_body(("plain",)).get_content())
    assert "or write to help@other.example" in str(smtp.messages[0].get_body(("plain",)).get_content())


@pytest.mark.parametrize(
    "written", ["a@x.example; Help <b@x.example>", "a@x.example\nb@x.example", "a@x.example,b@x.example"]
)
def test_one_alert_mail_goes_to_all_addresses_of_support_email(other_admin, run_jobs, smtp, written):
    assert set_up(other_admin, support_email=written)["support_email"] == "a@x.example, b@x.example"
    other_admin.ticket(**FIRE)
    run_jobs()
    (alert,) = [message for message in smtp.messages if "Urgent" in message["Subject"]]
    assert (alert.rcpt, alert["To"]) == (["a@x.example", "b@x.example"], "a@x.example, b@x.example")


def test_the_operators_alert_goes_to_all_addresses_of_the_environment(open_app, smtp):
    sender = '"Acme, Inc." <support@bücher.example>'
    mailer = SmtpMailer(smtp.host, smtp.port, username="", password="", security="none", mail_from=sender)
    app = open_app(mailer=mailer, mail_from=sender, support_email="Help <a@x.example>, b@x.example")
    Caller(app.test_client(), "admin-key").ticket(**FIRE)
    app.extensions["runtime"].runner.run_due()
    (alert,) = [message for message in smtp.messages if "Urgent" in message["Subject"]]
    assert alert.rcpt == ["a@x.example", "b@x.example"]
    assert (alert["From"], alert.sender) == (
        '"Acme, Inc." <support@xn--bcher-kva.example>',
        "support@xn--bcher-kva.example",
    )


def test_a_mail_that_failed_for_good_is_recorded_in_the_history(admin, run_jobs, smtp):
    smtp.refuse = "permanent"
    ticket = admin.ticket()
    run_jobs()
    history = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    unsent = [event for event in history if event["action"] == "not_mailed"]
    assert {event["field"] for event in unsent} == {"ticket_received", "ai_answer"}
    assert "refused the recipient (550)" in unsent[0]["to"]


def test_a_refusal_caused_by_our_settings_is_retried(admin, run_jobs, smtp):
    smtp.refuse = "set-up"
    admin.ticket()
    run_jobs()
    jobs = admin.data(admin.get("/api/jobs"))
    assert {job["state"] for job in jobs} == {"waiting"}
    assert all("(504)" in job["last_error"] for job in jobs)


def test_an_alert_goes_to_the_address_set_when_the_ticket_was_opened(other_admin, run_jobs, smtp):
    set_up(other_admin, support_email="first@other.example")
    other_admin.ticket(**FIRE)
    set_up(other_admin, support_email="second@other.example")
    run_jobs()
    assert {"first@other.example"} == set(receivers(smtp)) - {"ada@example.com"}


def test_the_setting_support_email_overrides_the_environment_for_the_operator(admin, run_jobs, smtp):
    set_up(admin, support_email="new@operator.example")
    admin.ticket(**FIRE)
    set_up(admin, clear=["support_email"])
    admin.ticket(**FIRE)
    run_jobs()
    assert [to for to in receivers(smtp) if "operator" in to] == ["new@operator.example", "team@operator.example"]


# --- the sender


def test_sender_is_operators_address_with_company_name_and_reply_to(other_admin, run_jobs, smtp):
    set_up(other_admin, mail_name='Föö "Bar", (Inc.); <x> =?utf-8?q?=0D=0ABcc:?=', reply_to="answers@other.example")
    other_admin.ticket()
    run_jobs()
    for message in smtp.messages:
        (sender,) = message["From"].addresses
        name = 'Föö "Bar", (Inc.); <x> = ?utf-8?q?=0D=0ABcc:?='
        assert sender.addr_spec == "desk@example.com"
        assert sender.display_name.replace(" ", "") == name.replace(" ", "")
        assert message["Reply-To"] == "answers@other.example"
        assert message.sender == "desk@example.com"


def test_the_name_in_mail_from_applies_only_to_the_operators_company(admin, other_admin, run_jobs, smtp):
    other_admin.ticket()
    run_jobs()
    assert {message["From"] for message in smtp.messages} == {"desk@example.com"}
    assert {message["Reply-To"] for message in smtp.messages} == {None}
    smtp.messages.clear()
    admin.ticket()
    set_up(admin, mail_name="Our server")
    admin.ticket()
    run_jobs()
    assert {message["From"] for message in smtp.messages} == {"Our server <desk@example.com>"}
    set_up(admin, clear=["mail_name"])
    smtp.messages.clear()
    admin.ticket()
    run_jobs()
    assert {message["From"] for message in smtp.messages} == {"Operator <desk@example.com>"}


# --- the settings


def test_mail_settings_are_stored_audited_and_cleared(other_admin):
    values = {"support_email": "Help@Other.example", "mail_name": " Other ", "reply_to": "answers@other.example"}
    normalized = {"support_email": "help@other.example", "mail_name": "Other", "reply_to": "answers@other.example"}
    assert set_up(other_admin, **values).items() >= normalized.items()
    assert set_up(other_admin, **dict.fromkeys(values, "")).items() >= normalized.items(), (
        "an empty value changes nothing"
    )
    assert (
        set_up(other_admin, clear=["reply_to", "mail_name"]).items()
        >= {
            "support_email": "help@other.example",
            "mail_name": "",
            "reply_to": "",
        }.items()
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"support_email": "nobody"}, "support_email"),
        ({"support_email": "a@[127.0.0.1]"}, "support_email"),
        ({"support_email": "a@example.com, nobody"}, "support_email"),
        ({"reply_to": "jürgen@example.com"}, "reply_to"),
        ({"reply_to": "a@example.com\r\nBcc: b@example.com"}, "reply_to"),
        ({"mail_name": "security@bank.example"}, "mail_name"),
        ({"mail_name": "x" * 121}, "mail_name"),
        ({"mail_name": 7}, "mail_name"),
        ({"clear": ["ai_enabled"]}, "clear"),
        ({"clear": ["mail_name"], "mail_name": "Other"}, "mail_name"),
    ],
)
def test_invalid_mail_settings_are_rejected(other_admin, body, field):
    answer = other_admin.put("/api/settings", body)
    assert answer.status_code == 400
    assert [error["field"].split("[")[0] for error in answer.json["data"]["errors"]] == [field]
