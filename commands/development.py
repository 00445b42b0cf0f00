"""Short names for the tools of development: `flask connector` runs `python -m tools.connector`, and so on.

The app imports no tool; a tool is found by name when its command is typed.
"""

import importlib.util
import runpy
import sys

import click
from flask import Flask

TOOLS = {
    "connector": "tools.connector",
    "lint-connector": "tools.connector.check",
    "postman": "tools.api_examples.postman",
    "api-docs": "tools.api_examples.api_docs",
    "screenshots": "tools.screenshots",
}
_ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def register(app: Flask) -> None:
    """Adds a command for each tool."""
    for name, module in TOOLS.items():
        app.cli.add_command(_command(name, module))


def _command(name: str, module: str) -> click.Command:
    @click.command(name, context_settings=_ANY_ARGUMENTS, help=f"Runs python -m {module} (a tool of development).")
    @click.pass_context
    def command(context: click.Context) -> None:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            raise click.ClickException(f"The folder tools/ is not here, so there is no {name}.")
        sys.argv = [f"flask {name}", *context.args]
        runpy.run_module(module, run_name="__main__")

    return command
