"""One run of what is due: everything is done once, nothing is begun after its time, and jobs of a killed run are done."""

import threading
import time

import pytest

from core import timestamps
from database.tables import jobs, tickets
from jobs.one_run import OneRun
from jobs.runner import Runner
from tests.fakes.webhook_receiver import Receiver

ADA = "ada@example.com"


@pytest.fixture
def engine():
    """The store of a host that runs code only while it is called."""
    return "postgresql"


@pytest.fixture
def app(open_app):
    return open_app(webhook_allow_hosts="127.0.0.1")


@pytest.fixture
def run(runtime):
    runtime.open()
    return runtime.run_once


def states(runtime):
    with runtime.storage.unit_of_work(None) as uow:
        return sorted(row["state"] for row in uow.find(uow.query(jobs)))


def test_a_run_sends_mail_and_webhooks_and_does_the_periodic_work(admin, runtime, run, mailer):
    with Receiver() as receiver:
        admin.data(admin.post("/api/webhooks", {"url": receiver.url, "events": ["ticket.created"]}), 201)
        ticket = admin.ticket()
        admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
        with runtime.storage.unit_of_work(None, write=True) as uow:
            long_ago = timestamps.later(uow.real_now, seconds=-30 * 86400)
            uow.update(tickets, ticket["id"], {"created_at": long_ago, "resolved_at": long_ago})
        assert run.has_due()
        assert run(seconds=60) > 2
        assert [call.json["event"] for call in receiver.accepted] == ["ticket.created"]
    assert {notice.to for notice in mailer.sent} == {ADA}
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}"))["status"] == "closed"
    assert (run.has_due(), run(seconds=60)) == (False, 0)
    assert threading.active_count() < 20, "no thread of the runner is left"


def test_a_run_without_time_begins_nothing(admin, runtime, run, mailer, caplog):
    admin.ticket()
    assert run(seconds=0) == 0
    assert mailer.sent == []
    assert set(states(runtime)) == {"waiting"}
    assert "the next one goes on" in caplog.text


def test_a_run_that_ends_in_a_batch_leaves_the_rest_due(admin, runtime, run, mailer, monkeypatch):
    for _ in range(3):
        admin.ticket()
    count = len(states(runtime))
    send = runtime.mailer.send

    def slow(notice):
        send(notice)
        time.sleep(0.6)

    monkeypatch.setattr(runtime.mailer, "send", slow)
    run(seconds=0.5, periodic=False)
    assert len(mailer.sent) == 1
    assert states(runtime).count("waiting") == count - 1
    run(seconds=60, periodic=False)
    assert len(mailer.sent) == count
    assert set(states(runtime)) == {"done"}


def test_the_jobs_of_a_killed_run_are_done_by_the_next_one(admin, runtime, run, mailer, monkeypatch):
    admin.ticket()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        assert uow.claim("mail", limit=50)  # and its process is no more
    monkeypatch.setattr("jobs.runner.HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr("jobs.runner.HEARTBEAT_TIMEOUT_SECONDS", 0.2)
    run(seconds=60)
    assert mailer.sent
    assert set(states(runtime)) == {"done"}


def test_a_run_leaves_the_jobs_of_a_live_one_and_does_not_wait_for_its_end(admin, runtime, run, mailer, monkeypatch):
    admin.ticket()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        claimed = uow.claim("mail", limit=50)
    monkeypatch.setattr("jobs.runner.HEARTBEAT_SECONDS", 0.05)
    other = Runner(lambda: runtime.storage, {})
    other._claimed_ids = {job["id"] for job in claimed}
    with other.heartbeats():
        run(seconds=60)
    assert mailer.sent == []
    assert states(runtime).count("running") == len(claimed)


@pytest.fixture
def done(runtime, monkeypatch):
    """The names of the periodic work that was done."""
    names = []
    monkeypatch.setattr(runtime.runner, "do", lambda task: names.append(task.name))
    return names


def test_periodic_work_is_done_when_it_is_due_and_not_on_demand(runtime, run, done):
    own = {task.name for task in runtime.runner.periodic if not task.in_one_process} | {"heartbeat"}
    run(seconds=60, periodic=False)
    assert set(done) == own
    run(seconds=60)
    assert set(done) == own | {task.name for task in runtime.runner.periodic}
    done.clear()
    run(seconds=60)
    assert set(done) == own, "no second has passed"
    OneRun(runtime.runner, runtime.webhooks)(seconds=60)
    assert "auto-close" in done, "another process has periods of its own"
