"""Customers over HTTP: list them, read one."""

from api import shapes
from api.envelope import Answer, how_many
from api.fields import Text
from api.noun import Noun
from api.replies import PageQuery
from models import LIMITS
from permissions import Permission
from services import customers
from storage import Desk, Row

blp = Noun("customers", __name__, description="The people who write.")


class CustomerQuery(PageQuery):
    """Which customers."""

    q = Text(LIMITS["q"], about="Words to search for in e-mail, id and name.")


@blp.get(
    "/api/customers",
    "ListCustomers",
    may=Permission.CUSTOMERS_READ,
    query=CustomerQuery,
    gives=shapes.Customer,
    many=True,
)
def list_customers(desk: Desk, query: Row) -> Answer:
    """List customers.

    Customers with counts of their tickets, the newest first.
    """
    rows, total = customers.find(desk, limit=query["limit"], offset=query["offset"], words=query.get("q", ""))
    return Answer(rows, how_many(total, "customer"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/customers/<name>", "GetCustomer", may=Permission.CUSTOMERS_READ, gives=shapes.Customer)
def get_customer(desk: Desk, name: str) -> Answer:
    """Get a customer.

    One customer by e-mail address or by the id in your own systems.
    """
    return Answer(customers.profile(desk, name), "Customer found.")
