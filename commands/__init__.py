"""The flask commands a user types. Only this folder prints; what a command does is a service's matter."""

from flask import Flask

from commands import (
    accounts,
    attachments,
    backup,
    connect,
    data,
    development,
    help_desks,
    knowledge,
    second_factor,
    smoke,
)


def register_commands(app: Flask) -> None:
    """Adds the commands to the app."""
    rooms = (data, help_desks, knowledge, accounts, second_factor, connect, backup, attachments)
    for command in (*(command for room in rooms for command in room.COMMANDS), smoke.command):
        app.cli.add_command(command)
    development.register(app)
