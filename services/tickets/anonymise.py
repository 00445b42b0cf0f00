"""Anonymise tickets: empty texts, names and addresses, keep the values that statistics count."""

from typing import Any

from sqlalchemy import case

from database.tables import tickets
from storage import UnitOfWork

ERASED = "(erased)"


# Statistics count whether these fields are empty, so a placeholder replaces their text.
_ERASED_FIELDS: dict[str, Any] = {
    "title": ERASED,
    "description": ERASED,
    **dict.fromkeys(("customer_email", "customer_id", "customer_name", "product", "resolution", "external_id"), ""),
    "ai_response": case((tickets.c.ai_response != "", ERASED), else_=""),
    "ai_status": case(
        (tickets.c.ai_status == "pending", "off"), else_=tickets.c.ai_status
    ),  # a pending answer is not stored any more
    **{name: [] for name in ("ai_citations", "triage_reasons", "tags", "suggested_tags", "watchers")},
    "queue_since": None,
    "version": tickets.c.version + 1,
}


def anonymise(uow: UnitOfWork, ids: list[str]) -> None:
    """Empties the personal fields of the tickets with these ids."""
    uow.update_where(tickets, tickets.c.id.in_(ids), erased_at=uow.now, **_ERASED_FIELDS)
