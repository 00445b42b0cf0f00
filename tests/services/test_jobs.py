"""Jobs: retries, heartbeats, takeover by another process, and failure for good."""

import threading
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from core.errors import AppError, unavailable
from database.tables import jobs
from jobs.runner import DELAYS_SECONDS, Runner
from notifier import SmtpMailer
from tests.fakes.fake_smtp import FakeSmtp
from tests.support.clock import Clock

pytestmark = pytest.mark.every_engine


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def smtp():
    with FakeSmtp() as server:
        yield server


@pytest.fixture
def app(open_app, clock, smtp):
    mailer = SmtpMailer(smtp.host, smtp.port, username="", password="", security="none", mail_from="desk@example.com")
    return open_app(clock=clock, mailer=mailer, support_email="team@example.com")


def rows(runtime):
    with runtime.storage.unit_of_work(None) as uow:
        return uow.find(uow.query(jobs).order_by(jobs.c.created_at, jobs.c.id))


def kinds(smtp):
    return sorted((message["To"], message["Subject"]) for message in smtp.messages)


def test_a_new_ticket_mails_receipt_and_answer_to_the_customer(admin, run_jobs, smtp):
    ticket = admin.ticket()
    run_jobs()
    assert [message.rcpt for message in smtp.messages] == [["ada@example.com"]] * 2
    assert all(f"#{ticket['number']}" in message["Subject"] for message in smtp.messages)
    assert all(message["Auto-Submitted"] == "auto-generated" for message in smtp.messages)
    assert len({message["Message-ID"] for message in smtp.messages}) == 2
    assert len({message["References"] for message in smtp.messages}) == 1


def test_an_urgent_ticket_alerts_the_support_address(admin, run_jobs, smtp):
    admin.ticket(title="Stolen account", description="My account was hacked and I am blocked!")
    run_jobs()
    assert ["team@example.com"] in [message.rcpt for message in smtp.messages]


def test_each_change_of_a_ticket_mails_the_right_people(admin, run_jobs, smtp):
    path = f"/api/tickets/{admin.ticket()['id']}"
    run_jobs()
    smtp.messages.clear()
    admin.data(admin.post(f"{path}/assign", {"agent_email": "bob@example.com"}))
    admin.data(admin.post(f"{path}/replies", {"body": "Please try this."}), 201)
    admin.data(admin.post(f"{path}/replies", {"body": "Only for us.", "internal": True}), 201)
    admin.data(admin.post(f"{path}/resolve", {"resolution": "It works again."}))
    run_jobs()
    texts = {message.rcpt[0]: message.as_string() for message in smtp.messages}
    assert sorted(message.rcpt[0] for message in smtp.messages) == [
        "ada@example.com",
        "ada@example.com",
        "bob@example.com",
    ]
    assert "Only for us." not in "".join(texts.values())


def test_mails_are_sent_once_after_a_ten_minute_outage(admin, runtime, clock, smtp):
    smtp.stop()
    admin.ticket()
    job_ids = {row["id"] for row in rows(runtime)}
    for _ in range(10):
        runtime.runner.run_due()
        clock.forward(minutes=1)
    assert {row["state"] for row in rows(runtime)} == {"waiting"}
    assert all(row["last_error"] for row in rows(runtime))
    assert admin.data(admin.get("/api/health"))["jobs"] == {"waiting": len(job_ids), "dead": 0}
    smtp.start()
    clock.forward(minutes=20)
    runtime.runner.run_due()
    assert {row["state"] for row in rows(runtime)} == {"done"}
    assert len(smtp.messages) == len(job_ids)
    runtime.runner.run_due()
    assert len(smtp.messages) == len(job_ids)


def test_the_pauses_between_tries_grow(admin, runtime, clock, smtp):
    smtp.stop()
    admin.ticket()
    pauses = []
    for _ in range(4):
        runtime.runner.run_due()
        due = datetime.fromisoformat(rows(runtime)[0]["run_at"])
        pauses.append((due - clock.now).total_seconds())
        clock.now = due + timedelta(seconds=200)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 10 * pauses[0]


def test_after_the_last_try_a_job_is_failed_with_a_reason_and_counted_in_health(admin, runtime, clock, smtp):
    smtp.stop()
    admin.ticket()
    for _ in range(len(DELAYS_SECONDS) + 2):
        runtime.runner.run_due()
        clock.forward(hours=1)
    failed = rows(runtime)
    assert {row["state"] for row in failed} == {"dead"}
    assert all(row["last_error"] for row in failed)
    assert admin.data(admin.get("/api/health"))["jobs"] == {"waiting": 0, "dead": len(failed)}
    assert runtime.runner.run_due() == 0


def test_a_permanently_refused_address_is_not_retried(admin, runtime, smtp):
    smtp.refuse = "permanent"
    admin.ticket()
    runtime.runner.run_due()
    assert {row["state"] for row in rows(runtime)} == {"dead"}
    assert all("ada@example.com" not in row["last_error"] for row in rows(runtime))


def test_a_job_without_heartbeat_is_taken_over_with_the_same_message_id(admin, runtime, smtp, monkeypatch, caplog):
    admin.ticket()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        claimed = uow.claim("mail", limit=20)
    runtime.runner.check_heartbeats()
    runtime.runner.check_heartbeats()
    assert runtime.runner.run_due() == 0
    with monkeypatch.context() as patch:
        patch.setattr("jobs.runner.HEARTBEAT_TIMEOUT_SECONDS", 0)
        runtime.runner.check_heartbeats()
    assert "the process that ran it sends no heartbeat" in caplog.text
    runtime.runner.run_due()
    names = {message["Message-ID"].strip("<>").partition("@")[0] for message in smtp.messages}
    assert {name.partition(".")[0] for name in names} == {job["id"] for job in claimed}  # the rest is a reference


def test_a_long_job_with_heartbeats_is_not_taken_over(admin, runtime, clock):
    """The second runner stands for another process on the same store. It checks heartbeats while the first one works."""
    admin.ticket()
    other, started, proceed = Runner(lambda: runtime.storage, {}), threading.Event(), threading.Event()

    def slow(notice):
        started.set()
        assert proceed.wait(30)

    runtime.mailer = SimpleNamespace(send=slow, mode="memory")
    thread = threading.Thread(target=runtime.runner.run_due)
    thread.start()
    assert started.wait(30)
    heartbeats = set()
    for _ in range(3):
        other.check_heartbeats()
        clock.forward(seconds=3)
        runtime.runner.check_heartbeats()
        heartbeats |= {row["run_at"] for row in rows(runtime) if row["state"] == "running"}
    states = {row["state"] for row in rows(runtime)}
    proceed.set()
    thread.join()
    assert states == {"running"}
    assert len(heartbeats) == 3, "each check writes a new heartbeat"
    assert {row["state"] for row in rows(runtime)} == {"done"}


def test_no_job_is_taken_over_early_after_a_store_outage(admin, runtime, monkeypatch):
    admin.ticket()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.claim("mail", limit=20)
    store, other = runtime.storage, Runner(lambda: runtime.storage, {})
    other.check_heartbeats()
    with monkeypatch.context() as patch:
        patch.setattr(store, "unit_of_work", fail)
        with pytest.raises(AppError):
            other.check_heartbeats()
    monkeypatch.setattr("jobs.runner.HEARTBEAT_TIMEOUT_SECONDS", 0.001)
    other.check_heartbeats()
    assert {row["state"] for row in rows(runtime)} == {"running"}, "the timeout starts anew"


def fail(*args, **kwargs):
    raise unavailable("away")


def test_two_claims_never_return_the_same_job(admin, runtime, smtp):
    admin.ticket()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        first = uow.claim("mail", limit=1)
    with runtime.storage.unit_of_work(None, write=True) as uow:
        second = uow.claim("mail", limit=20)
    assert {job["id"] for job in first}.isdisjoint(job["id"] for job in second)


def test_deleting_a_ticket_deletes_its_waiting_mail(admin, runtime, smtp):
    admin.data(admin.delete(f"/api/tickets/{admin.ticket()['id']}"))
    assert rows(runtime) == []


def test_a_refused_call_enqueues_nothing(admin, runtime):
    path = f"/api/tickets/{admin.ticket()['id']}"
    before = len(rows(runtime))
    assert admin.post(f"{path}/resolve", {"resolution": "Done.", "version": 99}).status_code == 412
    assert len(rows(runtime)) == before


def test_done_jobs_and_stored_responses_are_purged(admin, runtime, clock):
    admin.post("/api/tickets", {"title": "a", "description": "b", "customer_id": "7", "client_reference": "once"})
    admin.ticket()
    runtime.runner.run_due()
    clock.forward(days=8)
    from jobs.handlers import tidy

    tidy(runtime)
    assert rows(runtime) == []
    body = {"title": "a", "description": "b", "customer_id": "7", "client_reference": "once"}
    assert "Idempotent-Replay" not in admin.post("/api/tickets", body).headers
