"""Audit log of a company: all events, newest first. Only reads; services/history.py writes."""

from typing import Any, get_args

from core import normal_form
from database.tables import events
from services.history import Subject
from storage import Row, UnitOfWork

SUBJECTS: tuple[str, ...] = get_args(Subject)
_EXACT = ("subject", "subject_id", "action", "said_by")


def find(uow: UnitOfWork, filters: Row) -> tuple[list[Row], int]:
    """One page of the events that match all filters, and the total."""
    query = uow.query(events).where(*_conditions(filters))
    page = query.order_by(events.c.created_at.desc(), events.c.id.desc())
    return uow.find(page.limit(filters["limit"]).offset(filters["offset"])), uow.count(query)


def _conditions(filters: Row) -> list[Any]:
    e = events.c
    conditions: list[Any] = [e[name] == filters[name] for name in _EXACT if name in filters]
    if "actor" in filters:
        conditions.append(e.actor.in_({filters["actor"], normal_form.email(filters["actor"])}))
    if "created_after" in filters:
        conditions.append(e.created_at > filters["created_after"])
    if "created_before" in filters:
        conditions.append(e.created_at < filters["created_before"])
    return conditions
