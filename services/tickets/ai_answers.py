"""AI answers to tickets: ask the model outside any transaction, then store its answer unless a person was faster."""

import time
from collections.abc import Sequence
from dataclasses import replace

from ai.model_call import Completes
from ai.retrieval.index import TELLING_SCORE, Hit
from ai.ticket_data import MAX_ENTRIES, NO_MODEL
from ai.triage.rules import Triage, blend
from ai_responder import PROMPT, Answer, canned, from_article, write
from core.errors import AppError, conflict, unavailable
from core.models import FINISHED, label
from services import ai_usage, outbox, settings
from services import history as history_of
from services.chat import conversations
from services.knowledge.search import Knowledge, good_enough
from services.model_access import ModelAccess, wait_slot
from services.tickets import changes, notifications, replies, similar, triage_fields, waiting
from services.triage import decide
from services.triage.trained_models import TrainedModels
from storage import OpenUnitOfWork, Row, UnitOfWork

QUEUE = "ai"
ANSWER_REQUESTED = history_of.Change("ai_answer_asked")
RETRY_SECONDS = 5


def enqueue_answer(uow: UnitOfWork, ticket_id: str) -> None:
    """Enqueues a job that answers the ticket, in the same unit of work."""
    outbox.enqueue(uow, [outbox.Job(QUEUE, "answer", ticket_id)])


def answer_now(ticket: Row, article: Hit | None) -> Row:
    """The fields that an answer without the model sets in a ticket that is being created."""
    return answer_fields(ticket, _or_article(ticket, canned(ticket), article))


def _or_article(ticket: Row, answer: Answer, article: Hit | None) -> Answer:
    """The answer, or instead of a canned one the quotation of the article."""
    if answer.source != "canned" or article is None:
        return answer
    return replace(from_article(ticket, article, answer.reason), failed=answer.failed, busy=answer.busy)


def answer_new_ticket(
    open_uow: OpenUnitOfWork,
    ticket_id: str,
    model: Completes | None,
    trained_models: TrainedModels,
    knowledge: Knowledge,
) -> None:
    """Job of a new ticket: asks the model and stores its answer, or else one that quotes an article, or a canned one.

    Nothing is stored if a person replied, resolved or took over in the meantime: a late answer would only confuse.
    """
    with open_uow() as uow:
        ticket = changes.get(uow, ticket_id)
        refusal = ai_usage.refusal(uow)
        passages = knowledge.for_ticket(uow, ticket)
    if _still_needed(ticket):
        answer = (
            _model_answer(open_uow, ticket, model, trained_models, passages)
            if model and not refusal
            else _canned_answer(ticket, model, refusal)
        )
        answer = _or_article(ticket, answer, good_enough(passages))
    with open_uow(write=True) as uow:
        current = changes.get_for_update(uow, ticket_id, even_erased=True)
        if _still_needed(ticket) and _still_needed(current):
            store_answer(uow, trained_models, current, answer)
        elif current["ai_status"] == "pending":
            changes.write(uow, current, {"ai_status": "off"}, "ai_answer_dropped", by_ai=True)


def _still_needed(ticket: Row) -> bool:
    return ticket["ai_status"] == "pending" and ticket["status"] == "new" and not ticket["human_replied"]


def regenerate_answer(access: ModelAccess, ticket_id: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Writes a new answer on request: the model's if there is one and it is enabled, else by an article, else a canned one.

    Raises AppError 404, 412, and 503 if the model is busy. 409 says that the ticket is finished or was changed
    meanwhile. Nothing is stored or mailed then.
    """
    with access.open_uow() as uow:
        before = changes.get_for_update(uow, ticket_id, version)
        _check_open(before)
        if before["source"] == conversations.CHAT:
            raise conflict("conversation", "The AI answers the messages of a chat by itself, unless a person does.")
        refusal = ai_usage.refusal(uow)
        passages = access.knowledge.for_ticket(uow, before)
    if access.model and not refusal:
        with wait_slot(access.wait_slots) as is_free:
            if not is_free:
                raise _model_is_busy()
            answer = _model_answer(access.open_uow, before, access.model, access.trained_models, passages)
    else:
        answer = _canned_answer(before, access.model, refusal)
    if answer.busy:
        raise _model_is_busy()
    answer = _or_article(before, answer, good_enough(passages))
    with access.open_uow(write=True) as uow:
        ticket = changes.get_for_update(uow, ticket_id)
        _check_open(ticket)
        if ticket["version"] != before["version"]:
            raise conflict("changed_meanwhile", "This ticket was changed in the meantime. Reload it and try again.")
        history_of.record(uow, ticket_id, [ANSWER_REQUESTED], said_by=said_by)
        return store_answer(uow, access.trained_models, ticket, answer)


def _model_answer(
    open_uow: OpenUnitOfWork, ticket: Row, model: Completes, trained_models: TrainedModels, passages: Sequence[Hit]
) -> Answer:
    """The model's answer, or a canned one. Reading the thread and similar tickets counts against the model's timeout."""
    deadline = time.monotonic() + model.timeout_seconds
    with open_uow() as uow:
        thread = replies.recent_public(uow, ticket["id"], most=MAX_ENTRIES)
        similar_tickets = similar.find_similar(uow, trained_models, ticket)
    remaining = deadline - time.monotonic()
    return write(
        ticket,
        thread,
        model,
        passages=[hit for hit in passages if hit.score >= TELLING_SCORE],
        judged=similar_tickets.judged,
        others=similar_tickets.others,
        deadline_seconds=remaining,
    )


def _canned_answer(ticket: Row, model: Completes | None, refusal: str) -> Answer:
    return canned(ticket, refusal if model else NO_MODEL)


def _model_is_busy() -> AppError:
    return unavailable("The model is busy with other tickets. Ask again in a few seconds.", retry_after=RETRY_SECONDS)


def _check_open(ticket: Row) -> None:
    changes.check_own(ticket, "answered")
    if ticket["status"] in FINISHED:
        message = f"Ticket #{ticket['number']} is {label(ticket['status']).lower()}. Reopen it first."
        raise conflict("move_not_allowed", message)


def store_answer(uow: UnitOfWork, trained_models: TrainedModels, ticket: Row, answer: Answer) -> Row:
    """Stores the answer, adds it to the thread and mails it. The ticket's version does not change."""
    values = answer_fields(ticket, answer)
    if answer.suggestion is not None and ticket["triage_source"] in ("rules", "learned"):
        values |= triage_fields.routed(uow, ticket, _blend_triage(uow, trained_models, ticket, answer))
    if answer.failed:
        history_of.record(uow, ticket["id"], [history_of.Change("ai_failed", after=answer.reason)], actor=history_of.AI)
    if answer.source == "model":
        history_of.record(
            uow, ticket["id"], [history_of.Change("ai_answered", "prompt", "", PROMPT)], actor=history_of.AI
        )
    ticket_after = changes.write(uow, ticket, values, "ai_answered", by_ai=True)
    replies.add_ai_answer(uow, ticket_after)
    notifications.notify_ai_answer(uow, ticket_after)
    if ticket_after["priority"] == "urgent" and ticket["priority"] != "urgent":
        notifications.notify_urgent(uow, ticket_after)
    return ticket_after


def _blend_triage(uow: UnitOfWork, trained_models: TrainedModels, ticket: Row, answer: Answer) -> Triage:
    """The local triage, blended with the model's as far as the setting ai_triage allows."""
    tier = ticket["customer_tier"]
    local = decide.decide(uow, trained_models, ticket["title"], ticket["description"], tier=tier)
    ai_triage = settings.current(uow)["ai_triage"]
    if answer.suggestion is None or ai_triage == "off" or (ai_triage == "uncertain" and local.certain):
        return local
    both = blend(local, answer.suggestion, tier=tier)
    return replace(both, reasons=(*both.reasons, f"asked the model with prompt {PROMPT}"))


def answer_fields(ticket: Row, answer: Answer) -> Row:
    """The fields that an answer sets in a ticket."""
    return {
        "status": changes.status_after(ticket, "ai_answer"),
        "ai_response": answer.text,
        "ai_source": answer.source,
        "ai_status": "done",
        "ai_confidence": answer.confidence,
        "ai_citations": answer.citations,
        "queue_place": waiting.answered(ticket),
    }
