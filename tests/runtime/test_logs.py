"""No card number, IBAN, password or key reaches the log."""

import io
import logging

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

import notifier
from database.tables import companies, jobs, users
from jobs.runner import Runner
from runtime.logs import FORM, Masked

SECRETS = {
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "password": "password: hunter22",
    "key": "fk_0123456789abcdef0123",
}


@pytest.fixture
def lines():
    """What a logger with our handler writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Masked(FORM))
    log = logging.getLogger("of.this.test")
    log.addHandler(handler)
    log.propagate = False
    yield log, written
    log.removeHandler(handler)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secrets_are_masked_in_message_arguments_and_traceback(lines, secret):
    log, written = lines
    value = secret.removeprefix("password: ")
    log.warning("said " + secret)
    log.warning("said %s", secret)
    try:
        raise ValueError(f"cannot read {secret}")
    except ValueError:
        log.exception("failed")
    text = written.getvalue()
    assert value not in text
    assert text.count("said ") == 2
    assert "Traceback" in text


def test_an_ordinary_line_is_not_changed(lines):
    log, written = lines
    log.warning("Job %s failed and is tried again in %d s", "01a1fea7-22b6-752d-92fc-85da71ab1e75", 20)
    assert written.getvalue().endswith("Job 01a1fea7-22b6-752d-92fc-85da71ab1e75 failed and is tried again in 20 s\n")


def test_the_line_of_a_notice_holds_no_key_in_its_address(lines, monkeypatch):
    log, written = lines
    monkeypatch.setattr(notifier, "log", log)
    log.setLevel(logging.INFO)
    for number, to in ((7, f"a@{SECRETS['key']}"), (8, "ada@example.com")):
        notifier.ConsoleMailer().note("assigned", {"number": number, "assigned_to": to}, reply=None, support_email="")
    assert [line.partition("server): ")[2] for line in written.getvalue().splitlines()] == [
        "assigned #7 to a***@[key]",
        "assigned #8 to a***@example.com",
    ]


def test_the_error_of_a_failed_job_is_stored_without_secrets(runtime, admin):
    def fail(job):
        raise ValueError(f"cannot send {SECRETS['card']}")

    admin.ticket()
    runner = Runner(lambda: runtime.storage, {"mail": fail})
    runner.run_due()
    with runtime.storage.unit_of_work(None) as uow:
        why = {job["last_error"] for job in uow.find(uow.query(jobs).where(jobs.c.lane == "mail"))}
    assert why == {"ValueError: cannot send [card]"}


ADA = "ada.lovelace@example.com"


@pytest.mark.parametrize("fault", ["taken address", "taken address, many at once", "nothing where something must be"])
def test_a_logged_database_error_quotes_no_values(runtime, lines, fault):
    log, written = lines
    person = {"email": ADA, "name": "Ada Lovelace", "company_id": "default", "created_at": "2026-11-21T11:44:31.000Z"}
    rows = {
        "taken address": [person],
        "taken address, many at once": [{**person, "id": "one"}, {**person, "id": "two"}],
        "nothing where something must be": [{**person, "email": "other@example.com", "created_at": None}],
    }[fault]
    try:
        with runtime.storage.unit_of_work(None, write=True) as uow:
            uow.insert(users, person)
            uow.insert_many(users, rows)
    except IntegrityError:
        log.exception("request failed")
    text = written.getvalue()
    assert "Traceback" in text
    assert ("created_at" if fault.startswith("nothing") else "email") in text, "what rule was broken is told"
    for word in ("lovelace", "Lovelace", "other@", "Failing row", "DETAIL"):
        assert word not in text


@pytest.mark.parametrize("engine", ["postgresql"])
def test_an_unreadable_request_is_not_quoted(runtime, lines):
    log, written = lines
    try:
        with runtime.storage.unit_of_work(None) as uow:
            uow._connection.exec_driver_sql("SELECT %s::text::integer", (ADA,))
    except DBAPIError as error:
        log.error("request failed", exc_info=error)
    assert "InvalidTextRepresentation (SQLSTATE 22P02)" in written.getvalue()
    assert ADA not in written.getvalue()


def test_a_database_error_quotes_no_values(runtime):
    with runtime.storage.unit_of_work(None, write=True) as uow, pytest.raises(IntegrityError) as error, uow.attempt():
        uow.insert_many(companies, [{"id": "twice", "name": "A customer's words", "created_at": uow.now}] * 2)
    assert "A customer's words" not in str(error.value)
