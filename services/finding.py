"""Lists of tickets: filters, full text, order and pages. Only reads."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, or_, true
from sqlalchemy.sql.elements import ColumnElement

from storage import Desk, Row
from tables import customers, tickets

t = tickets.c
EQUAL = ("external_id", "product", "topic")
ANY_OF = ("status", "priority", "category", "assigned_team", "sentiment", "customer_tier", "source")
SEARCHED = [t.title, t.description, t.customer_email, t.customer_name, t.resolution]
# Most urgent first, whether asked as `urgency` or `-urgency`; equals in the order they came in.
_MOST_URGENT = (t.urgency.desc(), t.created_at, t.id)
_TOP_PRIORITY = (t.priority_rank.desc(), t.priority_score.desc(), t.created_at, t.id)
SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "created_at": (t.created_at, t.id),
    "-created_at": (t.created_at.desc(), t.id.desc()),
    "updated_at": (t.updated_at, t.id),
    "-updated_at": (t.updated_at.desc(), t.id.desc()),
    "urgency": _MOST_URGENT,
    "-urgency": _MOST_URGENT,
    "priority": _TOP_PRIORITY,
    "-priority": _TOP_PRIORITY,
    "due": (t.resolve_due_at.asc().nulls_last(), t.created_at, t.id),
    "-due": (t.resolve_due_at.desc().nulls_last(), t.created_at.desc(), t.id.desc()),
}
_PERSON: dict[str, Callable[[Desk, str], ColumnElement[bool]]] = {
    "customer": lambda desk, user: _written_by(
        desk, or_(customers.c.email == user.lower(), customers.c.customer_id == user)
    ),
    "agent": lambda desk, user: t.assigned_to.in_([user, user.lower()]),
    "admin": lambda desk, user: true(),
}


def find(desk: Desk, wanted: Row) -> tuple[list[Row], int]:
    """One page of the tickets that meet every filter in `wanted`, and how many meet them."""
    chosen = filtered(desk, wanted)
    page = chosen.order_by(*SORTS[wanted["sort"]]).limit(wanted["limit"]).offset(wanted["offset"])
    filters = tuple((name, str(value)) for name, value in wanted.items() if name not in ("sort", "limit", "offset"))
    return desk.find(page), desk.remembered(tickets, filters, lambda: desk.count(chosen))


def filtered(desk: Desk, wanted: Row) -> Select[Any]:
    """The tickets of this actor that meet every filter in `wanted`."""
    chosen = desk.rows(tickets)
    for name in ANY_OF:
        if name in wanted:
            chosen = chosen.where(t[name].in_(wanted[name]) if len(wanted[name]) > 1 else t[name] == wanted[name][0])
    for name in EQUAL:
        if name in wanted:
            chosen = chosen.where(t[name] == wanted[name])
    if "assigned_to" in wanted:
        chosen = chosen.where(t.assigned_to.in_([wanted["assigned_to"], wanted["assigned_to"].lower()]))
    if "tag" in wanted:
        chosen = chosen.where(_has_tag(wanted["tag"]))
    for condition in _times(wanted):
        chosen = chosen.where(condition)
    if "customer_email" in wanted:
        chosen = chosen.where(_written_by(desk, customers.c.email == wanted["customer_email"]))
    if "customer_id" in wanted:
        chosen = chosen.where(_written_by(desk, customers.c.customer_id == wanted["customer_id"]))
    if "user" in wanted:
        chosen = chosen.where(_PERSON[wanted["role"]](desk, wanted["user"]))
    return desk.search(chosen, wanted["q"], SEARCHED) if "q" in wanted else chosen


def _written_by(desk: Desk, person: ColumnElement[bool]) -> ColumnElement[bool]:
    return t.customer_row.in_(desk.rows(customers, customers.c.id).where(person))


def _has_tag(tag: str) -> ColumnElement[bool]:
    # Tags are kept as JSON text, in which a tag stands between quotes with its own quotes escaped.
    quoted = '"' + tag.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text: ColumnElement[bool] = t.tags.cast(t.title.type).contains(quoted, autoescape=True)
    return text


def _times(wanted: Row) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "created_after" in wanted:
        conditions.append(t.created_at > wanted["created_after"])
    if "created_before" in wanted:
        conditions.append(t.created_at < wanted["created_before"])
    if "updated_since" in wanted:
        conditions.append(t.updated_at >= wanted["updated_since"])
    return conditions


def newer(desk: Desk, column: str, after: str, *, limit: int) -> tuple[list[Row], int]:
    """For pollers: tickets whose `column` time is later than `after` ("" for all), newest first, and how many."""
    chosen = desk.rows(tickets)
    if after:
        chosen = chosen.where(t[column] > after)
    return desk.find(chosen.order_by(t[column].desc(), t.id.desc()).limit(limit)), desk.count(chosen)
