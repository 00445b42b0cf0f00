"""Development only: `python -m tools.screenshots DIR` writes a picture of every page: wide, narrow, light and dark.

Names of pages after DIR picture those alone. Nothing needs to run: a desk with demo data is made and removed.
"""

import importlib.util
import sys
from pathlib import Path

import click

from tools.screenshots.pages import PAGES


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", nargs=-1, type=click.Choice([page.name for page in PAGES]))
def main(folder: Path, names: tuple[str, ...]) -> None:
    """Write a picture of every page into FOLDER, or of the pages with these NAMES."""
    if importlib.util.find_spec("playwright") is None:
        raise click.ClickException("Playwright is not installed. Install it with: pip install -r requirements-dev.txt")
    from tools.screenshots.browser import NoBrowser, open_browser  # which need it
    from tools.screenshots.pictures import take
    from tools.screenshots.server import open_desk

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with open_browser() as browser, open_desk() as desk:
            for file in take(browser, desk, folder, [page for page in PAGES if not names or page.name in names]):
                click.echo(file)
    except NoBrowser as error:
        raise click.ClickException(str(error)) from error


main(prog_name=sys.argv[0] if sys.argv[0].startswith("flask ") else "python -m tools.screenshots")
