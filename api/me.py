"""Who a caller is over HTTP."""

from marshmallow import Schema, fields

from api.companies import Company
from api.http import schemas
from api.http.envelope import Answer
from api.http.fields import Yes
from api.http.resource import Resource
from core import models
from core.errors import not_found
from core.permissions import Permission, granted
from database.tables import companies
from services.accounts import users
from services.accounts.companies import company_shape
from storage import Row, UnitOfWork

blp = Resource("me", __name__, description="Who you are.")


class Me(Schema):
    """Who is calling."""

    name = schemas.text("Name of the key or e-mail address of the person.")
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


class MeChanges(Schema):
    """What you say about yourself."""

    available = Yes(required=True, about="Whether tickets may be assigned to you automatically.")


@blp.get("/api/me", "GetMe", permission=Permission.ACCOUNT, response=Me)
def get_me(uow: UnitOfWork) -> Answer:
    """Get who I am.

    Your role, your company and what you may do.
    """
    return _me(uow)


@blp.patch("/api/me", "UpdateMe", permission=Permission.TICKETS_WORK, body=MeChanges, response=Me)
def update_me(uow: UnitOfWork, body: Row) -> Answer:
    """Say whether I am available.

    While you are not available, no tickets are assigned to you automatically; those you have stay yours.
    """
    users.set_available(uow, body["available"])
    return _me(uow)


def _me(uow: UnitOfWork) -> Answer:
    actor = uow.actor
    company = uow.get(companies, actor.company_id)
    if company is None:
        raise not_found()
    person = users.get(uow, actor.user_id) if actor.user_id and not actor.is_customer else None
    data = {
        "name": actor.name,
        "role": actor.role,
        "email": person["email"] if person else actor.customer_email,
        "team": person["team"] if person else "",
        **({"available": person["available"]} if person else {}),
        "customer_id": actor.customer_id,
        "company": company_shape(company),
        "permissions": sorted(granted(actor)),
        "scopes": list(actor.scopes),
    }
    return Answer(data, f"You are {actor.name}, {actor.role} of {company['name']}.")
