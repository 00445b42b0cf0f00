"""Links and codes of mails, for tests of signing in by mail."""

import re

import pytest

from tests.support.accounts import clock  # noqa: F401 - a fixture
from tests.support.caller import Caller

URL = "https://help.example.com"
PASSWORD, OTHER_PASSWORD = "lamp river cloud", "stone paper wind"


@pytest.fixture
def app(open_app, clock):  # noqa: F811
    """A server whose mails have links, by a clock that the test puts forward."""
    return open_app(public_url=URL, clock=clock)


@pytest.fixture
def nobody(app):
    """A caller without credentials."""
    return Caller(app.test_client())


def deliver(app, mailer):
    """Runs the jobs, those that jobs enqueue too, and gives the mails that were sent."""
    runner = app.extensions["runtime"].runner
    while runner.run_due():
        pass
    mails, mailer.sent[:] = list(mailer.sent), []
    return mails


def code_in(notice):
    """The code of a mail."""
    return re.search(r"^(\d{6})$", notice.text, re.MULTILINE)[1]


def token_in(notice):
    """The token in the link of a mail."""
    return re.search(rf"^{URL}/(?:accept#|reset#|portal#code=)([\w-]+)(?:&\S+)?$", notice.text, re.MULTILINE)[1]


def same_answers(*responses):
    """Whether responses are equal to the byte, request id and length aside."""
    return (
        len({(response.status_code, response.get_data(), response.headers["Content-Type"]) for response in responses})
        == 1
    )


def in_parallel(call, many):
    """The statuses of that many calls at once, each with a client of its own."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(many) as pool:
        return sorted(pool.map(lambda _: call().status_code, range(many)))
