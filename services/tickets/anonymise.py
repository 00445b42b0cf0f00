"""Taking a customer out of their tickets: texts, names and addresses are emptied, what figures count stays."""

from typing import Any

from sqlalchemy import case

from database.tables import tickets
from storage import UnitOfWork

ERASED = "(erased)"


# What a figure counts by being there is not emptied: whether the AI answered, and that there was something to answer.
_ERASED_FIELDS: dict[str, Any] = {
    "title": ERASED,
    "description": ERASED,
    **dict.fromkeys(("customer_email", "customer_id", "customer_name", "product", "resolution", "external_id"), ""),
    "ai_response": case((tickets.c.ai_response != "", ERASED), else_=""),
    "ai_status": case(
        (tickets.c.ai_status == "pending", "off"), else_=tickets.c.ai_status
    ),  # an answer under way comes too late
    **{name: [] for name in ("ai_citations", "triage_reasons", "tags")},
    "version": tickets.c.version + 1,
}


def anonymise(uow: UnitOfWork, ids: list[str]) -> None:
    """Empties what names a person in the tickets with these ids."""
    uow.update_where(tickets, tickets.c.id.in_(ids), erased_at=uow.now, **_ERASED_FIELDS)
