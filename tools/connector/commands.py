"""The flask commands about the connector: make its files, check them, release what apps rely on.

They read only declarations and files, never the server's data.
"""

import sys
from pathlib import Path

import click

from config import HERE
from tools.connector.files import DEFINITION, HOST, connector_files
from tools.connector.lint import lint_folder
from tools.connector.rules import BARE_HOST
from tools.connector.surface import LOCK, breaks, locked, read_lock, surface

FOLDER = HERE / "connector"
_folder = click.Path(file_okay=False, path_type=Path)


def _bare(_: click.Context, __: click.Parameter, host: str) -> str:
    """The host as it was given. Raises BadParameter for one the platform would refuse."""
    if not BARE_HOST.fullmatch(host):
        raise click.BadParameter("give the bare host name, such as my-desk.onrender.com, without https:// and path.")
    return host


@click.command("connector")
@click.option(
    "--host", default=HOST, show_default=True, callback=_bare, help="The server's host, without https:// and path."
)
@click.option("--folder", type=_folder, default=FOLDER, help="Where the files are; connector/ beside the code.")
@click.option("--check", is_flag=True, help="Write nothing; fail when a file differs or would break apps in use.")
@click.option("--release", is_flag=True, help="Also note the operations as they are now as what apps rely on.")
def connector(host: str, folder: Path, *, check: bool, release: bool) -> None:
    """Make the Power Platform connector's files from the code."""
    if check and release:
        raise click.UsageError("--check writes nothing and --release does; give one of them.")
    if host != HOST and folder.resolve() == FOLDER.resolve():
        raise click.UsageError(f"The files in {FOLDER} name {HOST}; for {host} name a folder with --folder.")
    files = connector_files(host)
    if check:
        _check_files(files, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if release:
        files[LOCK] = locked(files[DEFINITION])
    for name, content in files.items():
        (folder / name).write_bytes(content)
    click.echo(f"{', '.join(files)}: written to {folder}.")
    _warn(broken_surface(files[DEFINITION], folder))


def _check_files(files: dict[str, bytes], folder: Path) -> None:
    """Says what differs and what would break apps, and leaves with 1 when anything does."""
    outdated = [name for name, content in files.items() if _content(folder / name) != content]
    for name in outdated:
        click.echo(f"{folder / name} is not what the code makes; run flask connector and check it in.")
    if read_lock(folder) is None:
        outdated.append(LOCK)
        click.echo(f"{folder / LOCK} is missing; it comes back with flask connector --release.")
    problems = broken_surface(files[DEFINITION], folder)
    for problem in problems:
        click.echo(f"{problem} Apps and flows rely on it: put it back, or add a new operation beside it.")
    if outdated or problems:
        sys.exit(1)
    click.echo(f"The files in {folder} are what the code makes, and nothing that apps rely on has changed.")


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def _warn(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"Careful: {problem} flask connector --check fails until it is back, or until you run --release.")


def broken_surface(definition: bytes, folder: Path) -> list[str]:
    """What the definition takes away from the surface that is locked in the folder, a sentence each."""
    lock = read_lock(folder)
    return breaks(lock, surface(definition)) if lock else []


@click.command("lint-connector")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=FOLDER)
@click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with Microsoft's JSON schemas, to hold the files to these as well.",
)
def lint_command(folder: Path, schemas: Path | None) -> None:
    """Hold the connector's files in FOLDER to the platform's rules."""
    try:
        findings = lint_folder(folder, schemas=schemas)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}. Install what this needs: pip install -r requirements-dev.txt") from None
    for finding in findings:
        click.echo(str(finding))
    if findings:
        sys.exit(1)
    click.echo(f"Nothing to say about the files in {folder}.")
