"""The poll of a mailbox, against a real IMAP server: each mail is taken once, whatever fails in between."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from channels.imap_poller import Mailbox, MailboxFailed
from core.errors import unavailable
from jobs import inbound_mail
from tests.fakes.dovecot import PASSWORD, USER, Dovecot
from tests.support.mail import mail

RAW = mail("ada@example.com", "By IMAP", "Größe ✓").as_bytes()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    """One IMAP server for all tests of this file, in a folder that its own user may enter."""
    with TemporaryDirectory() as folder, Dovecot(Path(folder)) as dovecot:
        yield dovecot


@pytest.fixture
def dovecot(server: Dovecot) -> Dovecot:
    """The server with an empty mailbox."""
    client = server.client()
    for folder in ("INBOX", "Done"):
        status, number = client.select(folder)
        if status == "OK" and number != [b"0"]:
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()
    client.logout()
    return server


def mailbox(dovecot: Dovecot, **changes: Any) -> Mailbox:
    values: dict[str, Any] = {"host": dovecot.host, "port": dovecot.plain, "username": USER, "password": PASSWORD}
    return Mailbox(**{**values, "security": "none", **changes})


def taken(box: Mailbox) -> list[bytes]:
    bodies: list[bytes] = []
    box.take_new(lambda media, body: bodies.append(body))
    return bodies


@pytest.mark.parametrize("security", ["none", "starttls", "ssl"])
def test_unread_mail_is_taken_to_the_byte_and_marked_as_read(dovecot, security):
    dovecot.deliver(RAW)
    port = dovecot.tls if security == "ssl" else dovecot.plain
    box = mailbox(dovecot, security=security, port=port, context=dovecot.client_context)
    (body,) = taken(box)
    assert body.replace(b"\r\n", b"\n") == RAW.replace(b"\r\n", b"\n")
    assert (dovecot.count("SEEN"), taken(box)) == (1, [])


def test_with_a_folder_for_taken_mail_all_mail_is_taken_and_moved(dovecot):
    dovecot.deliver(RAW)
    dovecot.deliver(RAW)
    box = mailbox(dovecot, done_folder="Done")
    assert len(taken(box)) == 2
    assert (dovecot.count(), dovecot.count(folder="Done"), taken(box)) == (0, 2, [])


def test_a_mail_that_is_not_kept_stays_and_the_others_are_taken(dovecot):
    for number in range(3):
        dovecot.deliver(RAW + b"%d" % number)
    kept: list[bytes] = []

    def take(media: str, body: bytes) -> None:
        if body.strip().endswith(b"1"):
            raise ValueError
        kept.append(body)

    mailbox(dovecot).take_new(take)
    assert (len(kept), dovecot.count("UNSEEN")) == (2, 1)


def test_when_the_store_is_down_nothing_is_marked(dovecot):
    dovecot.deliver(RAW)

    def take(media: str, body: bytes) -> None:
        raise unavailable("The store is down.")

    with pytest.raises(Exception, match="store is down"):
        mailbox(dovecot).take_new(take)
    assert dovecot.count("UNSEEN") == 1


def test_of_a_mail_beyond_the_limit_the_headers_are_taken(dovecot, monkeypatch):
    monkeypatch.setattr("channels.imap_poller.MOST_BYTES", 1_000)
    dovecot.deliver(RAW + b"x" * 2_000)
    kinds: list[str] = []
    mailbox(dovecot).take_new(lambda media, body: kinds.append(media))
    assert kinds == ["text/rfc822-headers"]


def test_what_other_programs_marked_as_deleted_stays(dovecot):
    dovecot.deliver(RAW)
    mark_as_deleted(dovecot)
    dovecot.deliver(RAW)
    taken(mailbox(dovecot))
    assert dovecot.count() == 2


def test_moving_taken_mail_removes_no_mail_that_another_program_marks_as_deleted(dovecot):
    dovecot.deliver(RAW)
    bodies: list[bytes] = []

    def take(media: str, body: bytes) -> None:
        if not bodies:  # while the first is taken, a second comes and is marked
            dovecot.deliver(RAW + b"later")
            mark_as_deleted(dovecot, "2")
        bodies.append(body)

    mailbox(dovecot, done_folder="Done").take_new(take)
    assert (len(bodies), dovecot.count(), dovecot.count(folder="Done")) == (1, 1, 1)


def mark_as_deleted(dovecot: Dovecot, number: str = "1") -> None:
    client = dovecot.client()
    client.select("INBOX")
    client.store(number, "+FLAGS", "\\Deleted")
    client.logout()


FAILURES = {
    "a wrong password": ({"password": "wrong"}, "IMAP_PASSWORD"),
    "a folder that is not there": ({"folder": "Nowhere"}, "IMAP_FOLDER"),
    "a port where nobody listens": ({"port": 1}, "IMAP_PORT"),
    "a certificate that is not trusted": (
        {"security": "starttls", "context": ssl.create_default_context()},
        "IMAP_HOST",
    ),
    "TLS where there is none": ({"security": "ssl"}, "IMAP_SECURITY"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_names_the_setting_and_no_secret(dovecot, name):
    changes, setting = FAILURES[name]
    with pytest.raises(MailboxFailed, match=setting) as failure:
        taken(mailbox(dovecot, **{"timeout_seconds": 5.0, **changes}))
    assert PASSWORD not in str(failure.value)
    assert "wrong" not in str(failure.value)


@pytest.fixture
def app(open_app: Any, dovecot: Dovecot) -> Any:
    """A server that reads the mailbox when the test says so."""
    values = {"imap_host": dovecot.host, "imap_port": dovecot.plain, "imap_username": USER, "imap_password": PASSWORD}
    return open_app(imap_security="none", **values)


def test_a_polled_mail_becomes_a_ticket_and_a_second_poll_nothing(runtime, admin, run_jobs, dovecot):
    dovecot.deliver(RAW)
    inbound_mail.poll(runtime)
    inbound_mail.poll(runtime)
    run_jobs()
    assert [row["title"] for row in admin.data(admin.get("/api/tickets"))] == ["By IMAP"]
    assert admin.data(admin.get("/api/health"))["inbound"] == {"mode": "imap", "note": ""}


def test_a_crash_between_keeping_and_marking_takes_nothing_twice(runtime, admin, run_jobs, dovecot):
    dovecot.deliver(RAW)
    inbound_mail.poll(runtime)
    client = dovecot.client()
    client.select("INBOX")
    client.store("1", "-FLAGS", "\\Seen")  # as if the mark had never arrived
    client.logout()
    inbound_mail.poll(runtime)
    run_jobs()
    assert len(admin.data(admin.get("/api/inbound/mails"))) == 1
    assert (len(admin.data(admin.get("/api/tickets"))), dovecot.count("UNSEEN")) == (1, 0)


def test_health_and_the_log_say_once_that_no_mail_comes_in(runtime, admin, dovecot, caplog):
    runtime.mailbox.password = "wrong"
    inbound_mail.poll(runtime)
    inbound_mail.poll(runtime)
    note = admin.data(admin.get("/api/health"))["inbound"]["note"]
    assert "IMAP_PASSWORD" in note
    assert caplog.text.count("No mail comes in") == 1
    runtime.mailbox.password = PASSWORD
    inbound_mail.poll(runtime)
    assert admin.data(admin.get("/api/health"))["inbound"]["note"] == ""


def test_a_server_that_is_gone_for_a_while_is_read_afterwards(runtime, admin, run_jobs, dovecot):
    dovecot.deliver(RAW)
    dovecot.stop()
    inbound_mail.poll(runtime)
    dovecot.start()
    inbound_mail.poll(runtime)
    run_jobs()
    assert len(admin.data(admin.get("/api/tickets"))) == 1
