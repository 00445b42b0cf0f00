"""flask create-company, allow-company, create-user and remove-api-key."""

import click

from api.companies import Allowances, NewCompany
from api.http.parsing import load_values
from api.users import NewUser
from commands.running_server import COMMAND_LINE, OPERATOR, call, open_server, url_option
from core.errors import AppError
from core.models import DEFAULT_COMPANY, ROLES
from runtime.first_start import remove_environment_key
from services.accounts import registration
from services.accounts.admission import Entry

_password = click.password_option(help="Their password; asked for when not given.")


@click.command("create-company")
@click.argument("company")
@click.option("--email", required=True, help="E-mail address of the first admin.")
@click.option("--name", default="", help="Name of the first admin; the address when not given.")
@_password
@url_option
def create_company(company: str, email: str, name: str, password: str, url: str) -> None:
    """Make a COMPANY with its first admin."""
    fields = {"company": company, "name": name or email, "email": email, "password": password}
    with open_server(url) as (runtime, address):
        if address:
            call(runtime, f"{address}/api/companies", fields)
        else:
            values = load_values(NewCompany(), fields)
            registration.register(runtime.storage, runtime.tokens, values, Entry(COMMAND_LINE), confirmed=True)
    click.echo(f"{company} is made. {email} signs in as its admin.")


@click.command("allow-company")
@click.argument("company")
@click.option("--oidc/--no-oidc", "oidc_allowed", default=None, help="Whether it takes people of the issuer.")
@click.option("--inbound/--no-inbound", "inbound_allowed", default=None, help="Whether it may claim inbound addresses.")
@click.option("--confirmed/--unconfirmed", default=None, help="Whether its first admin's address counts as confirmed.")
@url_option
def allow_company(
    company: str, oidc_allowed: bool | None, inbound_allowed: bool | None, confirmed: bool | None, url: str
) -> None:
    """Say what a COMPANY may: take people of the OpenID Connect issuer, take mail at addresses, mail its customers."""
    options = {"oidc_allowed": oidc_allowed, "inbound_allowed": inbound_allowed, "confirmed": confirmed}
    fields = {"company": company} | {name: value for name, value in options.items() if value is not None}
    with open_server(url) as (runtime, address):
        if address:
            call(runtime, f"{address}/api/companies", fields, method="PATCH")
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
@_password
@url_option
def create_user(email: str, role: str, name: str, company: str, password: str, url: str) -> None:
    """Add a person who signs in with EMAIL."""
    fields = {"name": name or email, "email": email, "role": role, "password": password}
    with open_server(url) as (runtime, address):
        if address and company != DEFAULT_COMPANY:
            raise AppError("The server is running: an admin of that company adds people with POST /api/users.")
        if address:
            call(runtime, f"{address}/api/users", fields)
        else:
            registration.add_person(runtime.storage, company, load_values(NewUser(), fields), address=COMMAND_LINE)
    click.echo(f"{email} signs in as {role} of {company}.")


@click.command("remove-api-key")
def remove_api_key() -> None:
    """End the admin key that the variable API_KEY gave; the next start with API_KEY brings it back."""
    with open_server() as (runtime, address):
        if address:
            raise AppError("The server is running. Stop it, run this command, and start it without API_KEY.")
        with runtime.storage.unit_of_work(OPERATOR, write=True) as uow:
            is_removed = remove_environment_key(uow)
    click.echo("The key of API_KEY is not valid any more." if is_removed else "There is no key of API_KEY.")


COMMANDS = (create_company, allow_company, create_user, remove_api_key)
