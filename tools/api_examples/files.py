"""Development only: writes generated files, or says with --check which of them differ from what the code makes."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from config import HERE
from tools.api_examples.scenario import ScenarioError


def write_or_check(about: str, make: Callable[[], dict[str, str]]) -> None:
    """Runs a generator from the command line. `make` gives the text of each file by its path."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    parser.add_argument("--folder", type=Path, default=HERE, help="the folder of the files")
    arguments = parser.parse_args()
    try:
        files = make()
    except ScenarioError as error:
        sys.exit(str(error))
    differing = [path for path, text in files.items() if _text_of(arguments.folder / path) != text]
    if arguments.check and differing:
        sys.exit(f"Not what the code makes: {', '.join(differing)}. Run {Path(sys.argv[0]).stem} without --check.")
    for path in differing:
        (arguments.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (arguments.folder / path).write_text(files[path], encoding="utf-8")
    sys.stdout.write(f"Written: {', '.join(differing)}.\n" if differing else "Every file is what the code makes.\n")


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
