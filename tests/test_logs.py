"""No card number, IBAN, password or key reaches the log, whoever writes the line."""

import io
import logging

import pytest
from sqlalchemy.exc import IntegrityError

from jobs import Runner
from logs import FORM, Masked
from tables import companies, jobs

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
def test_it_is_masked_in_the_words_the_arguments_and_what_an_error_quotes(lines, secret):
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


def test_an_ordinary_line_stays_as_it_is(lines):
    log, written = lines
    log.warning("Job %s failed and is tried again in %d s", "01a1fea7-22b6-752d-92fc-85da71ab1e75", 20)
    assert written.getvalue().endswith("Job 01a1fea7-22b6-752d-92fc-85da71ab1e75 failed and is tried again in 20 s\n")


def test_why_a_job_failed_is_kept_without_secrets(foyer, admin):
    def fail(job):
        raise ValueError(f"cannot send {SECRETS['card']}")

    admin.ticket()
    runner = Runner(lambda: foyer.storage, {"mail": fail})
    runner.run_due()
    with foyer.storage.desk(None) as desk:
        why = {job["last_error"] for job in desk.find(desk.rows(jobs).where(jobs.c.lane == "mail"))}
    assert why == {"ValueError: cannot send [card]"}


def test_a_database_error_does_not_quote_what_was_written(foyer):
    with foyer.storage.desk(None, write=True) as desk, pytest.raises(IntegrityError) as error, desk.attempt():
        desk.insert_many(companies, [{"id": "twice", "name": "A customer's words", "created_at": desk.now}] * 2)
    assert "A customer's words" not in str(error.value)
