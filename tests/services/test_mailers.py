"""The senders: a real mail server that takes, refuses, vanishes and wants a password; the console; memory."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from notifier import ConsoleMailer, MemoryMailer, open_mailer
from tests.fakes.fake_smtp import FakeSmtp
from tests.services.test_notifier import PASSWORD, Seen, compose, failure, mailer, part, reply, ticket


@pytest.fixture
def server() -> Iterator[FakeSmtp]:
    with FakeSmtp() as running:
        yield running


# --- over SMTP


def test_a_notice_arrives_as_it_was_written(server: FakeSmtp) -> None:
    notice = compose("resolved", ticket(title="Drücker brennt 🔥", resolution="Gelöst — 完了\n.\n..dots\nFrom here"))
    mailer(server).send(notice)
    (message,) = server.messages
    assert message.rcpt == ["jane@example.com"]
    assert message.sender == "support@example.com"
    assert message["From"] == "Föyer <support@example.com>"
    assert message["To"] == "jane@example.com"
    assert message["Subject"] == "[#12] Resolved: Drücker brennt 🔥"
    assert part(message, "plain") == notice.text
    assert part(message, "html") == notice.html


@pytest.mark.parametrize("body", ["x" * 20_000, "ü" * 20_000, "word " * 4_000, "<&>" * 6_000, "🔥" * 20_000])
def test_a_long_reply_arrives_whole_in_lines_a_server_accepts(server: FakeSmtp, body: str) -> None:
    mailer(server).send(compose("public_reply", ticket(title="ü" * 200), reply=reply(body=body)))
    (message,) = server.messages
    assert body.strip() in part(message, "plain")
    assert body.strip() in Seen(part(message, "html")).text
    assert max(len(line) for line in message.raw.split(b"\r\n")) <= 998
    assert message["Subject"] == "[#12] " + "ü" * 200


@pytest.mark.parametrize("at", ["recipient", "message"])
@pytest.mark.parametrize(("refusal", "permanent"), [("temporary", False), ("permanent", True)])
def test_a_refusal_says_whether_trying_again_can_help(server: FakeSmtp, at: Any, refusal: Any, permanent: bool) -> None:
    server.refuse, server.refuse_at = refusal, at
    failed = failure(mailer(server))
    assert failed.permanent is permanent
    assert at in failed.reason or "SMTPDataError" in failed.reason
    assert server.messages == []
    server.refuse = ""
    mailer(server).send(compose("assigned"))
    assert len(server.messages) == 1


def test_a_server_that_is_down_is_a_temporary_failure_and_a_later_attempt_arrives(server: FakeSmtp) -> None:
    server.stop()
    failed = failure(mailer(server))
    assert (failed.permanent, "ConnectionRefusedError" in failed.reason) == (False, True)
    server.start()
    mailer(server).send(compose("assigned"))
    assert [message["Message-ID"] for message in server.messages] == ["<job-7@desk.example.com>"]


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({"security": "starttls"}, "SMTP_SECURITY and SMTP_PORT"),
        ({"security": "tls"}, "SMTP_SECURITY and SMTP_PORT"),
        ({"username": "foyer", "password": "pass"}, "SMTP_USERNAME"),
    ],
)
def test_a_failure_names_the_setting_to_look_at(server: FakeSmtp, options: Any, variables: str) -> None:
    failed = failure(mailer(server, **options))
    assert (failed.permanent, variables in failed.reason) == (False, True), failed.reason


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("password", ["wrong", "pässwort"])
def test_a_sign_in_that_fails_names_the_settings(password: str) -> None:
    with FakeSmtp(tls=True, username="foyer", password="pass") as server:
        sender = mailer(server, security="tls", username="foyer", password=password, context=server.client_context)
        failed = failure(sender)
    assert (failed.permanent, "SMTP_PASSWORD" in failed.reason, password in failed.reason) == (False, True, False)


def test_a_goodbye_that_fails_is_not_a_failed_delivery(server: FakeSmtp) -> None:
    server.goodbye = "421 Something broke"
    mailer(server).send(compose("assigned"))
    assert len(server.messages) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_protected_connection_signs_in_and_delivers(security: Any) -> None:
    with FakeSmtp(**{security: True}, username="foyer", password="pass") as server:
        sender = mailer(server, security=security, username="foyer", password="pass", context=server.client_context)
        sender.send(compose("assigned"))
        assert len(server.messages) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_unknown_certificate_is_refused(security: Any) -> None:
    with FakeSmtp(**{security: True}) as server:
        failed = failure(mailer(server, security=security))
        assert (failed.permanent, "SSLCertVerificationError" in failed.reason) == (False, True)
        assert server.messages == []


def test_a_server_without_starttls_gets_neither_password_nor_message(server: FakeSmtp) -> None:
    failed = failure(mailer(server, security="starttls", username="foyer", password="pass"))
    assert (failed.permanent, "SMTPNotSupportedError" in failed.reason) == (False, True)
    assert server.messages == []


@pytest.mark.parametrize("password", ["wrong-one", PASSWORD])
def test_a_failed_sign_in_is_temporary_and_tells_no_secret(password: str) -> None:
    with FakeSmtp(starttls=True, username="foyer", password="right") as server:
        sender = mailer(server, security="starttls", username="foyer", password=password, context=server.client_context)
        failed = failure(sender)
        assert not failed.permanent
        assert password not in f"{failed} {failed.reason} {failed!r} {sender!r}"
        assert server.messages == []


@pytest.mark.parametrize("refusal", ["temporary", "permanent"])
def test_the_text_of_a_failure_holds_no_address(server: FakeSmtp, refusal: Any) -> None:
    server.refuse = refusal
    failed = failure(mailer(server))
    assert "agent" not in f"{failed} {failed.reason} {failed!r}"
    assert failed.__suppress_context__


# --- the other senders


def test_the_console_writes_one_line_without_address_or_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ConsoleMailer().send(compose("resolved", ticket(title="secret\nsecond line", resolution="private")))
    (record,) = caplog.records
    line = record.getMessage()
    assert len(line.splitlines()) == 1
    assert all(known in line for known in ("resolved", "#12", "j***@example.com"))
    assert not any(unknown in line for unknown in ("jane", "secret", "private"))


def test_memory_keeps_what_it_is_sent() -> None:
    kept, other = MemoryMailer(), MemoryMailer()
    notice = compose("assigned")
    kept.send(notice)
    assert (kept.sent, other.sent) == ([notice], [])


def test_the_sender_follows_the_settings() -> None:
    about: Any = {"port": 587, "username": "", "password": "", "security": "starttls", "mail_from": "a@example.com"}
    assert open_mailer(host="", **about).mode == "console"
    assert open_mailer(host="mail.example.com", **about).mode == "smtp"
    assert MemoryMailer().mode == "memory"
