"""Lists of tickets: filters, orders, counts and pages. Only reads."""

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import Select, and_, exists, func, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from core import models, normal_form, timestamps
from core.errors import not_found
from core.models import ticket_fields, ticket_shape
from database.column_types import is_set
from database.tables import customers, replies, ticket_tags, tickets
from services.routing import teams
from services.stats import counters
from services.tickets import last_messages
from storage import Row, UnitOfWork

t, g = tickets.c, ticket_tags.c
MOST_NUMBER, MOST_DIGITS = 2**31 - 1, 10  # of a ticket
MAX_CACHED_ROWS = 50  # longer pages take too much memory
# Up to this many matches are sorted: that is faster than reading tickets in order until the page is full. With more it is
# slower. SQLite cannot know, because it plans a query without its values.
MAX_SORTED_ROWS = 1500
Condition = ColumnElement[bool]
NEWEST = "-created_at"
SOURCES = (tickets, customers)  # the tables that filters look at
SOURCES_OF_PAGES = (*SOURCES, replies)
PAGE = ("sort", "limit", "offset")
TIMES = ("created_after", "created_before", "updated_since")
# `urgency` and `-urgency` both mean most urgent first, then oldest first.
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
    "waiting": (t.queue_place, t.created_at, t.id),
    "-waiting": (t.queue_place.desc(), t.created_at.desc(), t.id.desc()),
    "due": (t.resolve_due_at.asc().nulls_last(), t.created_at, t.id),
    "-due": (t.resolve_due_at.desc().nulls_last(), t.created_at.desc(), t.id.desc()),
}
# The orders of creation, with the columns of the index of tags.
_TAG_SORTS = {"created_at": (g.created_at, g.ticket_id), "-created_at": (g.created_at.desc(), g.ticket_id.desc())}


def _any_of(name: str) -> Callable[[UnitOfWork, Any], Condition]:
    return lambda uow, words: counters.one_of(t[name], words)


def _is(name: str) -> Callable[[UnitOfWork, Any], Condition]:
    return lambda uow, value: t[name] == value


def _assigned_to(uow: UnitOfWork, agent: str) -> Condition:
    return counters.one_of(t.assigned_to, _case_variants(agent))


def _case_variants(agent: str) -> list[str]:
    return sorted({agent, agent.lower(), normal_form.email(agent)})


def _written_by(uow: UnitOfWork, person: Condition) -> Condition:
    return t.customer_row.in_(uow.query(customers, customers.c.id).where(person))


def _equals_nonempty(column: ColumnElement[str], name: str) -> Condition:
    return and_(column == name, is_set(column))  # partial indexes leave out empty values


def _has_tag(uow: UnitOfWork, tag: str) -> Condition:
    return t.id.in_(_tagged(uow, tag))


def _tagged(uow: UnitOfWork, tag: str) -> Select[Any]:
    """The ids of the company's tickets with a tag."""
    return select(g.ticket_id).where(g.company_id == uow.actor.company_id, g.tag == tag)


FILTERS: dict[str, Callable[[UnitOfWork, Any], Condition]] = {
    **{
        name: _any_of(name)
        for name in "status priority category assigned_team sentiment customer_tier source sla_status".split()
    },
    **{name: _is(name) for name in "number external_id product topic".split()},
    "assigned_to": _assigned_to,
    "incident": lambda uow, incident_id: _equals_nonempty(t.incident_id, incident_id),
    "tag": _has_tag,
    "snoozed": lambda uow, is_snoozed: t.snoozed_until.is_not(None) if is_snoozed else t.snoozed_until.is_(None),
    "unassigned": lambda uow, is_unassigned: t.assigned_to == "" if is_unassigned else t.assigned_to != "",
    "customer_email": lambda uow, email: _written_by(uow, _equals_nonempty(customers.c.email, email)),
    "customer_id": lambda uow, customer_id: _written_by(uow, _equals_nonempty(customers.c.customer_id, customer_id)),
    "created_after": lambda uow, moment: t.created_at > moment,
    "created_before": lambda uow, moment: t.created_at < moment,
    "updated_since": lambda uow, moment: t.updated_at >= moment,
}
# Role -> the tickets that the filter `user` selects.
_USER_FILTERS: dict[str, Callable[[UnitOfWork, str], Condition]] = {
    "customer": lambda uow, user: _written_by(
        uow,
        or_(
            _equals_nonempty(customers.c.email, normal_form.email(user)),
            _equals_nonempty(customers.c.customer_id, user),
        ),
    ),
    "agent": _assigned_to,
    "admin": lambda uow, user: true(),
}


def find(uow: UnitOfWork, filters: Row) -> tuple[list[Row], int]:
    """One page of the tickets that match all filters and are visible to the actor, and the total.

    Ordered by `sort`; the default is best match first with `q`, else newest first.
    """
    return _found(uow, filters, as_json=False)


def find_json(uow: UnitOfWork, filters: Row) -> tuple[Any, int]:
    """As `find`, with the page as JSON for a response: a list that is asked for again is not made into JSON again."""
    return _found(uow, filters, as_json=True)


def _found(uow: UnitOfWork, filters: Row, *, as_json: bool) -> tuple[Any, int]:
    filters = _with_known_teams(uow, filters)
    if "q" not in filters:
        filters = {"sort": NEWEST, **filters}
    if set(filters.get("status", ())) >= set(models.STATUSES):
        filters = {name: value for name, value in filters.items() if name != "status"}

    def load() -> tuple[Any, int]:
        total = count(uow, filters)
        rows = _page(uow, filters, total) if filters["offset"] < total else []
        return orjson.Fragment(orjson.dumps(rows)) if as_json else rows, total

    if filters["limit"] > MAX_CACHED_ROWS:
        return load()
    texts = tuple([(name, str(value)) for name, value in filters.items()])
    return uow.cached(SOURCES_OF_PAGES, ("page", as_json, texts), load)


def shown(uow: UnitOfWork, ticket_id: str) -> Row:
    """The ticket in the form of a response. Raises AppError 404."""

    def load() -> Row | None:
        row = uow.get(tickets, ticket_id)
        return ticket_shape(row, uow.actor) if row else None

    ticket = uow.cached((tickets,), ("shown", ticket_id), load)
    if ticket is None:
        raise not_found()
    return ticket


def by_number(uow: UnitOfWork, text: str) -> Row:
    """The ticket with the number that a text says. Raises AppError 404, also for a text that is no number, like 007."""
    is_number = text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= MOST_DIGITS
    number = int(text) if is_number else 0
    ticket = uow.first(uow.query(tickets).where(t.number == number)) if number <= MOST_NUMBER else None
    if ticket is None:
        raise not_found()
    return ticket


def _with_known_teams(uow: UnitOfWork, filters: Row) -> Row:
    """The filters with the keys of teams that are there or were. Raises AppError 400 for others."""
    named = filters.get("assigned_team", ())
    if all(team in models.TEAMS for team in named):
        return filters
    keys = [teams.resolve(uow, team, field="assigned_team", of_past=True) for team in named]
    return {**filters, "assigned_team": keys}


def count(uow: UnitOfWork, filters: Row) -> int:
    """How many visible tickets match all filters. Raises AppError 400 for a team that never was."""
    filters = _with_known_teams(uow, filters)
    conditions = tuple((name, str(value)) for name, value in filters.items() if name not in PAGE)
    return uow.cached(SOURCES, ("count", conditions), lambda: _count(uow, filters))


def _count(uow: UnitOfWork, filters: Row) -> int:
    """How many tickets match all filters, from the counters where they have all of the fields."""
    if filters.get("snoozed") is False:  # few are snoozed, and an index knows them
        others = _without(filters, "snoozed")
        return _count(uow, others) - _count(uow, {**others, "snoozed": True})
    if filters.get("unassigned") and (assigned := _count_assigned(uow, filters)) is not None:
        return _count(uow, _without(filters, "unassigned")) - assigned
    counter_filters = _counter_filters(filters)
    number = None if counter_filters is None else counters.count(uow, counter_filters)
    return uow.count(_filtered(uow, filters)) if number is None else number


def _without(filters: Row, name: str) -> Row:
    return {other: value for other, value in filters.items() if other != name}


def _count_assigned(uow: UnitOfWork, filters: Row) -> int | None:
    """How many tickets with an agent match the other filters; None where no counter has them."""
    others = _counter_filters(_without(filters, "unassigned"))
    return None if others is None else counters.count_assigned(uow, others)


def _counter_filters(filters: Row) -> dict[str, list[str]] | None:
    """The filters as allowed values of each field, for counters.count; None if a filter has no such form."""
    if "number" in filters:
        return None
    words = {name: value for name, value in filters.items() if name not in (*PAGE, "user", "role")}
    if "user" in filters and filters["role"] != "admin":
        if filters["role"] == "customer" or "assigned_to" in words:
            return None
        words["assigned_to"] = filters["user"]
    if "assigned_to" in words:
        words["assigned_to"] = _case_variants(words["assigned_to"])
    return {name: [value] if isinstance(value, str) else value for name, value in words.items()}


def _page(uow: UnitOfWork, filters: Row, total: int) -> list[Row]:
    """One page: first the ids in order, then only the rows of the page, so that sorting moves no long texts."""
    page = _ordered_ids(uow, filters, total).limit(filters["limit"]).offset(filters["offset"])
    places = {row[0]: place for place, row in enumerate(uow.aggregate(page))}
    fields = ticket_fields(uow.actor)
    rows = uow.fetch_public(uow.select_fields(tickets, fields).where(t.id.in_(places)), tickets, fields)
    return last_messages.add(uow, sorted(rows, key=lambda row: places[row["id"]]))


def _ordered_ids(uow: UnitOfWork, filters: Row, total: int) -> Select[Any]:
    """The ids of the visible tickets that match all filters, in order. `total` is their number."""
    if "sort" not in filters:
        return _filtered(uow, filters, best_first=True)
    if "tag" in filters and filters["sort"] in _TAG_SORTS:
        # Along the index of the tag: SQLite would otherwise sort all tickets that have it.
        other_filters = _filtered(uow, {name: value for name, value in filters.items() if name != "tag"})
        match = exists(other_filters.where(t.id == g.ticket_id).correlate(ticket_tags))
        return _tagged(uow, filters["tag"]).where(match).order_by(*_TAG_SORTS[filters["sort"]])
    order = SORTS[filters["sort"]]
    is_filtered = not set(filters) <= set(PAGE)
    if not is_filtered or (total > MAX_SORTED_ROWS and filters["sort"] in _TAG_SORTS):
        return _filtered(uow, filters).order_by(*order)  # the index of a filter is in the order of creation
    if total > MAX_SORTED_ROWS:
        return _filtered(uow, filters, use_indexes=False).order_by(*order)
    # No index begins with a constant, so SQLite uses the index of a filter.
    return _filtered(uow, filters).order_by(uow.no_index(t.company_id), *order)


def _filtered(uow: UnitOfWork, filters: Row, *, best_first: bool = False, use_indexes: bool = True) -> Select[Any]:
    """The ids of the visible tickets that match all filters and `q`; `best_first` orders them by relevance.

    With `use_indexes` False SQLite uses no index for filters but those of times, and reads tickets in order.
    """
    conditions = {name: FILTERS[name](uow, value) for name, value in filters.items() if name in FILTERS}
    if "user" in filters:
        conditions["user"] = _USER_FILTERS[filters["role"]](uow, filters["user"])
    hinted = [
        condition if use_indexes or name in TIMES else uow.no_index(condition) for name, condition in conditions.items()
    ]
    statement = uow.query(tickets, t.id).where(*hinted)
    return uow.search(statement, filters["q"], best_first=best_first) if "q" in filters else statement


def find_newer(uow: UnitOfWork, column: str, after: str, *, limit: int) -> tuple[list[Row], int]:
    """For pollers: tickets whose `column` is later than `after`, newest first, and the total.

    Returns the oldest `limit` of them, plus all with the same time as the last one, so that a poller that sends the newest
    time as the next `after` misses none. Without `after` ("") it returns the newest `limit`.
    """
    moment = t[column]
    newest_first = (moment.desc(), t.id.desc())
    visible = uow.select_fields(tickets, ticket_fields(uow.actor))
    if not after:
        number = counters.count(uow, {})
        total = uow.count(visible) if number is None else number
        return uow.fetch_public(visible.order_by(*newest_first).limit(limit), tickets, ticket_fields(uow.actor)), total
    later = uow.query(tickets, moment).where(moment > after)
    last = later.order_by(moment).limit(1).offset(limit - 1).scalar_subquery()
    # One statement: a write between two statements could split tickets of the same time.
    page = visible.where(moment > after, moment <= func.coalesce(last, timestamps.LAST)).order_by(*newest_first)
    return uow.fetch_public(page, tickets, ticket_fields(uow.actor)), uow.count(later)
