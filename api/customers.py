"""Customers over HTTP: list, read, export and erase."""

from flask import g
from marshmallow import Schema, fields

from api.attachments import Attachment
from api.audit import AuditEvent
from api.exports import WholeTicket
from api.http import schemas
from api.http.common_inputs import PageQuery
from api.http.envelope import Answer, how_many
from api.http.fields import Text
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.inbound import InboundMail
from api.sessions import DeviceSession
from api.users import User
from core.models import LIMITS
from core.permissions import Permission
from services.import_export import exports
from services.privacy.retention import erase_customer
from services.tickets import customers
from storage import Row, UnitOfWork

blp = Resource("customers", __name__, description="The people who write.")


class CustomerQuery(PageQuery):
    """Which customers."""

    q = Text(LIMITS["q"], about="Words to search for in e-mail, id and name.")


class Notice(Schema):
    """Something still to be done about a ticket, such as a mail to be sent."""

    id = schemas.text("Id of the notice.")
    ticket_id = schemas.text("Id of the ticket it is about.")
    lane = schemas.text("Who does it: mail or ai.")
    kind = schemas.text("What is to be done.")
    state = schemas.text("Whether it waits or runs.")
    run_at = schemas.moment("When it is to be done.", required=True)
    created_at = schemas.moment("When it was asked for.", required=True)


class Watched(Schema):
    """A ticket that somebody watches."""

    ticket_id = schemas.text("Id of the ticket.")
    number = schemas.integer("Number of the ticket for people.")


class Person(Schema):
    """Everything held about a customer."""

    customer = schemas.part(schemas.Customer)
    tickets = schemas.items(WholeTicket, "Their tickets, oldest first.")
    attachments = schemas.items(Attachment, "The files of their tickets; GET /api/attachments/{id} has the bytes.")
    notices = schemas.items(Notice, "What is still to be done for them.")
    messages = schemas.items(InboundMail, "Mails and messages of theirs that came in.")
    watched = schemas.items(Watched, "The tickets of others that they watch.")
    account = fields.Nested(User)
    sessions = schemas.items(DeviceSession, "Where they are signed in.")
    events = schemas.items(AuditEvent, "What they did themselves, oldest first.")


class Erased(Schema):
    """What became of a customer."""

    erased = schemas.flag("Always true.")
    tickets = schemas.integer("How many tickets were theirs.")


@blp.get(
    "/api/customers",
    "ListCustomers",
    permission=Permission.CUSTOMERS_READ,
    query=CustomerQuery,
    response=schemas.Customer,
    many=True,
)
def list_customers(uow: UnitOfWork, query: Row) -> Answer:
    """List customers.

    Customers with counts of their tickets, the newest first.
    """
    rows, total = customers.find(uow, limit=query["limit"], offset=query["offset"], words=query.get("q", ""))
    return Answer(rows, how_many(total, "customer"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/customers/<name:name>", "GetCustomer", permission=Permission.CUSTOMERS_READ, response=schemas.Customer)
def get_customer(uow: UnitOfWork, name: str) -> Answer:
    """Get a customer.

    One customer by e-mail address or by the id in your own systems.
    """
    return Answer(customers.profile(uow, name), "Customer found.")


@blp.get("/api/customers/<name:name>/export", "ExportCustomer", permission=Permission.CUSTOMERS_EXPORT, response=Person)
def export_customer(uow: UnitOfWork, name: str) -> Answer:
    """Export a customer.

    Everything held about one customer: profile, tickets with threads and notes, waiting notices, account, what they did.
    """
    return Answer(exports.personal_data(uow, name), "Everything held about this customer.")


@blp.delete(
    "/api/customers/<name:name>",
    "EraseCustomer",
    permission=Permission.CUSTOMERS_ERASE,
    response=Erased,
    manages_transactions=True,
)
def erase(name: str) -> Answer:
    """Erase a customer.

    Removes all personal data of the customer from the server and its files. Their tickets stay without text, so that
    statistics do not change. This cannot be undone.
    """
    runtime = current_runtime()
    count = erase_customer(runtime.storage, g.actor, name, runtime.erasure_marks)
    message = f"The customer and what they wrote in {how_many(count, 'ticket')[:-1]} are erased."
    return Answer({"erased": True, "tickets": count}, message)
