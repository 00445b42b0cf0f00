"""The locked requirements: every library of an image and of CI is pinned with the hashes of its files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ENTRY = re.compile(r"^([\w.-]+)(?:\[\w+\])?==([^\s;\\]+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    """What a requirements file pins, as (name, version)."""
    text = (ROOT / name).read_text()
    return {(library.lower().replace("_", "-"), version) for library, version in ENTRY.findall(text)}


def hashes(name: str) -> dict[str, set[str]]:
    """The hashes of each entry of a lock file, by `name==version`."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text())
    return {
        entry.split()[0]: set(re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", entry))
        for entry in entries
        if "==" in entry
    }


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_a_lock_file_pins_every_requirement_with_hashes(name):
    """When this fails, make the lock files anew (CONTRIBUTING.md)."""
    assert pins(f"{name}.txt") <= pins(f"{name}.lock")
    assert all(hashes(f"{name}.lock").values())


def test_ci_uses_the_libraries_of_the_image():
    served, checked = hashes("requirements.lock"), hashes("requirements-dev.lock")
    assert served.items() <= checked.items()


@pytest.mark.parametrize(("file", "lock"), [("Dockerfile", "requirements.lock"), (".ci/run", "requirements-dev.lock")])
def test_an_install_without_hashes_is_not_possible(file, lock):
    installs = [line for line in (ROOT / file).read_text().splitlines() if re.search(r"\bpip\b.* install .*-r ", line)]
    assert len(installs) == 2
    assert f"--require-hashes -r {lock}" in installs[0]
    assert "requirements-semantic.txt" in installs[1], "whose one line has its hash"
    assert pins("requirements-semantic.txt")
    assert "--hash=sha256:" in (ROOT / "requirements-semantic.txt").read_text()
