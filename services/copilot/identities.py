"""The names, addresses and ids of the people in a ticket, which no text outside it may hold."""

from collections.abc import Callable

from ai.anonymous_text import anonymised
from database.tables import customers, replies, users
from storage import Row, UnitOfWork

MOST_STAFF = 500  # people of the company whose names are looked for
MOST_AUTHORS = 200  # replies of the ticket


def eraser(uow: UnitOfWork, ticket: Row) -> Callable[[str], str]:
    """A function that takes the names, addresses and ids of a ticket's people out of a text."""
    r, u = replies.c, users.c
    customer = uow.get(customers, ticket["customer_row"]) or {}
    authors = uow.find(
        uow.query(replies, r.author_name, r.author_email).where(r.ticket_id == ticket["id"]).limit(MOST_AUTHORS)
    )
    staff = uow.find(uow.query(users, u.name, u.email).limit(MOST_STAFF))
    names = [
        *(ticket.get(name) for name in ("customer_name", "customer_email", "assigned_to")),
        *(customer.get(name) for name in ("name", "email")),
        *(row["author_name"] for row in authors if row["author_name"] not in ("AI", "Support")),
        *(row["author_email"] for row in authors),
        *(row[name] for row in staff for name in ("name", "email")),
    ]
    ids = [ticket.get("customer_id"), ticket.get("external_id"), customer.get("customer_id")]
    known_names, known_ids = ({value for value in values if value} for values in (names, ids))
    return lambda text: anonymised(text, names=known_names, ids=known_ids)
