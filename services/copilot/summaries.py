"""The summary of a ticket for an agent: the model's, or sentences of the ticket itself."""

import time
from dataclasses import asdict

from ai import copilot_prompts, extracts
from ai.copilot_prompts import Case
from database.tables import replies
from services.model_access import ModelAccess
from services.tickets import changes, similar
from services.triage import decide
from storage import Row, UnitOfWork


def summarise(access: ModelAccess, ticket_id: str) -> tuple[Row, str]:
    """The summary with its `source` (model or rules), and why the model did not write it. Raises AppError 404."""
    started = time.monotonic()
    with access.open_uow() as uow:
        ticket = changes.get(uow, ticket_id)
        thread = recent(uow, ticket_id)
        mood = _mood(uow, access, ticket, thread)
        others = similar.find_similar(uow, access.trained_models, ticket).others if access.model else []
    case = Case(ticket, thread, others=others)
    summary, reason = access.ask(lambda model, ends: copilot_prompts.summarise(case, model, ends=ends), started=started)
    source = "model" if summary else "rules"
    summary = summary or extracts.summarise(ticket, thread, mood=mood)
    return {**asdict(summary), "source": source}, reason


def recent(uow: UnitOfWork, ticket_id: str) -> list[Row]:
    """The newest entries of a ticket's thread, internal notes included, oldest first."""
    thread = uow.query(replies).where(replies.c.ticket_id == ticket_id)
    newest_first = thread.order_by(replies.c.created_at.desc(), replies.c.id.desc())
    return uow.find(newest_first.limit(extracts.MOST_ENTRIES))[::-1]


def _mood(uow: UnitOfWork, access: ModelAccess, ticket: Row, thread: list[Row]) -> str:
    """The sentiment of the customer's newest message, else the ticket's."""
    newest = next((entry for entry in reversed(thread) if entry["author_role"] == "customer"), None)
    if newest is None:
        return str(ticket["sentiment"])
    triage = decide.decide(uow, access.trained_models, "", newest["body"], tier=ticket["customer_tier"])
    return triage.sentiment
