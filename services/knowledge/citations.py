"""Which articles answered which tickets, and how often a person was needed all the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import case, func

from database.tables import articles, tickets
from database.tables import citations as table
from storage import Row, UnitOfWork

NAMES = ("times_answered", "times_escalated")


def record(uow: UnitOfWork, ticket: Row, article_ids: Sequence[str]) -> None:
    """Notes that these articles answered a ticket, each once; those that are not published any more are left out."""
    if not article_ids:
        return
    values = {"ticket_id": ticket["id"], "escalated": needs_a_person(ticket), "created_at": uow.now}
    published = articles.c.id.in_(article_ids), articles.c.status == "published"
    for row in uow.find(uow.query(articles, articles.c.id).where(*published)):
        uow.insert_new(table, {**values, "article_id": row["id"]})


def shown(uow: UnitOfWork, article_ids: Iterable[str]) -> list[Row]:
    """The cited articles that are published now, as `article_id` and `title`, each once and in this order."""
    ids = list(dict.fromkeys(article_ids))
    columns = (articles.c.id, articles.c.title)
    published = uow.query(articles, *columns).where(articles.c.id.in_(ids), articles.c.status == "published")
    titles = {row["id"]: row["title"] for row in uow.find(published)} if ids else {}
    return [{"article_id": cited, "title": titles[cited]} for cited in ids if cited in titles]


def needs_a_person(ticket: Mapping[str, Any]) -> bool:
    """Whether a person replied to the ticket, or it waits for one. `ticket` may be the fields of a change."""
    return bool(ticket.get("human_replied")) or ticket.get("status") == "handoff"


def escalate(uow: UnitOfWork, ticket_id: str) -> None:
    """Notes that a person was needed although articles had answered the ticket."""
    if uow.ids_by(table, "ticket_id", ticket_id):  # a cheap question: few tickets were answered by articles
        uow.update_where(table, table.c.ticket_id == ticket_id, ~table.c.escalated, escalated=True)


def counts(uow: UnitOfWork, article_ids: Sequence[str]) -> dict[str, Row]:
    """For each article: how many tickets it answered, and in how many of them a person was needed all the same."""
    ids = tuple(article_ids)
    # Tickets too: those that are deleted take their rows with them.
    rows = uow.cached((table, tickets), ("citations", ids), lambda: _read(uow, ids)) if ids else {}
    return {article_id: rows.get(article_id, dict.fromkeys(NAMES, 0)) for article_id in ids}


def _read(uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Row]:
    c = table.c
    columns = (c.article_id, func.count(), func.sum(case((c.escalated, 1), else_=0)))
    rows = uow.aggregate(uow.query(table, *columns).where(c.article_id.in_(ids)).group_by(c.article_id))
    return {article_id: dict(zip(NAMES, map(int, numbers), strict=True)) for article_id, *numbers in rows}


def forget_tickets(uow: UnitOfWork, ticket_ids: Sequence[str]) -> None:
    """Deletes the citations of erased tickets."""
    uow.delete(table, table.c.ticket_id.in_(ticket_ids))
