"""Which tickets are merged into which. Only reads; services/tickets/merging.py merges them."""

from database.tables import tickets
from storage import Row, UnitOfWork

MOST = 100  # tickets in one thread


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
    ids_in_thread, level = {ticket_id}, [ticket_id]
    while level and len(ids_in_thread) <= MOST:
        ids = [row_id for one in level for row_id in uow.ids_by(tickets, "merged_into", one)]
        level = [row_id for row_id in ids[:MOST] if row_id not in ids_in_thread]
        ids_in_thread.update(level)
    return sorted(ids_in_thread - {ticket_id})
