"""Filling an empty desk with demo tickets over HTTP."""

from marshmallow import Schema

from api.http import schemas
from api.http.envelope import Answer
from api.http.resource import Resource
from core.permissions import Permission
from services.import_export import demo
from storage import UnitOfWork

blp = Resource("demo", __name__, description="Tickets to look around with.")


class Filled(Schema):
    """What was made."""

    created = schemas.whole("Tickets that were made.")
    customers = schemas.whole("Customers they are from.")


@blp.post("/api/demo", "FillDemo", permission=Permission.IMPORT, response=Filled)
def fill_demo(uow: UnitOfWork) -> Answer:
    """Fill an empty desk.

    Makes about 60 believable tickets of the last 30 days in every state. Only a desk without tickets is filled; nobody
    is mailed.
    """
    made = demo.fill(uow)
    return Answer(made, f"{made['created']} tickets from {made['customers']} customers are here to look around with.")
