"""Waiting and failed jobs: listed for admins, retried on request, deleted after 30 days."""

import pytest

from database.tables import jobs
from jobs.handlers import tidy
from notifier import SmtpMailer
from tests.fakes.fake_smtp import FakeSmtp
from tests.support.clock import Clock

pytestmark = pytest.mark.every_engine

FIELDS = ["id", "kind", "ticket_id", "state", "attempts", "last_error", "run_at"]


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
    return open_app(clock=clock, mailer=mailer)


@pytest.fixture
def failed(admin, smtp, run_jobs):
    """The mail jobs of a ticket that the mail server refused permanently. It accepts mail from now on."""
    smtp.refuse = "permanent"
    admin.ticket()
    run_jobs()
    smtp.refuse = ""
    return admin.data(admin.get("/api/jobs?state=dead"))


def test_failed_jobs_are_listed_with_their_reason_and_without_their_texts(admin, other_admin, failed):
    assert [list(job) for job in failed] == [FIELDS] * 2
    assert {job["kind"] for job in failed} == {"ticket_received", "ai_answer"}
    assert {job["state"] for job in failed} == {"dead"}
    assert {job["attempts"] for job in failed} == {1}
    assert all("refused the recipient" in job["last_error"] for job in failed)
    assert "ada@example.com" not in str(failed)
    ticket = admin.ticket()
    waiting = admin.get("/api/jobs?state=waiting").json
    assert (waiting["total"], {job["ticket_id"] for job in waiting["data"]}) == (2, {ticket["id"]})
    assert admin.get("/api/jobs").json["total"] == 4
    assert admin.get("/api/jobs?state=waiting,dead&limit=3").json["total"] == 4
    assert admin.get("/api/jobs?state=done").status_code == 400
    assert other_admin.get("/api/jobs").json["total"] == 0


def test_a_running_job_counts_as_waiting_and_may_have_no_ticket(admin, runtime, failed):
    admin.data(admin.delete("/api/customers/ada@example.com"))
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(jobs, jobs.c.state == "done", state="running")
    (job,) = admin.data(admin.get("/api/jobs"))
    assert (job["kind"], job["state"], job["ticket_id"]) == ("scrub", "waiting", "")


def test_a_retried_job_is_sent_and_leaves_the_list(admin, failed, smtp, run_jobs):
    response = admin.post(f"/api/jobs/{failed[0]['id']}/retry", {}, headers={"Idempotency-Key": "once"})
    assert admin.data(response) == {**failed[0], "state": "waiting", "attempts": 0}
    again = admin.post(f"/api/jobs/{failed[0]['id']}/retry", {}, headers={"Idempotency-Key": "once"})
    assert again.headers["Idempotent-Replay"] == "true"
    run_jobs()
    assert [message.rcpt for message in smtp.messages] == [["ada@example.com"]]
    assert smtp.messages[0]["Message-ID"].startswith(f"<{failed[0]['id']}.")
    assert [job["id"] for job in admin.data(admin.get("/api/jobs"))] == [failed[1]["id"]]
    events = admin.data(admin.get("/api/audit?action=job_retried"))
    assert [event["to"] for event in events] == [failed[0]["id"]]


def test_only_a_failed_job_can_be_retried(admin, other_admin, failed, run_jobs):
    path = f"/api/jobs/{failed[0]['id']}/retry"
    assert other_admin.post(path, {}).status_code == 404
    admin.data(admin.post(path, {}))
    response = admin.post(path, {})
    assert (response.status_code, response.json["data"]["code"]) == (409, "not_dead")
    run_jobs()
    assert admin.post(path, {}).status_code == 404, "it is done"


def test_a_retried_job_gets_all_its_attempts_again(admin, failed, smtp, run_jobs):
    admin.data(admin.post(f"/api/jobs/{failed[0]['id']}/retry", {}))
    smtp.refuse = "temporary"
    run_jobs()
    shown_jobs = {job["id"]: job for job in admin.data(admin.get("/api/jobs"))}
    assert (shown_jobs[failed[0]["id"]]["state"], shown_jobs[failed[0]["id"]]["attempts"]) == ("waiting", 1)


def test_failed_jobs_are_deleted_after_thirty_days(admin, runtime, clock, failed):
    clock.forward(days=29, hours=23)
    tidy(runtime)
    assert len(admin.data(admin.get("/api/jobs"))) == 2
    clock.forward(hours=2)
    tidy(runtime)
    assert admin.data(admin.get("/api/jobs")) == []
    assert admin.data(admin.get("/api/health"))["jobs"] == {"waiting": 0, "dead": 0}


def test_a_direct_job_that_fails_is_logged_and_fails_no_caller(runtime, admin, caplog):
    def fail(company, job):
        raise ValueError("words of a customer")

    runtime.storage.direct_jobs = {("mail", kind): fail for kind in ("ticket_received", "ai_answer")}
    ticket = admin.ticket()
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}"))["number"] == 1
    assert "A job (ticket_received) failed after its change was committed: ValueError" in caplog.text
    assert "words of a customer" not in caplog.text
