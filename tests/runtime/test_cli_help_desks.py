"""flask import zendesk, freshdesk and jira: on the data of a stopped server and through a running one, read back over the API."""

from pathlib import Path

import pytest
import requests

from tests.runtime.test_cli import Shell

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "help_desks"


@pytest.fixture
def shell(tmp_path, database_url):
    return Shell(tmp_path / "data", database_url)


def files(product):
    return [str(path) for path in sorted((FIXTURES / product).iterdir())]


class Reader:
    """Reads over the API what is there."""

    def __init__(self, shell, get):
        self._headers = {"X-API-Key": shell.key_file.read_text().strip()}
        self._get = get

    def data(self, path):
        answer = self._get(path, headers=self._headers)
        return answer.get_json()["data"] if hasattr(answer, "get_json") else answer.json()["data"]

    def ticket(self, external_id):
        (row,) = self.data(f"/api/tickets?external_id={external_id}")
        return row

    def thread(self, external_id):
        replies = self.data(f"/api/tickets/{self.ticket(external_id)['id']}/replies")
        return [(reply["author_role"], reply["author_name"], reply["body"], reply["internal"]) for reply in replies]


def test_zendesk_comes_in_once_and_is_read_back(shell):
    shell.flask_here(
        "create-user", "bea@acme.example.com", "--name", "Bea Binder", "--password", "correct horse battery"
    )
    dry = shell.flask("import", "zendesk", *files("zendesk"), "--dry-run")
    done = shell.flask_here("import", "zendesk", *files("zendesk"))
    assert (dry.returncode, done.returncode) == (1, 1), done.stderr  # one line is broken
    assert dry.stdout.splitlines()[1:] == done.stdout.splitlines()[1:]
    assert "6 tickets with 7 messages and notes" in done.stdout
    assert "tickets.ndjson line 6: This line is not valid JSON" in done.stdout
    again = shell.flask_here("import", "zendesk", *reversed(files("zendesk")))
    assert "0 tickets (6 here already, left as they are)" in again.stdout
    assert "0 customers (4 here already, left as they are)" in again.stdout
    assert "0 macros (1 here already, left as they are)" in again.stdout
    with shell.running_here() as client:
        reader = Reader(shell, client.get)
        assert len(reader.data("/api/tickets")) == 6
        row = reader.ticket("zendesk:101")
        assert (row["status"], row["assigned_to"], row["source"], row["tags"]) == (
            "closed",
            "bea@acme.example.com",
            "email",
            ["billing", "address_change"],
        )
        assert (row["created_at"], row["resolved_at"]) == ("2025-03-03T08:00:00.000Z", "2025-03-04T09:00:00.000Z")
        assert (row["customer_id"], row["customer_tier"]) == ("crm-17", "premium")
        assert reader.thread("zendesk:101") == [
            ("agent", "Bea Binder", "Is this customer on the new plan?", True),
            ("agent", "Bea Binder", "Here is the corrected invoice: open it (https://pay.example.com/17)", False),
            ("customer", "Ada Okafor", "Thank you!", False),
        ]
        assert reader.thread("zendesk:102")[0] == (
            "system",
            "System",
            "Assigned in Zendesk to Cem Aksoy <cem@acme.example.com>.",
            True,
        )
        disabled = {user["email"]: user["disabled"] for user in reader.data("/api/users")}
        assert disabled == {"bea@acme.example.com": False, "cem@acme.example.com": True}
        (macro,) = reader.data("/api/macros")
        assert macro["body"].startswith("Hello {{customer_name}},")
        assert macro["set"] == {
            "status": "resolved",
            "resolution": "Solved.",
            "priority": "medium",
            "tags": ["billing", "invoice_sent"],
        }
        assert reader.data("/api/jobs") == []


def test_freshdesk_comes_in_through_the_running_server(shell):
    with shell.running() as url:
        done = shell.flask("import", "freshdesk", *files("freshdesk"), "--timezone", "Europe/Copenhagen")
        assert done.returncode == 1, done.stderr
        assert "tickets.csv line 4: 'not a time' is no time that is known here." in done.stdout
        assert "4 tickets with" in done.stdout
        again = shell.flask_here("import", "freshdesk", *files("freshdesk"))
        assert "0 tickets (4 here already, left as they are)" in again.stdout
        reader = Reader(shell, lambda path, headers: requests.get(f"{url}{path}", headers=headers, timeout=10))
        assert reader.ticket("freshdesk:21")["created_at"] == "2025-01-10T09:00:00.000Z"
        assert reader.ticket("freshdesk:21")["title"] == "Größe falsch"
        assert reader.ticket("freshdesk:11")["customer_tier"] == "enterprise"
        assert [entry[0] for entry in reader.thread("freshdesk:11")] == ["system", "agent", "customer", "agent"]


def test_jira_comes_in_with_documents_and_addresses_of_a_list(shell):
    done = shell.flask_here("import", "jira", *files("jira"), "--timezone", "Europe/Berlin")
    assert done.returncode == 0, done.stderr + done.stdout
    with shell.running_here() as client:
        reader = Reader(shell, client.get)
        assert reader.ticket("jira:SUP-1")["description"].startswith(
            "What happens\n\nThe VPN drops every hour, see the log"
        )
        assert reader.ticket("jira:SUP-7")["customer_email"] == "lin@example.com"
        assert reader.ticket("jira:SUP-7")["created_at"] == "2025-03-05T08:12:00.000Z"
        assert reader.thread("jira:SUP-7")[1:] == [
            ("agent", "Bea Binder", "Is it on?", True),
            ("customer", "Lin Chen", "Yes; it is.", False),
        ]


def test_comments_of_jira_are_public_if_asked(shell):
    shell.flask_here("import", "jira", str(FIXTURES / "jira" / "export.csv"), "--public-comments")
    with shell.running_here() as client:
        assert ("agent", "Bea Binder", "Is it on?", False) in Reader(shell, client.get).thread("jira:SUP-7")


@pytest.mark.parametrize("product", ["zendesk", "freshdesk", "jira"])
def test_an_import_ends_well_when_every_record_is_taken(shell, tmp_path, product):
    file = tmp_path / "users.csv"
    file.write_text("id,name,email\n1,Ada,ada@example.com\n")
    assert shell.flask_here("import", product, str(file)).returncode == 0


USAGE = [
    (["zendesk"], "Missing argument"),
    (["zendesk", "nosuch.json"], "does not exist"),
    (["jira", __file__, "--timezone", "Nowhere"], "Name a time zone"),
    (["zendesk", __file__, "--public-comments"], "No such option"),
    (["nosuch.csv"], "does not exist"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("words", "message"), USAGE)
def test_a_wrong_use_is_told_in_a_sentence(shell, words, message):
    refused = shell.flask_here("import", *words)
    assert refused.returncode == 2
    assert message in refused.stderr


def test_the_help_names_the_products(shell):
    shown = shell.flask_here("import", "--help").stdout
    assert all(name in shown for name in ("zendesk", "freshdesk", "jira", "file"))
