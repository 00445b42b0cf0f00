"""Reaches the data for a command: opens it, or calls the server on this machine that has it open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import requests
from flask import current_app

from core.errors import AppError, FieldError
from core.models import DEFAULT_COMPANY, Actor
from database.url import lock_owner
from runtime import server_proof
from runtime.bootstrap import Runtime
from runtime.first_start import key_file
from storage import StorageError

COMMAND_LINE = "command line"
OPERATOR = Actor(DEFAULT_COMPANY, "admin", COMMAND_LINE)
TIMEOUT_SECONDS = 300  # of one request to a running server
url_option = click.option("--url", default="", help="Address of a running server; found by itself on this machine.")


@contextmanager
def open_server(url: str = "") -> Iterator[tuple[Runtime, str]]:
    """The runtime and, when another process has the data open, the address of that server; else "".

    An error becomes a sentence and exit code 1.
    """
    runtime: Runtime = current_app.extensions["runtime"]
    runtime.serving = False
    try:
        yield runtime, url.rstrip("/") or _running_address(runtime)
    except AppError as error:
        problems = [problem for problem in error.errors if problem.field and problem.message != error.message]
        lines = [f"  {problem.field}: {problem.message}" for problem in problems]
        raise click.ClickException("\n".join([error.message, *lines])) from error
    except (StorageError, OSError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        runtime.stop()


def _running_address(runtime: Runtime) -> str:
    """The address of the server that has the data open, "" without one.

    Raises AppError when the process at that address does not prove that it has the data: it must not get the key.
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


def call(runtime: Runtime, url: str, body: Any, *, method: str = "POST") -> dict[str, Any]:
    """Calls a running server with this machine's key and returns the data of its response. Raises AppError."""
    headers = {"X-API-Key": _api_key(runtime)}
    try:
        response = requests.request(
            method, url, json=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        envelope = response.json()
        data: dict[str, Any] = envelope["data"]
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        raise AppError(f"No server answers at {url}. Name its address with --url.") from error
    if response.status_code == 401:
        raise AppError(f"The key in {key_file(runtime.settings)} is not valid any more: set API_KEY to one that is.")
    if not response.ok:
        errors = [FieldError(problem["field"], problem["message"]) for problem in data["errors"]]
        raise AppError(envelope["message"], data["code"], response.status_code, errors)
    return data


def _api_key(runtime: Runtime) -> str:
    """API_KEY, or the key of the first start. Raises AppError without one."""
    api_key = runtime.settings.api_key.get_secret_value()
    file = key_file(runtime.settings)
    if not api_key and not file.exists():
        raise AppError(f"There is no key for the running server: set API_KEY, or see that {file} is there.")
    return api_key or file.read_text().strip()
