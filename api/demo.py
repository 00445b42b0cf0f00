"""Filling an empty desk with demo tickets over HTTP."""

from marshmallow import Schema

from api import shapes
from api.envelope import Answer
from api.noun import Noun
from permissions import Permission
from services import demo
from storage import Desk

blp = Noun("demo", __name__, description="Tickets to look around with.")


class Filled(Schema):
    """What was made."""

    created = shapes.whole("Tickets that were made.")
    customers = shapes.whole("Customers they are from.")


@blp.post("/api/demo", "FillDemo", may=Permission.IMPORT, gives=Filled)
def fill_demo(desk: Desk) -> Answer:
    """Fill an empty desk.

    Makes about 60 believable tickets of the last 30 days in every state. Only a desk without tickets is filled; nobody
    is mailed.
    """
    made = demo.fill(desk)
    return Answer(made, f"{made['created']} tickets from {made['customers']} customers are here to look around with.")
