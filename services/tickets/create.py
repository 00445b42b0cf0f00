"""Create tickets: find the customer, triage, number, and give a first answer."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError

from ai.retrieval.index import Hit
from core.errors import conflict, not_found
from core.models import FINISHED, PRIORITY_RANK, TEAM_OF
from database.column_types import is_broken
from database.tables import companies
from database.tables import tickets as table
from services import ai_usage, settings
from services.chat import conversations
from services.history import Change, record
from services.routing import agents, matching, plan, teams
from services.sla import clocks, targets
from services.tickets import (
    ai_answers,
    customers,
    notifications,
    past_threads,
    replies,
    team_queue,
    triage_fields,
    waiting,
)
from services.tickets import changes as tickets
from services.triage import decide
from services.triage.trained_models import TrainedModels
from services.triage.training_examples import SET_BY
from storage import Row, UnitOfWork

COPIED_FIELDS = "title description source product tags external_id".split()


def open_ticket(
    uow: UnitOfWork,
    trained_models: TrainedModels,
    fields: Row,
    *,
    model_ready: bool,
    article: Hit | None = None,
    said_by: str = "",
) -> Row:
    """Creates a ticket, triages and numbers it, and sends notifications.

    With a model the answer is enqueued, else it quotes the `article` that answers the ticket, or is canned.
    Raises AppError 400, 403, 409.
    """
    ticket, company = _ticket(uow, trained_models, fields)
    company_settings = settings.of_company(company)
    over_budget = model_ready and ai_usage.is_over_budget(uow, company_settings)
    asks_model = model_ready and company_settings["ai_enabled"] and not over_budget
    if asks_model:
        ticket["ai_status"] = "pending"
    elif ticket["status"] == "new":
        ticket |= ai_answers.answer_now(ticket, article)
    if not asks_model:  # else the periodic assignment follows the model's answer
        ticket |= _automatic_agent(uow, ticket, company)
    ticket |= team_queue.of_new(ticket, real_now=uow.real_now) | {"arrived_at": uow.real_now}
    ticket |= trained_models.resolution_times.expected(company["id"], ticket)
    ticket = _insert(uow, ticket, company, said_by=said_by)
    notifications.notify_opened(uow, ticket, company)
    if asks_model:
        ai_answers.enqueue_answer(uow, ticket["id"])
    elif ticket["ai_status"] == "done":
        replies.add_ai_answer(uow, ticket)
    return ticket


def open_conversation(uow: UnitOfWork, trained_models: TrainedModels, fields: Row, *, said_by: str = "") -> Row:
    """Creates the ticket of a conversation: triage_fields and numbered, without an answer. Only an urgent one is told of.

    Raises AppError 400, 403, 409.
    """
    ticket, company = _ticket(uow, trained_models, {**fields, "source": conversations.CHAT})
    ticket |= trained_models.resolution_times.expected(company["id"], ticket)
    ticket = _insert(uow, ticket | {"arrived_at": uow.real_now}, company, said_by=said_by)
    if ticket["priority"] == "urgent":
        notifications.notify_urgent(uow, ticket)
    return ticket


def import_ticket(
    uow: UnitOfWork, trained_models: TrainedModels, fields: Row, *, thread: Sequence[Row] = (), **past: Any
) -> Row:
    """Adds a ticket of another system: triage_fields and numbered, without an answer or notifications.

    `past` holds further columns, such as created_at and status, and `thread` what was written (services/tickets/past_threads.py).
    updated_at is always now, so that pollers see the ticket. Nobody is alerted to what is overdue already.
    """
    ticket, company = _ticket(uow, trained_models, fields)
    ticket |= past
    ticket = _insert(uow, ticket | past_threads.thread_columns(ticket, thread), company, said_by="", tell=False)
    past_threads.add(uow, ticket, thread)
    return ticket


def _ticket(uow: UnitOfWork, trained_models: TrainedModels, fields: Row) -> tuple[Row, Row]:
    """Returns the row of a new ticket, not stored yet, and the company's row."""
    # The company's row stays locked until commit: numbers have no gaps or duplicates, and two first tickets of one customer
    # are not created at once.
    company = uow.count_up(companies, uow.actor.company_id, "last_number")
    if company is None:
        raise not_found()
    customer = customers.find_or_create(uow, fields)
    ticket: Row = {
        "number": company["last_number"],
        "status": "new",
        "assigned_to": "",
        "customer_row": customer["id"],
        "customer_email": customer["email"],
        "customer_id": customer["customer_id"],
        "customer_name": fields.get("customer_name") or customer["name"],
        "customer_tier": fields.get("customer_tier") or customer["tier"],
        **{name: fields[name] for name in COPIED_FIELDS if name in fields},
        "external_scope": customer["id"] if uow.actor.is_customer else "",
        "created_at": uow.now,
        "updated_at": uow.now,
    }
    return ticket | _triage_fields(uow, trained_models, ticket, fields, company), company


def _triage_fields(uow: UnitOfWork, trained_models: TrainedModels, ticket: Row, fields: Row, company: Row) -> Row:
    """The triage of the rules, as the company's routing changes it, overridden by the fields the caller sent."""
    decision = decide.decide(uow, trained_models, ticket["title"], ticket["description"], tier=ticket["customer_tier"])
    triage = triage_fields.of_triage(decision)
    human = {name: fields[name] for name in tickets.TRIAGE_FIELDS if name in fields}
    if "assigned_team" in human:
        human["assigned_team"] = teams.resolve(uow, human["assigned_team"], field="assigned_team")
    if human:
        triage |= human
        triage["triage_source"] = "human"
        triage["triage_reasons"] = [f"{name}{SET_BY}{uow.actor.name}" for name in human] + triage["triage_reasons"]
        triage["priority_rank"] = PRIORITY_RANK[triage["priority"]]
        if "category" in human and "assigned_team" not in human:
            triage["assigned_team"] = TEAM_OF[triage["category"]]
    tag_topics = settings.of_company(company)["tag_topics"] if decision.topic_sure else False
    own_plan = plan.of_company(uow, company)
    triage = matching.apply(own_plan, ticket, decision, triage, human=human, tag_topics=tag_topics)
    if fields.get("assigned_to"):
        agent = agents.resolve(uow, fields["assigned_to"])
        triage |= {"assigned_to": agent, "assigned_at": uow.now, "status": "assigned"}
    return triage


def _automatic_agent(uow: UnitOfWork, ticket: Row, company: Row) -> Row:
    """The fields that give a ticket of a team with automatic assignment to the agent who is free; {} when nobody is."""
    if ticket["assigned_to"] or ticket["assigned_team"] not in plan.of_company(uow, company).automatic:
        return {}
    system = uow.as_system()  # a customer sees no agents
    choice = agents.Pool(system).choose(ticket["assigned_team"], helpers=False)
    if choice is None:
        return {}
    agents.note_assigned(system, choice.email)
    reasons = agents.with_reason(ticket["triage_reasons"], choice.reason)
    return {"assigned_to": choice.email, "assigned_at": uow.now, "status": "assigned", "triage_reasons": reasons}


def _insert(uow: UnitOfWork, ticket: Row, company: Row, *, said_by: str, tell: bool = True) -> Row:
    """Stores the ticket with its agreed times. What is overdue already counts as told with `tell` False."""
    agreed = targets.of_settings(settings.of_company(company))
    ticket["queue_place"] = ticket.get("queue_place") or waiting.place_of_new(ticket)
    if ticket["status"] not in FINISHED:
        ticket |= clocks.start(ticket, agreed, real_now=uow.real_now).fields(told=not tell)
    try:
        row = uow.insert(table, ticket)
    except IntegrityError as error:
        if not is_broken(error, table, "uq_tickets_external_id"):
            raise
        # Only the constraint of the database can tell that an external_id exists.
        raise conflict("external_id_taken", "There is a ticket with this external_id already.") from None
    changes = [Change("created" if tell else "imported")]
    if row["ai_status"] == "done":
        changes.append(Change("ai_answered", "status", "new", "ai_responded"))
    record(uow, row["id"], changes, said_by=said_by)
    if row["ai_status"] == "done" and row["assigned_to"]:  # after an answer only by itself
        assigned = [Change("assigned", "assigned_to", "", row["assigned_to"])]
        record(uow.as_system(), row["id"], assigned)
    if row["source"] == conversations.CHAT:  # the description is its first message
        conversations.start(uow, row)
        replies.add_turn(uow, row, "customer", row["description"], at=row["created_at"])
    return row
