"""Answers one question outside any conversation, as the chat would. Nothing is stored, and no person is told."""

from typing import Any

from services.chat.answers import compose
from services.knowledge.citations import shown as shown_citations
from services.model_access import ModelAccess
from services.tickets.titles import title_of


def answer(access: ModelAccess, question: str, *, company_id: str) -> dict[str, Any]:
    """The answer from published articles, and whether a person must answer instead. `access` sees the whole company."""
    no_ticket = {"id": "", "number": 0, "company_id": company_id, "customer_row": "", "customer_tier": "standard"}
    no_ticket |= {"title": title_of(question), "description": question}
    draft = compose(access, no_ticket, question, [])
    with access.open_uow() as uow:
        citations = shown_citations(uow, draft.citations)
    return {
        "answer": "" if draft.reason else draft.text,
        "answered": draft.reason is None and draft.is_answer,
        "escalation": draft.reason is not None,
        "escalation_reason": draft.reason or "",
        "source": draft.source,
        "confidence": draft.confidence or 0.0,
        "citations": citations,
    }
