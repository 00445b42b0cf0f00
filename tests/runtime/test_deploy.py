"""Deployment files: blueprints, Procfile, Dockerfile, compose file, and the guide."""

import ast
import re
import shlex
import subprocess
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from app import create_app
from config import Settings
from tests.fakes.running_server import ROOT

BLUEPRINTS = {
    name: yaml.safe_load((ROOT / name).read_text())
    for name in ("render.yaml", "render.free.yaml", "render.postgres.yaml")
}
START = "gunicorn app:app"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
GUIDE = (ROOT / "docs" / "deploy.md").read_text()
PLATFORM = {"PYTHON_VERSION", "WEB_CONCURRENCY", "PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
KNOWN = {name.upper() for name in Settings.model_fields} | PLATFORM
SECRETS = {name.upper() for name, field in Settings.model_fields.items() if field.annotation is SecretStr}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("deploy")))


def graceful_timeout() -> int:
    """How many seconds gunicorn lets requests finish."""
    for node in ast.parse((ROOT / "gunicorn.conf.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "graceful_timeout":
            return int(ast.literal_eval(node.value))
    raise AssertionError("gunicorn.conf.py does not set graceful_timeout")


def values(service: dict[str, Any]) -> dict[str, Any]:
    """The variables of a blueprint's service; None for one that is not written there."""
    return {item["key"]: item.get("value") for item in service["envVars"]}


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_a_blueprint_fits_the_app(name, app):
    [service] = BLUEPRINTS[name]["services"]
    env = values(service)
    assert (service["type"], service["runtime"], service["startCommand"]) == ("web", "python", START)
    assert "pip install -r requirements.txt" in service["buildCommand"]
    assert service["healthCheckPath"] in {rule.rule for rule in app.url_map.iter_rules()}
    assert graceful_timeout() < service.get("maxShutdownDelaySeconds", 30) <= 300
    assert re.fullmatch(r"3\.1[1-9]\.\d+", env["PYTHON_VERSION"])
    assert set(env) <= KNOWN
    assert {"API_KEY", "SECRET_KEY"} <= set(env)
    assert env["TRUSTED_PROXIES"] == "1"
    assert not [key for key in SECRETS & set(env) if env[key] is not None]
    assert all(isinstance(value, str) for value in env.values() if value is not None)
    assert "DATABASE_URL" in env or env["WEB_CONCURRENCY"] == "1"


def test_the_production_blueprint_keeps_data_and_the_demo_does_not():
    production, demo, shared = (BLUEPRINTS[name]["services"][0] for name in BLUEPRINTS)
    assert values(production)["APP_ENV"] == "production"
    assert production["plan"] != "free"
    assert values(production)["DATA_DIR"] == production["disk"]["mountPath"]
    assert demo["plan"] == "free"
    assert "disk" not in demo
    assert "disk" not in shared
    assert len({production["name"], demo["name"], shared["name"]}) == 3, "they can stand side by side"
    semantic = "pip install --no-deps -r requirements-semantic.txt"
    assert [semantic in service["buildCommand"] for service in (production, demo, shared)] == [True, False, True]


def test_the_shared_blueprint_creates_and_uses_a_private_database():
    blueprint = BLUEPRINTS["render.postgres.yaml"]
    [database] = blueprint["databases"]
    [source] = [item for item in blueprint["services"][0]["envVars"] if item["key"] == "DATABASE_URL"]
    assert source["fromDatabase"] == {"name": database["name"], "property": "connectionString"}
    assert database["plan"] != "free"
    assert database["ipAllowList"] == []


def test_the_procfile_and_the_image_start_the_same_server():
    assert (ROOT / "Procfile").read_text() == f"web: {START}\n"
    assert 'CMD ["gunicorn", "app:app"]' in DOCKERFILE
    started = re.findall(r"^ExecStart=(.*)$", GUIDE, re.MULTILINE)
    assert [shlex.split(line)[-2:] for line in started] == [["/srv/foyer/.venv/bin/gunicorn", "app:app"]]


def test_the_image_is_small_and_runs_without_root():
    _, libraries, last = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    version = values(BLUEPRINTS["render.yaml"]["services"][0])["PYTHON_VERSION"]
    assert libraries.startswith(f"python:{version}-slim")
    assert last.startswith(f"python:{version}-slim")
    assert "COPY . ." not in libraries
    assert last.index("COPY --from=libraries") < last.index("COPY . .")
    assert "RUN" not in last[last.index("USER 10001") :].split()
    assert "apt" not in last
    assert re.findall(r"PORT=(\d+)", last) == re.findall(r"EXPOSE (\d+)", last)
    assert "/health" in last
    assert not [name for name in SECRETS if f"{name}=" in DOCKERFILE]


def test_the_image_holds_no_keys_data_or_history():
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    assert {
        ".git",
        ".env",
        ".env.*",
        "data/*",
        "!data/demo_tickets.json",
        "!data/demo_articles.json",
        "tests",
        "**/__pycache__",
    } <= set(patterns)


def test_compose_fits_the_image():
    service = COMPOSE["services"]["foyer"]
    env = service["environment"]
    assert service["volumes"] == ["foyer-data:/data"]
    assert list(COMPOSE["volumes"]) == ["foyer-data"]
    assert (env["DATA_DIR"], env["PORT"], env["APP_ENV"]) == ("/data", "5000", "production")
    assert "DATA_DIR=/data" in DOCKERFILE
    assert service["ports"] == ["127.0.0.1:5000:5000"]
    assert set(env) <= KNOWN
    assert env["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].removesuffix("s")) > graceful_timeout()
    assert not {"deploy", "scale", "healthcheck"} & set(service)


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


def test_the_commands_settings_and_files_of_the_guide_exist(app):
    for block in shell_blocks():
        assert subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True).stderr == ""
    commands = set(re.findall(r"\bflask ([\w-]+)", GUIDE))
    assert {"demo", "smoke", "copy", "backup", "restore"} <= commands <= set(app.cli.commands)
    own = set(re.findall(r"^([A-Z]+)=", "\n".join(shell_blocks()), re.MULTILINE))
    named = set(re.findall(r"(?:\\n|\b)([A-Z][A-Z_]+)=", "\n".join(shell_blocks())))
    assert {"SECRET_KEY", "DATA_DIR", "APP_ENV"} <= named
    assert named - own <= KNOWN | {"RAILWAY_DEPLOYMENT_DRAINING_SECONDS", "RAILWAY_RUN_UID"}
    files = set(re.findall(r"`([\w./]+\.(?:yaml|py|txt|md))`", GUIDE)) | {"Dockerfile", "Procfile"}
    assert [name for name in files if not (ROOT / name).exists()] == []
