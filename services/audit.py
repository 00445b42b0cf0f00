"""The audit of a company: everything that happened in it, newest first. Only reads; services/history.py writes."""

from typing import Any, get_args

import normal_form
from services.history import Subject
from storage import Desk, Row
from tables import events

SUBJECTS: tuple[str, ...] = get_args(Subject)
_EXACT = ("subject", "subject_id", "action", "said_by")


def find(desk: Desk, wanted: Row) -> tuple[list[Row], int]:
    """One page of the events that meet every filter in `wanted`, and how many meet them."""
    chosen = desk.rows(events).where(*_conditions(wanted))
    page = chosen.order_by(events.c.created_at.desc(), events.c.id.desc())
    return desk.find(page.limit(wanted["limit"]).offset(wanted["offset"])), desk.count(chosen)


def _conditions(wanted: Row) -> list[Any]:
    e = events.c
    conditions: list[Any] = [e[name] == wanted[name] for name in _EXACT if name in wanted]
    if "actor" in wanted:
        conditions.append(e.actor.in_({wanted["actor"], normal_form.email(wanted["actor"])}))
    if "created_after" in wanted:
        conditions.append(e.created_at > wanted["created_after"])
    if "created_before" in wanted:
        conditions.append(e.created_at < wanted["created_before"])
    return conditions
