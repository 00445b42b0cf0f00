"""The modules of the console keep to the types in their comments. TypeScript reads them; Foyer runs without it."""

import json
import os
import shutil
import subprocess

import pytest

from tests.fakes.postgres_server import not_here
from web.assets import HERE

TSC = os.environ.get("TSC") or shutil.which("tsc")
CONFIG = HERE / "app" / "tsconfig.json"


@pytest.fixture
def check():
    """Checks what a configuration names; gives the exit code and the faults."""
    if not TSC:
        not_here("TypeScript is not installed: npm install typescript@7, then TSC=<path to it> unless it is on PATH.")

    def run(config):
        result = subprocess.run([TSC, "--project", str(config)], capture_output=True, text=True, check=False)
        return result.returncode, result.stdout

    return run


def test_no_module_misuses_a_type(check):
    assert check(CONFIG) == (0, "")


def test_a_planted_fault_is_named(check, tmp_path):
    (tmp_path / "wrong.js").write_text("/** @type {number} */\nexport const number = 'one';\n")
    config = tmp_path / "tsconfig.json"
    config.write_text(json.dumps({"extends": str(CONFIG), "include": ["*.js"]}))
    code, faults = check(config)
    assert code != 0
    assert "wrong.js(2,14): error TS2322" in faults
