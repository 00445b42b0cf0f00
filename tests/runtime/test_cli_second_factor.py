"""flask reset-second-factor: what an operator does for an admin whom nobody else can help."""

import time
from datetime import UTC, datetime

import pytest

from tests.runtime.test_cli import Shell
from tests.support.accounts import ACME, bearing, log_in
from tests.support.caller import Caller
from tests.support.second_factor import challenge, set_up


@pytest.fixture
def shell(tmp_path):
    """Commands on a server's data that holds Acme and its admin, who has a second factor."""
    shell = Shell(tmp_path, "json:")
    with shell.running_here() as client:
        nobody = Caller(client)
        data = nobody.data(nobody.post("/api/companies", ACME), 201)
        set_up(bearing(nobody, data["access_token"]), lambda: datetime.fromtimestamp(time.time(), UTC))
    return shell


def test_the_person_signs_in_without_a_code_again(shell):
    with shell.running_here() as client:
        challenge(log_in(Caller(client)))
    done = shell.flask_here("reset-second-factor", "Zoe@ACME.example", "--company", "acme")
    assert (done.returncode, "is removed" in done.stdout) == (0, True), done.stderr
    with shell.running_here() as client:
        Caller(client).data(log_in(Caller(client)))
    assert "has no second factor" in shell.flask_here("reset-second-factor", ACME["email"], "--company", "Acme").stdout


@pytest.mark.parametrize(
    "arguments", [("nobody@acme.example", "--company", "Acme"), (ACME["email"],), ("x", "--company", "No")]
)
def test_an_unknown_person_is_said_so(shell, arguments):
    done = shell.flask_here("reset-second-factor", *arguments)
    assert (done.returncode, "Not found" in done.stderr) == (1, True), done.stderr
