"""flask connect: prints how a tool is connected, with this server's address. It makes a key that may do only that."""

import re
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from api.http.parsing import load_values
from api.keys import NewKey
from commands.running_server import OPERATOR, call, open_server, url_option
from core import timestamps
from core.models import Role
from runtime.bootstrap import Runtime
from services.accounts import api_keys

FOLDER = Path(__file__).resolve().parent.parent / "recipes"
ADDRESS = "https://desk.example.com"  # stands for the server's address in every page and file
LOCAL = "http://127.0.0.1"
_DAY = 24 * 3600


@dataclass(frozen=True)
class Recipe:
    """A page of recipes/: which key the tool needs, and the steps with the requests that they name."""

    tool: str
    title: str
    role: Role
    scopes: list[str]
    steps: str

    @property
    def files(self) -> list[Path]:
        """The files that the tool imports."""
        return sorted(path for path in (FOLDER / self.tool).glob("*") if path.is_file())


def tools() -> list[str]:
    """The tools that have a page: its name is the tool's. A new page needs nothing else."""
    return sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")


def read_recipe(tool: str) -> Recipe:
    """The page of a tool."""
    _, front_matter, page = (FOLDER / f"{tool}.md").read_text(encoding="utf-8").split("---\n", 2)
    steps = re.sub(r"<!--.*?-->\n", "", page.partition("\n## Steps\n")[2]).strip()
    return Recipe(tool=tool, steps=steps, **yaml.safe_load(front_matter))


@click.command("connect")
@click.argument("tool", required=False, default="")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long its key works.")
@click.option("--files", type=click.Path(file_okay=False, path_type=Path), help="Folder to write the tool's files to.")
@url_option
def connect(tool: str, days: int, files: Path | None, url: str) -> None:
    """Print the steps and requests that connect a TOOL with this server, and make a key for it.

    Without TOOL the tools are listed.
    """
    if tool not in tools():
        sentence = f"Choose one of: {', '.join(tools())}."
        if tool:
            raise click.ClickException(f"There is no recipe for {tool}. {sentence}")
        click.echo(sentence)
        return
    recipe = read_recipe(tool)
    if files and not recipe.files:
        raise click.ClickException(f"{recipe.title} imports no files. Leave --files out.")
    with open_server(url) as (runtime, running_address):
        address = url.rstrip("/") or runtime.settings.public_url or running_address or _local_address(runtime)
        written = _write_files(recipe, files, address) if files else []
        key = make_key(runtime, running_address, recipe, days=days)
    scopes = ", ".join(recipe.scopes) or f"everything that the role {recipe.role} may"
    lasts = "1 day" if days == 1 else f"{days} days"
    click.echo(f"{recipe.title}\n\nIts key, which is shown only now: role {recipe.role}; {scopes}; {lasts}.\n")
    click.echo(f"  {key}\n\n{recipe.steps.replace(ADDRESS, address)}")
    if written:
        click.echo(f"\nWritten, with that address: {', '.join(map(str, written))}")
    if address.startswith(LOCAL):
        click.echo(
            f"\nOnly tools on this machine reach {address}. For others set PUBLIC_URL to the server's public address."
        )


def _local_address(runtime: Runtime) -> str:
    return f"{LOCAL}:{runtime.settings.port}"


def _write_files(recipe: Recipe, folder: Path, address: str) -> list[Path]:
    """Writes the tool's files with the address of this server, and returns their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in recipe.files:
        copy = folder / path.name
        copy.write_text(path.read_text(encoding="utf-8").replace(ADDRESS, address), encoding="utf-8")
        copies.append(copy)
    return copies


def make_key(runtime: Runtime, running_address: str, recipe: Recipe, *, days: int) -> str:
    """A new key of the company that runs the server. Raises AppError."""
    expires_at = timestamps.later(timestamps.stamp(timestamps.now()), seconds=days * _DAY)
    fields = {"name": recipe.title, "role": recipe.role, "scopes": recipe.scopes, "expires_at": expires_at}
    if running_address:
        return str(call(runtime, f"{running_address}/api/keys", fields)["key"])
    with runtime.storage.unit_of_work(OPERATOR, write=True) as uow:
        return api_keys.create(uow, load_values(NewKey(), fields))[1]


COMMANDS = (connect,)
