"""Answers a message of a customer, for the chat and for each other route that takes one."""

from flask import g

from api.http.gate import current_runtime
from core.models import Actor
from services.chat import turns
from services.model_access import ModelAccess
from storage import Row


def company_model_access(actor: Actor) -> ModelAccess:
    """What answers are made with. It sees the whole company, since a customer sees no agents."""
    return current_runtime().model_access(Actor.system(actor.company_id))


def answer_message(body: Row) -> Row:
    """Stores and answers the message of a body of POST /api/chat, in units of work of its own. Raises AppError 400 to 409."""
    actor, storage, access = g.actor, current_runtime().storage, company_model_access(g.actor)
    given_address = body.pop("customer_email", "") if actor.guest else ""
    if actor.guest and actor.guest_name:
        body.setdefault("customer_name", actor.guest_name)
    wants_person, attachment_ids = body.pop("person", False), body.pop("attachment_ids", [])
    if actor.is_customer and not actor.customer_row:
        with storage.unit_of_work(actor, write=True) as uow:
            actor = turns.identify(uow, body)
    turns.prepare(access, body)
    with storage.unit_of_work(actor, write=True) as uow:
        turn = turns.receive(uow, access, body, attachment_ids=attachment_ids)
        if given_address:
            turns.note_address(uow, turn.ticket, given_address)
    return turns.answer(access, turn, wants_person=wants_person)
