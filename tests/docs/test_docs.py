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
SET_BY_HOSTS = ("render", "dyno", "aws_lambda_function_name")


def default_of(name: str) -> str:
    """The default of a setting as the README writes it."""
    value = Settings.model_fields[name].default
    assert value is not PydanticUndefined
    text = value.get_secret_value() if isinstance(value, SecretStr) else "" if value is None else str(value)
    return "`data`" if text == str(HERE / "data") else f"`{text}`" if text else ""


def config_table() -> str:
    """The README's configuration table as the code has it."""
    rows = [
        f"| `{name.upper()}` | {default_of(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it is |", "|---|---|---|", *rows])


def test_the_readme_lists_every_setting_with_its_default():
    assert config_table() in README


def test_env_example_names_every_setting_and_no_other():
    named = re.findall(r"^# ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert named == [name.upper() for name in Settings.model_fields if name not in SET_BY_HOSTS]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/metrics.md"])
def test_every_link_between_the_documents_works(page):
    folder = (ROOT / page).parent
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    assert all((folder / target).exists() for target in targets)


def test_every_file_in_the_readme_exists():
    named = re.findall(r"`((?:docs/|tests/|\.)?[\w/.-]+\.(?:md|py|yaml|json|txt|example))`", README)
    made_at_run_time = {"foyer.json"}
    assert [
        name for name in named if name not in made_at_run_time and name[0] != "/" and not (ROOT / name).exists()
    ] == []


def test_every_route_the_readme_names_exists(app_routes):
    named = set(
        re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE)(?:, (?:GET|POST|PUT|PATCH|DELETE))*) (/[\w/{}.-]*)`", README)
    )
    assert named
    for methods, path in named:
        for method in methods.split(", "):
            assert (method, path) in app_routes, (method, path)


def test_the_readme_names_every_route(app_routes):
    named = {
        (method, path)
        for methods, path in re.findall(r"`([A-Z]+(?:, [A-Z]+)*) (/[\w/{}.-]*)`", README)
        for method in methods.split(", ")
    }
    assert {(method, path) for method, path in app_routes if path.startswith("/api")} <= named


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


@pytest.mark.skipif(sys.platform == "win32", reason="the README's commands are for a POSIX shell")
def test_every_command_of_the_readme_works(tmp_path, free_port):
    """In a copy of the project, top to bottom: the server runs beside, everything else must succeed."""
    copy = tmp_path / "foyer"
    ignored = shutil.ignore_patterns(
        ".git", "data", ".venv", "node_modules", "__pycache__", ".*_cache", ".env", ".hypothesis"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    (copy / "data").mkdir()
    if (ROOT / "data" / "demo_tickets.json").exists():
        shutil.copy(ROOT / "data" / "demo_tickets.json", copy / "data")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(tmp_path), "PORT": str(free_port), "HOST": "127.0.0.1", "EMBEDDINGS": "static"}
    blocks = [block.replace("127.0.0.1:5000", f"127.0.0.1:{free_port}") for block in shell_blocks(README)]
    server, script = None, "set -e\n"
    try:
        for block in blocks:
            for line in block.splitlines():
                if line.startswith(("pytest", "python3 -m venv", "gunicorn")) or ".ci/run" in line:
                    continue  # this very suite; the environment it runs in; the same server in its production form
                if line == "python app.py":
                    server = subprocess.Popen([sys.executable, "app.py"], cwd=copy, env=env, stdout=subprocess.DEVNULL)
                    wait_for(f"http://127.0.0.1:{free_port}/health")
                    continue
                if server is None:
                    subprocess.run(["bash", "-ec", line], cwd=copy, env=env, check=True, capture_output=True)
                else:
                    script += line + "\n"
        done = subprocess.run(["bash", "-c", script], cwd=copy, env=env, capture_output=True, text=True, timeout=300)
    finally:
        if server:
            server.terminate()
            server.wait(timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"success":false' not in done.stdout, done.stdout


def wait_for(url: str) -> None:
    """Returns when the server answers."""
    for _ in range(150):
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
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


def test_the_readme_explains_every_setting_of_a_company():
    section = README.partition("## Settings\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", section, re.MULTILINE))
    assert rows == {name: setting.about for name, setting in SETTINGS.items()}
