"""Notices show the ticket as it was when they were enqueued, not when they are sent."""

import pytest

from database.tables import jobs
from notifier import NOTICES, SmtpMailer
from services.tickets import notifications
from tests.fakes.fake_smtp import FakeSmtp
from tests.services.test_notifier import reply, ticket

pytestmark = pytest.mark.every_engine


@pytest.fixture
def smtp():
    with FakeSmtp() as server:
        yield server


@pytest.fixture
def app(open_app, smtp):
    mailer = SmtpMailer(smtp.host, smtp.port, username="", password="", security="none", mail_from="desk@example.com")
    return open_app(mailer=mailer, support_email="team@example.com")


@pytest.fixture
def path(admin, run_jobs, smtp):
    """The path of a ticket whose first mails have been sent."""
    ticket = admin.ticket()
    run_jobs()
    smtp.messages.clear()
    return f"/api/tickets/{ticket['id']}"


def run_and_read_mails(smtp, run_jobs):
    run_jobs()
    return [(message.rcpt[0], message.get_body(("plain",)).get_content()) for message in smtp.messages]


def mail_jobs(runtime):
    with runtime.storage.unit_of_work(None) as uow:
        return uow.find(uow.query(jobs).where(jobs.c.lane == "mail").order_by(jobs.c.id))


def replace_payloads(runtime, payload):
    """Replaces the payloads of waiting notices, as releases before snapshots wrote them."""
    with runtime.storage.unit_of_work(None, write=True) as uow:
        for job in mail_jobs(runtime):
            if job["state"] == "waiting":
                uow.update(jobs, job["id"], {"payload": payload})


def test_each_assignee_is_mailed_once(admin, path, smtp, run_jobs):
    for name in ("ann", "bob"):
        admin.data(admin.post(f"{path}/assign", {"agent_email": f"{name}@example.com"}))
    assert [to for to, _ in run_and_read_mails(smtp, run_jobs)] == ["ann@example.com", "bob@example.com"]


def test_a_resolution_is_mailed_even_if_the_ticket_was_reopened(admin, path, smtp, run_jobs):
    admin.data(admin.post(f"{path}/resolve", {"resolution": "We replaced the fuse."}))
    admin.data(admin.post(f"{path}/reopen", {}))
    ((to, text),) = run_and_read_mails(smtp, run_jobs)
    assert to == "ada@example.com"
    assert "We replaced the fuse." in text


def test_each_resolution_is_mailed_with_its_own_text(admin, path, smtp, run_jobs):
    for words in ("First solution.", "Second solution."):
        admin.data(admin.post(f"{path}/resolve", {"resolution": words}))
        admin.data(admin.post(f"{path}/reopen", {}))
    texts = [text for _, text in run_and_read_mails(smtp, run_jobs)]
    assert ["First" in text for text in texts] == [True, False]
    assert ["Second" in text for text in texts] == [False, True]


def test_a_reply_goes_to_the_agent_assigned_when_it_was_written(admin, customer, path, smtp, run_jobs):
    admin.data(admin.post(f"{path}/assign", {"agent_email": "ann@example.com"}))
    run_jobs()
    smtp.messages.clear()
    customer.data(customer.post(f"{path}/replies", {"body": "Still broken."}), 201)
    admin.data(admin.post(f"{path}/unassign", {}))
    assert [to for to, _ in run_and_read_mails(smtp, run_jobs)] == ["ann@example.com"]


def test_an_alert_holds_title_and_urgency_at_the_time_of_the_event(admin, path, smtp, run_jobs):
    admin.data(admin.put(path, {"title": "Fire", "priority": "urgent", "urgency": 4.7}))
    admin.data(admin.put(path, {"title": "False alarm", "priority": "low", "urgency": 1.0}))
    ((to, text),) = run_and_read_mails(smtp, run_jobs)
    assert to == "team@example.com"
    assert "Title: Fire" in text
    assert "Urgency: 4.7" in text


def test_an_answer_replaced_by_a_newer_one_is_not_sent(admin, runtime, path, smtp, run_jobs):
    for _ in range(2):
        admin.data(admin.post(f"{path}/ai_response", {}))
    first = mail_jobs(runtime)[-2]
    with runtime.storage.unit_of_work(None, write=True) as uow:
        older = {**first["payload"], "ticket": {**first["payload"]["ticket"], "ai_response": "An older answer."}}
        uow.update(jobs, first["id"], {"payload": older})
    ((_, text),) = run_and_read_mails(smtp, run_jobs)
    assert "An older answer." not in text


@pytest.mark.parametrize("kind", NOTICES)
def test_a_snapshot_holds_all_fields_of_its_notice(kind):
    row, reply_row = ticket(), reply()
    snapshot = notifications.snapshot(kind, row, reply_row)
    from_ticket = NOTICES[kind](row, reply=reply_row, job_id="j", domain="d.example", support_email="s@example.com")
    from_snapshot = NOTICES[kind](
        {"id": row["id"], **snapshot["ticket"]},
        reply=snapshot.get("reply"),
        job_id="j",
        domain="d.example",
        support_email="s@example.com",
    )
    assert from_snapshot == from_ticket
    assert "It burns" not in str(snapshot), "the customer's description is in no notice"


def test_sent_mail_jobs_keep_no_texts(admin, runtime, path, smtp, run_jobs):
    admin.data(admin.post(f"{path}/resolve", {"resolution": "We replaced the fuse."}))
    assert "fuse" in str(mail_jobs(runtime))
    run_jobs()
    assert {job["state"] for job in mail_jobs(runtime)} == {"done"}
    assert "fuse" not in str(mail_jobs(runtime))
    assert "ada@example.com" not in str(mail_jobs(runtime))


@pytest.mark.parametrize("end", ["waiting", "dead"])
def test_erasing_a_customer_deletes_unsent_mail(admin, runtime, path, smtp, run_jobs, end, tmp_path):
    if end == "dead":
        smtp.refuse = "permanent"
    admin.data(admin.post(f"{path}/resolve", {"resolution": "We replaced the fuse."}))
    if end == "dead":
        run_jobs()
    assert "ada@example.com" in str(mail_jobs(runtime))
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert mail_jobs(runtime) == []
    smtp.refuse = ""
    assert run_and_read_mails(smtp, run_jobs) == []
    if runtime.storage.name != "postgresql":
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert not [file.name for file in files if b"replaced the fuse" in file.read_bytes()]


def test_a_notice_enqueued_by_an_older_release_is_still_sent(admin, runtime, path, smtp, run_jobs):
    admin.data(admin.post(f"{path}/resolve", {"resolution": "We replaced the fuse."}))
    replace_payloads(runtime, {})
    ((to, text),) = run_and_read_mails(smtp, run_jobs)
    assert (to, "We replaced the fuse." in text) == ("ada@example.com", True)


def test_a_reply_enqueued_by_an_older_release_is_still_sent(admin, runtime, path, smtp, run_jobs):
    reply_row = admin.data(admin.post(f"{path}/replies", {"body": "Please try this."}), 201)
    replace_payloads(runtime, {"reply_id": reply_row["id"]})
    ((to, text),) = run_and_read_mails(smtp, run_jobs)
    assert (to, "Please try this." in text) == ("ada@example.com", True)


def test_an_older_notice_of_a_deleted_reply_is_dropped(admin, runtime, path, smtp, run_jobs):
    admin.data(admin.post(f"{path}/replies", {"body": "Please try this."}), 201)
    replace_payloads(runtime, {"reply_id": "gone"})
    assert run_and_read_mails(smtp, run_jobs) == []
    assert {job["state"] for job in mail_jobs(runtime)} == {"done"}
