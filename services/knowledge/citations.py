"""Which articles answered which tickets, and how often a person was needed all the same."""

from collections.abc import Sequence

from sqlalchemy import case, func, or_

from database.tables import articles, tickets
from database.tables import citations as table
from storage import Row, UnitOfWork

NAMES = ("times_answered", "times_escalated")


def record(uow: UnitOfWork, ticket_id: str, article_ids: Sequence[str]) -> None:
    """Notes that these articles answered a ticket, each once; those that are not published any more are left out."""
    if not article_ids:
        return
    published = articles.c.id.in_(article_ids), articles.c.status == "published"
    for row in uow.find(uow.query(articles, articles.c.id).where(*published)):
        uow.insert_new(table, {"ticket_id": ticket_id, "article_id": row["id"], "created_at": uow.now})


def counts(uow: UnitOfWork, article_ids: Sequence[str]) -> dict[str, Row]:
    """For each article: how many tickets it answered, and of those, how many a person answered too or has to answer."""
    ids = tuple(article_ids)
    found = uow.cached((table, tickets), ("citations", ids), lambda: _read(uow, ids)) if ids else {}
    return {article_id: found.get(article_id, dict.fromkeys(NAMES, 0)) for article_id in ids}


def _read(uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Row]:
    needed = or_(tickets.c.human_replied, tickets.c.status == "handoff")
    columns = (table.c.article_id, func.count(), func.sum(case((needed, 1), else_=0)))
    query = uow.query(table, *columns).join_from(table, tickets, table.c.ticket_id == tickets.c.id)
    rows = uow.aggregate(query.where(table.c.article_id.in_(ids)).group_by(table.c.article_id))
    return {article_id: dict(zip(NAMES, map(int, numbers), strict=True)) for article_id, *numbers in rows}


def forget_tickets(uow: UnitOfWork, ticket_ids: Sequence[str]) -> None:
    """Removes what answered these tickets, which are erased."""
    uow.delete(table, table.c.ticket_id.in_(ticket_ids))
