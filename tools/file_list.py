"""Development only: the list of files in docs/architecture.md, made from the first sentence of each module's docstring.

`python -m tools.file_list` writes it; `--check` fails when it differs.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
MARK = "<!-- Written by python -m tools.file_list; everything below follows from the modules' docstrings. -->\n"
NOT_LISTED = {"tests", "versions", ".venv", "venv", "node_modules"}


def first_sentence(path: Path) -> str:
    """The first paragraph of a module's docstring as one line. Raises SystemExit when there is none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not docstring:
        raise SystemExit(f"{path} has no docstring")
    return " ".join(docstring.partition("\n\n")[0].split()).replace("|", "\\|")


def listing() -> str:
    """A table for each folder: file and first sentence."""
    folders: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        if not NOT_LISTED & set(place.parts):
            row = f"| `{place.as_posix()}` | {first_sentence(path)} |"
            folders.setdefault(place.parent.as_posix(), []).append(row)
    return "\n".join(
        "\n".join(
            [
                f"\n### {'The root' if folder == '.' else f'{folder}/'}\n",
                "| file | what lives there |",
                "|---|---|",
                *rows,
            ]
        )
        for folder, rows in folders.items()
    )


def main() -> None:
    """Writes the list into the page, or with --check compares."""
    text = PAGE.read_text(encoding="utf-8")
    head, mark, _ = text.partition(MARK)
    if not mark:
        raise SystemExit(f"{PAGE} has no line {MARK}")
    page = f"{head}{MARK}{listing()}\n"
    if "--check" in sys.argv and page != text:
        raise SystemExit("docs/architecture.md is out of date. Run python -m tools.file_list.")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
