"""The start of the function: what AWS Lambda cannot do is refused in a sentence, and the entry point serves a recorded event."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import ConfigError, load_settings
from core.errors import StorageError
from tests.conftest import SECRET
from tests.deploy.conftest import ON_LAMBDA
from tests.support.lambda_events import event, json_of

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "fk_an-admin-key-of-the-function"
WORKING = {
    "AWS_LAMBDA_FUNCTION_NAME": "foyer",
    "DATABASE_URL": "postgresql://foyer@127.0.0.1/foyer",
    "ATTACHMENTS_URL": "s3://foyer-files",
    "API_KEY": KEY,
    "SECRET_KEY": SECRET,
}
REFUSED = {
    "the JSON file": ("DATABASE_URL", "DATABASE_URL must name a PostgreSQL"),
    "a folder for attached files": ("ATTACHMENTS_URL", "ATTACHMENTS_URL must name an S3 bucket"),
    "a key made at the first start": ("API_KEY", "API_KEY must be given"),
    "a secret made at the first start": ("SECRET_KEY", "SECRET_KEY must be 32 bytes or more"),
}


@pytest.mark.parametrize(("name", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_needs_a_file_is_refused_at_the_start(monkeypatch, name, sentence):
    for variable, value in WORKING.items():
        monkeypatch.setenv(variable, value)
    assert load_settings().production
    monkeypatch.delenv(name)
    with pytest.raises(ConfigError, match=sentence):
        load_settings()


def test_threads_after_the_answer_are_refused(open_app):
    with pytest.raises(StorageError, match=r"deploy\.aws\.entry\.handler"):
        open_app(**ON_LAMBDA).extensions["runtime"].start()


SCRIPT = """
import json, logging, sys
import config
config.Settings.model_config["env_file"] = None
logging.basicConfig(format="host %(message)s")  # as Lambda does before it imports the handler
from deploy.aws.entry import handler
from tests.support.lambda_events import Context
logging.getLogger("foyer").warning("card 4242 4242 4242 4242")
print(json.dumps([handler(json.loads(line), Context()) for line in sys.stdin]))
"""


def test_the_entry_point_opens_the_server_and_masks_the_log(database_url, tmp_path):
    events = [event("rest_api", "GET", "/api/me", x_api_key=KEY), {"work": "schedule"}]
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG", "VIRTUAL_ENV") if name in os.environ}
    own = {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "EMBEDDINGS": "static"}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input="\n".join(map(json.dumps, events)),
        env={**inherited, **WORKING, **own, "AWS_DEFAULT_REGION": "eu-west-1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    me, run = json.loads(result.stdout)
    assert json_of(me)["data"]["role"] == "admin"
    assert run == {"jobs": 0}
    assert "card" in result.stderr
    assert "4242 4242" not in result.stderr
    assert list(tmp_path.iterdir()) == [], "no file is written"
