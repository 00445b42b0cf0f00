"""Who a caller is over HTTP."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from api.companies import Company
from api.http import schemas
from api.http.envelope import Answer
from api.http.fields import Choice, Text, Words, Yes
from api.http.resource import Resource
from channels.notice_words import STAFF_KINDS
from core import models
from core.errors import not_found
from core.models import LIMITS
from core.permissions import Permission, granted
from database.tables import companies, customers
from services.accounts import users
from services.accounts.companies import company_shape
from services.notices import unsubscribing
from storage import Row, UnitOfWork

OWN = {"full_name": "name", "available": "available"}  # fields that people change themselves -> columns of users
blp = Resource("me", __name__, description="Who you are.")


class Me(Schema):
    """Who is calling."""

    name = schemas.text("Name of the key or e-mail address of the person.")
    full_name = schemas.text("What people call you; empty for a key.")
    role = schemas.word(models.ROLES, "What you are here.")
    email = schemas.text("Your e-mail address, when you are a person.")
    available = fields.Boolean(
        metadata={"description": "Whether tickets may be assigned to you automatically, when you are an agent."}
    )
    team = schemas.text("Your team, when you are an agent.")
    customer_id = schemas.text("Your customer id, when you act as a customer who has one.")
    company = schemas.part(Company)
    permissions = schemas.texts("Everything you may do.")
    scopes = schemas.texts("Scopes of your key.")
    notices_off = schemas.texts("Kinds of notices that you do not get.")


class MeChanges(Schema):
    """What you say about yourself."""

    full_name = Text(LIMITS["name"], about="Your name, as customers and colleagues see it.")
    available = Yes(about="Whether tickets may be assigned to you automatically.")
    notices_off = Words(
        len(STAFF_KINDS),
        Choice(STAFF_KINDS),
        about="Kinds of notices that you do not want; an empty list for all again.",
    )

    @validates_schema(skip_on_field_errors=True)
    def _something(self, fields: Row, **_: Any) -> None:
        if not fields:
            raise ValidationError("Send full_name, available, notices_off or several of them.", "available")


@blp.get("/api/me", "GetMe", permission=Permission.ACCOUNT, response=Me)
def get_me(uow: UnitOfWork) -> Answer:
    """Get who I am.

    Your role, your company and what you may do.
    """
    return _me(uow)


@blp.patch("/api/me", "UpdateMe", permission=Permission.TICKETS_WORK, body=MeChanges, response=Me)
def update_me(uow: UnitOfWork, body: Row) -> Answer:
    """Say my name, whether I am available, and which notices I want.

    While you are not available, no tickets are assigned to you automatically; those you have stay yours.
    """
    own = {name: body[field] for field, name in OWN.items() if field in body}
    if own:
        users.change_own(uow, own)
    if "notices_off" in body:
        unsubscribing.set_off(uow, body["notices_off"])
    return _me(uow)


def _me(uow: UnitOfWork) -> Answer:
    actor = uow.actor
    company = uow.get(companies, actor.company_id)
    if company is None:
        raise not_found()
    person = users.get(uow, actor.user_id) if actor.user_id and not actor.is_customer else None
    data = {
        "name": actor.name,
        "full_name": person["name"] if person else _customer_name(uow),
        "role": actor.role,
        "email": person["email"] if person else actor.customer_email,
        "team": person["team"] if person else "",
        **({"available": person["available"]} if person else {}),
        "customer_id": actor.customer_id,
        "company": company_shape(company),
        "permissions": sorted(granted(actor)),
        "scopes": list(actor.scopes),
        "notices_off": person["notices_off"] if person else [],
    }
    return Answer(data, f"You are {actor.name}, {actor.role} of {company['name']}.")


def _customer_name(uow: UnitOfWork) -> str:
    """The name of a customer, who may read no users: of their customer row, or the one that a guest gave."""
    actor = uow.actor
    row = uow.get(customers, actor.customer_row) if actor.customer_row else None
    return str(row["name"]) if row else actor.guest_name
