"""flask migrate and demo, and flask import of a file of tickets."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from os import SEEK_END
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any

import click

from api.imports import about_columns, check_row, columns_of, summary
from commands.running_server import OPERATOR, call, open_server, url_option
from runtime.bootstrap import Runtime
from services.import_export import demo, import_files, imports
from services.import_export.import_values import RawRow
from storage import Row

KINDS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@click.command("migrate")
def migrate() -> None:
    """Bring the data to the newest shape, as every start does."""
    with open_server() as (runtime, address):
        place = "" if address else runtime.storage.place  # opening the store migrates it
    if address:
        click.echo("The server is running, so its data has the newest shape: there is nothing to do.")
    else:
        click.echo(f"{place} has the newest shape.")


@click.command("file")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "renames",
    default="",
    help="Your columns and the ticket fields they are for: Subject:title,Body:description.",
)
@click.option("--ignore-unknown", is_flag=True, help="Leave out columns that mean nothing here, and list them.")
@click.option("--charset", default="", help="Encoding of a CSV file that is not UTF-8, like windows-1251.")
@url_option
def import_tickets(file: Path, url: str, renames: str, ignore_unknown: bool, charset: str) -> None:
    """Import the tickets of a CSV, JSON, JSON Lines or Excel FILE; those that are here already are skipped."""
    total = imports.Result()
    with open_server(url) as (runtime, address), _seekable(file) as stream:
        columns = columns_of(renames, ignore_unknown=ignore_unknown)
        rows = import_files.read(stream, KINDS.get(file.suffix.lower(), ""), columns=columns, charset=charset)
        portions = _import_remotely(runtime, address, rows) if address else _import_locally(runtime, rows)
        with click.progressbar(length=stream.seek(0, SEEK_END), label="Importing", file=sys.stderr) as bar:
            stream.seek(0)
            for result in portions:
                total.add(result)
                bar.update(stream.tell() - bar.pos)
    total.ignored = list(columns.ignored)
    _print(total, about_columns(columns))
    if not total.created + total.skipped:
        sys.exit(1)


def _print(total: imports.Result, about_file: str) -> None:
    for error in total.errors:
        place = f"{error['field']}: " if error["field"] else ""
        click.echo(f"line {error['line']}: {place}{error['message']}")
    if len(total.errors) >= imports.MOST_ERRORS:
        click.echo("… and so on.")
    if total.ignored:
        click.echo(f"Left out: {', '.join(total.ignored)}.")
    click.echo(f"{summary(total)}{about_file}")


@click.command("demo")
@url_option
def fill_demo(url: str) -> None:
    """Fill an empty server with about 60 demo tickets."""
    with open_server(url) as (runtime, address):
        counts = call(runtime, f"{address}/api/demo", {}) if address else _fill_locally(runtime)
    made = f"{counts['created']} tickets from {counts['customers']} customers and {counts['articles']} articles"
    click.echo(f"{made} are here to look around with.")


@contextmanager
def _seekable(path: Path) -> Iterator[IO[bytes]]:
    """The file, opened; a pipe is copied into a temporary file first."""
    with path.open("rb") as file:
        if file.seekable():
            yield file
            return
        with TemporaryFile() as copy:
            copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def _import_locally(runtime: Runtime, rows: Iterable[RawRow]) -> Iterable[imports.Result]:
    open_uow = partial(runtime.storage.unit_of_work, OPERATOR)
    return imports.import_rows(open_uow, runtime.trained_models, runtime.erasure_marks, rows, check_row)


def _fill_locally(runtime: Runtime) -> dict[str, Any]:
    with runtime.storage.unit_of_work(OPERATOR, write=True) as uow:
        return demo.fill(uow, runtime.trained_models)


def _import_remotely(runtime: Runtime, address: str, rows: Iterable[RawRow]) -> Iterator[imports.Result]:
    """Imports through a running server, one portion a request. Errors name the lines of the file."""

    def check_unchanged(values: Row) -> Row:
        check_row(values)
        return values

    def send(portion: list[imports.Good]) -> imports.Result:
        data = call(runtime, f"{address}/api/import", [values for _, values in portion])
        errors = [{**error, "line": portion[error["line"] - 1][0]} for error in data["errors"]]
        return imports.Result(**{**data, "read": 0, "errors": errors})

    return imports.in_portions(rows, check_unchanged, send)


COMMANDS = (migrate, fill_demo)
