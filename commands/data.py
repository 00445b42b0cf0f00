"""The flask commands: each opens the server's data itself, or talks to the server that has it open.

The only place that prints. What a command does is a service's matter; nothing is decided here.
"""

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
import requests
from flask import Flask, current_app

from api.companies import Allowances, NewCompany
from api.http.parsing import load_values
from api.imports import checked, columns_of, summary
from api.users import NewUser
from commands import backup, development
from core.errors import AppError, FieldError
from core.models import DEFAULT_COMPANY, ROLES, Actor
from database.url import lock_owner
from runtime import server_proof
from runtime.bootstrap import Runtime
from runtime.first_start import key_file, remove_environment_key
from services.accounts import registration
from services.import_export import demo, import_files, imports
from services.import_export.import_values import RawRow
from storage import Row, StorageError

COMMAND_LINE = "command line"
OPERATOR = Actor(DEFAULT_COMPANY, "admin", COMMAND_LINE)
KINDS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
SECONDS = 300  # the longest a running server may take for one request
_url = click.option("--url", default="", help="Address of a running server; found by itself on this machine.")


def register(app: Flask) -> None:
    """Adds the commands to the app."""
    for command in (_migrate, _import, _demo, _smoke, _create_company, _allow_company, _create_user, _remove_api_key):
        app.cli.add_command(command)
    backup.register(app)
    development.register(app)


@click.command("migrate")
def _migrate() -> None:
    """Bring the data to the newest shape, as every start does."""
    with _desk("") as (runtime, address):
        told = "The server is running, so its data has" if address else f"{runtime.storage.place} has"
    click.echo(f"{told} the newest shape{': there is nothing to do' if address else ''}.")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "renames",
    default="",
    help="Your columns and the ticket fields they are for: Subject:title,Body:description.",
)
@click.option("--ignore-unknown", is_flag=True, help="Leave out columns that mean nothing here, and list them.")
@_url
def _import(file: Path, url: str, renames: str, ignore_unknown: bool) -> None:
    """Import the tickets of a CSV, JSON or JSON Lines FILE; those that are here already are skipped."""
    total = imports.Result()
    with _desk(url) as (runtime, address), _seekable(file) as opened:
        columns = columns_of(renames, ignore_unknown=ignore_unknown)
        rows = import_files.read(opened, KINDS.get(file.suffix.lower(), ""), columns=columns)
        steps = _sent(runtime, address, rows) if address else _brought_in(runtime, rows)
        with click.progressbar(length=opened.seek(0, SEEK_END), label="Importing", file=sys.stderr) as bar:
            opened.seek(0)
            for result in steps:
                total.add(result)
                bar.update(opened.tell() - bar.pos)
    for error in total.errors:
        place = f"{error['field']}: " if error["field"] else ""
        click.echo(f"line {error['line']}: {place}{error['message']}")
    if len(total.errors) >= imports.MOST_ERRORS:
        click.echo("… and so on.")
    total.ignored = list(columns.ignored)
    if total.ignored:
        click.echo(f"Left out: {', '.join(total.ignored)}.")
    click.echo(summary(total))
    if not total.created + total.skipped:
        sys.exit(1)


@click.command("demo")
@_url
def _demo(url: str) -> None:
    """Fill an empty server with about 60 demo tickets."""
    with _desk(url) as (runtime, address):
        made = _post(runtime, f"{address}/api/demo", {}) if address else _filled(runtime)
    click.echo(f"{made['created']} tickets from {made['customers']} customers are here to look around with.")


@click.command("smoke")
@click.option("--url", required=True, help="Address of the server to try.")
@click.option("--key", required=True, help="An admin key of that server.")
def _smoke(url: str, key: str) -> None:
    """Try every main step on a running server, and clean up."""
    from commands.smoke import smoke

    sys.exit(smoke(url, key, say=click.echo))


@click.command("create-company")
@click.argument("company")
@click.option("--email", required=True, help="E-mail address of the first admin.")
@click.option("--name", default="", help="Name of the first admin; the address when not given.")
@click.password_option(help="Their password; asked for when not given.")
@_url
def _create_company(company: str, email: str, name: str, password: str, url: str) -> None:
    """Make a COMPANY with its first admin."""
    given = {"company": company, "name": name or email, "email": email, "password": password}
    with _desk(url) as (runtime, address):
        if address:
            _post(runtime, f"{address}/api/companies", given)
        else:
            values = load_values(NewCompany(), given)
            registration.register(runtime.storage, runtime.tokens, values, address=COMMAND_LINE, confirmed=True)
    click.echo(f"{company} is made. {email} signs in as its admin.")


@click.command("allow-company")
@click.argument("company")
@click.option("--oidc/--no-oidc", "oidc_allowed", default=None, help="Whether it takes people of the issuer.")
@click.option("--confirmed/--unconfirmed", default=None, help="Whether its first admin's address counts as confirmed.")
@_url
def _allow_company(company: str, oidc_allowed: bool | None, confirmed: bool | None, url: str) -> None:
    """Say what a COMPANY may: take people of the OpenID Connect issuer, mail its customers."""
    chosen = {"oidc_allowed": oidc_allowed, "confirmed": confirmed}
    fields = {"company": company} | {name: value for name, value in chosen.items() if value is not None}
    with _desk(url) as (runtime, address):
        if address:
            _post(runtime, f"{address}/api/companies", fields, method="PATCH")
        else:
            registration.allow(runtime.storage, OPERATOR, load_values(Allowances(), fields))
    click.echo(f"{company} is saved.")


@click.command("create-user")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What they are.")
@click.option("--name", default="", help="Their name; the address when not given.")
@click.option(
    "--company",
    default=DEFAULT_COMPANY,
    show_default=True,
    help="Name of their company; on a running server only its first one.",
)
@click.password_option(help="Their password; asked for when not given.")
@_url
def _create_user(email: str, role: str, name: str, company: str, password: str, url: str) -> None:
    """Add a person who signs in with EMAIL."""
    given = {"name": name or email, "email": email, "role": role, "password": password}
    with _desk(url) as (runtime, address):
        if address and company != DEFAULT_COMPANY:
            raise AppError("The server is running: an admin of that company adds people with POST /api/users.")
        if address:
            _post(runtime, f"{address}/api/users", given)
        else:
            registration.add_person(runtime.storage, company, load_values(NewUser(), given), address=COMMAND_LINE)
    click.echo(f"{email} signs in as {role} of {company}.")


@click.command("remove-api-key")
def _remove_api_key() -> None:
    """End the admin key that the variable API_KEY gave; the next start with API_KEY brings it back."""
    with _desk("") as (runtime, address):
        if address:
            raise AppError("The server is running. Stop it, run this command, and start it without API_KEY.")
        with runtime.storage.unit_of_work(OPERATOR, write=True) as uow:
            removed = remove_environment_key(uow)
    click.echo("The key of API_KEY is not valid any more." if removed else "There is no key of API_KEY.")


@contextmanager
def _desk(url: str) -> Iterator[tuple[Runtime, str]]:
    """The parts of the server and, when another process has its data open, the address it is reached at.

    What is refused, here or there, becomes a sentence and exit code 1.
    """
    runtime: Runtime = current_app.extensions["runtime"]
    runtime.serving = False
    try:
        yield runtime, url.rstrip("/") or _running(runtime)
    except AppError as error:
        told = [problem for problem in error.errors if problem.field and problem.message != error.message]
        reasons = [f"  {problem.field}: {problem.message}" for problem in told]
        raise click.ClickException("\n".join([error.message, *reasons])) from error
    except (StorageError, OSError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        runtime.stop()


def _running(runtime: Runtime) -> str:
    """The address of the server that has the data open, "" when no process has it or the one that has it serves nobody.

    Raises AppError when another server answers at that address: it must not get the key.
    """
    settings = runtime.settings
    owner = lock_owner(settings.database_url.get_secret_value(), settings.data_dir)
    if owner is None or not owner.url:
        return ""
    if not server_proof.is_proven(owner):
        raise AppError(
            f"Process {owner.process} has the data open and should answer at {owner.url}, but does not. "
            "Nothing was sent. Name its address with --url."
        )
    return owner.url


@contextmanager
def _seekable(path: Path) -> Iterator[IO[bytes]]:
    """The file, opened; what comes through a pipe is put into a file first."""
    with path.open("rb") as file:
        if file.seekable():
            yield file
            return
        with TemporaryFile() as copy:
            copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def _brought_in(runtime: Runtime, rows: Iterable[RawRow]) -> Iterable[imports.Result]:
    """Imports into the data file itself."""
    return imports.import_rows(partial(runtime.storage.unit_of_work, OPERATOR), rows, checked)


def _filled(runtime: Runtime) -> dict[str, Any]:
    with runtime.storage.unit_of_work(OPERATOR, write=True) as uow:
        return demo.fill(uow)


def _sent(runtime: Runtime, address: str, rows: Iterable[RawRow]) -> Iterator[imports.Result]:
    """Imports through a running server, a portion to a request; the lines it names are put back to those of the file."""

    def as_read(values: Row) -> Row:
        checked(values)
        return values

    def send(good: list[imports.Good]) -> imports.Result:
        data = _post(runtime, f"{address}/api/import", [values for _, values in good])
        lines = [{**error, "line": good[error["line"] - 1][0]} for error in data["errors"]]
        return imports.Result(**{**data, "read": 0, "errors": lines})

    return imports.in_portions(rows, as_read, send)


def _post(runtime: Runtime, url: str, body: Any, *, method: str = "POST") -> dict[str, Any]:
    """The data of a running server's answer. Raises AppError with what it refused, or why it cannot be reached."""
    try:
        response = requests.request(
            method, url, json=body, headers={"X-API-Key": _key(runtime)}, timeout=SECONDS, allow_redirects=False
        )
        answer = response.json()
        data: dict[str, Any] = answer["data"]
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        raise AppError(f"No server answers at {url}. Name its address with --url.") from error
    if not response.ok:
        if response.status_code == 401:
            raise AppError(
                f"The key in {key_file(runtime.settings)} is not valid any more: set API_KEY to one that is."
            )
        errors = [FieldError(problem["field"], problem["message"]) for problem in data["errors"]]
        raise AppError(answer["message"], data["code"], response.status_code, errors)
    return data


def _key(runtime: Runtime) -> str:
    """The key of this machine's server. Raises AppError without one."""
    given = runtime.settings.api_key.get_secret_value()
    file = key_file(runtime.settings)
    if not given and not file.exists():
        raise AppError(f"There is no key for the running server: set API_KEY, or see that {file} is there.")
    return given or file.read_text().strip()
