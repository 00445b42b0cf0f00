"""The mailers: SMTP (accepted, refused, unreachable, with sign-in), console and memory."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from notifier import ConsoleMailer, MemoryMailer, open_mailer
from tests.fakes.fake_smtp import FakeSmtp
from tests.services.test_notifier import PASSWORD, ParsedPage, compose, failure, mailer, part, reply, ticket


@pytest.fixture
def server() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


# --- over SMTP


def test_a_notice_arrives_unchanged(server: FakeSmtp) -> None:
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
def test_a_long_reply_arrives_complete_in_lines_of_allowed_length(server: FakeSmtp, body: str) -> None:
    mailer(server).send(compose("public_reply", ticket(title="ü" * 200), reply=reply(body=body)))
    (message,) = server.messages
    assert body.strip() in part(message, "plain")
    assert body.strip() in ParsedPage(part(message, "html")).text
    assert max(len(line) for line in message.raw.split(b"\r\n")) <= 998
    assert message["Subject"] == "[#12] " + "ü" * 200


@pytest.mark.parametrize("at", ["recipient", "message"])
@pytest.mark.parametrize(("refusal", "permanent"), [("temporary", False), ("permanent", True)])
def test_a_refusal_is_permanent_or_temporary(server: FakeSmtp, at: Any, refusal: Any, permanent: bool) -> None:
    server.refuse, server.refuse_at = refusal, at
    error = failure(mailer(server))
    assert error.permanent is permanent
    assert at in error.reason or "SMTPDataError" in error.reason
    assert server.messages == []
    server.refuse = ""
    mailer(server).send(compose("assigned"))
    assert len(server.messages) == 1


def test_an_unreachable_server_is_a_temporary_failure(server: FakeSmtp) -> None:
    server.stop()
    error = failure(mailer(server))
    assert (error.permanent, "ConnectionRefusedError" in error.reason) == (False, True)
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
def test_a_failure_names_the_setting_to_check(server: FakeSmtp, options: Any, variables: str) -> None:
    error = failure(mailer(server, **options))
    assert (error.permanent, variables in error.reason) == (False, True), error.reason


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("password", ["wrong", "pässwort"])
def test_a_failed_sign_in_names_the_settings(password: str) -> None:
    with FakeSmtp(tls=True, username="foyer", password="pass") as server:
        sender = mailer(server, security="tls", username="foyer", password=password, context=server.client_context)
        error = failure(sender)
    assert (error.permanent, "SMTP_PASSWORD" in error.reason, password in error.reason) == (False, True, False)


def test_a_failed_quit_is_not_a_failed_delivery(server: FakeSmtp) -> None:
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
        error = failure(mailer(server, security=security))
        assert (error.permanent, "SSLCertVerificationError" in error.reason) == (False, True)
        assert server.messages == []


def test_a_server_without_starttls_gets_neither_password_nor_message(server: FakeSmtp) -> None:
    error = failure(mailer(server, security="starttls", username="foyer", password="pass"))
    assert (error.permanent, "SMTPNotSupportedError" in error.reason) == (False, True)
    assert server.messages == []


@pytest.mark.parametrize("password", ["wrong-one", PASSWORD])
def test_a_failed_sign_in_is_temporary_and_its_text_holds_no_secret(password: str) -> None:
    with FakeSmtp(starttls=True, username="foyer", password="right") as server:
        sender = mailer(server, security="starttls", username="foyer", password=password, context=server.client_context)
        error = failure(sender)
        assert not error.permanent
        assert password not in f"{error} {error.reason} {error!r} {sender!r}"
        assert server.messages == []


@pytest.mark.parametrize("refusal", ["temporary", "permanent"])
def test_the_text_of_a_failure_holds_no_address(server: FakeSmtp, refusal: Any) -> None:
    server.refuse = refusal
    error = failure(mailer(server))
    assert "agent" not in f"{error} {error.reason} {error!r}"
    assert error.__suppress_context__


# --- the other mailers


def test_the_console_writes_one_line_without_address_or_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ConsoleMailer().send(compose("resolved", ticket(title="secret\nsecond line", resolution="private")))
    (record,) = caplog.records
    line = record.getMessage()
    assert len(line.splitlines()) == 1
    assert all(visible in line for visible in ("resolved", "#12", "j***@example.com"))
    assert not any(hidden in line for hidden in ("jane", "secret", "private"))


def test_the_memory_mailer_keeps_its_notices() -> None:
    first, second = MemoryMailer(), MemoryMailer()
    notice = compose("assigned")
    first.send(notice)
    assert (first.sent, second.sent) == ([notice], [])


def test_the_settings_select_the_mailer() -> None:
    options: Any = {"port": 587, "username": "", "password": "", "security": "starttls", "mail_from": "a@example.com"}
    assert open_mailer(host="", **options).mode == "console"
    assert open_mailer(host="mail.example.com", **options).mode == "smtp"
    assert MemoryMailer().mode == "memory"
