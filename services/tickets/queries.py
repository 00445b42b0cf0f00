"""Lists of tickets: filters, counts and pages. Only reads; query_plans.py chooses the index."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, and_, func, or_, true
from sqlalchemy.sql.elements import ColumnElement

from core import models, normal_form, timestamps
from core.models import ticket_fields
from database.tables import customers, tickets
from services.stats import counters
from services.tickets import query_plans
from storage import Row, UnitOfWork

t = tickets.c
MAX_CACHED_ROWS = 50  # longer pages take too much memory
Condition = ColumnElement[bool]
NEWEST = "-created_at"
SOURCES = (tickets, customers)  # the tables that filters look at
PAGE = ("sort", "limit", "offset")


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
    return and_(column == name, column != "")  # the partial indexes of customers leave out empty values


def _has_tag(uow: UnitOfWork, tag: str) -> Condition:
    return t.id.in_(query_plans.ids_with_tag(uow, tag))


FILTERS: dict[str, Callable[[UnitOfWork, Any], Condition]] = {
    **{name: _any_of(name) for name in "status priority category assigned_team sentiment customer_tier source".split()},
    **{name: _is(name) for name in "external_id product topic".split()},
    "assigned_to": _assigned_to,
    "tag": _has_tag,
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
    if "q" not in filters:
        filters = {"sort": NEWEST, **filters}
    if set(filters.get("status", ())) >= set(models.STATUSES):
        filters = {name: value for name, value in filters.items() if name != "status"}
    texts = {name: str(value) for name, value in filters.items()}
    conditions = tuple(item for item in texts.items() if item[0] not in PAGE)
    counts = uow.cached(SOURCES, ("counts", conditions), lambda: _counts(uow, filters))
    if filters["offset"] >= counts[""]:
        return [], counts[""]
    if filters["limit"] > MAX_CACHED_ROWS:
        return _page(uow, filters, counts), counts[""]
    page = uow.cached(SOURCES, ("page", tuple(texts.items())), lambda: _page(uow, filters, counts))
    return page, counts[""]


def _counts(uow: UnitOfWork, filters: Row) -> dict[str, int]:
    """How many tickets match all filters, under "". Where counters exist, also how many match each filter, under its name."""
    counter_filters = _counter_filters(filters)
    counts = None if counter_filters is None else counters.count(uow, counter_filters)
    return counts or {"": uow.count(_filtered(uow, _conditions(uow, filters), filters))}


def _counter_filters(filters: Row) -> dict[str, list[str]] | None:
    """The filters as allowed values of each field, for counters.count; None if a filter has no such form."""
    words = {name: value for name, value in filters.items() if name not in (*PAGE, "user", "role")}
    if "user" in filters and filters["role"] != "admin":
        if filters["role"] == "customer" or "assigned_to" in words:
            return None
        words["assigned_to"] = filters["user"]
    if "assigned_to" in words:
        words["assigned_to"] = _case_variants(words["assigned_to"])
    return {name: [value] if isinstance(value, str) else value for name, value in words.items()}


def _page(uow: UnitOfWork, filters: Row, counts: dict[str, int]) -> list[Row]:
    conditions = _conditions(uow, filters)
    if "sort" not in filters:
        return _best_matches(uow, conditions, filters)
    counter_filters = _counter_filters(filters) if len(counts) > 1 else None
    plan = query_plans.choose_plan(counts, counter_filters or {}, filters["sort"])
    rows = _filtered(uow, query_plans.with_leading_index(uow, conditions, plan, filters), filters)
    return query_plans.fetch_planned(uow, rows, plan, filters)


def _best_matches(uow: UnitOfWork, conditions: dict[str, Condition], filters: Row) -> list[Row]:
    """One page of the tickets that match `q`, ordered by relevance. Whole rows are read only for the page."""
    ordered = _filtered(uow, conditions, filters, best_first=True).with_only_columns(t.id)
    ids = [row[0] for row in uow.aggregate(ordered.limit(filters["limit"]).offset(filters["offset"]))]
    fields = ticket_fields(uow.actor)
    rows = uow.fetch_public(uow.select_fields(tickets, fields).where(t.id.in_(ids)), tickets, fields)
    return sorted(rows, key=lambda row: ids.index(row["id"]))


def _conditions(uow: UnitOfWork, filters: Row) -> dict[str, Condition]:
    """The SQL condition of each filter, by name."""
    named = {name: FILTERS[name](uow, value) for name, value in filters.items() if name in FILTERS}
    if "user" in filters:
        named["assigned_to" if "assigned_to" not in named else "user"] = _USER_FILTERS[filters["role"]](
            uow, filters["user"]
        )
    return named


def _filtered(
    uow: UnitOfWork, conditions: dict[str, Condition], filters: Row, *, best_first: bool = False
) -> Select[Any]:
    """The visible tickets that match the conditions and `q`; `best_first` orders them by relevance."""
    statement = uow.select_fields(tickets, ticket_fields(uow.actor)).where(*conditions.values())
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
        counts = counters.count(uow, {})
        total = uow.count(visible) if counts is None else counts[""]
        return uow.fetch_public(visible.order_by(*newest_first).limit(limit), tickets, ticket_fields(uow.actor)), total
    later = uow.query(tickets, moment).where(moment > after)
    last = later.order_by(moment).limit(1).offset(limit - 1).scalar_subquery()
    # One statement: a write between two statements could split tickets of the same time.
    page = visible.where(moment > after, moment <= func.coalesce(last, timestamps.LAST)).order_by(*newest_first)
    return uow.fetch_public(page, tickets, ticket_fields(uow.actor)), uow.count(later)
