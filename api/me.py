"""Who a caller is over HTTP."""

from marshmallow import Schema

import models
from api import shapes
from api.companies import Company
from api.envelope import Answer
from api.noun import Noun
from errors import not_found
from permissions import Permission, granted
from services import people
from services.companies import company_shape
from storage import Desk
from tables import companies

blp = Noun("me", __name__, description="Who you are.")


class Me(Schema):
    """Who is calling."""

    name = shapes.text("Name of the key or e-mail address of the person.")
    role = shapes.word(models.ROLES, "What you are here.")
    email = shapes.text("Your e-mail address, when you are a person.")
    customer_id = shapes.text("Your customer id, when you act as a customer who has one.")
    company = shapes.part(Company)
    permissions = shapes.texts("Everything you may do.")
    scopes = shapes.texts("Scopes of your key.")


@blp.get("/api/me", "GetMe", may=Permission.ACCOUNT, gives=Me)
def get_me(desk: Desk) -> Answer:
    """Get who I am.

    Your role, your company and what you may do.
    """
    actor = desk.actor
    company = desk.get(companies, actor.company_id)
    if company is None:
        raise not_found()
    data = {
        "name": actor.name,
        "role": actor.role,
        "email": actor.customer_email
        if actor.is_customer or not actor.user_id
        else people.get(desk, actor.user_id)["email"],
        "customer_id": actor.customer_id,
        "company": company_shape(company),
        "permissions": sorted(granted(actor)),
        "scopes": list(actor.scopes),
    }
    return Answer(data, f"You are {actor.name}, {actor.role} of {company['name']}.")
