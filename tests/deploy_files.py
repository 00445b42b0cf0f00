"""Reading the files hosts read: blueprints, Dockerfile, compose file; and what is wrong with one, each fault by a name."""

import ast
import json
import re
from fnmatch import fnmatch
from typing import Any

from pydantic import SecretStr

from config import Settings
from tests.running_desk import ROOT

START = (ROOT / "Procfile").read_text().strip().removeprefix("web: ")
PLATFORM = {"PYTHON_VERSION", "WEB_CONCURRENCY", "PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
KNOWN = {name.upper() for name in Settings.model_fields} | PLATFORM
SECRETS = {name.upper() for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
FULL_VERSION = re.compile(r"3\.(\d+)\.\d+")

BLUEPRINT_KEYS = {"services", "databases", "envVarGroups", "projects", "previews"}
SERVICE_KEYS = set(
    "type name runtime region plan branch rootDir buildCommand preDeployCommand startCommand healthCheckPath "
    "autoDeployTrigger maxShutdownDelaySeconds domains envVars buildFilter disk scaling numInstances".split()
)
DEPRECATED = {"env", "autoDeploy", "redis", "previewsEnabled"}
VALUE_KEYS = {"value", "generateValue", "sync", "fromDatabase", "fromService", "fromGroup"}
BUILD_TOOLS = r"\b(apt|apt-get|apk|gcc|g\+\+|build-essential|make|pip\S* install)\b"


def gunicorn_setting(name: str) -> Any:
    """A constant of gunicorn.conf.py."""
    for node in ast.parse((ROOT / "gunicorn.conf.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:  # type: ignore[attr-defined]
            return ast.literal_eval(node.value)
    raise AssertionError(f"gunicorn.conf.py does not set {name}")


def blueprint_faults(blueprint: dict[str, Any], *, paths: set[str]) -> set[str]:
    """What is wrong with a Render blueprint of one web service; `paths` are those the app serves."""
    faults = {"unknown key" for key in blueprint if key not in BLUEPRINT_KEYS}
    for service in blueprint["services"]:
        faults |= service_faults(service, paths) | database_faults(service, blueprint.get("databases", []))
    return faults


def database_faults(service: dict[str, Any], databases: list[dict[str, Any]]) -> set[str]:
    """What is wrong with the databases of a blueprint, and with what a service says of them."""
    told = [
        item["fromDatabase"] for item in service["envVars"] if item["key"] == "DATABASE_URL" and "fromDatabase" in item
    ]
    known = {(database["name"], "connectionString") for database in databases}
    found = {
        "no such database": any((one.get("name"), one.get("property")) not in known for one in told),
        "database nobody uses": len(told) < len(databases),
        "database that is deleted": any(database.get("plan", "free") == "free" for database in databases),
        "database open to everybody": any(database.get("ipAllowList") != [] for database in databases),
    }
    return {name for name, wrong in found.items() if wrong}


def service_faults(service: dict[str, Any], paths: set[str]) -> set[str]:
    values = {item["key"]: item.get("value") for item in service["envVars"]}
    disk, limit = service.get("disk"), service.get("maxShutdownDelaySeconds", 30)
    mount = disk["mountPath"] if disk else ""
    json_file = "DATABASE_URL" not in values
    version = FULL_VERSION.fullmatch(str(values.get("PYTHON_VERSION")))
    found = {
        "deprecated key": bool(DEPRECATED & set(service)),
        "unknown key": bool(set(service) - SERVICE_KEYS - DEPRECATED),
        "not a Python web service": (service["type"], service["runtime"]) != ("web", "python"),
        "disk on a free plan": bool(disk) and service["plan"] == "free",
        "forbidden mount": mount in ("/", "/etc", "/opt/render/project", "/opt/render/project/src"),
        "data beside the disk": bool(disk) and values.get("DATA_DIR") != mount,
        "several processes on one file": json_file
        and (values.get("WEB_CONCURRENCY") != "1" or service.get("numInstances", 1) != 1 or "scaling" in service),
        "Python not pinned": not version or int(version[1]) < 11,
        "no such health path": service.get("healthCheckPath") not in paths,
        "other start command": service["startCommand"] != START,
        "libraries not installed": "pip install -r requirements.txt" not in service["buildCommand"],
        "killed before it has finished": not gunicorn_setting("graceful_timeout") < limit <= 300,
        "proxy not trusted": values.get("TRUSTED_PROXIES") != "1",
        "no key of its own": not {"API_KEY", "SECRET_KEY"} <= set(values),
    }
    return {name for name, wrong in found.items() if wrong} | variable_faults(service["envVars"])


def variable_faults(variables: list[dict[str, Any]]) -> set[str]:
    """What is wrong with the environment variables of a blueprint."""
    faults = set()
    names = [item["key"] for item in variables]
    if len(names) != len(set(names)):
        faults.add("variable twice")
    for item in variables:
        if item["key"] not in KNOWN:
            faults.add("unknown variable")
        if len(VALUE_KEYS & set(item)) != 1 or len(item) != 2:
            faults.add("variable without one source")
        if "value" in item and not isinstance(item["value"], str):
            faults.add("value is not text")
        if item["key"] in SECRETS and "value" in item:
            faults.add("secret in the file")
    return faults


Stage = list[tuple[str, str]]


def stages(dockerfile: str) -> list[Stage]:
    """The instructions of each stage, in order, with continued lines put together."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() == "FROM":
            found.append([])
        found[-1].append((instruction.upper(), rest.strip()))
    return found


def variables(stage: Stage) -> dict[str, str]:
    """What the ENV instructions of a stage set."""
    return dict(pair.split("=", 1) for word, rest in stage if word == "ENV" for pair in rest.split())


def health_command(stage: Stage) -> list[str]:
    """The command of the last HEALTHCHECK, [] when there is none or it needs a shell."""
    checks = [rest.partition("CMD ")[2] for word, rest in stage if word == "HEALTHCHECK"]
    return list(json.loads(checks[-1])) if checks and checks[-1].startswith("[") else []


def dockerfile_faults(text: str, *, python: str) -> set[str]:
    """What is wrong with the Dockerfile; `python` is the version the other hosts run."""
    every = stages(text)
    first, last = every[0], every[-1]
    words = [word for word, _ in last]
    where = {rest: place for place, (word, rest) in enumerate(last) if word == "COPY"}
    user = [rest for word, rest in last if word == "USER"]
    health, env = health_command(last), variables(last)
    installed = [place for place, (word, rest) in enumerate(first) if word == "RUN" and "requirements.txt" in rest]
    copied = [place for place, (word, rest) in enumerate(first) if word == "COPY" and "requirements.txt" in rest]
    found = {
        "one stage": len(every) < 2,
        "another Python": any(not stage[0][1].startswith(f"python:{python}-slim") for stage in every),
        "runs as root": not user or user[-1].split(":")[0] in ("0", "root"),
        "root again after USER": "USER" in words and "RUN" in words[words.index("USER") :],
        "build tools in the image": any(word == "RUN" and re.search(BUILD_TOOLS, rest) for word, rest in last),
        "libraries after the source": not copied
        or not installed
        or copied[0] > installed[0]
        or ("COPY", ". .") in first,
        "source before the libraries": where.get(". .", -1) < where.get("--from=libraries /venv /venv", 99),
        "no health check": not health or health[0] != "python" or "/health" not in health[-1],
        "other start command": next((json.loads(rest) for word, rest in last if word == "CMD"), []) != START.split(),
        "port not exposed": not env.get("PORT") or ("EXPOSE", env["PORT"]) not in last,
        "no place for data": "DATA_DIR" not in env or "VOLUME" in words,
        "unknown variable": bool(set(env) - KNOWN),
        "secret in the image": any(name in SECRETS for name in env) or "ARG" in words,
    }
    return {name for name, wrong in found.items() if wrong}


def seconds(text: str) -> int:
    """A duration of a compose file like `30s`."""
    assert re.fullmatch(r"\d+s", text), text
    return int(text[:-1])


def compose_faults(compose: dict[str, Any], *, image: Stage) -> set[str]:
    """What is wrong with the compose file; `image` is the last stage of the Dockerfile."""
    service = compose["services"]["foyer"]
    env = service["environment"]
    mounts = [volume.split(":") for volume in service["volumes"]]
    address, _, inside = service["ports"][0].rpartition(":")
    files = service.get("env_file", [])
    found = {
        "data not on a volume": [env["DATA_DIR"]] != [place for name, place in mounts if name in compose["volumes"]],
        "other data folder": env["DATA_DIR"] != variables(image)["DATA_DIR"],
        "other port": {inside, env["PORT"]} != {variables(image)["PORT"]},
        "open to everybody": not address.startswith("127.0.0.1:"),
        "listens to itself": env["HOST"] != "0.0.0.0",
        "needs a .env file": any(not isinstance(file, dict) or file["required"] for file in files),
        "other health check": "healthcheck" in service or not health_command(image),
        "killed before it has finished": seconds(service["stop_grace_period"]) <= gunicorn_setting("graceful_timeout"),
        "several processes on one file": bool({"deploy", "scale"} & set(service)),
        "unknown variable": bool(set(env) - KNOWN),
        "secret in the file": any(not env[name].startswith("${") for name in SECRETS & set(env)),
        "not production": env["APP_ENV"] != "production" or ":?" not in env["SECRET_KEY"],
        "gone after a fall": service.get("restart") not in ("always", "unless-stopped"),
    }
    return {name for name, wrong in found.items() if wrong}


def left_out(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore keeps a file out of the image; the last pattern that fits decides."""
    out = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        parts = path.split("/")
        leading = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        fits = any(fnmatch(part, wanted.removeprefix("**/")) for part in parts) if "**/" in wanted else False
        if fits or any(fnmatch(place, wanted) and place.count("/") == wanted.count("/") for place in leading):
            out = not pattern.startswith("!")
    return out
