"""Customers: find or create by e-mail address or customer id, list with ticket counts."""

from typing import Any

from sqlalchemy import Select, and_, case, func, or_, type_coerce
from sqlalchemy.types import Integer

from core import models, normal_form
from core.errors import conflict, forbidden, invalid_field, not_found
from database.column_types import is_set
from database.search.statements import containing
from database.tables import customers, tickets
from services.prepared_statements import prepared, text
from storage import Row, UnitOfWork


def find_or_create(uow: UnitOfWork, fields: Row) -> Row:
    """Returns the customer with this customer_email and customer_id; creates or completes the row if needed.

    Raises AppError 400 without either, 409 if they belong to different customers, 403 if a customer names another customer.
    """
    email, customer_id = _identity(uow, fields)
    identity = {name: value for name, value in (("email", email), ("customer_id", customer_id)) if value}
    matches = uow.find(_by_identity(uow), email_=email, customer_id_=customer_id)
    if len(matches) > 1 or (matches and any(matches[0][name] not in ("", value) for name, value in identity.items())):
        raise conflict("customer_conflict", "This e-mail address and this customer id belong to different customers.")
    details = {"name": fields.get("customer_name", ""), "tier": fields.get("customer_tier", "")}
    if not matches:
        tier = details["tier"] or "standard"
        return uow.insert(customers, {**identity, "name": details["name"], "tier": tier, "created_at": uow.now})
    new_values = {name: value for name, value in {**identity, **details}.items() if value and matches[0][name] != value}
    if not new_values:
        return matches[0]
    customer_after = uow.update(customers, matches[0]["id"], new_values)
    if customer_after is None:
        raise not_found()
    _complete_tickets(uow, customer_after, new_values)
    return customer_after


def _by_identity(uow: UnitOfWork) -> Select[Any]:
    """The SELECT of customers with this e-mail address or this customer id; "" matches nobody."""

    def build() -> Select[Any]:
        by_email = and_(customers.c.email == text("email_"), is_set(customers.c.email))
        by_id = and_(customers.c.customer_id == text("customer_id_"), is_set(customers.c.customer_id))
        return uow.query(customers).where(or_(by_email, by_id))

    return prepared(uow, "customer by identity", build)


def _identity(uow: UnitOfWork, fields: Row) -> tuple[str, str]:
    email, customer_id = fields.get("customer_email", ""), fields.get("customer_id", "")
    actor = uow.actor
    if actor.is_customer:
        if (email and email != actor.customer_email) or (customer_id and customer_id != actor.customer_id):
            raise forbidden("A customer can only write in their own name.")
        return actor.customer_email, actor.customer_id
    if not email and not customer_id:
        raise invalid_field(
            "customer_email", "Give customer_email or customer_id, so that the customer can be answered."
        )
    return email, customer_id


def _complete_tickets(uow: UnitOfWork, customer: Row, new_values: Row) -> None:
    """Copies a newly known address or customer id to the customer's tickets."""
    for name, column in (("email", tickets.c.customer_email), ("customer_id", tickets.c.customer_id)):
        if name in new_values:
            of_customer = tickets.c.customer_row == customer["id"]
            uow.update_where(tickets, of_customer, column == "", **{column.name: customer[name]})


def find(uow: UnitOfWork, *, limit: int, offset: int, words: str = "") -> tuple[list[Row], int]:
    """One page of customers with ticket counts, newest first, and the total."""
    query = uow.query(customers).where(or_(customers.c.email != "", customers.c.customer_id != ""))  # not the erased
    if words:
        words = " ".join(normal_form.email(word) if "@" in word else word for word in words.split())
        query = containing(query, words, [customers.c.email, customers.c.customer_id, customers.c.name])
    total = uow.count(query)
    page = _with_counts(
        uow, query.order_by(customers.c.created_at.desc(), customers.c.id.desc()).limit(limit).offset(offset)
    )
    return page, total


def by_name(query: Select[Any], name: str) -> Select[Any]:
    """The customers of the query with this e-mail address, in any spelling, or this customer id. The address comes first."""
    text = name.strip()
    mail, own_id = customers.c.email == normal_form.email(name), customers.c.customer_id == text
    # An old row may keep another spelling of its address (migrations/versions/0010).
    matches = or_(
        and_(or_(mail, customers.c.email == text.lower()), customers.c.email != ""),
        and_(own_id, customers.c.customer_id != ""),
    )
    return query.where(matches).order_by(case((mail, 0), else_=1))


def profile(uow: UnitOfWork, name: str) -> Row:
    """One customer by e-mail or customer id, with counts. Raises AppError 404."""
    profiles = _with_counts(uow, by_name(uow.query(customers), name).limit(1))
    if not profiles:
        raise not_found()
    return profiles[0]


def _with_counts(uow: UnitOfWork, statement: Any) -> list[Row]:
    people = uow.find(statement)
    finished = tickets.c.status.in_(models.FINISHED)
    counts = uow.aggregate(
        uow.query(
            tickets,
            tickets.c.customer_row,
            func.count(),
            func.count().filter(finished),
            func.avg(type_coerce(tickets.c.urgency, Integer)),
            func.min(tickets.c.created_at),
            func.max(tickets.c.created_at),
        )
        .where(tickets.c.customer_row.in_([person["id"] for person in people]))
        .group_by(tickets.c.customer_row)
    )
    by_customer = {row[0]: row[1:] for row in counts}
    return [_profile(person, by_customer.get(person["id"])) for person in people]


def _profile(person: Row, counts: tuple[Any, ...] | None) -> Row:
    data = {name: person[name] for name in ("email", "customer_id", "name", "tier")}
    total, finished, urgency, first, last = counts or (0, 0, None, None, None)
    data |= {"total_tickets": total, "open_tickets": total - finished, "resolved_tickets": finished}
    if total:
        data |= {"average_urgency": round(float(urgency) / 10, 1), "first_contact_at": first, "last_contact_at": last}
    return data
