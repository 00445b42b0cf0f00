"""Drafts of replies for agents: writes them, stores them with their ticket's version, records their outcome. It sends none."""

import time
from collections.abc import Sequence

from ai import canned_drafts, copilot_prompts
from ai.copilot_prompts import Case
from ai.retrieval.index import Hit
from core.errors import conflict, invalid_field, not_found
from database.tables import drafts as table
from services.copilot import support
from services.copilot.summaries import recent
from services.knowledge.citations import shown as shown_citations
from services.model_access import ModelAccess
from services.tickets import changes, similar
from storage import Row, UnitOfWork


def write(access: ModelAccess, ticket_id: str, *, tone: str = "", instructions: str = "") -> tuple[Row, str]:
    """A new draft, and why the model did not write it. Raises AppError 404, and 409 for an erased ticket.

    Without the model it quotes the best article or the best past resolution, or holds the first steps of the category.
    """
    started = time.monotonic()
    with access.open_uow() as uow:
        ticket = changes.get_for_update(uow, ticket_id)
        thread = recent(uow, ticket_id)
        questions = support.newest_question(ticket, thread)
        hits = support.passages(uow, access, [*questions, *([instructions] if instructions else [])])
        others = similar.find_similar(uow, access.trained_models, ticket).others if access.model else []
    case = Case(ticket, thread, hits, others)
    model_draft, reason = access.ask(
        lambda model, ends: copilot_prompts.draft(case, model, tone=tone, instructions=instructions, ends=ends),
        started=started,
    )
    if model_draft:
        values: Row = {"body": model_draft.text, "source": "model"}
        values |= {"confidence": model_draft.confidence, "citations": model_draft.citations}
    else:
        with access.open_uow() as uow:
            values = _without_model(uow, access, ticket, thread, questions, hits)
    with access.open_uow(write=True) as uow:
        return keep(uow, changes.get_for_update(uow, ticket_id), values, version=ticket["version"]), reason


def keep(uow: UnitOfWork, ticket: Row, values: Row, *, version: int) -> Row:
    """Stores a draft (`body`, `source`, `confidence`, `citations`) that was written for this version of the ticket."""
    citations = [one["article_id"] for one in shown_citations(uow, values["citations"])]
    stored = {**values, "citations": citations, "ticket_id": ticket["id"], "version": version, "created_at": uow.now}
    return draft_shape(uow, uow.insert(table, stored), ticket)


def _without_model(
    uow: UnitOfWork,
    access: ModelAccess,
    ticket: Row,
    thread: Sequence[Row],
    questions: Sequence[str],
    hits: Sequence[Hit],
) -> Row:
    """What a draft holds without a model: the better of the best article and the best past resolution."""
    best = next((hit for hit in hits if hit.score >= support.QUOTE_SCORE), None)
    past = support.best_resolution(uow, access, ticket, thread, questions)
    if best and (past is None or best.score >= past.score):
        body = canned_drafts.from_article(ticket, best.title, best.passage)
        return {"body": body, "source": "knowledge", "confidence": best.score, "citations": [best.article_id]}
    if past:
        body = canned_drafts.from_resolution(ticket, past.text)
        return {"body": body, "source": "learned", "confidence": past.score, "citations": []}
    return {"body": canned_drafts.from_category(ticket), "source": "canned", "confidence": 0.0, "citations": []}


def of_ticket(uow: UnitOfWork, ticket_id: str, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of a ticket's drafts, newest first, and the total. Raises AppError 404."""
    ticket = changes.get(uow, ticket_id)
    query = uow.query(table).where(table.c.ticket_id == ticket_id)
    page = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit).offset(offset)
    return [draft_shape(uow, row, ticket) for row in uow.find(page)], uow.count(query)


def record_outcome(
    uow: UnitOfWork, ticket_id: str, draft_id: str, outcome: str, body: str, *, reason: str = "", reason_text: str = ""
) -> Row:
    """Records what became of a draft, and why it was discarded. The same again changes nothing.

    Raises AppError 400, 404, 409.
    """
    ticket = changes.get(uow, ticket_id)
    draft = uow.get(table, draft_id, lock=True)
    if draft is None or draft["ticket_id"] != ticket["id"]:
        raise not_found()
    if (reason or reason_text) and outcome != "discarded":
        raise invalid_field("reason" if reason else "reason_text", "Only a discarded draft has a reason.")
    values = {"outcome": outcome, "edited_body": _edited_body(draft, outcome, body)}
    values |= {"reason": reason or ("other" if reason_text else ""), "reason_text": reason_text}
    if draft["outcome"]:
        if any(draft[name] != value for name, value in values.items()):
            raise conflict("already_decided", f"This draft was {draft['outcome']} already.")
        return draft_shape(uow, draft, ticket)
    after = uow.update(table, draft_id, values)
    return draft_shape(uow, after or draft, ticket)


def _edited_body(draft: Row, outcome: str, body: str) -> str:
    if outcome == "edited":
        if not body:
            raise invalid_field("body", "Send in body what the draft became.")
        return body
    if body and body != draft["body"]:
        raise invalid_field("body", "Only an edited draft has another body. Send outcome edited.")
    return ""


def draft_shape(uow: UnitOfWork, draft: Row, ticket: Row) -> Row:
    """A draft as callers see it. It is stale when its ticket was changed since; it cites what is published now."""
    names = ("body", "source", "confidence", "outcome", "edited_body", "reason", "reason_text", "created_at")
    return {
        "draft_id": draft["id"],
        "ticket_id": draft["ticket_id"],
        "citations": shown_citations(uow, draft["citations"]),
        "stale": draft["version"] != ticket["version"],
        **{name: draft[name] for name in names},
    }
