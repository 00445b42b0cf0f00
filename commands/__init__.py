"""The flask commands a user types. Only this folder prints; what a command does is a service's matter."""

from flask import Flask

from commands import accounts, backup, data, development, knowledge, smoke


def register_commands(app: Flask) -> None:
    """Adds the commands to the app."""
    for command in (*data.COMMANDS, *knowledge.COMMANDS, *accounts.COMMANDS, *backup.COMMANDS, smoke.command):
        app.cli.add_command(command)
    development.register(app)
