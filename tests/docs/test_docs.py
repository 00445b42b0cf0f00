"""The documents agree with the code: settings, commands, .env.example, links."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import yaml
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from config import HERE, Settings
from services.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
ROUTES = (ROOT / "docs" / "routes.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
PAGES = sorted(str(page.relative_to(ROOT)) for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PLAYED = ["README.md", "docs/accounts.md", "docs/commands.md", "docs/console.md"]
# This very suite, the environment that it runs in, and the same server in other forms.
NOT_PLAYED = ("pytest", "python3 -m venv", "make run", "python app.py", "gunicorn")
SET_BY_HOSTS = ("render", "dyno", "aws_lambda_function_name")


def default_of(name: str) -> str:
    """The default of a setting as the documents write it."""
    value = Settings.model_fields[name].default
    assert value is not PydanticUndefined
    text = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else str(value)
    return "`data`" if text == str(HERE / "data") else f"`{text}`" if text else ""


def config_table() -> str:
    """The table of variables as the code has it."""
    rows = [
        f"| `{name.upper()}` | {default_of(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it is |", "|---|---|---|", *rows])


def test_the_documents_list_every_variable_with_its_default():
    assert config_table() in CONFIGURATION


def test_the_variables_of_the_readme_are_rows_of_the_whole_table():
    table = README.partition("| variable | default | what it is |\n")[2].partition("\n\n")[0]
    assert len(table.splitlines()) > 10
    assert set(table.splitlines()) <= set(config_table().splitlines())


def test_env_example_names_every_setting_and_no_other():
    named = re.findall(r"^# ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert named == [name.upper() for name in Settings.model_fields if name not in SET_BY_HOSTS]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings in links, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, "connector/README.md", "recipes/README.md"])
def test_every_link_between_the_documents_works(page):
    links = re.findall(
        r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    )
    for target, anchor in links:
        linked = (ROOT / page).parent / target if target else ROOT / page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), f"{target}#{anchor}"


def test_the_readme_leads_to_every_document():
    links = set(re.findall(r"\]\(([^)#]+)", README))
    assert {page for page in PAGES if page != "README.md"} <= links


def test_every_file_in_the_readme_exists():
    named = re.findall(r"`((?:docs/|tests/|\.)?[\w/.-]+\.(?:md|py|yaml|json|txt|example))`", README)
    made_at_run_time = {"foyer.json"}
    assert [
        name for name in named if name not in made_at_run_time and name[0] != "/" and not (ROOT / name).exists()
    ] == []


def routes_of(text: str) -> set[tuple[str, str]]:
    """The routes that a document names, as (method, path)."""
    named = re.findall(r"`([A-Z]+(?:, [A-Z]+)*) (/[\w/{}.-]*)`", text)
    return {(method, path) for methods, path in named for method in methods.split(", ")}


def test_the_list_of_routes_is_complete_and_names_no_other(app_routes):
    assert {route for route in app_routes if route[1].startswith("/api")} <= routes_of(ROUTES) <= app_routes


def test_the_list_of_commands_is_complete_and_names_no_other(tmp_path):
    from app import create_app

    commands = create_app(Settings(_env_file=None, data_dir=tmp_path)).cli.commands
    served = {name for name, command in commands.items() if not command.help.startswith("Runs python -m tools.")}
    table = (ROOT / "docs" / "commands.md").read_text().partition("\n\n`import`")[0]
    assert set(re.findall(r"`flask ([a-z-]+)`", table)) == served


@pytest.fixture(scope="module")
def app_routes(tmp_path_factory):
    from app import create_app

    app = create_app(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("routes")))
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", lambda m: "{" + ("id" if m[1] == "ticket_id" else m[1]) + "}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def shell_blocks(text: str) -> list[str]:
    """The commands of a document, block by block."""
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@pytest.mark.skipif(sys.platform == "win32", reason="the commands of the documents are for a POSIX shell")
def test_every_command_of_the_documents_works(tmp_path, free_port):
    """In a copy of the project, document by document: the server runs beside, everything else must succeed."""
    copy = tmp_path / "foyer"
    ignored = shutil.ignore_patterns(".git", "data", ".venv", "node_modules", ".*_cache", ".env", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=ignored)
    (copy / "data").mkdir()
    for demo_file in (ROOT / "data").glob("demo_*.json"):
        shutil.copy(demo_file, copy / "data")
    install_in(copy)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(tmp_path), "PORT": str(free_port), "HOST": "127.0.0.1", "EMBEDDINGS": "static"}
    env["PIP_NO_DEPS"] = "1"  # each pin is read and found; that the pins agree, whoever made this environment has seen
    text = "".join((ROOT / page).read_text() for page in PLAYED).replace("127.0.0.1:5000", f"127.0.0.1:{free_port}")
    lines = [line for block in shell_blocks(text) for line in block.splitlines()]
    demo = (
        f'curl -s -X POST http://127.0.0.1:{free_port}/api/demo -H "X-API-Key: $(cat data/api_key)"'  # as the desk does
    )
    script = "\n".join(["set -e", demo, *(line for line in lines if not line.startswith(NOT_PLAYED))])
    assert "make run" in lines
    server = subprocess.Popen(["make", "run"], cwd=copy, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{free_port}/health")
        done = subprocess.run(["bash", "-c", script], cwd=copy, env=env, capture_output=True, text=True, timeout=900)
    finally:
        server.terminate()
        server.wait(timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"success":false' not in done.stdout, done.stdout


def install_in(folder: Path) -> None:
    """The environment of this very suite, as `make` would have installed it."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (folder / ".venv" / "installed").touch()


def wait_for(url: str) -> None:
    """Returns when the server answers."""
    for _ in range(1200):
        try:
            requests.get(url, timeout=5)
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nothing answers at {url}")


def test_the_render_blueprint_keeps_its_data_and_uses_no_deprecated_key():
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text())
    service = blueprint["services"][0]
    assert not {"env", "autoDeploy"} & set(service)
    values = {item["key"]: item.get("value") for item in service["envVars"]}
    assert values["DATA_DIR"] == service["disk"]["mountPath"]
    assert service["plan"] != "free"
    assert re.fullmatch(r"\d+\.\d+\.\d+", values["PYTHON_VERSION"])
    assert values["WEB_CONCURRENCY"] == "1"
    generated = {item["key"] for item in service["envVars"] if item.get("generateValue")}
    assert {"API_KEY", "SECRET_KEY"} <= generated
    known = {name.upper() for name in Settings.model_fields} | {"PYTHON_VERSION", "WEB_CONCURRENCY"}
    assert set(values) <= known


def test_the_documents_explain_every_setting_of_a_company():
    section = CONFIGURATION.partition("## Settings of a company\n")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", section, re.MULTILINE))
    assert rows == {name: setting.about for name, setting in SETTINGS.items()}
