"""The commands that tell the story of the API: flask postman and flask api-docs. They never open a desk's data."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask

from config import HERE
from tools.api_examples.steps import StoryError

Files = dict[str, str]  # the text of each file by its path from the project's folder


def register(app: Flask) -> None:
    """Adds the commands to the app."""
    app.cli.add_command(
        _command("postman", postman_files, "Make postman_collection.json and its environments from the routes.")
    )
    app.cli.add_command(
        _command("api-docs", api_docs_files, "Make docs/api.md from the routes and the answers of a fresh desk.")
    )


def postman_files() -> Files:
    """The collection and its environments. Raises StoryError."""
    from tools.api_examples.collection import Book
    from tools.api_examples.postman import collection, environments, written

    made = {"postman_collection.json": collection(Book())}
    made |= {f"postman/{name}": environment for name, environment in environments().items()}
    return {path: written(document) for path, document in made.items()}


def api_docs_files() -> Files:
    """The page of every route with a curl line and its answer. Raises StoryError."""
    from tools.api_examples.api_docs import page
    from tools.api_examples.collection import Book

    return {"docs/api.md": page(Book())}


def _command(name: str, make: Callable[[], Files], about: str) -> click.Command:
    """A command that writes the files of `make`, or with --check says which of them differ."""

    @click.command(name, help=about)
    @click.option("--check", is_flag=True, help="Write nothing; fail when a file is not what the code makes.")
    @click.option("--folder", type=click.Path(path_type=Path), default=HERE, help="Where the files are.")
    def command(*, check: bool, folder: Path) -> None:
        try:
            files = make()
        except StoryError as error:
            raise click.ClickException(str(error)) from error
        differing = [path for path, text in files.items() if _text_of(folder / path) != text]
        if check and differing:
            click.echo(f"Not what the code makes: {', '.join(differing)}. Run flask {name}.", err=True)
            sys.exit(1)
        for path in differing:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(files[path], encoding="utf-8")
        click.echo(f"Written: {', '.join(differing)}." if differing else "Every file is what the code makes.")

    return command


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
