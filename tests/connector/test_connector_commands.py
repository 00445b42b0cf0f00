"""The commands of the connector, on temporary folders."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tools.connector import commands
from tools.connector.commands import FOLDER, connector, lint_command
from tools.connector.files import DEFINITION, HOST, ICON, PROPERTIES, README, SETTINGS
from tools.connector.surface import LOCK

FILES = [DEFINITION, PROPERTIES, SETTINGS, ICON, README, LOCK]

COMMANDS = {"connector": connector, "lint-connector": lint_command}


def run(name: str, *args: str) -> Any:
    """The result of a flask command."""
    return CliRunner().invoke(COMMANDS[name], args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files as they are made and released."""
    made = run("connector", "--release", "--folder", str(tmp_path))
    assert made.exit_code == 0, made.output
    return tmp_path


def before(folder: Path, change: Any) -> None:
    """Makes the lock say that `change` was released."""
    lock = json.loads((folder / LOCK).read_bytes())
    change(lock)
    (folder / LOCK).write_text(json.dumps(lock))


def test_all_files_are_written(folder):
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)
    assert run("connector", "--check", "--folder", str(folder)).exit_code == 0


def test_the_checked_in_files_are_up_to_date():
    checked = run("connector", "--check")
    assert checked.exit_code == 0, checked.output


def test_the_files_can_be_made_for_another_host(tmp_path):
    made = run("connector", "--host", "desk.example.org", "--folder", str(tmp_path / "mine"))
    assert made.exit_code == 0
    assert json.loads((tmp_path / "mine" / DEFINITION).read_bytes())["host"] == "desk.example.org"
    assert not (tmp_path / "mine" / LOCK).exists()


@pytest.mark.parametrize("host", ["https://desk.example.org", "desk.example.org/api", "https://x.y/z", "", "a b", "-a"])
def test_an_invalid_host_is_refused(tmp_path, host):
    made = run("connector", "--host", host, "--folder", str(tmp_path / "mine"))
    assert made.exit_code == 2
    assert "give the bare host name" in made.output
    assert not (tmp_path / "mine").exists()


def test_the_checked_in_files_are_not_written_for_another_host(folder, monkeypatch):
    monkeypatch.setattr(commands, "FOLDER", folder)
    made = run("connector", "--host", "desk.example.org", "--folder", str(folder / ".." / folder.name))
    assert made.exit_code == 2
    assert "name a folder with --folder" in made.output
    assert json.loads((folder / DEFINITION).read_bytes())["host"] == HOST


@pytest.mark.parametrize("name", FILES)
def test_a_different_or_missing_file_is_reported(folder, name):
    (folder / name).unlink()
    result = run("connector", "--check", "--folder", str(folder))
    assert result.exit_code == 1
    assert str(folder / name) in result.output
    assert not (folder / name).exists()


@pytest.mark.parametrize("name", FILES[:-1])
def test_a_changed_file_is_reported_and_not_changed(folder, name):
    (folder / name).write_bytes(b"mine")
    result = run("connector", "--check", "--folder", str(folder))
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.output.splitlines()] == [str(folder / name)]
    assert (folder / name).read_bytes() == b"mine"


def test_a_breaking_change_is_refused_with_its_operation(folder):
    def released(lock: Any) -> None:
        lock["FindTicket"] = lock["GetTicket"]
        lock["GetTicket"]["answer"]["data.colour"] = "string"

    before(folder, released)
    result = run("connector", "--check", "--folder", str(folder))
    assert result.exit_code == 1
    assert "FindTicket is gone." in result.output
    assert "GetTicket: the field data.colour of the answer is gone." in result.output


def test_writing_the_files_warns_of_a_breaking_change_until_a_release(folder):
    before(folder, lambda lock: lock.update(FindTicket=lock["GetTicket"]))
    made = run("connector", "--folder", str(folder))
    assert made.exit_code == 0
    assert "Careful: FindTicket is gone." in made.output
    assert run("connector", "--check", "--folder", str(folder)).exit_code == 1
    assert "Careful" not in run("connector", "--release", "--folder", str(folder)).output
    assert run("connector", "--check", "--folder", str(folder)).exit_code == 0


def test_an_addition_since_the_release_is_accepted(folder):
    before(folder, lambda lock: (lock.pop("GetTicket"), lock["ListTickets"]["arguments"].pop("q")))
    assert run("connector", "--check", "--folder", str(folder)).exit_code == 0


def test_checking_and_releasing_at_once_is_refused(folder):
    result = run("connector", "--check", "--release", "--folder", str(folder))
    assert result.exit_code == 2
    assert "give one of them" in result.output


def test_the_linter_prints_a_line_for_each_finding(folder):
    assert run("lint-connector", str(folder)).exit_code == 0
    definition = json.loads((folder / DEFINITION).read_bytes())
    definition["paths"]["/api/tickets/{ticket_id}"]["get"].pop("summary")
    (folder / DEFINITION).write_text(json.dumps(definition))
    result = run("lint-connector", str(folder))
    assert result.exit_code == 1
    assert result.output == "OperationSummaryRequired GetTicket: give it a summary.\n"


def test_the_linter_checks_the_checked_in_files_by_default():
    result = run("lint-connector")
    assert result.exit_code == 0, result.output
    assert str(FOLDER) in result.output
