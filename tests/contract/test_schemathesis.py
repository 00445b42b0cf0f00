"""Schemathesis holds every operation of /openapi.json to its description, with every check (case 43)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.running_server import KEY, ROOT

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
FEW = ("--max-examples", "2", "--no-shrink")


@pytest.mark.parametrize(
    "phases", [("examples,coverage",), ("fuzzing,stateful", *FEW)], ids=["every boundary", "random sequences"]
)
def test_every_operation_is_as_described(desk_url, phases):
    command = [PROGRAM, "--no-color", "--config-file", CONFIGURATION, "run", f"{desk_url}/openapi.json"]
    options = ["--url", desk_url, "--seed", "1", "--continue-on-failure", "--warnings", "off", "--phases"]
    done = subprocess.run(
        [*command, *options, *phases],
        cwd=ROOT,
        env={**os.environ, "FOYER_KEY": KEY, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
