"""Originals of mail and privacy: erasure, retention, the export of a customer's data, and the job that reads a mail."""

import base64
import zlib
from typing import Any

import pytest
from sqlalchemy import select

from channels import mail_parser
from core import timestamps
from database.tables import inbound_keys, inbound_mails, inbound_originals, jobs
from services.inbound import records
from tests.support.mail import SECRET, mail, posted


@pytest.fixture
def app(open_app: Any) -> Any:
    """A server that takes mail."""
    return open_app(inbound_secret=SECRET)


def rows(runtime: Any, table: Any) -> list[dict[str, Any]]:
    with runtime.storage.unit_of_work(None) as uow:
        return list(uow.find(select(table)))


def unpacked(body: str) -> bytes:
    return zlib.decompress(base64.b64decode(body))


def test_erasing_a_customer_erases_their_originals_and_no_others(app, admin, runtime, run_jobs, tmp_path):
    posted(app, mail("ada@example.com", "Of Ada", "unmistakable words of Ada"))
    posted(app, mail("bob@example.com", "Of Bob", "words of Bob"))
    run_jobs()
    packed = next(row["body"] for row in rows(runtime, inbound_originals) if b"unmistakable" in unpacked(row["body"]))
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert [row["sender"] for row in rows(runtime, inbound_mails)] == ["bob@example.com"]
    assert len(rows(runtime, inbound_originals)) == 1
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert not any(packed.encode() in content for content in files), "the files are scrubbed too"


def test_deleting_a_ticket_deletes_its_originals(app, admin, runtime, run_jobs):
    posted(app, mail("ada@example.com", "Of Ada", "words"))
    run_jobs()
    (ticket,) = admin.data(admin.get("/api/tickets"))
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    assert rows(runtime, inbound_mails) == rows(runtime, inbound_originals) == rows(runtime, inbound_keys) == []


def test_the_export_of_a_customer_names_their_mails(app, admin, run_jobs):
    posted(app, mail("ada@example.com", "Of Ada", "words"))
    run_jobs()
    data = admin.data(admin.get("/api/customers/ada@example.com/export"))
    assert [row["sender"] for row in data["messages"]] == ["ada@example.com"]


def test_messages_that_became_nothing_go_after_thirty_days_and_the_rest_stays(app, admin, runtime, run_jobs):
    report = b"From: mailer-daemon@x.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\nx"
    posted(app, report)
    posted(app, mail("ada@example.com", "Of Ada", "words"))
    run_jobs()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        old = timestamps.later(uow.real_now, seconds=-31 * 24 * 3600)
        uow.update_where(inbound_mails, created_at=old)
        records.purge(uow)
    assert [row["state"] for row in rows(runtime, inbound_mails)] == ["ticket"]


def test_a_mail_that_cannot_be_read_is_shown_as_failed_and_read_when_its_job_is_tried_again(
    app, admin, runtime, run_jobs, monkeypatch
):
    posted(app, mail("ada@example.com", "Hard to read", "words"))
    with monkeypatch.context() as patch:
        patch.setattr(mail_parser, "parse", lambda media, body: 1 / 0)
        with runtime.storage.unit_of_work(None, write=True) as uow:
            uow.update_where(jobs, jobs.c.lane == records.QUEUE, attempts=10)
        run_jobs()
    assert admin.data(admin.get("/api/inbound/mails"))[0]["state"] == "failed"
    assert admin.data(admin.get("/api/health"))["jobs"]["dead"] == 1
    (job,) = admin.data(admin.get("/api/jobs?state=dead"))
    admin.data(admin.post(f"/api/jobs/{job['id']}/retry"))
    run_jobs()
    assert admin.data(admin.get("/api/inbound/mails"))[0]["state"] == "ticket"


def test_reading_a_mail_twice_makes_one_ticket(app, admin, runtime, run_jobs):
    posted(app, mail("ada@example.com", "Once", "words"))
    (job,) = rows(runtime, jobs)
    run_jobs()
    with runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(jobs, jobs.c.id == job["id"], state="waiting", payload=job["payload"])
    run_jobs()
    assert len(admin.data(admin.get("/api/tickets"))) == 1
