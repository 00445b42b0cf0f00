"""flask import: a file of tickets, or the export of Zendesk, Freshdesk or Jira."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click

from api.import_records import check_record
from commands.data import import_tickets
from commands.running_server import OPERATOR, call, open_server, url_option
from runtime.bootstrap import Runtime
from services.help_desks import writing
from services.help_desks.freshdesk import FRESHDESK
from services.help_desks.importing import Bring, Import, Open
from services.help_desks.jira import JIRA
from services.help_desks.products import Product
from services.help_desks.records import Book, agents_by_name
from services.help_desks.report import Report
from services.help_desks.zendesk import ZENDESK
from services.import_export.imports import Result
from services.routing import agents
from storage import Row

PRODUCTS = (ZENDESK, FRESHDESK, JIRA)


class _Import(click.Group):
    """A group that runs its first command where none is named. So `flask import FILE` takes a file of tickets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else [str(import_tickets.name), *args])


@click.group("import", cls=_Import)
def import_group() -> None:
    """Import a FILE of tickets, or the export of another help desk.

    `flask import FILE` is short for `flask import file FILE`. docs/moving-here.md says how to get an export.
    """


def _zone(_: click.Context, __: click.Parameter, name: str) -> str:
    if name not in available_timezones():
        raise click.BadParameter("Name a time zone like Europe/Berlin.")
    return ZoneInfo(name).key


def _command(product: Product) -> click.Command:
    """The command that imports the export of a product."""

    @click.command(product.name.lower(), help=f"Import FILES of an export of {product.name}, in any order, together.")
    @click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Change nothing and say what would be taken.")
    @click.option("--timezone", default="UTC", callback=_zone, help="Zone of times in CSV files, like Europe/Berlin.")
    @click.option("--charset", default="", help="Encoding of CSV files that are not UTF-8, like windows-1251.")
    @url_option
    def import_export(files: Sequence[Path], url: str, timezone: str, charset: str, **flags: bool) -> None:
        with open_server(url) as (runtime, address):
            dry_run = flags["dry_run"]
            book = Book(agents=_agents(runtime, address), zone=timezone, is_public=flags.get("public_comments", False))
            bring = partial(_bring_remotely, runtime, address) if address else partial(_bring_locally, runtime)
            report = _run(product, files, book, partial(bring, dry_run=dry_run), Report(product.name, dry_run), charset)
        for line in report.lines():
            click.echo(line)
        if report.failed:
            sys.exit(1)

    if product is JIRA:
        about = "Comments that Jira does not mark as public or internal are public; else they become internal notes."
        import_export.params.append(click.Option(["--public-comments"], is_flag=True, help=about))
    return import_export


def _run(product: Product, files: Sequence[Path], book: Book, bring: Bring, report: Report, charset: str) -> Report:
    def opener(path: Path) -> Open:
        return lambda: path.open("rb")

    opened = [(path.name, opener(path)) for path in files]
    return Import(product, opened, book, check_record, bring, report, charset).run()


def _agents(runtime: Runtime, address: str) -> dict[str, str]:
    """The agents at work here, by address and by name."""
    if address:
        rows: Any = call(runtime, f"{address}/api/lookups/agents", None, method="GET")
    else:
        with runtime.storage.unit_of_work(OPERATOR) as uow:
            rows = agents.list_agents(uow)
    return agents_by_name({row["key"]: row["label"] for row in rows})


def _bring_locally(runtime: Runtime, kind: str, rows: Sequence[Row], *, dry_run: bool) -> Result:
    open_uow = partial(runtime.storage.unit_of_work, OPERATOR)
    return writing.bring_in(open_uow, runtime.trained_models, runtime.erasure_marks, kind, rows, dry_run=dry_run)


def _bring_remotely(runtime: Runtime, address: str, kind: str, rows: Sequence[Row], *, dry_run: bool) -> Result:
    data = call(runtime, f"{address}/api/import/records", {kind: list(rows), "dry_run": dry_run})
    return Result(read=len(rows), **data[kind])


for one in (import_tickets, *map(_command, PRODUCTS)):
    import_group.add_command(one)
COMMANDS = (import_group,)
