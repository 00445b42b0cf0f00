"""Lists of tickets: filters, full text, order and pages. Only reads."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, or_, true
from sqlalchemy.sql.elements import ColumnElement

from models import ticket_fields
from storage import Desk, Row
from tables import customers, tickets

t = tickets.c
REMEMBERED_ROWS = 50  # what galleries ask for again and again; longer pages are not worth their memory
Condition = ColumnElement[bool]
# Most urgent first, whether asked as `urgency` or `-urgency`; equals in the order they came in.
_MOST_URGENT = (t.urgency.desc(), t.created_at, t.id)
_TOP_PRIORITY = (t.priority_rank.desc(), t.priority_score.desc(), t.created_at, t.id)
NEWEST = "-created_at"
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


def _any_of(name: str) -> Callable[[Desk, Any], Condition]:
    return lambda desk, words: t[name] == words[0] if len(words) == 1 else t[name].in_(words)


def _is(name: str) -> Callable[[Desk, Any], Condition]:
    return lambda desk, value: t[name] == value


def _assigned_to(desk: Desk, agent: str) -> Condition:
    return t.assigned_to.in_({agent, agent.lower()})


def _written_by(desk: Desk, person: Condition) -> Condition:
    return t.customer_row.in_(desk.rows(customers, customers.c.id).where(person))


def _has_tag(desk: Desk, tag: str) -> Condition:
    # Tags are kept as JSON text, in which a tag stands between quotes with its own quotes escaped.
    quoted = '"' + tag.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text: Condition = t.tags.cast(t.title.type).contains(quoted, autoescape=True)
    return text


FILTERS: dict[str, Callable[[Desk, Any], Condition]] = {
    **{name: _any_of(name) for name in "status priority category assigned_team sentiment customer_tier source".split()},
    **{name: _is(name) for name in "external_id product topic".split()},
    "assigned_to": _assigned_to,
    "tag": _has_tag,
    "customer_email": lambda desk, email: _written_by(desk, customers.c.email == email),
    "customer_id": lambda desk, customer_id: _written_by(desk, customers.c.customer_id == customer_id),
    "created_after": lambda desk, moment: t.created_at > moment,
    "created_before": lambda desk, moment: t.created_at < moment,
    "updated_since": lambda desk, moment: t.updated_at >= moment,
}
# Whose tickets `user` means, by the role named beside it.
_PERSON: dict[str, Callable[[Desk, str], Condition]] = {
    "customer": lambda desk, user: _written_by(
        desk, or_(customers.c.email == user.lower(), customers.c.customer_id == user)
    ),
    "agent": _assigned_to,
    "admin": lambda desk, user: true(),
}


def find(desk: Desk, wanted: Row) -> tuple[list[Row], int]:
    """One page of the tickets that meet every filter in `wanted`, as this actor may see them, and how many meet them."""
    said = {name: str(value) for name, value in wanted.items()}
    if wanted["limit"] > REMEMBERED_ROWS:
        return _page(desk, wanted), _total(desk, said, wanted)
    page = desk.remembered(tickets, tuple(said.items()), lambda: _page(desk, wanted))
    return page, _total(desk, said, wanted)


def _page(desk: Desk, wanted: Row) -> list[Row]:
    chosen = filtered(desk, wanted, ordered=True).limit(wanted["limit"]).offset(wanted["offset"])
    return desk.shapes(chosen, tickets, ticket_fields(desk.actor))


def _total(desk: Desk, said: Row, wanted: Row) -> int:
    filters = tuple(item for item in said.items() if item[0] not in ("sort", "limit", "offset"))
    return desk.remembered(tickets, filters, lambda: desk.count(filtered(desk, wanted)))


def filtered(desk: Desk, wanted: Row, *, ordered: bool = False) -> Select[Any]:
    """The tickets of this actor that meet every filter in `wanted`.

    `ordered` as wanted; where nothing is said, what fits the words best comes first, and without words the newest.
    """
    conditions = [FILTERS[name](desk, value) for name, value in wanted.items() if name in FILTERS]
    if "user" in wanted:
        conditions.append(_PERSON[wanted["role"]](desk, wanted["user"]))
    chosen = desk.only(tickets, ticket_fields(desk.actor)).where(*conditions)
    best_first = ordered and "sort" not in wanted and "q" in wanted
    if "q" in wanted:
        chosen = desk.search(chosen, wanted["q"], best_first=best_first)
    return chosen.order_by(*SORTS[wanted.get("sort", NEWEST)]) if ordered and not best_first else chosen


def newer(desk: Desk, column: str, after: str, *, limit: int) -> tuple[list[Row], int]:
    """For pollers: tickets whose `column` time is later than `after` ("" for all), newest first, and how many."""
    chosen = desk.only(tickets, ticket_fields(desk.actor))
    if after:
        chosen = chosen.where(t[column] > after)
    page = chosen.order_by(t[column].desc(), t.id.desc()).limit(limit)
    return desk.shapes(page, tickets, ticket_fields(desk.actor)), desk.count(chosen)
