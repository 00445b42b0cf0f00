"""Commands that create companies and users, with and without a running server."""

import pytest
import requests

from tests.runtime.test_cli import Shell

GOOD = "correct horse battery"


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path, "json:")


def company(shell, name="Acme", email="zoe@acme.example", password=GOOD, *, run=Shell.flask_here):
    return run(shell, "create-company", name, "--email", email, "--name", "Zoë", "--password", password)


def user(shell, email, *more, password=GOOD, run=Shell.flask_here):
    return run(shell, "create-user", email, "--password", password, *more)


def sign_in(url, email):
    response = requests.post(f"{url}/api/auth/login", json={"email": email, "password": GOOD}, timeout=30)
    return response.json()["data"]


def test_companies_and_users_are_created_while_the_server_is_stopped(shell):
    made = company(shell, run=Shell.flask)
    assert made.returncode == 0, made.stderr
    assert "zoe@acme.example" in made.stdout
    assert GOOD not in made.stdout + made.stderr
    bob = user(shell, "bob@acme.example", "--company", "Acme", "--role", "admin", run=Shell.flask)
    assert bob.returncode == 0, bob.stderr
    assert user(shell, "carl@example.com").returncode == 0
    with shell.running() as url:
        assert sign_in(url, "zoe@acme.example")["user"]["role"] == "admin"
        assert sign_in(url, "bob@acme.example")["user"]["role"] == "admin"
        assert sign_in(url, "carl@example.com")["user"]["role"] == "agent"


def test_companies_and_users_are_created_on_a_running_server(shell):
    with shell.running() as url:
        assert company(shell).returncode == 0
        assert user(shell, "carl@example.com").returncode == 0
        assert sign_in(url, "zoe@acme.example")["user"]["name"] == "Zoë"
        assert sign_in(url, "carl@example.com")["user"]["role"] == "agent"
        elsewhere = user(shell, "bob@acme.example", "--company", "Acme")
        assert elsewhere.returncode == 1
        assert "POST /api/users" in elsewhere.stderr


def test_allow_company_works_with_and_without_a_running_server(shell):
    company(shell)
    allowed = shell.flask("allow-company", "ACME", "--oidc")
    assert allowed.returncode == 0, allowed.stderr
    unknown = shell.flask_here("allow-company", "Nowhere", "--oidc")
    assert (unknown.returncode, "no company Nowhere" in unknown.stderr) == (1, True)
    with shell.running() as url:
        assert shell.flask_here("allow-company", "Acme", "--no-oidc", "--confirmed").returncode == 0
        token = sign_in(url, "zoe@acme.example")["access_token"]
        asked = requests.get(f"{url}/api/audit", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    changes = [row for row in asked.json()["data"] if row["action"] == "company_changed"]
    assert [(row["field"], row["to"]) for row in changes] == [("oidc_allowed", "false"), ("oidc_allowed", "true")]


def test_a_refused_command_says_why(shell):
    assert company(shell).returncode == 0
    assert user(shell, "zoe@acme.example").returncode == 0, "of another company"
    for result, word in (
        (company(shell, email="other@acme.example"), "company of this name"),
        (company(shell, name="Other", email="no address"), "e-mail address"),
        (company(shell, name="Other", email="o@o.example", password="short"), "at least 8"),
        (user(shell, "zoe@acme.example"), "signs in already"),
        (user(shell, "new@example.com", "--company", "Nowhere"), "no company Nowhere"),
        (user(shell, "new@example.com", password="password"), "too common"),
    ):
        assert result.returncode == 1
        assert word in result.stderr
        assert "Traceback" not in result.stderr
