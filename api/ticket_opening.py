"""Opening a ticket over HTTP: what happens before, in and after the unit of work. Shared by /api/tickets and the dialects."""

import time
from collections.abc import Callable
from dataclasses import replace

from flask import Response, g

from api.http.envelope import Answer, render
from api.http.gate import current_runtime, store_response
from core.errors import AppError
from core.models import Actor
from services import ai_usage
from services.knowledge.search import good_enough
from services.model_access import wait_slot
from services.tickets import changes, create
from services.triage import decide
from storage import Row, UnitOfWork

POLL_SECONDS = 0.1


def prepare(body: Row) -> None:
    """Finds what a new ticket needs before the unit of work, so that other writers do not wait: its vector and an article."""
    runtime = current_runtime()
    decide.prepare(runtime.trained_models, [body])
    if runtime.trained_models.resolution_times.is_due(g.actor.company_id):
        company = Actor.system(g.actor.company_id)  # a customer would see their own tickets alone
        with runtime.storage.unit_of_work(company) as uow:
            runtime.trained_models.resolution_times.learn(uow)
    with runtime.storage.unit_of_work(g.actor) as uow:
        if runtime.model is None or ai_usage.refusal(uow):  # else the job of the answer looks for it
            g.article = good_enough(runtime.knowledge.for_ticket(uow, body, wait=False))


def open_ticket(uow: UnitOfWork, body: Row, *, said_by: str = "") -> Row:
    """Opens the ticket of the body, which `prepare` has seen. Raises AppError 400, 403, 409."""
    runtime = current_runtime()
    ticket = create.open_ticket(
        uow,
        runtime.trained_models,
        body,
        model_ready=runtime.model is not None,
        article=g.get("article"),
        said_by=said_by,
    )
    g.opened = ticket
    return ticket


def with_answer(response: Response, *, key: str, seconds: int, show: Callable[[Row], Answer | Response]) -> Response:
    """Waits for the model's answer to the opened ticket if a waiting slot is free; the ticket is already committed.

    `show` makes the response of the answered ticket. Without an answer in time the response stays as it is.
    """
    ticket = g.get("opened")  # nothing when an earlier response was repeated
    if not seconds or ticket is None or response.status_code != 201 or ticket["ai_status"] != "pending":
        return response
    runtime = current_runtime()
    runtime.runner.wake()
    try:
        with wait_slot(runtime.wait_slots) as is_free:
            answered_ticket = _answered_ticket(ticket["id"], seconds=seconds) if is_free else None
        if answered_ticket is None:
            return response
        answered = render(show(answered_ticket))
        if key:
            store_response(answered, key=key)
        return answered
    except AppError:  # deleted meanwhile, or the store is unavailable: the ticket was created all the same
        return response


def _answered_ticket(ticket_id: str, *, seconds: int) -> Row | None:
    """The ticket once it is answered, None after `seconds`. Raises AppError 404, 503."""
    # As an admin: a customer's row may have been created with the ticket, so their own actor could not see it yet.
    company = replace(g.actor, role="admin")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        with current_runtime().storage.unit_of_work(company) as uow:
            ticket = changes.get(uow, ticket_id)
        if ticket["ai_status"] != "pending":
            return ticket
    return None
