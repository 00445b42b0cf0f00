"""Which tickets are merged into which. Only reads; services/tickets/merging.py merges them."""

from database.tables import tickets
from storage import Row, UnitOfWork

MOST = 100  # tickets in one thread
t = tickets.c


def root(uow: UnitOfWork, ticket: Row) -> Row:
    """The ticket in which the thread of this one goes on: itself, unless it is merged."""
    seen = {ticket["id"]}
    while (into := ticket["merged_into"]) and into not in seen:  # a hand may have written a circle
        seen.add(into)
        after = uow.get(tickets, into)
        if after is None:
            break
        ticket = after
    return ticket


def sources(uow: UnitOfWork, ticket_id: str) -> list[str]:
    """The ids of the tickets that are merged into this one, also by way of others; at most MOST."""
    return uow.cached((tickets,), ("merged into", ticket_id), lambda: _sources(uow, ticket_id))


def _sources(uow: UnitOfWork, ticket_id: str) -> list[str]:
    found, level = {ticket_id}, [ticket_id]
    while level and len(found) <= MOST:
        rows = uow.find(uow.query(tickets, t.id).where(t.merged_into.in_(level), t.merged_into != "").limit(MOST))
        level = [row["id"] for row in rows if row["id"] not in found]
        found.update(level)
    return sorted(found - {ticket_id})
