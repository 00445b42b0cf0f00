"""flask reset-second-factor: for an admin who lost the app and the recovery codes, and whom nobody else can help."""

import click

from commands.running_server import OPERATOR, open_server
from core.errors import AppError
from core.models import DEFAULT_COMPANY
from services.accounts import second_factor


@click.command("reset-second-factor")
@click.argument("email")
@click.option("--company", default=DEFAULT_COMPANY, show_default=True, help="Name of their company.")
def reset_second_factor(email: str, company: str) -> None:
    """Remove the second factor of the person who signs in with EMAIL."""
    with open_server() as (runtime, address):
        if address:
            raise AppError("The server is running. Stop it, or let an admin use DELETE /api/users/{user_id}/totp.")
        was_on = second_factor.reset_of(runtime.storage, OPERATOR, company, email)
    click.echo(f"The second factor of {email} is removed." if was_on else f"{email} has no second factor.")


COMMANDS = (reset_second_factor,)
