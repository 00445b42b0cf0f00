"""Read plans of ticket lists: which index SQLite uses, so that pages stay fast with many tickets. Only reads.

The plan depends on how many tickets match each filter. PostgreSQL's planner needs no hints.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, select
from sqlalchemy.sql.elements import ColumnElement

from core.models import ticket_fields
from database.tables import ticket_tags, tickets
from storage import Row, UnitOfWork

t, g = tickets.c, ticket_tags.c
Condition = ColumnElement[bool]
# Up to this many rows, sorting is faster than walking the index of the order (about the square root of 50 of 100,000 rows).
MAX_SORTED_ROWS = 2000
DEEP_OFFSET = 200  # from this offset on, ids are selected first and whole rows are read only for the page
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
    "due": (t.resolve_due_at.asc().nulls_last(), t.created_at, t.id),
    "-due": (t.resolve_due_at.desc().nulls_last(), t.created_at.desc(), t.id.desc()),
}
_BY_TAG = {"created_at": (g.created_at, g.ticket_id), "-created_at": (g.created_at.desc(), g.ticket_id.desc())}


class ReadPlan(NamedTuple):
    """`lead` is the filter whose index is used; "" means the index of the order, None lets the database choose."""

    lead: str | None
    ordered: bool = False  # whether that index already has the requested order


def choose_plan(counts: Mapping[str, int], words: Mapping[str, Sequence[str]], sort: str) -> ReadPlan:
    """Chooses a plan from the number of tickets that match each filter alone."""
    by_filter = {name: number for name, number in counts.items() if name}
    if not by_filter:
        return ReadPlan(None)
    by_age = {name: number for name, number in by_filter.items() if sort in _BY_TAG and len(words[name]) == 1}
    rarest, ordered = (min(some, key=lambda name: some[name], default="") for some in (by_filter, by_age))
    if ordered and (by_filter[ordered] <= by_filter[rarest] or by_filter[rarest] > MAX_SORTED_ROWS):
        return ReadPlan(ordered, ordered=True)
    return ReadPlan(rarest if by_filter[rarest] <= MAX_SORTED_ROWS else "")


def with_leading_index(
    uow: UnitOfWork, conditions: Mapping[str, Condition], plan: ReadPlan, filters: Row
) -> dict[str, Condition]:
    """The conditions, rewritten so that SQLite uses no index except for the leading one."""
    if plan.lead is None:
        return dict(conditions)
    others = {name: condition for name, condition in conditions.items() if name != plan.lead}
    if "tag" in others:
        others["tag"] = exists().where(*_of_company(uow), g.tag == filters["tag"], *_same_ticket())
    unindexed = {name: uow.no_index(condition) for name, condition in others.items()}
    return unindexed | ({plan.lead: conditions[plan.lead]} if plan.lead else {})


def _of_company(uow: UnitOfWork) -> list[Condition]:
    return [g.company_id == uow.actor.company_id]


def _same_ticket() -> list[Condition]:
    return [g.created_at == t.created_at, g.ticket_id == t.id]


def ids_with_tag(uow: UnitOfWork, tag: str) -> Select[Any]:
    """The ids of the company's tickets with a tag."""
    return select(g.ticket_id).where(*_of_company(uow), g.tag == tag)


def fetch_planned(uow: UnitOfWork, statement: Select[Any], plan: ReadPlan, filters: Row) -> list[Row]:
    """One page of the tickets that `statement` selects, read as the plan says."""
    order, fields = SORTS[filters["sort"]], ticket_fields(uow.actor)
    page = (filters["limit"], filters["offset"])
    if plan.lead and not plan.ordered:  # a constant first column keeps SQLite from using the index of the order
        order = (uow.no_index(t.company_id), *order)
    if plan.lead == "tag" and plan.ordered:
        ids = ids_with_tag(uow, filters["tag"]).order_by(*_BY_TAG[filters["sort"]])
        if len(filters) > len(("tag", "sort", "limit", "offset")):
            ids = ids.where(exists(statement.with_only_columns(t.id).where(*_same_ticket())))
    elif filters["offset"] < DEEP_OFFSET:
        return fetch_page(uow, statement.order_by(*order), filters)
    else:
        ids = statement.with_only_columns(t.id).order_by(*order)
    whole = uow.select_fields(tickets, fields).where(t.id.in_(ids.limit(page[0]).offset(page[1])))
    return uow.fetch_public(whole.order_by(*order), tickets, fields)


def fetch_page(uow: UnitOfWork, ordered: Select[Any], filters: Row) -> list[Row]:
    """One page of an ordered statement."""
    page = ordered.limit(filters["limit"]).offset(filters["offset"])
    return uow.fetch_public(page, tickets, ticket_fields(uow.actor))
