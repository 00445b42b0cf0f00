"""flask connect: steps with this server's address, and a key that may do only what the recipe needs, for a time."""

import re

import pytest

from commands.connect import FOLDER, read_recipe, tools
from core import timestamps
from tests.runtime.test_cli import Shell
from tests.support.caller import Caller


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path / "data", "json:")


def test_it_lists_the_tools_and_names_them_for_an_unknown_one(shell):
    listed = shell.flask_here("connect")
    assert (listed.returncode, listed.stdout) == (0, f"Choose one of: {', '.join(tools())}.\n")
    unknown = shell.flask_here("connect", "excel")
    assert unknown.returncode == 1
    assert f"There is no recipe for excel. Choose one of: {', '.join(tools())}." in unknown.stderr


def test_a_folder_for_a_tool_without_files_is_refused_before_a_key_is_made(shell, tmp_path):
    refused = shell.flask_here("connect", "retool", "--files", str(tmp_path / "files"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Retool imports no files. Leave --files out." in refused.stderr
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize("tool", tools())
def test_it_prints_the_steps_and_makes_a_key_with_the_scopes_of_the_page(shell, tool):
    shell.env["PUBLIC_URL"] = "https://help.acme.example"
    printed = shell.flask_here("connect", tool, "--days", "30")
    assert printed.returncode == 0, printed.stderr
    recipe = read_recipe(tool)
    assert printed.stdout.endswith(f"{recipe.steps.replace('desk.example.com', 'help.acme.example')}\n")
    assert ("request below" in printed.stdout) <= ("```http" in printed.stdout)
    (key,) = re.findall(r"fk_\S+", printed.stdout)
    shell.env["API_KEY"] = "the key of an admin, long enough"
    with shell.running_here() as client:
        admin = Caller(client, shell.env["API_KEY"])
        assert Caller(client, key).get("/api/me").status_code in (200, 403)
        (row,) = [one for one in admin.get("/api/keys").json["data"] if one["name"] == recipe.title]
        (event,) = admin.get(f"/api/audit?subject_id={row['id']}").json["data"]
    assert (row["role"], row["scopes"]) == (recipe.role, recipe.scopes)
    assert timestamps.seconds_between(row["created_at"], row["expires_at"]) == pytest.approx(30 * 24 * 3600, abs=60)
    assert (event["action"], event["actor"]) == ("key_created", "command line")


def test_on_a_running_server_it_makes_the_key_there_and_writes_the_files(shell, tmp_path):
    with shell.running() as url:
        printed = shell.flask("connect", "n8n", "--files", str(tmp_path / "files"))
        assert printed.returncode == 0, printed.stderr
        assert f"{url}/desk" in printed.stdout
        assert f"Only tools on this machine reach {url}." in printed.stdout
    written = {path.name: path.read_text() for path in (tmp_path / "files").iterdir()}
    assert written == {
        path.name: path.read_text().replace("https://desk.example.com", url) for path in (FOLDER / "n8n").iterdir()
    }
