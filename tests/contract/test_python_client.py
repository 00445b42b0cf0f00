"""The client that openapi-python-client makes of /openapi.json is complete and works (recipes/python.md)."""

import os
import re
import subprocess
import sys
from pathlib import Path

from commands.connect import ADDRESS, FOLDER, read_recipe
from tests.fakes.running_server import KEY, ROOT

PAGE = (FOLDER / "python.md").read_text()
PROGRAM = re.search(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_the_client_is_generated_without_a_warning_and_its_program_runs(desk_url, tmp_path):
    generate = re.search(r"`(openapi-python-client generate .*?)`", read_recipe("python").steps)[1]
    words = generate.replace(ADDRESS, desk_url).replace("--output-path ", f"--output-path {tmp_path}/").split()
    words[0] = str(Path(sys.executable).with_name(words[0]))
    generated = subprocess.run([*words, "--fail-on-warning"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert generated.returncode == 0, generated.stdout + generated.stderr
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "FOYER_URL": desk_url, "FOYER_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Ticket #\d+ is resolved\. resolved\n", done.stdout)
