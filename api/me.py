"""Who a caller is over HTTP."""

from marshmallow import Schema

from api.companies import Company
from api.http import schemas
from api.http.envelope import Answer
from api.http.resource import Resource
from core import models
from core.errors import not_found
from core.permissions import Permission, granted
from database.tables import companies
from services.accounts import users
from services.accounts.companies import company_shape
from storage import UnitOfWork

blp = Resource("me", __name__, description="Who you are.")


class Me(Schema):
    """Who is calling."""

    name = schemas.text("Name of the key or e-mail address of the person.")
    role = schemas.word(models.ROLES, "What you are here.")
    email = schemas.text("Your e-mail address, when you are a person.")
    customer_id = schemas.text("Your customer id, when you act as a customer who has one.")
    company = schemas.part(Company)
    permissions = schemas.texts("Everything you may do.")
    scopes = schemas.texts("Scopes of your key.")


@blp.get("/api/me", "GetMe", permission=Permission.ACCOUNT, response=Me)
def get_me(uow: UnitOfWork) -> Answer:
    """Get who I am.

    Your role, your company and what you may do.
    """
    actor = uow.actor
    company = uow.get(companies, actor.company_id)
    if company is None:
        raise not_found()
    data = {
        "name": actor.name,
        "role": actor.role,
        "email": actor.customer_email
        if actor.is_customer or not actor.user_id
        else users.get(uow, actor.user_id)["email"],
        "customer_id": actor.customer_id,
        "company": company_shape(company),
        "permissions": sorted(granted(actor)),
        "scopes": list(actor.scopes),
    }
    return Answer(data, f"You are {actor.name}, {actor.role} of {company['name']}.")
