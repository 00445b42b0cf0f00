"""The feed of events for pollers: what happened after an event that the caller names, oldest first. Only reads."""

from typing import Any

from sqlalchemy import Integer, Select, bindparam

from core import timestamps
from database.tables import events as history_table
from database.tables import replies, tickets
from services.events import happenings
from services.events.happenings import Happening
from services.events.shapes import shapes
from services.prepared_statements import prepared
from services.tickets import last_messages
from storage import Row, UnitOfWork

MOST_CACHED = 50  # events of a page that is kept in memory
BATCH = 500  # rows of the history that are read at once
e = history_table.c
COLUMNS = tuple(e[name] for name in "subject subject_id action field from_value to_value created_at".split())


def after(uow: UnitOfWork, last_id: str, since: str, *, limit: int) -> list[Row]:
    """The first `limit` events after the one with the id `last_id`, or without one ("") later than `since` ("": all)."""
    if limit > MOST_CACHED:
        return _after(uow, last_id, since, limit)
    return uow.cached(
        (history_table, tickets, replies), ("events", last_id, since, limit), lambda: _after(uow, last_id, since, limit)
    )


def _after(uow: UnitOfWork, last_id: str, since: str, limit: int) -> list[Row]:
    page: list[Row] = []
    # Of the write of the last event some events may be left.
    start = timestamps.later(happenings.stamp_of(last_id), seconds=-0.001) if last_id else since
    while True:
        rows, start = _rows(uow, start)
        if not rows:
            return page
        news = [one for one in happenings.derive(rows, for_customer=uow.actor.is_customer) if one.id > last_id]
        page += _shown(uow, news, limit - len(page))
        if len(page) >= limit or not start:
            return page


def _shown(uow: UnitOfWork, news: list[Happening], most: int) -> list[Row]:
    rows: list[Row] = []
    for position in range(0, len(news), most):
        rows += shapes(uow, news[position : position + most])
        if len(rows) >= most:
            break
    page = rows[:most]
    # In the feed alone: a webhook of a reply holds the whole text already.
    last_messages.add(uow, [event["ticket"] for event in page if "ticket" in event])
    return page


def _later(uow: UnitOfWork) -> Select[Any]:
    """The SELECT of rows later than `start_`, at most `most_`."""

    def build() -> Select[Any]:
        later = (e.created_at > bindparam("start_", type_=e.created_at.type), e.subject.in_(happenings.SUBJECTS))
        query = uow.query(history_table, *COLUMNS).where(*later).order_by(e.created_at, e.id)
        return query.limit(bindparam("most_", type_=Integer))

    return prepared(uow, "later events", build)


def _rows(uow: UnitOfWork, start: str) -> tuple[list[Row], str]:
    """Rows of the history later than `start`, complete for each write. Also the time to go on from, "" at the end."""
    rows = uow.find(_later(uow), start_=start, most_=BATCH)
    if len(rows) < BATCH:
        return rows, ""
    last = rows[-1]["created_at"]
    complete = [row for row in rows if row["created_at"] < last]
    if complete:
        return complete, complete[-1]["created_at"]
    of_last = uow.query(history_table, *COLUMNS).where(e.created_at == last, e.subject.in_(happenings.SUBJECTS))
    return uow.find(of_last.order_by(e.id)), last
