"""Demo tickets over HTTP, for a company without tickets."""

from marshmallow import Schema

from api.http import schemas
from api.http.envelope import Answer
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.permissions import Permission
from services.import_export import demo
from storage import UnitOfWork

blp = Resource("demo", __name__, description="Tickets to look around with.")


class Filled(Schema):
    """What was made."""

    created = schemas.integer("Tickets that were made.")
    customers = schemas.integer("Customers they are from.")
    articles = schemas.integer("Articles that were made.")


@blp.post("/api/demo", "FillDemo", permission=Permission.IMPORT, response=Filled)
def fill_demo(uow: UnitOfWork) -> Answer:
    """Create demo tickets.

    Creates about 60 realistic tickets of the last 30 days in every state, 15 articles, macros, a view and a rule.
    A company without people gets four agents. Only a company without tickets gets them; nobody is mailed.
    """
    counts = demo.fill(uow, current_runtime().trained_models)
    return Answer(
        counts,
        f"{counts['created']} demo tickets of {counts['customers']} customers and {counts['articles']} articles were created.",
    )
