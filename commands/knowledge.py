"""flask import-knowledge: a folder, a ZIP or a file of articles."""

import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import click

from api.knowledge_imports import check_article, summary
from commands.running_server import OPERATOR, call, open_server, url_option
from core.errors import AppError, FieldError
from runtime.bootstrap import Runtime
from services.import_export.import_values import RawRow
from services.knowledge import import_files, imports

SENT_AT_ONCE = 50  # articles of one request to a running server


@click.command("import-knowledge")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@url_option
def import_knowledge(path: Path, url: str) -> None:
    """Import the articles of PATH: a folder or ZIP of Markdown, or a Markdown, CSV or JSON file."""
    with open_server(url) as (runtime, address):
        rows = imports.without_repeats(_rows(path))
        result = _import_remotely(runtime, address, rows) if address else _import_locally(runtime, rows)
    for error in result.errors:
        place = f"{error['field']}: " if error["field"] else ""
        click.echo(f"article {error['line']}: {place}{error['message']}")
    click.echo(summary(result))
    if result.rejected == result.read:
        sys.exit(1)


def _rows(path: Path) -> Iterator[RawRow]:
    if not path.is_dir():
        yield from import_files.read(path.name, path.read_bytes())
        return
    line = 0
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix().encode(errors="replace").decode()
        if not file.is_file() or not import_files.is_article(name) or path.resolve() not in file.resolve().parents:
            continue  # also what a link outside the folder points to
        line += 1
        try:
            (row,) = import_files.read(name, file.read_bytes())
            yield RawRow(line, row.values, row.problem)
        except AppError as error:
            yield RawRow(line, problem=FieldError("", f"{name}: {error.message}"))


def _import_locally(runtime: Runtime, rows: Iterator[RawRow]) -> imports.Result:
    return imports.import_rows(partial(runtime.storage.unit_of_work, OPERATOR), rows, check_article)


def _import_remotely(runtime: Runtime, address: str, rows: Iterator[RawRow]) -> imports.Result:
    """Imports through a running server, some articles a request. Errors name the articles of the path."""
    total = imports.Result()
    while portion := list(islice(rows, SENT_AT_ONCE)):
        refused = imports.Result(read=len(portion))
        for row in portion:
            if row.problem:
                refused.reject(row.line, [row.problem])
        total.add(refused)
        if good := [row for row in portion if not row.problem]:
            data = call(runtime, f"{address}/api/import/knowledge", [row.values for row in good])
            errors = [{**error, "line": good[error["line"] - 1].line} for error in data["errors"]]
            total.add(imports.Result(**{**data, "read": 0, "errors": errors}))
    return total


COMMANDS = (import_knowledge,)
