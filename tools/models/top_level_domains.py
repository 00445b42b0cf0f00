"""Makes ai/reply_checks/top_level_domains.txt: all top-level domains of the internet, from the Public Suffix List.

    pip install publicsuffixlist
    python -m tools.models.top_level_domains

The package publishes Mozilla's list several times a month. Its ICANN part holds all top-level domains of IANA.
"""

import re
import textwrap
from pathlib import Path

import click

ENDINGS = Path(__file__).resolve().parent.parent.parent / "ai" / "reply_checks" / "top_level_domains.txt"
PACKAGE = "publicsuffixlist"
BEGIN, END = "===BEGIN ICANN DOMAINS===", "===END ICANN DOMAINS==="


@click.command(help=__doc__)
@click.argument("suffixes", type=click.Path(path_type=Path, exists=True), required=False)
def main(suffixes: Path | None) -> None:
    """Writes the file, from the installed package or from a list on disk."""
    text = (suffixes or _installed()).read_text(encoding="utf-8")
    version = re.search(r"VERSION: (\S+)", text)
    endings = top_level(text)
    head = (
        "# Endings of host names: the ICANN part of the Public Suffix List (https://publicsuffix.org, MPL 2.0),\n"
        f"# version {version[1] if version else 'unknown'}, {len(endings)} of them. Made by tools/models/top_level_domains.py.\n"
    )
    ENDINGS.write_text(head + textwrap.fill(" ".join(endings), 120, break_on_hyphens=False) + "\n", encoding="utf-8")
    click.echo(f"{ENDINGS.name}: {len(endings)} endings.")


def top_level(suffixes: str) -> list[str]:
    """The last labels of a list of public suffixes, in Unicode, sorted."""
    official = suffixes[suffixes.index(BEGIN) + len(BEGIN) : suffixes.index(END)]
    lines = (line.strip() for line in official.splitlines())
    return sorted({line.rpartition(".")[2].lstrip("*!") for line in lines if line and not line.startswith("//")})


def _installed() -> Path:
    from importlib.util import find_spec

    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise click.ClickException(f"Install the list first: pip install {PACKAGE}")
    return Path(package.origin).parent / "public_suffix_list.dat"


if __name__ == "__main__":
    main()
