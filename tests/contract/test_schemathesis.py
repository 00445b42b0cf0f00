"""Schemathesis holds every operation of /openapi.json to its description, with every check (case 43)."""

import os
import subprocess
import sys
from pathlib import Path

from tests.fakes.running_server import KEY, ROOT

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# Few variables, since each call looks through all of them for a proxy.
PLACES = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
FEW = ("--max-examples", "2", "--no-shrink")  # of the random cases; every boundary is sent
OPTIONS = ("--seed", "1", "--continue-on-failure", "--warnings", "off", "--no-color", *FEW)


def test_every_operation_is_as_described(desk_url):
    """The examples, every boundary, random cases and random sequences; in one run, which starts and reads once."""
    command = [PROGRAM, "--config-file", CONFIGURATION, "run", f"{desk_url}/openapi.json", "--url", desk_url]
    done = subprocess.run(
        [*command, *OPTIONS],
        cwd=ROOT,
        env={**PLACES, "FOYER_KEY": KEY, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert all(f"{phase} (in" in done.stdout for phase in ("Examples", "Coverage", "Fuzzing", "Stateful")), done.stdout
