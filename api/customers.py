"""Customers over HTTP: list them, read one, hand out everything held about one, erase one."""

from flask import g
from marshmallow import Schema, fields

from api import shapes
from api.audit import AuditEvent
from api.envelope import Answer, how_many
from api.exports import WholeTicket
from api.fields import Text
from api.gate import the_foyer
from api.inputs import PageQuery
from api.noun import Noun
from api.users import User
from models import LIMITS
from permissions import Permission
from services import customers, exports
from storage import Desk, Row
from workers import erase_customer

blp = Noun("customers", __name__, description="The people who write.")


class CustomerQuery(PageQuery):
    """Which customers."""

    q = Text(LIMITS["q"], about="Words to search for in e-mail, id and name.")


class Notice(Schema):
    """Something still to be done about a ticket, such as a mail to be sent."""

    id = shapes.text("Id of the notice.")
    ticket_id = shapes.text("Id of the ticket it is about.")
    lane = shapes.text("Who does it: mail or ai.")
    kind = shapes.text("What is to be done.")
    state = shapes.text("Whether it waits or runs.")
    run_at = shapes.moment("When it is to be done.", required=True)
    created_at = shapes.moment("When it was asked for.", required=True)


class Person(Schema):
    """Everything held about a customer."""

    customer = shapes.part(shapes.Customer)
    tickets = shapes.items(WholeTicket, "Their tickets, oldest first.")
    notices = shapes.items(Notice, "What is still to be done for them.")
    account = fields.Nested(User)
    events = shapes.items(AuditEvent, "What they did themselves, oldest first.")


class Erased(Schema):
    """What became of a customer."""

    erased = shapes.flag("Always true.")
    tickets = shapes.whole("How many tickets were theirs.")


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


@blp.get("/api/customers/<path:name>", "GetCustomer", may=Permission.CUSTOMERS_READ, gives=shapes.Customer)
def get_customer(desk: Desk, name: str) -> Answer:
    """Get a customer.

    One customer by e-mail address or by the id in your own systems.
    """
    return Answer(customers.profile(desk, name), "Customer found.")


@blp.get("/api/customers/<path:name>/export", "ExportCustomer", may=Permission.CUSTOMERS_EXPORT, gives=Person)
def export_customer(desk: Desk, name: str) -> Answer:
    """Export a customer.

    Everything held about one customer: profile, tickets with threads and notes, waiting notices, account, what they did.
    """
    return Answer(exports.about(desk, name), "Everything held about this customer.")


@blp.delete("/api/customers/<path:name>", "EraseCustomer", may=Permission.CUSTOMERS_ERASE, gives=Erased, own_units=True)
def erase(name: str) -> Answer:
    """Erase a customer.

    Takes everything that says who the customer was out of the desk and its files. Their tickets stay, empty, so that
    figures stay as they are. This cannot be undone.
    """
    count = erase_customer(the_foyer(), g.actor, name)
    message = f"The customer and what they wrote in {how_many(count, 'ticket')[:-1]} are erased."
    return Answer({"erased": True, "tickets": count}, message)
