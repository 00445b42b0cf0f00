"""The people who write: one row for each, known by e-mail, by the maker's own id, or by both."""

from functools import cache
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, case, func, or_, type_coerce
from sqlalchemy.types import Integer

import models
import normal_form
from errors import conflict, forbidden, invalid_field, not_found
from storage import Desk, Row
from tables import customers, tickets


def identify(desk: Desk, given: Row) -> Row:
    """The customer row for a new ticket's customer_email and customer_id, made or completed as needed.

    Raises AppError: 400 without either, 409 when the two belong to different people, 403 when a customer writes as another.
    """
    email, customer_id = _identity(desk, given)
    wanted = {name: value for name, value in (("email", email), ("customer_id", customer_id)) if value}
    found = desk.find(_named(desk.rows(customers)), email_=email, customer_id_=customer_id)
    if len(found) > 1 or (found and any(found[0][name] not in ("", value) for name, value in wanted.items())):
        raise conflict("customer_conflict", "This e-mail address and this customer id belong to different customers.")
    details = {"name": given.get("customer_name", ""), "tier": given.get("customer_tier", "")}
    if not found:
        tier = details["tier"] or "standard"
        return desk.insert(customers, {**wanted, "name": details["name"], "tier": tier, "created_at": desk.now})
    news = {name: value for name, value in {**wanted, **details}.items() if value and found[0][name] != value}
    if not news:
        return found[0]
    changed = desk.update(customers, found[0]["id"], news)
    if changed is None:
        raise not_found()
    _complete_tickets(desk, changed, news)
    return changed


@cache
def _named(people: Select[Any]) -> Select[Any]:
    """Who has this e-mail or this id; "" names nobody."""
    email, customer_id = bindparam("email_", type_=String), bindparam("customer_id_", type_=String)
    by_email = and_(customers.c.email == email, customers.c.email != "")
    by_id = and_(customers.c.customer_id == customer_id, customers.c.customer_id != "")
    return people.where(or_(by_email, by_id))


def _identity(desk: Desk, given: Row) -> tuple[str, str]:
    email, customer_id = given.get("customer_email", ""), given.get("customer_id", "")
    actor = desk.actor
    if actor.is_customer:
        if (email and email != actor.customer_email) or (customer_id and customer_id != actor.customer_id):
            raise forbidden("A customer can only write in their own name.")
        return actor.customer_email, actor.customer_id
    if not email and not customer_id:
        raise invalid_field(
            "customer_email", "Give customer_email or customer_id, so that the customer can be answered."
        )
    return email, customer_id


def _complete_tickets(desk: Desk, customer: Row, news: Row) -> None:
    """Tickets repeat who wrote them; when a second name of a person becomes known, theirs say it too."""
    for name, column in (("email", tickets.c.customer_email), ("customer_id", tickets.c.customer_id)):
        if name in news:
            theirs = tickets.c.customer_row == customer["id"]
            desk.update_where(tickets, theirs, column == "", **{column.name: customer[name]})


def find(desk: Desk, *, limit: int, offset: int, words: str = "") -> tuple[list[Row], int]:
    """Customers with their counts, the newest first, and how many there are."""
    chosen = desk.rows(customers).where(or_(customers.c.email != "", customers.c.customer_id != ""))  # not the erased
    if words:
        words = " ".join(normal_form.email(word) if "@" in word else word for word in words.split())
        chosen = desk.containing(chosen, words, [customers.c.email, customers.c.customer_id, customers.c.name])
    total = desk.count(chosen)
    page = _with_counts(
        desk, chosen.order_by(customers.c.created_at.desc(), customers.c.id.desc()).limit(limit).offset(offset)
    )
    return page, total


def by_name(people: Select[Any], name: str) -> Select[Any]:
    """Those of the people whose e-mail address, in any spelling, or customer id it is; the address comes first."""
    wanted = name.strip()
    mail, own_id = customers.c.email == normal_form.email(name), customers.c.customer_id == wanted
    # An old row keeps another spelling when somebody else had the address already (migrations/versions/0010).
    named = or_(
        and_(or_(mail, customers.c.email == wanted.lower()), customers.c.email != ""),
        and_(own_id, customers.c.customer_id != ""),
    )
    return people.where(named).order_by(case((mail, 0), else_=1))


def profile(desk: Desk, name: str) -> Row:
    """One customer by e-mail or customer id, with counts. Raises AppError 404."""
    found = _with_counts(desk, by_name(desk.rows(customers), name).limit(1))
    if not found:
        raise not_found()
    return found[0]


def _with_counts(desk: Desk, chosen: Any) -> list[Row]:
    people = desk.find(chosen)
    finished = tickets.c.status.in_(models.FINISHED)
    counts = desk.aggregate(
        desk.rows(
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
    shown = {name: person[name] for name in ("email", "customer_id", "name", "tier")}
    total, finished, urgency, first, last = counts or (0, 0, None, None, None)
    shown |= {"total_tickets": total, "open_tickets": total - finished, "resolved_tickets": finished}
    if total:
        shown |= {"average_urgency": round(float(urgency) / 10, 1), "first_contact_at": first, "last_contact_at": last}
    return shown
